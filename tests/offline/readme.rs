//! The README's commands for programs that stay until Ctrl-C.

use std::{ffi::OsString, process::Stdio};

use agent_engine_operator::cli::{Cli, Command, Pod};

use crate::page::{README, blocks};

const EMULATOR: &str = env!("CARGO_BIN_EXE_agent-engine-emulator");
/// The operator's own namespace in the README.
const HOME: &str = "agent-engine-operator";

/// The mark above each block of them.
const STAYS: &str = "<!-- stays -->\n```sh\n";

/// Started as written, but for the port, which tests do not share.
#[tokio::test]
async fn the_programs_of_the_readme_that_stay_understand_their_flags() {
    let lines = blocks(STAYS);
    let mut programs = Vec::new();
    for line in &lines {
        let (cargo, arguments) = line.split_once(" -- ").unwrap_or((line, ""));
        let arguments = arguments.split_whitespace();
        if cargo.contains("--bin agent-engine-emulator") {
            let mut emulator = tokio::process::Command::new(EMULATOR)
                .args(arguments)
                .args(["--listen", "127.0.0.1:0"])
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            let mut line = String::new();
            let output = emulator.stdout.take().unwrap();
            let mut output = tokio::io::BufReader::new(output);
            tokio::io::AsyncBufReadExt::read_line(&mut output, &mut line)
                .await
                .unwrap();
            assert!(line.starts_with("agent-engine-emulator listening on"), "{line}");
            programs.push("emulator");
        } else {
            let arguments: Vec<_> = ["agent-engine-operator"]
                .into_iter()
                .chain(arguments)
                .map(OsString::from)
                .collect();
            let command = Cli::read(&arguments, Pod::default());
            assert!(
                matches!(&command, Ok(Command::Run(settings, _)) if settings.operator_namespace == HOME),
                "{command:?}"
            );
            programs.push("operator");
        }
    }
    assert_eq!(programs, ["emulator", "operator"]);
    let help = std::process::Command::new(EMULATOR)
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for default in ["127.0.0.1:8000", "emulated-client"] {
        assert!(help.contains(default) && README.contains(default), "{default}");
    }
}

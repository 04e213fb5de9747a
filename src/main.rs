//! Parses the command line, runs the command, exits with 0 (done), 1 (failed) or 2 (wrong usage).
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

use agent_engine_operator::cli::{Cli, CliExit, Command, Pod};
use agent_engine_operator::{crd, logging, run};

const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let pod = Pod {
        namespace: std::env::var("POD_NAMESPACE").ok(),
        name: std::env::var("POD_NAME").ok(),
    };
    match Cli::read(&arguments, pod) {
        Ok(command) => match execute(command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => print_error(&format!("{error:#}"), FAILED),
        },
        Err(CliExit::Help(text)) => match text.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => print_error(&error.to_string(), FAILED),
        },
        Err(CliExit::Usage(why)) => print_error(&why, WRONG_USAGE),
    }
}

fn execute(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Crds => Ok(io::stdout().write_all(crd::definitions::stream()?.as_bytes())?),
        Command::Run(settings, logs) => {
            logging::init(&logs)?;
            let provider = rustls::crypto::aws_lc_rs::default_provider();
            provider
                .install_default()
                .map_err(|_| anyhow::anyhow!("a TLS provider is already installed"))?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let ended = runtime.block_on(run::run(*settings));
            // A DNS query that hangs holds up no end.
            runtime.shutdown_background();
            Ok(ended?)
        }
    }
}

fn print_error(why: &str, code: u8) -> ExitCode {
    // Standard error may be closed; the exit code remains.
    let _ = writeln!(io::stderr(), "error: {why}");
    ExitCode::from(code)
}

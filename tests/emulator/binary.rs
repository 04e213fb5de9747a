//! The emulator as a process: start line, end, flags, the journal file.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_agent-engine-emulator");

/// A running emulator; killed when a test gives it up.
pub struct Process {
    child: Child,
    pub url: String,
}

impl Process {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line
            .trim()
            .strip_prefix("agent-engine-emulator listening on ")
            .expect("a start line")
            .to_owned();
        Self { child, url }
    }

    /// Sends a signal, as `kill` names it; tells the exit code and all that was said on standard error.
    pub fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let code = self.child.wait().unwrap().code();
        let mut said = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        (code, said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn refused(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output, said)
}

#[tokio::test]
async fn it_says_where_it_listens_obeys_flags_and_ends_at_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.jsonl");
        let emulator = Process::start(&[
            "--client-id",
            "cid",
            "--client-secret",
            "hush-hush",
            "--workspace",
            "acme",
            "--app-token-ttl",
            "77",
            "--knob",
            "t1_organization=absent",
            "--canary",
            "LEAK",
            "--journal-file",
            file.to_str().unwrap(),
        ]);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = json!({"client_id": "cid", "client_secret": "hush-hush"}).to_string();
        let url = format!("{}/api/v1/account/applications/token", emulator.url);
        let token: Value = serde_json::from_str(
            &http
                .post(url)
                .header("content-type", "application/json")
                .body(body)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap(),
        )
        .unwrap();
        assert_eq!(
            (&token["expires_in"], token.get("organization_id")),
            (&json!(77), None)
        );
        let token = token["access_token"].as_str().unwrap();
        assert!(token.contains("LEAK"));
        let url = format!("{}/api/v1/workspaces?name_contains=acme", emulator.url);
        let list = http
            .get(url)
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(list.contains("\"acme\""), "{list}");
        let (code, said) = emulator.end(signal);
        assert_eq!((code, said.as_str()), (Some(0), ""));
        let journal = std::fs::read_to_string(&file).unwrap();
        let operations: Vec<Value> = journal
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["operation"].clone())
            .collect();
        assert_eq!(operations, ["T1", "W1"]);
        assert!(
            !journal.contains("LEAK") && !journal.contains("hush-hush"),
            "{journal}"
        );
    }
}

#[test]
fn a_bad_flag_is_one_clear_line_and_exit_code_2() {
    for (arguments, word) in [
        (
            &["--knob", "error_shape=xml"][..],
            "`envelope`, `detail`, `error`",
        ),
        (&["--knob", "nonsense=1"], "nonsense"),
        (&["--knob", "nonsense"], "NAME=VALUE"),
        (&["--listen", "here"], "here"),
        (
            &["--listen", "80"],
            "must be an IP address and a port, such as [::]:8080 or 127.0.0.1:8080 (see --help)",
        ),
        (&["--client-id", ""], "the client id must not be empty"),
        (&["--client-secret", " "], "the client secret must not be empty"),
        (&["--app-token-ttl", "0"], "must be seconds from 1 to 31536000"),
        (
            &["--scoped-token-ttl", "31536001"],
            "must be seconds from 1 to 31536000",
        ),
        (&["--nonsense"], "--nonsense"),
        (&["--organization-id", "acme"], "acme"),
        (&["--canary", "a b"], "a b"),
        (
            &["--journal-file", "/nonexistent/folder/journal"],
            "/nonexistent/folder/journal",
        ),
        (&["--app-token-ttl", "long"], "long"),
    ] {
        let (output, said) = refused(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with("agent-engine-emulator: ") && said.contains(word),
            "{said}"
        );
    }
}

#[test]
fn an_address_in_use_is_told_with_exit_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (output, said) = refused(&["--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("cannot serve on"), "{said}");
}

#[test]
fn help_and_the_table_of_knobs_are_printed() {
    let (help, _) = refused(&["--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    assert_eq!(help.status.code(), Some(0));
    for flag in [
        "--listen",
        "--workspace",
        "--knob",
        "--journal-file",
        "--canary",
        "SIGTERM",
    ] {
        assert!(text.contains(flag), "{text}");
    }
    let (knobs, _) = refused(&["knobs"]);
    assert!(
        String::from_utf8(knobs.stdout)
            .unwrap()
            .contains("| `error_shape` |")
    );
}

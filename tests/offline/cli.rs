//! What the program says and answers before it has met a cluster.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use agent_engine_operator::crd::definitions;

/// With nothing of the environment of whoever runs the tests.
fn operator(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent-engine-operator"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

fn said(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).unwrap()
}

#[track_caller]
fn refuses(output: &Output, message: &str) {
    let error = said(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "one line: {error}");
    assert!(error.starts_with("error: ") && error.contains(message), "{error}");
    assert_eq!(said(&output.stdout), "");
}

/// Promise: input.flags: bad flags or environment: one clear line and exit code 2
#[test]
fn bad_flags_get_one_clear_line_and_exit_code_2() {
    let table: &[(&[&str], &str)] = &[
        (&["--nonsense"], "unexpected argument '--nonsense'"),
        (&["--liste", "x"], "a similar argument exists: '--listen'"),
        (&["nonsense"], "unrecognized subcommand 'nonsense'"),
        (
            &["run"],
            "pass --operator-namespace or set AGENT_ENGINE_OPERATOR_NAMESPACE or POD_NAMESPACE",
        ),
        (
            &["run", "--operator-namespace", "Team"],
            "\"Team\" is no name of a namespace",
        ),
        (
            &["run", "--watch-namespaces", "a,,b"],
            "\"\" is no name of a namespace",
        ),
        (
            &["run", "--listen", "localhost"],
            "must be an IP address and a port, such as [::]:8080",
        ),
        (&["run", "--listen"], "a value is required for '--listen"),
        (&["run", "--log-format", "xml"], "possible values: text, json"),
        (
            &["run", "--log-level", "inof"],
            "must be off, error, warn, info, debug or trace",
        ),
        (
            &["run", "--namespace", "x"],
            "tip: a similar argument exists: '--operator-namespace'",
        ),
        (&["-n", "x"], "a similar argument exists: '--operator-namespace'"),
        (
            &["run", "--concurrency", "0"],
            "must be a whole number from 1 to 1024",
        ),
        (
            &["run", "--concurrency", "1025"],
            "must be a whole number from 1 to 1024",
        ),
        (
            &["run", "--concurrency", "many"],
            "must be a whole number from 1 to 1024",
        ),
        (
            &["run", "--drain-timeout", "25"],
            "must be a duration from 0s to 10m",
        ),
        (
            &["run", "--drain-timeout", "11m"],
            "must be a duration from 0s to 10m",
        ),
        (
            &["run", "--reconcile-timeout", "9s"],
            "must be a duration from 10s to 30m",
        ),
        (
            &["run", "--reconcile-timeout=-1m"],
            "must be a duration from 10s to 30m",
        ),
    ];
    for (arguments, message) in table {
        refuses(&operator(arguments).output().unwrap(), message);
    }
}

/// Promise: input.flags
#[test]
fn a_bad_environment_is_named_by_its_variable() {
    let table = [
        (
            "POD_NAMESPACE",
            "Team",
            "invalid value of POD_NAMESPACE: \"Team\" is no name of a namespace",
        ),
        (
            "AGENT_ENGINE_CONCURRENCY",
            "many",
            "(set by AGENT_ENGINE_CONCURRENCY)",
        ),
        (
            "AGENT_ENGINE_DRAIN_TIMEOUT",
            "1d",
            "(set by AGENT_ENGINE_DRAIN_TIMEOUT)",
        ),
        ("AGENT_ENGINE_LISTEN", "", "(set by AGENT_ENGINE_LISTEN)"),
        (
            "AGENT_ENGINE_LOG_FORMAT",
            "xml",
            "(set by AGENT_ENGINE_LOG_FORMAT)",
        ),
        (
            "AGENT_ENGINE_LOG_LEVEL",
            "inof",
            "(set by AGENT_ENGINE_LOG_LEVEL)",
        ),
        (
            "AGENT_ENGINE_OPERATOR_NAMESPACE",
            "",
            "(set by AGENT_ENGINE_OPERATOR_NAMESPACE)",
        ),
        (
            "AGENT_ENGINE_RECONCILE_TIMEOUT",
            "1s",
            "(set by AGENT_ENGINE_RECONCILE_TIMEOUT)",
        ),
        (
            "AGENT_ENGINE_WATCH_NAMESPACES",
            "a b",
            "(set by AGENT_ENGINE_WATCH_NAMESPACES)",
        ),
    ];
    for (variable, value, message) in table {
        refuses(
            &operator(&["run"]).env(variable, value).output().unwrap(),
            message,
        );
    }
    let overruled = operator(&["run", "--concurrency", "0"])
        .env("AGENT_ENGINE_CONCURRENCY", "1")
        .output();
    assert!(
        !said(&overruled.unwrap().stderr).contains("set by"),
        "the flag was wrong, not the variable"
    );
}

#[test]
fn every_flag_has_a_variable_and_help_shows_both() {
    let help = operator(&["run", "--help"]).output().unwrap();
    assert!(help.status.success());
    let help = said(&help.stdout);
    let flags: Vec<_> = help
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--"))
        .filter_map(|flag| flag.split_whitespace().next())
        .collect();
    assert!(flags.len() >= 8, "{flags:?}");
    for flag in flags {
        let variable = format!("[env: AGENT_ENGINE_{}=", flag.to_uppercase().replace('-', "_"));
        assert!(help.contains(&variable), "{variable}");
    }
}

#[test]
fn version_and_definitions_are_printed() {
    let version = operator(&["--version"]).output().unwrap();
    assert_eq!(
        said(&version.stdout),
        concat!("agent-engine-operator ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let printed = operator(&["crds"]).output().unwrap();
    assert!(printed.status.success());
    assert_eq!(said(&printed.stdout), definitions::stream().unwrap());
}

#[test]
fn an_address_in_use_fails_with_exit_code_1() {
    let taken = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let output = operator(&["--operator-namespace", "x", "--listen", &address])
        .env("KUBECONFIG", silent_cluster(directory.path()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output.stderr).contains(&format!("cannot listen on {address}")));
}

#[test]
fn without_a_way_to_a_cluster_it_says_so() {
    let arguments = ["--operator-namespace", "x", "--listen", "127.0.0.1:0"];
    let output = operator(&arguments)
        .env("KUBECONFIG", "/does/not/exist")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = said(&output.stderr);
    assert!(
        error.starts_with("error: no access to the Kubernetes API is configured"),
        "nothing is said before: {error}"
    );
}

/// A kubeconfig that leads to a port that was free a moment ago and that nobody answers on.
fn silent_cluster(directory: &std::path::Path) -> std::path::PathBuf {
    let kubeconfig = directory.join("kubeconfig");
    let closed = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .unwrap()
        .local_addr()
        .unwrap();
    let text = format!(
        "{{apiVersion: v1, kind: Config, current-context: x, users: [{{name: x, user: {{}}}}], \
         clusters: [{{name: x, cluster: {{server: 'http://{closed}'}}}}], \
         contexts: [{{name: x, context: {{cluster: x, user: x}}}}]}}"
    );
    std::fs::write(&kubeconfig, text).unwrap();
    kubeconfig
}

/// An operator whose cluster does not answer. Killed when dropped.
struct Running {
    child: Child,
    listen: SocketAddr,
}

impl Running {
    fn start(directory: &std::path::Path) -> Self {
        let arguments = [
            "run",
            "--operator-namespace",
            "x",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ];
        let mut command = operator(&arguments);
        let mut child = command
            .env("KUBECONFIG", silent_cluster(directory))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        // What follows is read to its end, or the operator would block on a full pipe.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let listen = line["fields"]["listen"].as_str().unwrap().parse().unwrap();
        Self { child, listen }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.listen).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&mut self, name: &str) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// It counts, too.
#[test]
fn it_is_alive_before_the_cluster_answers_and_ends_when_told() {
    for signal in ["TERM", "INT"] {
        let directory = tempfile::tempdir().unwrap();
        let mut running = Running::start(directory.path());
        assert!(running.get("/livez").starts_with("HTTP/1.1 200"));
        let metrics = running.get("/metrics");
        assert!(
            metrics.contains("agent_engine_operator_build_info{version="),
            "{metrics}"
        );
        assert_eq!(running.signal(signal).code(), Some(0));
    }
}

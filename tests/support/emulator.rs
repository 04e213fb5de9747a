//! The emulated Agent Engine as a process of its own, driven through its control API (`docs/emulator.md`).

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Supervised, built, canary,
    eventually::{LONG, eventually},
    http_client, scratch_file,
};

pub const CLIENT_ID: &str = "test-client";

pub struct Emulator {
    process: Supervised,
    url: String,
    client_secret: String,
    http: reqwest::Client,
}

impl Emulator {
    /// One with flags of the test's choice besides the address and the credentials.
    pub async fn start(more_arguments: &[&str]) -> Self {
        // A secret of its own, so that one found where it should not be tells where it came from.
        let client_secret = format!("{}{:016x}", canary::CREDENTIAL, rand_bits());
        let log = scratch_file("emulator.log");
        let arguments = [
            "--listen",
            "127.0.0.1:0",
            "--client-id",
            CLIENT_ID,
            "--client-secret",
            &client_secret,
            "--canary",
            canary::TOKEN,
        ];
        let arguments = arguments.into_iter().chain(more_arguments.iter().copied());
        let program = built("agent-engine-emulator");
        let environment = [("RUST_BACKTRACE", "1")];
        let mut process = Supervised::start("the emulator", &program, arguments, environment, log).await;
        let url = eventually("the emulator to say where it listens", LONG, || {
            let (ended, log) = (process.exit_code(), process.log());
            async move {
                if let Some(code) = ended {
                    panic!("the emulator ended with {code}:\n{log}");
                }
                let start = log
                    .lines()
                    .find(|line| line.starts_with("agent-engine-emulator listening on "));
                start
                    .and_then(|line| line.rsplit(' ').next())
                    .map(str::to_owned)
                    .ok_or(log)
            }
        })
        .await;
        Self {
            process,
            url,
            client_secret,
            http: http_client(),
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// `{"workspaces": […]}` of `docs/emulator.md`.
    pub async fn seed(&self, seed: Value) -> Value {
        self.control(Method::POST, "seed", Some(seed)).await
    }

    /// `{"error_shape": "detail"}`
    pub async fn knobs(&self, knobs: Value) {
        self.control(Method::PUT, "knobs", Some(knobs)).await;
    }

    pub async fn fault(&self, fault: Value) {
        self.control(Method::POST, "faults", Some(fault)).await;
    }

    pub async fn clear_faults(&self) {
        self.control(Method::DELETE, "faults", None).await;
    }

    /// Returns when at least `count` requests are held.
    pub async fn wait_held(&self, count: usize) -> Value {
        let deadline = LONG.as_millis();
        self.control(
            Method::GET,
            &format!("holds?wait_for={count}&timeout_ms={deadline}"),
            None,
        )
        .await
    }

    /// Lets all held requests go: `apply` or `drop`.
    pub async fn release(&self, then: &str) {
        self.control(Method::POST, "holds/release", Some(json!({ "then": then })))
            .await;
    }

    /// Everything that it knows.
    pub async fn state(&self) -> Value {
        self.control(Method::GET, "state", None).await
    }

    /// The requests after number `since`, oldest first, and how many there were of each.
    pub async fn journal(&self, since: u64) -> Value {
        self.control(Method::GET, &format!("journal?since={since}"), None)
            .await
    }

    /// How many of each call there were after number `since`: `{"T2": 1}`.
    pub async fn calls_since(&self, since: u64) -> BTreeMap<String, usize> {
        serde_json::from_value(self.journal(since).await["counts"].take()).expect("counts")
    }

    /// The number of the last request.
    pub async fn journal_mark(&self) -> u64 {
        self.journal(u64::MAX >> 1).await["last"]
            .as_u64()
            .expect("a number")
    }

    /// A call of the control API that has no method here.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self
            .http
            .request(method, format!("{}/_emulator/{path}", self.url));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.expect("the emulator answers");
        let (status, text) = (answer.status(), answer.text().await.expect("its answer"));
        assert!(
            status.is_success(),
            "the emulator refused {path} with {status}: {text}"
        );
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub async fn terminate(self) -> i32 {
        self.process.terminate().await
    }
}

/// Different in each process and at each call.
fn rand_bits() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

//! No secret is ever shown: not in logs at the finest level, not in `Debug`, not in what a server echoes.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use agent_engine_operator::engine::{Client, Operation, ScopedToken};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::network::secured;
use crate::stub::{self, EXCHANGE, ISSUE, Seen, call, config, configured, credentials, json, scoped};

const CLIENT_SECRET: &str = "S3CRET-canary";
const APPLICATION: &str = "app-canary.opaque";
const SCOPED: &str = "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOiJzY29wZWQifQ.c2NvcGVk";

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn assert_silent(text: &str) {
    for canary in [CLIENT_SECRET, APPLICATION, SCOPED, "eyJjYW5hcnkiOiJzY29wZWQifQ"] {
        assert!(!text.contains(canary), "{canary} in: {text}");
    }
}

fn tokens(seen: &Seen) -> Option<stub::Reply> {
    match seen.path.as_str() {
        EXCHANGE => Some(json(
            200,
            &json!({"access_token": APPLICATION, "expires_in": 900}),
        )),
        ISSUE => Some(json(200, &json!({"token": SCOPED}))),
        _ => None,
    }
}

/// The finest log of this whole process: of the connection's tasks and, as it happens, of all other tests. Set for the
/// process because a subscriber of one thread is not asked about what other threads have come across first.
static LOG: LazyLock<Captured> = LazyLock::new(|| {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    captured
});

/// Over a real connection, where libraries log too.
/// Promise: I8
#[tokio::test]
async fn the_finest_log_of_every_call_shows_no_secret() {
    let captured = LOG.clone();
    let server = secured(tokens).await;
    let mut config = config(&server.url);
    config.ca_bundle = Some(server.ca.clone());
    let engine = Client::new(&config).unwrap();
    let mut shown = String::new();
    for operation in Operation::ALL {
        write!(shown, "{:?}", call(&engine, operation).await).unwrap();
    }
    let issued = engine.issue(&"tenant".into(), None).await.result.unwrap();
    write!(shown, "{issued:?}{:?}", engine.verify(&issued).await).unwrap();
    write!(shown, "{config:?}{:?}{:?}", credentials(), scoped(SCOPED)).unwrap();

    assert!(
        server
            .log
            .all()
            .iter()
            .any(|seen| seen.body["client_secret"] == CLIENT_SECRET)
    );
    let log = captured.text();
    assert!(
        log.contains("agent engine call ended") && log.contains("TRACE"),
        "the capture works: {log}"
    );
    assert_silent(&log);
    assert_silent(&shown);
}

fn refused_with(token: ScopedToken) -> Result<(), ScopedToken> {
    Err(token)
}

/// What a panic prints of values is their `Debug` form, of an `expect` that of the error.
///
/// Promise: I8
#[tokio::test(start_paused = true)]
async fn a_panic_over_what_holds_secrets_shows_none() {
    let (engine, _) = configured(|_| (), tokens);
    let issued = engine.issue(&"tenant".into(), None).await;
    let verified = engine.verify(&scoped(SCOPED)).await;
    let config = config("https://api.airbyte.ai");
    let answers: [Box<dyn std::fmt::Debug + std::panic::UnwindSafe>; 5] = [
        Box::new(format!("{issued:?}")),
        Box::new(format!("{verified:?}")),
        Box::new(format!("{config:?}")),
        Box::new(format!("{:?}", credentials())),
        Box::new(format!("{:?}", scoped(SCOPED))),
    ];
    let mut panics: Vec<Box<dyn std::any::Any + Send>> = answers
        .into_iter()
        .map(|shown| std::panic::catch_unwind(move || panic!("lost: {shown:?}")).unwrap_err())
        .collect();
    let refused = refused_with(issued.result.unwrap());
    let failing = std::panic::AssertUnwindSafe(|| refused.expect("a failure that carries a token"));
    panics.push(std::panic::catch_unwind(failing).unwrap_err());
    for panic in panics {
        let said = panic.downcast_ref::<String>().expect("its words");
        assert!(said.len() > 20, "{said}");
        assert_silent(said);
    }
}

/// Promise: I8
#[tokio::test(start_paused = true)]
async fn what_a_server_echoes_is_not_shown() {
    for operation in Operation::ALL {
        let (engine, _) = configured(
            |_| (),
            move |seen| {
                let is_exchange = matches!(operation, Operation::Exchange | Operation::Authenticate);
                if seen.path == EXCHANGE && !is_exchange {
                    return tokens(seen);
                }
                let authorization = seen.header("authorization").unwrap_or_default().to_owned();
                let text = format!("bad: {} {authorization} ({SCOPED})\r\nX: y", seen.body);
                Some(json(
                    422,
                    &json!({"message": text, "errors": [{"field": APPLICATION, "message": text}]}),
                ))
            },
        );
        let failure = match operation {
            Operation::Verify => engine
                .verify(&scoped("opaque-scoped-canary"))
                .await
                .result
                .unwrap_err(),
            Operation::Exchange
            | Operation::Authenticate
            | Operation::List
            | Operation::Get
            | Operation::Issue
            | Operation::Update
            | Operation::Delete => call(&engine, operation).await.result.unwrap_err(),
        };
        assert!(failure.detail.contains("bad:"), "{failure:?}");
        assert!(!failure.detail.contains("opaque-scoped-canary"));
        assert!(!failure.detail.contains(['\r', '\n']));
        // A token that is no JWT and was never sent cannot be known for one.
        if !matches!(
            operation,
            Operation::Exchange | Operation::Authenticate | Operation::Verify
        ) {
            assert_silent(&failure.detail);
        }
        assert!(
            !failure.detail.contains(CLIENT_SECRET) && !failure.detail.contains(SCOPED),
            "{failure:?}"
        );
    }
}

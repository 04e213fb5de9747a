//! Each fault of the emulator, on each call: what the client makes of it, and how often it asked.

use agent_engine_operator::domain::remote::FailureClass::{self, Malformed, Transient, Unknown};
use agent_engine_operator::domain::remote::TokenPath;
use agent_engine_operator::emulator::fault::{Fault, FaultAnswer};
use agent_engine_operator::emulator::journal::Filter;
use agent_engine_operator::emulator::operation::Operation::{self, T1, T2, T3, W1, W3, W4, W5};
use agent_engine_operator::engine::{Client, ListFilter, UpdateFields};

use super::story::Setting;

const READS: [Operation; 4] = [T1, T3, W1, W3];
const WRITES: [Operation; 3] = [T2, W4, W5];

/// Befalls one call without end; tells the class of the failure and how often the call was sent.
async fn befallen(operation: Operation, answer: FaultAnswer) -> (FailureClass, u64) {
    let (emulator, engine) =
        Setting::new(TokenPath::Applications, "envelope").start(vec!["tenant".to_owned()]);
    let token = engine.issue(&"tenant".into(), None).await.result.unwrap();
    let id = engine.verify(&token).await.result.unwrap().workspace_id;
    let fault = Fault {
        operation: Some(operation),
        answer,
        ..Fault::default()
    };
    let since = emulator.with(|state| {
        state.faults.add(fault).unwrap();
        state.journal.read(&Filter::default()).last
    });
    let result = match operation {
        T1 => engine.authenticate().await.result.map(drop),
        T2 => engine.issue(&"tenant".into(), None).await.result.map(drop),
        T3 => engine.verify(&token).await.result.map(drop),
        W1 => engine.list(ListFilter::default()).await.result.map(drop),
        W3 => engine.get(&id).await.result.map(drop),
        W4 => {
            let change = UpdateFields {
                name: Some("renamed".into()),
                state: None,
            };
            engine.update(&id, &change).await.result.map(drop)
        }
        W5 => engine.delete(&id).await.result.map(drop),
        Operation::T4 | Operation::W2 | Operation::C1 | Operation::C2 | Operation::C3 => {
            unreachable!("the client has no such call")
        }
        Operation::X1 | Operation::X2 | Operation::X3 | Operation::X4 => {
            unreachable!("the client has no such call")
        }
    };
    let filter = Filter {
        since,
        operation: Some(operation),
    };
    let sent = emulator.with(|state| state.journal.read(&filter).entries.len());
    (result.expect_err("a failure").class, sent as u64)
}

/// The class of a failure, and how often the call was sent.
type Seen = (FailureClass, u64);

fn status(status: u16) -> FaultAnswer {
    FaultAnswer::Status {
        status,
        body: None,
        headers: [].into(),
    }
}

/// Promise: input.waiting
#[tokio::test(start_paused = true)]
async fn each_fault_reads_as_what_it_is_and_only_reads_are_repeated() {
    let cases: [(FaultAnswer, Seen, Seen); 8] = [
        (FaultAnswer::Drop, (Transient, 2), (Unknown, 1)),
        (FaultAnswer::Truncate, (Transient, 2), (Unknown, 1)),
        (FaultAnswer::Html { status: 200 }, (Malformed, 1), (Unknown, 1)),
        (FaultAnswer::Html { status: 502 }, (Transient, 2), (Unknown, 1)),
        (
            FaultAnswer::Redirect {
                to: "http://127.0.0.1:9/".to_owned(),
                status: 307,
            },
            (Malformed, 1),
            (Malformed, 1),
        ),
        (status(500), (Transient, 1), (Unknown, 1)),
        (status(503), (Transient, 2), (Unknown, 1)),
        (status(504), (Transient, 2), (Unknown, 1)),
    ];
    for (answer, read, write) in cases {
        for operation in READS {
            assert_eq!(
                befallen(operation, answer.clone()).await,
                read,
                "{answer:?} to {operation:?}"
            );
        }
        for operation in WRITES {
            assert_eq!(
                befallen(operation, answer.clone()).await,
                write,
                "{answer:?} to {operation:?}"
            );
        }
    }
}

/// Promise: hostile.foreign-token
#[tokio::test(start_paused = true)]
async fn a_token_of_another_workspace_is_found_by_its_verification() {
    let (emulator, engine) =
        Setting::new(TokenPath::Applications, "envelope").start(vec!["other".to_owned()]);
    let other = found(&engine, "other").await;
    let answer = FaultAnswer::TokenOf {
        workspace_id: other.clone(),
    };
    emulator
        .with(|state| {
            state.faults.add(Fault {
                operation: Some(T2),
                answer,
                ..Fault::default()
            })
        })
        .unwrap();
    let token = engine.issue(&"tenant".into(), None).await.result.unwrap();
    assert_eq!(
        engine.verify(&token).await.result.unwrap().workspace_id.as_str(),
        other
    );
}

/// A shorter life is read from the token itself; a longer one is not trusted.
#[tokio::test(start_paused = true)]
async fn a_token_is_trusted_for_the_shorter_of_its_two_lives() {
    for (seconds, expected) in [(5, 5), (0, 0), (-60, 0), (1200, 1200), (86_400, 1200)] {
        let (emulator, engine) = Setting::new(TokenPath::Applications, "envelope").start(Vec::new());
        let answer = FaultAnswer::TokenLifetime { seconds };
        emulator
            .with(|state| {
                state.faults.add(Fault {
                    operation: Some(T2),
                    answer,
                    ..Fault::default()
                })
            })
            .unwrap();
        let token = engine.issue(&"tenant".into(), None).await.result.unwrap();
        assert_eq!(token.lifetime.as_secs(), expected, "{seconds}");
    }
}

async fn found(engine: &Client, name: &str) -> String {
    let rows = engine.search(&name.into()).await.result.unwrap();
    rows.into_iter()
        .find(|row| row.name.as_str() == name)
        .unwrap()
        .id
        .to_string()
}

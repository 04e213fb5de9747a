//! Bodies that are too large, or never end.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_engine_operator::clock::Clock;
use agent_engine_operator::domain::remote::FailureClass::{Malformed, Transient, Unknown};
use agent_engine_operator::engine::Operation::{Authenticate, Issue, List, Verify};
use agent_engine_operator::engine::{Client, TOTAL_DEADLINE, in_process};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{CALLS, READS, WRITES};
use crate::stub::{self, EXCHANGE, LIST, PROVE, W1, call, engine, failure, json, text};

const MIB: usize = 1 << 20;

/// What a server sent and what it was asked, that answers all but exchanges with a body that does not end.
async fn endless() -> (Client, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (sent, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (sends, asks) = (Arc::clone(&sent), Arc::clone(&asked));
    let router = Router::new().fallback(move |request: Request| {
        let (sends, asks) = (Arc::clone(&sends), Arc::clone(&asks));
        async move {
            if request.uri().path() == EXCHANGE {
                return Response::new(Body::from(stub::application_token(0).to_string()));
            }
            asks.fetch_add(1, Ordering::SeqCst);
            let parts = stream::repeat(vec![b' '; 65_536]).map(move |part| {
                sends.fetch_add(part.len(), Ordering::SeqCst);
                Ok::<_, std::io::Error>(part)
            });
            Response::new(Body::from_stream(parts))
        }
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (Client::new(&stub::config(&url)).unwrap(), sent, asked)
}

/// Promise: hostile.megabytes
#[tokio::test]
async fn a_body_without_end_is_read_to_a_megabyte() {
    for operation in CALLS {
        let (engine, sent, asked) = endless().await;
        let failure = failure(call(&engine, operation).await);
        let class = if READS.contains(&operation) {
            Malformed
        } else {
            Unknown
        };
        assert_eq!(failure.class, class, "{operation:?}: {failure:?}");
        // A page is asked for in halves, down to one workspace.
        let most = if operation == List { 7 } else { 1 };
        assert_eq!(asked.load(Ordering::SeqCst), most, "{operation:?}");
        // The rest is in the buffers of the sockets.
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < most * 16 * MIB, "{operation:?}: {sent} bytes");
    }
}

/// Promise: hostile.megabytes
#[tokio::test(start_paused = true)]
async fn megabytes_of_an_error_are_not_read_for_words() {
    let (engine, _) = engine(|seen| {
        let words = "w".repeat(500_000);
        (seen.path != EXCHANGE).then(|| json(422, &json!({"message": words, "errors": [{"message": words}]})))
    });
    let refused = failure(call(&engine, Issue).await);
    assert!(refused.detail.chars().count() <= 300, "{refused:?}");
    assert_eq!(refused.class, Malformed, "no refusal of the API's is so long");
}

/// Members that are not needed may be anything of any size.
#[tokio::test(start_paused = true)]
async fn members_of_the_wrong_kind_are_passed_over_whatever_their_size() {
    let swollen: [fn() -> Value; 3] = [
        || Value::Array(vec![json!(1); 200_000]),
        || {
            (0..20_000)
                .map(|n| (n.to_string(), json!([n])))
                .collect::<serde_json::Map<_, _>>()
                .into()
        },
        || json!([[[[[[[[{"a": [1, 2, {"b": null}]}]]]]]]]]),
    ];
    for member in swollen {
        let (engine, _) = engine(move |seen| match seen.path.as_str() {
            EXCHANGE => Some(json(
                200,
                &json!({"access_token": "t", "expires_in": member(), "organization_id": member()}),
            )),
            PROVE => Some(json(
                200,
                &json!({"workspace_id": W1, "workspace_name": member(), "x": member()}),
            )),
            path if path.starts_with(LIST) && path != LIST => {
                let mut row = stub::workspace(W1, "tenant");
                row["status"] = member();
                row["created_at"] = member();
                Some(json(200, &row))
            }
            _ => None,
        });
        for operation in [Authenticate].into_iter().chain(READS) {
            let answer = call(&engine, operation).await;
            assert!(answer.result.is_ok(), "{operation:?}: {:?}", answer.result);
        }
    }
    let (engine, _) =
        engine(|seen| (seen.path == LIST).then(|| json(200, &json!({"data": [], "next": [[1, 2], {}]}))));
    assert_eq!(failure(call(&engine, List).await).class, Malformed);
}

/// One byte a second, without end.
///
/// Promise: hostile.trickle
#[tokio::test(start_paused = true)]
async fn a_byte_a_second_is_given_up_at_the_deadline() {
    let router = |trickles: fn(&str) -> bool| {
        Router::new().fallback(move |request: Request| async move {
            let path = request.uri().path().to_owned();
            if !trickles(&path) {
                return Response::new(Body::from(stub::application_token(0).to_string()));
            }
            let bytes = stream::repeat(()).then(|()| async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, std::io::Error>(vec![b' '])
            });
            Response::new(Body::from_stream(bytes))
        })
    };
    let client = |router: Router| {
        let mut config = stub::config("https://api.airbyte.ai");
        config.clock = Clock::virtual_from("2026-11-22T12:00:00Z".parse().unwrap());
        Client::over(in_process(router), &config).unwrap()
    };
    for (operations, class) in [(READS, Transient), (WRITES, Unknown)] {
        for operation in operations {
            let engine = client(router(|path| path != EXCHANGE));
            let answer = call(&engine, operation).await;
            let took = answer.took;
            assert!(took <= TOTAL_DEADLINE, "{operation:?}: {took:?}");
            let exchanges = u32::from(operation != Verify);
            assert_eq!(answer.requests, 1 + exchanges, "{operation:?}: asked once");
            assert_eq!(failure(answer).class, class, "{operation:?}");
        }
    }
    // The exchange itself: nothing else was sent.
    let engine = client(router(|_| true));
    for operation in [Authenticate].into_iter().chain(CALLS) {
        let answer = call(&engine, operation).await;
        assert_eq!(answer.requests, 1, "{operation:?}");
        assert_eq!(failure(answer).class, Transient, "{operation:?}");
    }
}

/// A token that no header carries, or that no Secret could hold.
#[tokio::test(start_paused = true)]
async fn a_token_of_a_megabyte_or_of_control_characters_is_none() {
    for token in [
        "t".repeat(900_000),
        "a\r\nx-injected: 1".to_owned(),
        "\u{0}".to_owned(),
        "\u{e9}\n".to_owned(),
    ] {
        let (said, again) = (token.clone(), token.clone());
        let (issuing, log) =
            engine(move |seen| (seen.path == stub::ISSUE).then(|| json(200, &json!({"token": said}))));
        let failed = failure(call(&issuing, Issue).await);
        assert_eq!(failed.class, Unknown, "{failed:?}");
        assert_eq!(log.calls(), 1);
        let (exchanging, log) =
            engine(move |seen| (seen.path == EXCHANGE).then(|| json(200, &json!({"access_token": again}))));
        for operation in [Authenticate, List] {
            let failed = failure(call(&exchanging, operation).await);
            assert_eq!(failed.class, Malformed, "{operation:?}: {failed:?}");
            assert!(!failed.detail.contains("injected"), "{failed:?}");
        }
        assert_eq!(log.calls(), 0, "nothing was sent with it");
    }
    let (engine, _) = engine(|seen| (seen.path == EXCHANGE).then(|| text(200, &" ".repeat(5 * MIB))));
    assert_eq!(failure(call(&engine, Authenticate).await).class, Malformed);
}

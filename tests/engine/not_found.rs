//! When a 404 of GET, PUT and DELETE by id is trusted, and when it may be of a proxy or a wrong address.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent_engine_operator::domain::ids::OrganizationId;
use agent_engine_operator::domain::remote::FailureClass::{Malformed, Missing};
use agent_engine_operator::engine::Operation::{self, Delete, Get, Update};
use agent_engine_operator::engine::{Client, ListFilter};
use serde_json::json;

use crate::stub::{LIST, Log, Reply, Seen, W1, call, engine, failure, html, json, text, workspace};

const W2: &str = "7e6f0000-0000-4000-8000-000000000002";
const BY_ID: [Operation; 3] = [Get, Update, Delete];

type Said = (&'static str, fn() -> Reply);

/// Those that are trusted once the route was seen to work.
const OPEN: [Said; 5] = [
    ("the older shape", || {
        json(404, &json!({"detail": "Workspace not found"}))
    }),
    ("an unrouted path", || json(404, &json!({"detail": "Not Found"}))),
    ("a gateway", || json(404, &json!({"message": "Not Found"}))),
    ("another gateway", || {
        json(404, &json!({"message": "no Route matched with those values"}))
    }),
    ("no body of a JSON type", || {
        text(404, "").header("content-type", "application/json")
    }),
];

/// Those that are never.
const FOREIGN: [Said; 6] = [
    ("a page", || html(404)),
    ("a page that names workspaces", || {
        text(404, "<p>Workspace not found</p>").header("content-type", "text/html")
    }),
    ("a proxy's text", || {
        text(404, "404 page not found").header("content-type", "text/plain")
    }),
    ("nothing", || text(404, "")),
    ("a body of no type", || {
        text(404, r#"{"detail":"Workspace not found"}"#)
    }),
    ("half a body", || {
        text(404, r#"{"message":"Workspace not fou"#).header("content-type", "application/json")
    }),
];

fn path(id: &str) -> String {
    format!("{LIST}/{id}")
}

/// Another workspace, [`W2`], is there; a call on [`W1`] is answered so.
fn without_w1(reply: fn() -> Reply) -> (Client, Log) {
    engine(move |seen| match seen.path.as_str() {
        path if path.ends_with(W1) => Some(reply()),
        path if path.ends_with(W2) => Some(json(200, &workspace(W2, "other"))),
        LIST => Some(json(
            200,
            &json!({"data": [workspace(W2, "other")], "next": null}),
        )),
        _ => None,
    })
}

/// Whether W1 counts as missing.
async fn is_missing(engine: &Client, operation: Operation) -> bool {
    let result = call(engine, operation).await.result;
    match (operation, result) {
        (Get, Ok(found)) => found == "None",
        (Delete, Ok(end)) => end == "AlreadyGone",
        (_, Ok(other)) => panic!("{operation:?}: {other}"),
        (_, Err(failure)) => {
            assert!(matches!(failure.class, Missing | Malformed), "{failure:?}");
            failure.class == Missing
        }
    }
}

/// Promise: unknown.not-found: a 404 is trusted in the API's own shape, or once GET by id has answered with another workspace, whatever its words
#[tokio::test(start_paused = true)]
async fn a_404_of_a_route_that_was_seen_to_work_is_trusted() {
    for (what, reply) in OPEN {
        for operation in BY_ID {
            let (engine, _) = without_w1(reply);
            assert!(
                !is_missing(&engine, operation).await,
                "{what} to {operation:?}, nothing seen"
            );
            engine.get(&W2.into()).await.result.unwrap();
            assert!(is_missing(&engine, operation).await, "{what} to {operation:?}");
        }
    }
}

/// Promise: unknown.not-found
#[tokio::test(start_paused = true)]
async fn a_404_of_another_server_is_never_trusted() {
    for (what, reply) in FOREIGN {
        for operation in BY_ID {
            let (engine, _) = without_w1(reply);
            engine.get(&W2.into()).await.result.unwrap();
            engine.list(ListFilter::default()).await.result.unwrap();
            assert!(!is_missing(&engine, operation).await, "{what} to {operation:?}");
        }
    }
}

/// Every path is answered so, but for the exchange and the list, where those are given.
fn astray(reply: fn() -> Reply, listed: bool) -> (Client, Log) {
    engine(move |seen| match seen.path.as_str() {
        LIST if listed => Some(json(
            200,
            &json!({"data": [workspace(W2, "other")], "next": null}),
        )),
        path if path.starts_with(LIST) => Some(reply()),
        _ => None,
    })
}

/// Promise: unknown.not-found
#[tokio::test(start_paused = true)]
async fn a_wrong_address_takes_no_workspace_away() {
    for (what, reply) in OPEN.into_iter().chain(FOREIGN) {
        for listed in [false, true] {
            for operation in BY_ID {
                let (engine, _) = astray(reply, listed);
                let _ = engine.list(ListFilter::default()).await;
                for _ in 0..3 {
                    assert!(!is_missing(&engine, operation).await, "{what} to {operation:?}");
                }
            }
        }
    }
}

/// It costs one GET, and none within the next minute.
#[tokio::test(start_paused = true)]
async fn a_listed_workspace_is_read_to_see_the_route_work() {
    let (engine, log) = without_w1(OPEN[1].1);
    engine.list(ListFilter::default()).await.result.unwrap();
    let reads = |id: &str| log.to(&path(id)).len();

    let answer = engine.get(&W1.into()).await;
    assert_eq!((answer.result, answer.requests), (Ok(None), 2));
    assert_eq!((reads(W1), reads(W2)), (1, 1));

    let answer = engine.get(&W1.into()).await;
    assert_eq!((answer.result, answer.requests), (Ok(None), 1));
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(engine.get(&W1.into()).await.result, Ok(None));
    assert_eq!((reads(W1), reads(W2)), (3, 2));
}

/// What was seen before a gateway lost its routes says nothing of now.
#[tokio::test(start_paused = true)]
async fn a_gateway_that_loses_its_routes_takes_no_workspace_away() {
    let lost = Arc::new(AtomicBool::new(false));
    let routes = Arc::clone(&lost);
    let (engine, _) = engine(move |seen: &Seen| {
        let lost = seen.path.starts_with(LIST) && routes.load(Ordering::SeqCst);
        let other = seen
            .path
            .ends_with(W2)
            .then(|| json(200, &workspace(W2, "other")));
        lost.then(OPEN[3].1).or(other)
    });
    engine.get(&W2.into()).await.result.unwrap();
    engine.list(ListFilter::default()).await.result.unwrap();
    lost.store(true, Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(61)).await;
    for operation in BY_ID {
        assert!(!is_missing(&engine, operation).await, "{operation:?}");
    }
}

/// As AWS's does: a method that it has no route for is a path that it has not.
#[tokio::test(start_paused = true)]
async fn a_gateway_that_lets_only_reads_through_ends_no_deletion() {
    let (engine, _) = engine(|seen: &Seen| {
        let write = seen.method == "PUT" || seen.method == "DELETE";
        write.then(|| json(404, &json!({"message": "Not Found"})))
    });
    engine.get(&W1.into()).await.result.unwrap();
    for operation in [Update, Delete] {
        assert!(!is_missing(&engine, operation).await, "{operation:?}");
    }
}

/// A header that names another organization may be answered with a 404 too.
#[tokio::test(start_paused = true)]
async fn what_was_seen_of_one_organization_says_nothing_of_another() {
    let (engine, _) = without_w1(OPEN[0].1);
    engine.get(&W2.into()).await.result.unwrap();
    let other = engine.within(&OrganizationId::new("other")).unwrap();
    assert!(is_missing(&engine, Get).await);
    assert!(!is_missing(&other, Get).await);
}

#[tokio::test(start_paused = true)]
async fn a_404_that_is_not_trusted_says_what_to_check() {
    for (_, reply) in OPEN.into_iter().chain(FOREIGN) {
        for operation in BY_ID {
            let (engine, _) = astray(reply, false);
            let detail = failure(call(&engine, operation).await).detail;
            assert!(
                detail.contains("check spec.endpoint of the Organization, and any proxy"),
                "{detail}"
            );
        }
        let (engine, _) = engine(move |seen| (seen.path != crate::stub::EXCHANGE).then(reply));
        let detail = failure(call(&engine, Operation::Issue).await).detail;
        assert!(
            detail.contains("check spec.endpoint and spec.tokenPath"),
            "{detail}"
        );
    }
}

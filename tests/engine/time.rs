//! Repeats, deadlines and slots, on virtual time and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_engine_operator::domain::remote::FailureClass::{Transient, Unknown};
use agent_engine_operator::engine::Operation::{
    self, Authenticate, Delete, Get, Issue, List, Update, Verify,
};
use agent_engine_operator::engine::{Client, TOTAL_DEADLINE, in_process};
use agent_engine_operator::leadership::{Fence, Right};
use axum::Router;
use futures::future::join_all;
use serde_json::json;

use crate::stub::{self, EXCHANGE, Reply, W1, call, configured, engine, failure, html, json, text};

/// And leaves nothing in doubt.
/// Promise: rule.one-leader
#[tokio::test(start_paused = true)]
async fn a_request_that_could_outlast_the_lease_never_leaves() {
    let attempt = Duration::from_secs(20);
    let fence = Fence::closed();
    let (engine, log) = configured(|config| config.fence = fence.clone(), |_| None);
    for operation in [Authenticate, List, Get, Issue, Verify, Update, Delete] {
        assert_eq!(
            failure(call(&engine, operation).await).class,
            Transient,
            "{operation:?}"
        );
    }
    assert_eq!(log.calls() + log.exchanges(), 0, "closed");

    let now = fence.base().elapsed();
    fence.set(Right::Leads {
        begins_until: now + attempt,
        ends: now + Duration::from_secs(30),
    });
    assert!(call(&engine, Get).await.result.is_ok());
    let sent = log.calls() + log.exchanges();
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(failure(call(&engine, Get).await).class, Transient);
    assert_eq!(
        log.calls() + log.exchanges(),
        sent,
        "it would end a second too late"
    );
}

/// A write never is.
#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_once_when_a_gateway_fails() {
    let passing: [fn() -> Reply; 4] = [
        || html(502),
        || text(503, ""),
        || html(504),
        || json(200, &json!({})).breaking_off(),
    ];
    let lasting: [fn() -> Reply; 5] = [
        || text(500, ""),
        || text(429, ""),
        || text(422, ""),
        || html(404),
        || text(503, "").header("retry-after", "1"),
    ];
    for (replies, reads) in [(passing.as_slice(), 2), (lasting.as_slice(), 1)] {
        for &reply in replies {
            for (operation, expected) in [
                (List, reads),
                (Get, reads),
                (Verify, reads),
                (Issue, 1),
                (Update, 1),
                (Delete, 1),
            ] {
                let (engine, log) = engine(move |seen| (seen.path != EXCHANGE).then(reply));
                failure(call(&engine, operation).await);
                assert_eq!(log.calls(), expected, "{operation:?}");
            }
            let (engine, log) = engine(move |seen| (seen.path == EXCHANGE).then(reply));
            failure(call(&engine, Authenticate).await);
            assert_eq!(log.exchanges(), reads);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_goes_well_is_a_success() {
    for operation in [List, Get, Verify, Authenticate] {
        let (engine, _) = engine(|seen| (seen.nth == 0).then(|| text(503, "")));
        assert!(call(&engine, operation).await.result.is_ok(), "{operation:?}");
    }
}

/// Promise: hostile.trickle
#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_and_only_a_write_is_in_doubt() {
    for (operation, class) in [
        (List, Transient),
        (Get, Transient),
        (Verify, Transient),
        (Issue, Unknown),
        (Update, Unknown),
        (Delete, Unknown),
    ] {
        let (engine, log) =
            engine(|seen| (seen.path != EXCHANGE).then(|| text(200, "").after(Duration::from_secs(3600))));
        let answer = call(&engine, operation).await;
        assert!(answer.took <= TOTAL_DEADLINE, "{:?}", answer.took);
        assert_eq!(failure(answer).class, class, "{operation:?}");
        assert_eq!(log.calls(), 1, "a time-out is not repeated");
    }
}

#[test]
fn an_issue_ends_before_the_window_for_its_creation_does() {
    assert!(TOTAL_DEADLINE < agent_engine_operator::lifecycle::creation_window::ISSUE_DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_in_vain_for_its_token_did_not_happen() {
    let slow =
        |seen: &stub::Seen| (seen.path == EXCHANGE).then(|| text(200, "").after(Duration::from_secs(3600)));
    let (engine, log) = engine(slow);
    assert_eq!(failure(call(&engine, Issue).await).class, Transient);
    assert_eq!(log.calls(), 0);
    // The same when the call's own deadline ends it.
    let (engine, log) = configured(|config| config.timeouts.total = Duration::from_secs(3), slow);
    assert_eq!(failure(call(&engine, Issue).await).class, Transient);
    assert_eq!(log.calls(), 0);
}

/// The token that should replace the refused one never comes.
#[tokio::test(start_paused = true)]
async fn a_refused_write_without_a_new_token_did_not_happen() {
    let (engine, log) = configured(
        |config| config.timeouts.total = Duration::from_secs(10),
        |seen| match seen.path.as_str() {
            EXCHANGE if seen.nth > 0 => Some(text(200, "").after(Duration::from_secs(3600))),
            EXCHANGE => None,
            _ => Some(text(401, "")),
        },
    );
    engine.authenticate().await;
    assert_eq!(failure(call(&engine, Issue).await).class, Transient);
    assert_eq!(log.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_under_way_than_allowed() {
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inner, record) = (Arc::clone(&under_way), Arc::clone(&most));
    let router = Router::new().fallback(move |request: axum::extract::Request| {
        let (inner, record) = (Arc::clone(&inner), Arc::clone(&record));
        async move {
            record.fetch_max(inner.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            inner.fetch_sub(1, Ordering::SeqCst);
            if request.uri().path() == EXCHANGE {
                stub::application_token(0).to_string()
            } else {
                stub::workspace(W1, "tenant").to_string()
            }
        }
    });
    let mut config = stub::config("https://api.airbyte.ai");
    config.concurrency = 3;
    let engine = Client::over(in_process(router), &config).unwrap();
    let id = W1.into();
    let answers = join_all((0..20).map(|_| engine.get(&id))).await;
    assert!(answers.iter().all(|answer| answer.result.is_ok()));
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_tells_when_it_was_asked_for_and_when_it_came() {
    let (engine, _) = engine(|seen| {
        (seen.path != EXCHANGE).then(|| json(200, &stub::workspace(W1, "t")).after(Duration::from_secs(7)))
    });
    let answer = call(&engine, Operation::Get).await;
    assert_eq!(answer.started().to_string(), "2026-11-22T12:00:00Z");
    assert_eq!(answer.took.as_secs(), 7);
    assert_eq!(answer.date.unwrap().to_string(), "2026-11-22T12:00:00Z");
}

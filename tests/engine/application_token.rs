//! The application token: exchanged once for all, renewed before its end, replaced once on refusal.

use std::time::Duration;

use agent_engine_operator::domain::remote::FailureClass;
use agent_engine_operator::engine::Operation;
use futures::future::join_all;
use serde_json::json;

use crate::stub::{
    self, EXCHANGE, ISSUE, LIST, PROVE, Reply, Seen, W1, call, engine, failure, json, scoped, text,
};

fn bearer(seen: &Seen) -> &str {
    seen.header("authorization").unwrap_or_default()
}

fn refused() -> Option<Reply> {
    Some(json(
        401,
        &json!({"detail": "Invalid authentication credentials"}),
    ))
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_at_once_make_one_exchange() {
    let (engine, log) = engine(|seen| {
        (seen.path == EXCHANGE).then(|| json(200, &stub::application_token(0)).after(Duration::from_secs(2)))
    });
    let id = W1.into();
    let answers = join_all((0..100).map(|_| engine.get(&id))).await;
    assert!(answers.iter().all(|answer| answer.result.is_ok()));
    assert_eq!((log.exchanges(), log.calls()), (1, 100));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_share_one_exchange_that_fails() {
    let (engine, log) = engine(|seen| {
        (seen.path == EXCHANGE && seen.nth == 0).then(|| text(500, "").after(Duration::from_secs(2)))
    });
    let id = W1.into();
    let answers = join_all((0..100).map(|_| engine.get(&id))).await;
    assert!(
        answers
            .into_iter()
            .all(|answer| failure(answer).class == FailureClass::Transient)
    );
    assert_eq!((log.exchanges(), log.calls()), (1, 0));
    assert!(engine.get(&id).await.result.is_ok(), "the next call tries anew");
}

/// Promise: rule.rate
#[tokio::test(start_paused = true)]
async fn answers_count_every_request_that_was_sent_for_them() {
    let (engine, log) = engine(|seen| match (seen.path.as_str(), seen.nth) {
        // The second list meets a token that is no longer good; a gateway fails once; a list has three pages.
        (LIST, 1) => refused(),
        (LIST, 3) => Some(text(502, "")),
        (LIST, 4 | 5) => Some(json(
            200,
            &json!({"data": [], "next": format!("page-{}", seen.nth)}),
        )),
        _ => None,
    });
    let mut counted = Vec::new();
    for operation in [
        Operation::List,
        Operation::List,
        Operation::List,
        Operation::Issue,
        Operation::Authenticate,
    ] {
        let before = log.all().len();
        let answer = call(&engine, operation).await;
        assert!(answer.result.is_ok(), "{operation:?}: {:?}", answer.result);
        assert_eq!(
            answer.requests as usize,
            log.all().len() - before,
            "{operation:?}"
        );
        counted.push(answer.requests);
    }
    assert_eq!(counted, [2, 3, 4, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_exchange_given_up_by_one_call_does_not_stop_the_next() {
    let (engine, log) = engine(|seen| {
        (seen.path == EXCHANGE && seen.nth == 0)
            .then(|| json(200, &stub::application_token(0)).after(Duration::from_secs(20)))
    });
    let given_up = tokio::time::timeout(Duration::from_secs(1), engine.get(&W1.into())).await;
    assert!(given_up.is_err());
    assert!(engine.get(&W1.into()).await.result.is_ok());
    assert_eq!(log.exchanges(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_a_minute_before_its_end_and_not_earlier() {
    let (engine, log) = engine(|_| None);
    call(&engine, Operation::Get).await;
    tokio::time::advance(Duration::from_secs(839)).await;
    call(&engine, Operation::Get).await;
    assert_eq!(log.exchanges(), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    call(&engine, Operation::Get).await;
    assert_eq!(log.exchanges(), 2);
    assert_eq!(bearer(log.all().last().unwrap()), "Bearer app-1");
}

/// Even for an issue.
#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_for_every_call() {
    for operation in [
        Operation::List,
        Operation::Get,
        Operation::Issue,
        Operation::Update,
        Operation::Delete,
    ] {
        let (engine, log) = engine(|seen| (bearer(seen) == "Bearer app-0").then(refused).flatten());
        engine.authenticate().await;
        let answer = call(&engine, operation).await;
        assert!(answer.result.is_ok(), "{operation:?}: {answer:?}");
        assert_eq!((log.exchanges(), log.calls()), (2, 2), "{operation:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_refusals_of_one_token_make_one_exchange() {
    let (engine, log) = engine(|seen| (bearer(seen) == "Bearer app-0").then(refused).flatten());
    engine.authenticate().await;
    let id = W1.into();
    let answers = join_all((0..100).map(|_| engine.get(&id))).await;
    assert!(answers.iter().all(|answer| answer.result.is_ok()));
    assert_eq!(log.exchanges(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_that_is_refused_is_not_replaced_again() {
    let (engine, log) = engine(|seen| (seen.path != EXCHANGE).then(refused).flatten());
    engine.authenticate().await;
    let denied = failure(call(&engine, Operation::Issue).await);
    assert_eq!((denied.class, denied.status), (FailureClass::Denied, Some(401)));
    assert_eq!((log.exchanges(), log.calls()), (2, 2));
    // The refused one is not kept: the next call starts with a fresh one, and that is enough.
    call(&engine, Operation::Issue).await;
    assert_eq!((log.exchanges(), log.calls()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_403_is_never_replayed_and_makes_an_old_token_doubtful() {
    let (engine, log) = engine(|seen| (seen.path == ISSUE).then(|| text(403, "")));
    for _ in 0..10 {
        assert_eq!(
            failure(call(&engine, Operation::Issue).await).class,
            FailureClass::Denied
        );
    }
    assert_eq!((log.exchanges(), log.calls()), (1, 10));
    tokio::time::advance(Duration::from_secs(61)).await;
    for _ in 0..10 {
        call(&engine, Operation::Issue).await;
    }
    assert_eq!((log.exchanges(), log.calls()), (2, 20));
}

#[tokio::test(start_paused = true)]
async fn a_verification_carries_the_scoped_token_and_nothing_of_ours() {
    let (engine, log) = engine(|seen| (seen.path == PROVE && seen.nth == 1).then(refused).flatten());
    assert!(engine.verify(&scoped("scoped-7")).await.result.is_ok());
    assert_eq!(
        failure(engine.verify(&scoped("scoped-7")).await).class,
        FailureClass::Denied
    );
    assert_eq!(log.exchanges(), 0);
    assert!(log.to(PROVE).iter().all(|seen| bearer(seen) == "Bearer scoped-7"));
    assert_eq!(log.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn to_authenticate_is_to_exchange_again_and_serve_later_calls() {
    let (engine, log) = engine(|_| None);
    let verified = engine.authenticate().await;
    assert_eq!(
        verified.result.unwrap().organization_id.unwrap().as_str(),
        stub::ORGANIZATION,
        "the organization is told"
    );
    engine.authenticate().await;
    call(&engine, Operation::Get).await;
    assert_eq!(log.exchanges(), 2);
    assert_eq!(bearer(log.all().last().unwrap()), "Bearer app-1");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_refused_take_their_token_along() {
    let (engine, log) = engine(|seen| (seen.path == EXCHANGE && seen.nth >= 1).then(refused).flatten());
    call(&engine, Operation::Get).await;
    assert_eq!(failure(engine.authenticate().await).class, FailureClass::Denied);
    let denied = failure(call(&engine, Operation::Get).await);
    assert_eq!((denied.class, log.calls()), (FailureClass::Denied, 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_at_hand_outlives_an_exchange_that_failed_in_passing() {
    let (engine, log) = engine(|seen| (seen.path == EXCHANGE && seen.nth >= 1).then(|| text(503, "")));
    call(&engine, Operation::Get).await;
    assert_eq!(
        failure(engine.authenticate().await).class,
        FailureClass::Transient
    );
    assert!(call(&engine, Operation::Get).await.result.is_ok());
    assert_eq!(log.exchanges(), 3, "one good, one failed and repeated once");
}

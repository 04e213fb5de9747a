//! What each answer means for each call: one table, row by row.

use agent_engine_operator::domain::remote::FailureClass::{
    self, Conflict, Denied, Malformed, Missing, Rejected, Throttled, Transient, Unknown,
};
use agent_engine_operator::engine::Operation::{
    self, Authenticate, Delete, Get, Issue, List, Update, Verify,
};
use serde_json::json;

use crate::stub::{self, EXCHANGE, Reply, W1, call, engine, failure, html, json, text};

const ALL: [Operation; 7] = [Authenticate, List, Get, Issue, Verify, Update, Delete];
const READS: [Operation; 3] = [List, Get, Verify];
const WRITES: [Operation; 3] = [Issue, Update, Delete];
const CALLS: [Operation; 6] = [List, Get, Issue, Verify, Update, Delete];
/// Those for which `Missing` is a failure to the caller.
const NAMING: [Operation; 4] = [List, Issue, Verify, Update];

/// Answers the call in question (and no other) in one way. A call's own exchange, where it needs one, goes well.
fn stubborn(
    operation: Operation,
    reply: impl Fn() -> Reply + Copy + Send + Sync + 'static,
) -> (agent_engine_operator::engine::Client, stub::Log) {
    engine(move |seen| {
        let is_exchange = seen.path == EXCHANGE;
        (is_exchange == (operation == Authenticate)).then(reply)
    })
}

async fn means(
    operations: &[Operation],
    what: &str,
    reply: impl Fn() -> Reply + Copy + Send + Sync + 'static,
    class: FailureClass,
) {
    for &operation in operations {
        let (engine, _) = stubborn(operation, reply);
        let answer = call(&engine, operation).await;
        let date = answer.date;
        let failure = failure(answer);
        assert_eq!(failure.class, class, "{what} to {operation:?}: {failure:?}");
        assert_eq!(
            date.map(|date| date.to_string()).as_deref(),
            Some("2026-11-22T12:00:00Z"),
            "{what}"
        );
        assert!(
            !failure.detail.is_empty() && failure.detail.chars().count() <= 300,
            "{failure:?}"
        );
    }
}

fn envelope(status: u16, text: &str) -> Reply {
    let error = json!({"field": "body", "message": text, "error_code": "value_error", "details": null});
    json(status, &json!({"message": text, "errors": [error]}))
}

fn detail(status: u16, text: &str) -> Reply {
    json(status, &json!({"detail": text}))
}

/// Promise: input.waiting
#[tokio::test(start_paused = true)]
async fn every_answer_has_its_class() {
    let s = std::time::Duration::from_secs;
    means(
        &ALL,
        "401",
        || detail(401, "Invalid authentication credentials"),
        Denied,
    )
    .await;
    means(&ALL, "401 of no shape", || text(401, ""), Denied).await;
    means(&ALL, "403", || envelope(403, "Workspace admin needed"), Denied).await;
    means(&ALL, "403 of a firewall", || html(403), Denied).await;
    means(&READS, "408", || envelope(408, "Timeout"), Transient).await;
    means(&WRITES, "408", || envelope(408, "Timeout"), Unknown).await;

    means(&ALL, "429", || envelope(429, "slow down"), Throttled(s(5))).await;
    means(
        &ALL,
        "429, seconds",
        || html(429).header("retry-after", "17"),
        Throttled(s(17)),
    )
    .await;
    means(
        &ALL,
        "429, zero",
        || html(429).header("retry-after", "0"),
        Throttled(s(1)),
    )
    .await;
    means(
        &ALL,
        "429, absurd",
        || html(429).header("retry-after", "31536000"),
        Throttled(s(3600)),
    )
    .await;
    means(
        &ALL,
        "429, date",
        || html(429).header("retry-after", "Sun, 22 Nov 2026 12:00:40 GMT"),
        Throttled(s(40)),
    )
    .await;

    means(
        &[Authenticate],
        "400",
        || envelope(400, "specify target organization"),
        Denied,
    )
    .await;
    means(
        &[Authenticate],
        "422",
        || envelope(422, "client_id missing"),
        Denied,
    )
    .await;
    means(
        &CALLS,
        "400",
        || envelope(400, "specify target organization"),
        Rejected,
    )
    .await;
    means(&CALLS, "402", || envelope(402, "plan"), Rejected).await;
    means(&CALLS, "422", || envelope(422, "too long"), Rejected).await;
    means(
        &CALLS,
        "422, older",
        || json(422, &json!({"detail": [{"loc": ["body"], "msg": "x"}]})),
        Rejected,
    )
    .await;
    means(&CALLS, "409", || envelope(409, "taken"), Conflict).await;
    means(&CALLS, "400 of no shape", || html(400), Malformed).await;
    means(
        &CALLS,
        "422 cut short",
        || text(422, r#"{"detail":"Work"#),
        Malformed,
    )
    .await;

    for text in ["Workspace not found", "Not Found", ""] {
        means(&NAMING, "404", || envelope(404, text), Missing).await;
        means(&NAMING, "410", || envelope(410, text), Missing).await;
        means(
            &ALL,
            "404, older, of a route unseen",
            || detail(404, text),
            Malformed,
        )
        .await;
    }
    means(
        &CALLS,
        "410, older",
        || detail(410, "Workspace deleted"),
        Malformed,
    )
    .await;
    means(&[Authenticate], "404", || envelope(404, "Not Found"), Denied).await;
    means(&ALL, "404 of a framework", || detail(404, "Not Found"), Malformed).await;
    means(
        &ALL,
        "404 of a framework, new shape",
        || json(404, &json!({"message": "Not Found"})),
        Malformed,
    )
    .await;
    means(
        &CALLS,
        "404 of a gateway",
        || json(404, &json!({"message": "no Route matched"})),
        Malformed,
    )
    .await;
    means(&ALL, "404 of another server", || html(404), Malformed).await;
    means(&ALL, "404 of nobody", || text(404, ""), Malformed).await;
    means(
        &CALLS,
        "404 of another kind",
        || json(404, &json!({"id": "workspace"})),
        Malformed,
    )
    .await;
    means(&CALLS, "405", || detail(405, "Method Not Allowed"), Malformed).await;

    for status in [500, 502, 503, 504] {
        let reply: fn() -> Reply = match status {
            500 => || envelope(500, "Internal error"),
            502 => || html(502),
            503 => || text(503, "upstream connect error"),
            _ => || detail(504, "Gateway Timeout"),
        };
        means(&[Authenticate], "5xx", reply, Transient).await;
        means(&READS, "5xx", reply, Transient).await;
        means(&WRITES, "5xx", reply, Unknown).await;
    }
    means(
        &READS,
        "503 that asks",
        || html(503).header("retry-after", "9"),
        Throttled(s(9)),
    )
    .await;
    means(
        &WRITES,
        "503 that asks",
        || html(503).header("retry-after", "9"),
        Unknown,
    )
    .await;

    means(
        &ALL,
        "redirect",
        || text(307, "").header("location", "https://evil.example/"),
        Malformed,
    )
    .await;
    means(&[Authenticate], "200 of a portal", || html(200), Malformed).await;
    means(&READS, "200 of a portal", || html(200), Malformed).await;
    means(&WRITES, "200 of a portal", || html(200), Unknown).await;
    means(&READS, "200 cut short", || text(200, r#"{"id":"7e6f"#), Malformed).await;
    means(
        &[Issue, Update],
        "200 cut short",
        || text(200, r#"{"token":"7e6f"#),
        Unknown,
    )
    .await;
    means(&READS, "200 lacking all", || json(200, &json!({})), Malformed).await;
    means(
        &[Issue, Update],
        "200 lacking all",
        || json(200, &json!({})),
        Unknown,
    )
    .await;
    means(
        &[Issue],
        "an empty token",
        || json(200, &json!({"token": ""})),
        Unknown,
    )
    .await;
    means(
        &[Authenticate],
        "an empty token",
        || json(200, &json!({"access_token": ""})),
        Malformed,
    )
    .await;
    means(
        &[Get],
        "another workspace",
        || json(200, &stub::workspace("7e6f-2", "tenant")),
        Malformed,
    )
    .await;

    means(
        &READS,
        "a broken answer",
        || json(200, &json!({})).breaking_off(),
        Transient,
    )
    .await;
    means(
        &WRITES,
        "a broken answer",
        || json(200, &json!({})).breaking_off(),
        Unknown,
    )
    .await;
    means(
        &READS,
        "too much",
        || text(200, &"x".repeat(1 << 20)).header("x", "y").breaking_off(),
        Transient,
    )
    .await;
    means(
        &READS,
        "far too much",
        || text(200, &"x".repeat(5 << 20)),
        Malformed,
    )
    .await;
    means(
        &WRITES,
        "far too much",
        || text(200, &"x".repeat(5 << 20)),
        Unknown,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_404_of_the_apis_own_and_a_tombstone_read_as_gone() {
    let gone: [fn() -> Reply; 4] = [
        || envelope(404, "Workspace not found"),
        || json(404, &json!({"message": "Not Found", "errors": []})),
        || envelope(410, ""),
        || json(200, &json!({"id": W1, "name": "tenant", "tombstone": true})),
    ];
    for reply in gone {
        let (engine, _) = stubborn(Get, reply);
        assert_eq!(engine.get(&W1.into()).await.result, Ok(None));
    }
}

/// An answer, and what it says was found.
type End = (fn() -> Reply, &'static str);

#[tokio::test(start_paused = true)]
async fn every_documented_end_of_a_deletion_is_an_end() {
    let ends: [End; 6] = [
        (
            || json(200, &json!({"id": W1, "deleted_at": "2026-11-22T12:00:00Z"})),
            "Removed",
        ),
        (|| json(202, &json!({"job_id": 7})), "AlreadyGone"),
        (|| text(204, ""), "AlreadyGone"),
        (|| text(200, ""), "AlreadyGone"),
        (|| envelope(404, "Workspace not found"), "AlreadyGone"),
        (|| envelope(410, "Not Found"), "AlreadyGone"),
    ];
    for (reply, end) in ends {
        // The workspace is gone: a form that is not documented is confirmed by a GET, and is no more than a 404.
        let (engine, _) = engine(move |seen| match seen.method.as_str() {
            "DELETE" => Some(reply()),
            "GET" => Some(envelope(404, "Workspace not found")),
            _ => None,
        });
        assert_eq!(call(&engine, Delete).await.result.as_deref(), Ok(end));
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_of_a_refusal_is_kept_and_its_words_are_shown() {
    let (engine, _) = stubborn(Issue, || envelope(402, "Your plan allows one workspace"));
    let refused = failure(call(&engine, Issue).await);
    assert_eq!(
        (refused.status, refused.detail.as_str()),
        (Some(402), "HTTP 402: Your plan allows one workspace")
    );

    let (engine, _) = stubborn(Get, || html(502));
    let page = failure(call(&engine, Get).await);
    assert!(
        page.detail.contains("HTML") && !page.detail.contains("Hello"),
        "{page:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_date_says_so() {
    let (engine, _) = stubborn(Get, || json(200, &stub::workspace(W1, "tenant")).without_date());
    let answer = engine.get(&W1.into()).await;
    assert_eq!(answer.date, None);
    assert!(answer.result.is_ok());
}

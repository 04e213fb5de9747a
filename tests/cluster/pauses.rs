//! A pause that Agent Engine asked for outlives the process that was told.

use std::time::Duration;

use serde_json::{Value, json};

use super::leadership::{LEASE, RENEWAL, leads_within, two};
use crate::support::{LONG, Launch, Operator, Stage, is_ready};

/// Longer than two processes take to follow each other.
const PAUSE: Duration = Duration::from_secs(80);

/// One is stopped, the next is killed, and each time another leads within the pause.
/// Promise: rule.pause-outlives: A pause that Agent Engine asked for by `Retry-After` is kept to by the next leader, and after a restart
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_outlives_a_leader_that_stops_or_dies() {
    let stage = Stage::with(&[], json!({"pollInterval": "10m"})).await;
    let (first, second) = two(&stage).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let slow_down = json!({
        "operation": "W1", "contains": "first", "count": 1,
        "answer": {"kind": "status", "status": 429, "headers": {"retry-after": PAUSE.as_secs().to_string()}},
    });
    stage.emulator.fault(slow_down).await;
    stage.workspace("first", json!({"name": "first"})).await;
    stage.reason("first", "Throttled").await;
    let paused = stage
        .organization_until("default", "a stored pause", |organization| {
            let status = organization.status.as_ref();
            status.is_some_and(|status| {
                status
                    .request_rate
                    .as_ref()
                    .is_some_and(|rate| rate.pause.is_some())
            })
        })
        .await;
    let pause = paused.status.unwrap().request_rate.unwrap().pause.unwrap();
    assert!((75..=80).contains(&pause.seconds), "{pause:?}");
    let mark = stage.emulator.journal_mark().await;

    assert_eq!(first.terminate().await, 0);
    leads_within(&second, RENEWAL).await;
    stage.workspace("late", json!({"name": "late"})).await;
    stage.organization_reason("default", "Throttled").await;
    let launch = Launch::new(&stage.user, &stage.home).watching([stage.tenant.as_str()]);
    let third = Operator::start(&launch.named("third")).await;
    third.ready().await;
    second.kill().await;
    leads_within(&third, LEASE + RENEWAL).await;
    let calls = stage.emulator.calls_since(mark).await;
    assert!(calls.is_empty(), "while it lasts: {calls:?}");

    stage
        .until_within(
            PAUSE + LONG,
            &stage.tenant,
            "first",
            "first to be Ready",
            is_ready,
        )
        .await;
    stage.ready("late").await;
    stage.ready("acme").await;
    let journal = stage.emulator.journal(0).await["entries"].take();
    let entries = journal.as_array().unwrap();
    let at = |entry: &Value| entry["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let refused = entries.iter().find(|entry| entry["status"] == 429).unwrap();
    let next = entries
        .iter()
        .find(|entry| entry["seq"].as_u64() > Some(mark))
        .unwrap();
    let waited = at(next).duration_since(at(refused)).unsigned_abs();
    assert!(
        waited + Duration::from_millis(100) >= PAUSE,
        "after {waited:?}: {next}"
    );
}

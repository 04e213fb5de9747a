//! Starting, stopping and standing still: a restart issues nothing and writes nothing that is not due, nothing is done
//! while nothing changes, and a stop is orderly.

use std::time::Duration;

use crate::support::{self, LONG, Operator, Stage, eventually, is_ready, recorded_id};
use agent_engine_operator::crd::metadata_keys::RECONCILE_AT;
use kube::api::ListParams;
use serde_json::{Value, json};

const OBJECTS: usize = 200;
/// What the list calls of 200 objects and one page each of 100 rows add up to.
const PAGES: usize = 3;

/// It writes nothing either.
/// Promise: I9: A restart issues no token and writes nothing that is not due; a broken object never slows a healthy one.
/// Promise: cost.restart: restart with 200 healthy objects: 0 issues, 0 writes
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_200_healthy_objects_issues_nothing() {
    let stage = Stage::with(&[], json!({"requestsPerSecond": 1000, "pollInterval": "30s"})).await;
    let operator = stage.operator().await;
    let items: Vec<Value> = (0..OBJECTS)
        .map(|n| {
            json!({
                "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
                "metadata": {"name": format!("w{n:03}")}, "spec": {"name": format!("Workspace {n:03}")},
            })
        })
        .collect();
    let manifest = json!({"apiVersion": "v1", "kind": "List", "items": items});
    stage
        .cluster
        .apply(&stage.tenant, &manifest.to_string())
        .await
        .success();
    eventually("all to be Ready", 3 * LONG, || async {
        let all = stage.workspaces().list(&ListParams::default()).await.unwrap();
        let ready = all.items.iter().filter(|workspace| is_ready(workspace)).count();
        (ready == OBJECTS)
            .then_some(())
            .ok_or(format!("{ready} are Ready"))
    })
    .await;
    // What the list counts is in the Organization's status before the count begins.
    stage.list().await;
    assert_eq!(operator.terminate().await, 0);
    let mut audit = stage.audit().await;
    audit.restart().await;
    let mark = stage.emulator.journal_mark().await;

    let operator = stage.operator().await;
    passes(&operator, OBJECTS).await;
    eventually("the first list", LONG, || async {
        let calls = stage.emulator.calls_since(mark).await;
        (calls.get("W1") >= Some(&PAGES))
            .then_some(())
            .ok_or(format!("{calls:?}"))
    })
    .await;

    let mut calls = stage.emulator.calls_since(mark).await;
    calls.remove("T1");
    assert!(calls.remove("W1").unwrap_or_default() <= PAGES + 1);
    assert_eq!(json!(calls), json!({}));
    let requests = audit.requests().await;
    assert_eq!(requests.object_writes().tally(), support::tally([]));
    assert_eq!(requests.event_writes().count(), 0);

    // And standing still: another interval, another list, nothing else.
    let mark = stage.emulator.journal_mark().await;
    eventually("another list", 2 * LONG, || async {
        let calls = stage.emulator.calls_since(mark).await;
        (calls.get("W1") >= Some(&PAGES))
            .then_some(())
            .ok_or(format!("{calls:?}"))
    })
    .await;
    let mut calls = stage.emulator.calls_since(mark).await;
    assert!(calls.remove("W1").unwrap_or_default() <= PAGES + 1);
    assert_eq!(json!(calls), json!({}));
    assert_eq!(audit.requests().await.object_writes().tally(), support::tally([]));

    // And all retained, they go with their namespace, without a call.
    let retain = json!({"defaults": {"deletionPolicy": "Retain"}, "requestsPerSecond": 1000});
    stage.organization("default", retain).await;
    stage.organization_reason("default", "Verified").await;
    let mark = stage.emulator.journal_mark().await;
    let words = ["delete", "namespace", &stage.tenant, "--timeout=60s"];
    stage.cluster.kubectl(words).await.success();
    let calls = stage.workspace_calls(mark).await;
    assert_eq!(json!(calls), json!({}));
    assert_eq!(stage.all_remote().await.len(), OBJECTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconcile_under_way_ends_before_the_operator_stops() {
    let stage = Stage::set().await;
    let operator = stage.operator().await;
    hold_an_issue(&stage).await;

    let (code, ()) = tokio::join!(operator.terminate(), stage.emulator.release("apply"));

    assert_eq!(code, 0);
    let acme = stage.get("acme").await;
    assert!(is_ready(&acme), "{:#?}", acme.status);
    assert_eq!(
        stage.secret_text("acme-token", "workspace_id").await,
        recorded_id(&acme)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_work_is_left_at_the_limit_for_the_next_start() {
    let mut stage = Stage::set().await;
    stage.launching_with(["--drain-timeout", "1s"]);
    let operator = stage.operator().await;
    hold_an_issue(&stage).await;

    let log = operator.log_file();
    assert_eq!(operator.terminate().await, 0);

    let log = std::fs::read_to_string(log).unwrap();
    assert!(
        log.contains("the next start continues unfinished reconciles"),
        "{log}"
    );
    stage.emulator.release("apply").await;
    let _operator = stage.operator().await;
    stage.ready("acme").await;
    stage.remote_names(&["Acme"]).await;
}

/// The schedule itself is held to its bounds where time is virtual; here the loop is seen to obey it.
/// Promise: I9
/// Promise: cost.failure
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_always_fails_rests_between_its_attempts() {
    let looks = looks_of_a_failing_object(500).await;
    let apart = |n: usize| looks[n].duration_since(looks[0]).unsigned_abs();
    assert!(apart(1) >= Duration::from_secs(5), "{:?}", apart(1));
    assert!(apart(2) >= Duration::from_secs(15), "{:?}", apart(2));
}

/// A read that a gateway refuses is repeated at once, and costs what two cost.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_paid_for_like_any_other() {
    let looks = looks_of_a_failing_object(503).await;
    let apart = looks[2].duration_since(looks[0]).unsigned_abs();
    assert!(apart >= Duration::from_secs(15), "{apart:?}");
}

/// When the first three requests were made for an object whose every look is answered like this.
async fn looks_of_a_failing_object(status: u16) -> Vec<jiff::Timestamp> {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    // Or the object waits for its Organization first, and says so.
    stage.listed("default").await;
    let answer = json!({"kind": "status", "status": status});
    stage
        .emulator
        .fault(json!({"operation": "W1", "contains": "Broken", "answer": answer}))
        .await;
    let mut audit = stage.audit().await;
    audit.restart().await;

    stage.workspace("broken", json!({"name": "Broken"})).await;
    stage.reason("broken", "ApiUnavailable").await;
    let looks = eventually("a third request", LONG, || async {
        let journal = stage.emulator.journal(0).await;
        let entries = journal["entries"].as_array().unwrap().clone();
        let looks: Vec<_> = entries
            .iter()
            .filter(|entry| entry["query"].as_str().unwrap().contains("Broken"))
            .map(|entry| entry["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap())
            .collect();
        (looks.len() >= 3)
            .then_some(looks.clone())
            .ok_or(format!("{looks:?}"))
    })
    .await;
    // What it says of itself stays the same, so it is said once; and saying it woke nobody.
    let writes = audit.requests().await.object_writes().named("broken");
    assert_eq!(writes.tally(), support::tally([("patch workspaces/status", 1)]));
    looks
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_under_way_is_left_when_the_operator_stops() {
    let mut stage = Stage::set().await;
    // Shorter than the list would be waited for.
    stage.launching_with(["--drain-timeout", "10s"]);
    let operator = stage.operator().await;
    stage.listed("default").await;
    let held = json!({"operation": "W1", "count": 1, "hold": "after"});
    stage.emulator.fault(held).await;
    stage
        .annotate_organization("default", json!({RECONCILE_AT: "now"}))
        .await;
    stage.emulator.wait_held(1).await;

    let log = operator.log_file();
    assert_eq!(operator.terminate().await, 0);

    let log = std::fs::read_to_string(log).unwrap();
    assert!(
        log.contains("stopped") && !log.contains("the next start continues unfinished reconciles"),
        "{log}"
    );
}

/// The issue of a creation has arrived, and its answer does not come.
async fn hold_an_issue(stage: &Stage) {
    stage
        .emulator
        .fault(json!({"operation": "T2", "count": 1, "hold": "after"}))
        .await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.emulator.wait_held(1).await;
}

/// Waits until so many reconciles over Workspaces have ended.
async fn passes(operator: &Operator, count: usize) {
    eventually(&format!("{count} passes"), LONG, || async {
        let metrics = operator.metrics().await;
        let ended: f64 = metrics
            .lines()
            .filter(|line| {
                line.starts_with("agent_engine_operator_reconciles_total{")
                    && line.contains("kind=\"Workspace\"")
            })
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum();
        (ended >= count as f64).then_some(()).ok_or(metrics)
    })
    .await;
}

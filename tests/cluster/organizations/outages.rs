//! An API that cannot be reached, answers nonsense, or asks to wait.

use serde_json::{Value, json};

use crate::support::{LONG, Operator, Stage, condition, eventually, is_ready};

/// Waits for a reconcile that nobody asked for: a request would have it look at Agent Engine, and say what came of it.
async fn unasked_reconcile(stage: &Stage, operator: &Operator, name: &str) {
    let reconciles = || async {
        let metrics = operator.metrics().await;
        let of_workspaces = metrics
            .lines()
            .filter(|line| line.contains("_reconciles_total{") && line.contains("Workspace"));
        of_workspaces
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum::<u64>()
    };
    let before = reconciles().await;
    stage.annotate(name, json!({"example.com/touched": "yes"})).await;
    eventually("a reconcile", LONG, || async {
        let now = reconciles().await;
        if now > before { Ok(()) } else { Err(now) }
    })
    .await;
}

/// At the start, it is waited for; later, its outage disturbs no Workspace that is Ready.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_cannot_be_reached_is_waited_for() {
    let stage = Stage::set().await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    stage.organization("default", json!({"endpoint": closed})).await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let unreachable = stage.organization_reason("default", "ApiUnavailable").await;
    let conditions = unreachable.status.unwrap().conditions;
    assert!(
        conditions.iter().any(|c| c.type_ == "Reconciling")
            && conditions.iter().all(|c| c.type_ != "Stalled")
    );
    stage.reason("acme", "OrganizationNotReady").await;
    stage.organization("default", json!({})).await;
    stage.ready("acme").await;

    stage
        .emulator
        .fault(json!({"path": "/api/*", "answer": {"kind": "drop"}}))
        .await;
    stage.relist_in_vain("default", "1").await;
    stage.organization_reason("default", "ApiUnavailable").await;
    unasked_reconcile(&stage, &operator, "acme").await;
    assert!(
        is_ready(&stage.get("acme").await),
        "{:?}",
        stage.get("acme").await.status
    );
    // A restart in the middle of it finds no credential verified, and disturbs nobody either.
    operator.kill().await;
    let _operator = stage.operator().await;
    stage.workspace("late", json!({"name": "Late"})).await;
    stage.reason("late", "OrganizationNotReady").await;
    assert!(
        is_ready(&stage.get("acme").await),
        "{:?}",
        stage.get("acme").await.status
    );
    assert_eq!(
        stage.event_reasons(&stage.tenant, "acme").await.len(),
        2,
        "waited, then Ready, and no more"
    );

    stage.emulator.clear_faults().await;
    stage.relist("default", "2").await;
    stage.ready("late").await;
}

/// Promise: input.waiting
/// Promise: hostile.html
/// Promise: hostile.redirect
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_broken_answer_is_waited_out_and_heals() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    let faults = [
        (
            "internal",
            json!({"kind": "status", "status": 500}),
            "ApiUnavailable",
        ),
        (
            "unavailable",
            json!({"kind": "status", "status": 503}),
            "ApiUnavailable",
        ),
        ("page", json!({"kind": "html", "status": 200}), "ApiUnavailable"),
        (
            "page-502",
            json!({"kind": "html", "status": 502}),
            "ApiUnavailable",
        ),
        ("torn", json!({"kind": "truncate"}), "ApiUnavailable"),
        ("dropped", json!({"kind": "drop"}), "ApiUnavailable"),
        (
            "elsewhere",
            json!({"kind": "redirect", "to": "http://127.0.0.1:9/", "status": 307}),
            "ApiUnavailable",
        ),
        (
            "lost-path",
            json!({"kind": "html", "status": 404}),
            "ApiUnavailable",
        ),
    ];
    for (name, answer, _) in &faults {
        let fault = json!({"operation": "W1", "contains": format!("tenant-{name}"), "answer": answer});
        stage.emulator.fault(fault).await;
        stage
            .workspace(name, json!({"name": format!("tenant-{name}")}))
            .await;
    }
    for (name, _, reason) in &faults {
        let waiting = stage.reason(name, reason).await;
        assert_eq!(
            condition(&waiting, "Reconciling").unwrap().status,
            "True",
            "{name}"
        );
        assert_eq!(condition(&waiting, "Stalled"), None, "{name}");
    }
    stage.emulator.clear_faults().await;
    for (name, _, _) in &faults {
        stage
            .annotate(name, json!({"agentengine.airbyte.com/reconcile-at": "now"}))
            .await;
    }
    for (name, _, _) in &faults {
        stage.ready(name).await;
        assert_eq!(stage.remote(&format!("tenant-{name}")).await.len(), 1);
    }
}

/// All of it, until then.
/// Promise: input.waiting
/// Promise: hostile.retry-after
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_asks_to_wait_stops_the_organization() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    let slow_down = json!({
        "operation": "W1", "contains": "first", "count": 1,
        "answer": {"kind": "status", "status": 429, "headers": {"retry-after": "8"}},
    });
    stage.emulator.fault(slow_down).await;
    stage.workspace("first", json!({"name": "first"})).await;
    stage.reason("first", "Throttled").await;
    let mark = stage.emulator.journal_mark().await;
    for n in 0..5 {
        stage
            .workspace(&format!("other-{n}"), json!({"name": format!("other-{n}")}))
            .await;
    }
    for n in 0..5 {
        stage.ready(&format!("other-{n}")).await;
    }
    let entries = stage.emulator.journal(0).await["entries"]
        .as_array()
        .unwrap()
        .clone();
    let at = |entry: &Value| entry["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let refused = entries.iter().find(|e| e["status"] == 429).unwrap();
    let next = entries
        .iter()
        .find(|e| e["seq"].as_u64().unwrap() > mark)
        .unwrap();
    let waited = at(next).duration_since(at(refused));
    assert!(
        waited.as_millis() >= 7900,
        "the next call of anybody came after {waited:?}: {next}"
    );
    stage.ready("first").await;
}

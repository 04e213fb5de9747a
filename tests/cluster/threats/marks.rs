//! A tenant abuses what a user may write on a Workspace: annotations, finalizers.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::json;

use agent_engine_operator::crd::metadata_keys::RECONCILE_AT;

use crate::support::{Launch, Operator, Stage, is_ready, ready_reason, recorded_id};

/// A line of JSON in a log of JSON, a line of text in one of text.
const FORGED_LINE: &str = "x\n2026-01-01T00:00:00Z ERROR forged\n{\"level\":\"ERROR\",\"fields\":{\"message\":\"forged\"}}\u{1b}[2J";

/// It neither stops the object nor grows its status, and no request of it forges a line of the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_any_text_is_handled_and_forges_no_line() {
    let stage = Stage::set().await;
    let launch = Launch::new(&stage.user, &stage.home)
        .watching([stage.tenant.as_str()])
        .logging("text");
    let operator = Operator::start(&launch).await;
    operator.ready().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let long = "x".repeat(250_000);
    let wide = "\u{1f600}".repeat(5_000);
    for (n, request) in [FORGED_LINE, &long, &wide].into_iter().enumerate() {
        let mark = stage.emulator.journal_mark().await;
        stage.annotate("acme", json!({RECONCILE_AT: request})).await;
        let name = format!("Acme {n}");
        stage.change("acme", json!({"name": name})).await;
        stage
            .until("acme", "the rename, and the request handled", |acme| {
                let status = acme.status.as_ref().unwrap();
                let handled = status.last_handled_reconcile_at.as_deref();
                is_ready(acme)
                    && status.name.as_ref().is_some_and(|now| now.as_str() == name)
                    && handled.is_some_and(|handled| !handled.is_empty() && request.starts_with(handled))
            })
            .await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let calls = stage.emulator.calls_since(mark).await;
        let reads = calls.get("W3").copied().unwrap_or_default();
        assert!(reads <= 3, "each request is read for once: {calls:?}");
    }
    for line in operator.logs().lines() {
        assert!(line.starts_with("20") && !line.contains('\u{1b}'), "{line}");
        assert!(!line.starts_with("2026-01-01"), "{line}");
    }
}

/// The workspace stays where it is, and the next object finds it taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_finalizer_taken_off_by_hand_leaves_the_workspace() {
    let stage = Stage::set().await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let id = recorded_id(&stage.ready("acme").await);
    // While it runs, it would put the finalizer back, or be faster.
    operator.kill().await;
    stage.begin_deletion("acme").await;
    let off = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    stage
        .workspaces()
        .patch("acme", &PatchParams::default(), &off)
        .await
        .unwrap();
    stage.gone("acme").await;
    let mark = stage.emulator.journal_mark().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let next = stage.reason("acme", "AlreadyExists").await;
    assert_eq!(ready_reason(&next).as_deref(), Some("AlreadyExists"));
    let calls = stage.workspace_calls(mark).await;
    assert!(
        !calls.contains_key("T2") && !calls.contains_key("W5"),
        "{calls:?}"
    );
    assert_eq!(stage.remote("Acme").await[0]["id"], id);
    stage.no_secret("acme-token").await;
}

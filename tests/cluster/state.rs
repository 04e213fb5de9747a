//! Active and inactive as declared; what is not declared is left alone; whoever is inactive is handed no token.

use crate::support::{LONG, Stage, eventually, recorded_id, text};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use agent_engine_operator::crd::metadata_keys::WORKSPACE_LABEL;
use agent_engine_operator::domain::remote::WorkspaceState;

/// Active again, it has a new token, verified.
/// Promise: rule.secret-exists: A Secret exists only while enabled, not inactive and observed active
#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_workspace_has_no_secret() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage
        .workspace("acme", json!({"name": "Acme", "status": "active"}))
        .await;
    let before = recorded_id(&stage.ready("acme").await);
    let token = stage.secret_text("acme-token", "token").await;
    let mark = stage.emulator.journal_mark().await;

    stage
        .workspace("acme", json!({"name": "Acme", "status": "inactive"}))
        .await;
    let inactive = stage.ready("acme").await.status.unwrap();

    assert_eq!(inactive.state, Some(WorkspaceState::Inactive));
    assert_eq!(inactive.token_secret_name, None);
    assert_eq!(stage.remote("Acme").await[0]["status"], "inactive");
    assert!(stage.secrets().get_opt("acme-token").await.unwrap().is_none());
    let calls = stage.emulator.calls_since(mark).await;
    assert_eq!(json!(calls), json!({"W3": 1, "W4": 1}));

    stage
        .workspace("acme", json!({"name": "Acme", "status": "active"}))
        .await;
    stage.ready("acme").await;

    assert_eq!(stage.remote("Acme").await[0]["status"], "active");
    let secret = stage.secrets().get("acme-token").await.unwrap();
    assert_eq!(text(&secret, "workspace_id"), before);
    assert_ne!(text(&secret, "token"), token);
    let calls = stage.emulator.calls_since(mark).await;
    assert_eq!((calls["T2"], calls["T3"], calls["W4"]), (1, 1, 2));
}

/// The Secret lost its label while no operator watched.
/// Promise: rule.unlabelled-secret
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_secret_without_our_label_is_withdrawn_too() {
    let stage = Stage::set().await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    operator.kill().await;
    let unlabelled = Patch::Merge(json!({"metadata": {"labels": {WORKSPACE_LABEL: null}}}));
    stage
        .secrets()
        .patch("acme-token", &PatchParams::default(), &unlabelled)
        .await
        .unwrap();
    stage.change("acme", json!({"status": "inactive"})).await;

    let _operator = stage.operator().await;

    stage.no_secret("acme-token").await;
    assert_eq!(stage.ready("acme").await.status.unwrap().token_secret_name, None);
}

/// It decides about the token all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_is_not_declared_is_left_alone() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = recorded_id(&stage.ready("acme").await);
    let mark = stage.emulator.journal_mark().await;

    stage.meddle(&before, json!({"status": "inactive"})).await;
    stage.list().await;
    stage.no_secret("acme-token").await;
    in_state(&stage, Some(WorkspaceState::Inactive)).await;

    stage.meddle(&before, json!({"status": "active"})).await;
    stage.list().await;
    let secret = stage.secret("acme-token").await;
    assert_eq!(text(&secret, "workspace_id"), before);
    in_state(&stage, Some(WorkspaceState::Active)).await;
    assert_eq!(stage.emulator.calls_since(mark).await.get("W4"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_changed_behind_the_operators_back_is_changed_back() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    for (object, declared, meddled) in [("a", "active", "inactive"), ("b", "inactive", "active")] {
        stage
            .workspace(object, json!({"name": object, "status": declared}))
            .await;
        let before = recorded_id(&stage.ready(object).await);

        stage.meddle(&before, json!({"status": meddled})).await;
        stage.list().await;

        eventually("the status to be as declared", LONG, || async {
            let remote = stage.remote(object).await;
            (remote[0]["status"] == declared)
                .then_some(())
                .ok_or_else(|| format!("{remote:?}"))
        })
        .await;
        assert_eq!(recorded_id(&stage.ready(object).await), before);
    }
}

/// It is left alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_unknown_hands_out_nothing() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = recorded_id(&stage.ready("acme").await);
    let mark = stage.emulator.journal_mark().await;
    let row = json!({"id": before, "name": "Acme", "status": "hibernating"});
    let says = |body: Value| json!({"kind": "status", "status": 200, "body": body});
    stage
        .emulator
        .fault(json!({"operation": "W1", "answer": says(json!({"data": [row], "next": null}))}))
        .await;
    stage
        .emulator
        .fault(json!({"operation": "W3", "answer": says(row)}))
        .await;

    stage.list().await;

    stage.no_secret("acme-token").await;
    in_state(&stage, None).await;
    assert_eq!(stage.emulator.calls_since(mark).await.get("W4"), None);
    stage.emulator.clear_faults().await;
    stage.list().await;
    stage.secret("acme-token").await;
}

async fn in_state(stage: &Stage, state: Option<WorkspaceState>) {
    stage
        .until("acme", &format!("status.state to be {state:?}"), |workspace| {
            workspace
                .status
                .as_ref()
                .is_some_and(|status| status.state == state)
        })
        .await;
}

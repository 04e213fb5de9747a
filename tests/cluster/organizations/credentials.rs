//! Credentials that are missing, refused, rotated, or of another organization.

use kube::api::DeleteParams;
use reqwest::Method;
use serde_json::json;

use crate::support::{
    CLIENT_ID, Stage, condition, is_ready, organization_message, ready_message, recorded_id,
};

/// Adds an organization to the emulator and gives `client_id` access to it. Returns its id.
async fn another_organization(stage: &Stage, client_id: &str, client_secret: &str) -> String {
    let pair = json!({"client_id": client_id, "client_secret": client_secret});
    let added = stage
        .emulator
        .control(Method::POST, "organizations", Some(pair))
        .await;
    added["id"].as_str().unwrap().to_owned()
}

/// The message says what is missing.
/// Promise: input.waiting
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_credential_is_waited_for() {
    let stage = Stage::bare(&[]).await;
    let _operator = stage.operator().await;
    stage.organization("default", json!({})).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;

    let missing = stage.organization_reason("default", "CredentialsMissing").await;
    let message = organization_message(&missing);
    assert!(
        message.contains("\"credential\"") && message.contains("client_secret"),
        "{message}"
    );
    let waiting = stage.reason("acme", "OrganizationNotReady").await;
    assert!(
        ready_message(&waiting).contains("\"credential\""),
        "{}",
        ready_message(&waiting)
    );
    assert_eq!(condition(&waiting, "Reconciling").unwrap().status, "True");

    let half = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "credential"}, "stringData": {"client_id": CLIENT_ID},
    });
    stage
        .cluster
        .apply(&stage.home, &half.to_string())
        .await
        .success();
    stage
        .organization_until("default", "to name the missing key", |o| {
            organization_message(o).contains("no key \"client_secret\"")
        })
        .await;

    stage.good_credential().await;
    stage.ready("acme").await;
    stage.organization_reason("default", "Verified").await;
}

/// Rotation heals the Organization and wakes its Workspaces, without a restart.
/// Promise: input.stalled
#[tokio::test(flavor = "multi_thread")]
async fn rejected_credentials_stall_until_they_are_rotated() {
    let stage = Stage::bare(&[]).await;
    stage
        .credentials("credential", CLIENT_ID, "canary-secret-wrong")
        .await;
    let _operator = stage.operator().await;
    stage.organization("default", json!({})).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;

    let rejected = stage.organization_reason("default", "CredentialsRejected").await;
    let stalled = rejected
        .status
        .unwrap()
        .conditions
        .into_iter()
        .find(|c| c.type_ == "Stalled");
    assert_eq!(stalled.unwrap().status, "True");
    stage.reason("acme", "OrganizationNotReady").await;
    assert_eq!(json!(stage.workspace_calls(0).await), json!({}));

    stage.good_credential().await;
    let id = recorded_id(&stage.ready("acme").await);

    // Rotated at Agent Engine, tokens revoked with it: in time the Secret follows.
    stage.emulator.knobs(json!({"rotation": "revoked"})).await;
    let rotated = json!({"client_id": CLIENT_ID, "client_secret": "canary-secret-rotated"});
    stage
        .emulator
        .control(Method::POST, "credentials", Some(rotated))
        .await;
    stage.relist("default", "1").await;
    stage.organization_reason("default", "CredentialsRejected").await;
    assert!(is_ready(&stage.get("acme").await), "what is in use goes on");
    stage
        .credentials("credential", CLIENT_ID, "canary-secret-rotated")
        .await;
    stage.organization_reason("default", "Verified").await;
    stage.reconcile_of("acme").await;
    assert_eq!(recorded_id(&stage.ready("acme").await), id);
}

/// Promise: rule.other-organization: Zero calls for a workspace of another organization
#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_another_organization_is_used_for_nothing() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let pinned = stage
        .organization_reason("default", "Verified")
        .await
        .status
        .unwrap()
        .organization_id
        .unwrap();
    let other = another_organization(&stage, "other-client", "canary-secret-other").await;
    let mark = stage.emulator.journal_mark().await;

    stage
        .credentials("credential", "other-client", "canary-secret-other")
        .await;
    let swapped = stage.organization_reason("default", "OrganizationMismatch").await;
    let message = organization_message(&swapped);
    assert!(
        message.contains(pinned.as_str()) && message.contains(&other),
        "{message}"
    );
    assert_eq!(swapped.status.unwrap().organization_id.unwrap(), pinned, "pinned");
    stage.workspace("new", json!({"name": "New"})).await;
    stage.reason("new", "OrganizationMismatch").await;
    stage.reconcile_of("acme").await;
    stage
        .workspaces()
        .delete("acme", &DeleteParams::default())
        .await
        .unwrap();
    let blocked = stage
        .until("acme", "acme to say why it stays", |acme| {
            ready_message(acme).contains(&other)
        })
        .await;
    assert_eq!(blocked.metadata.finalizers.unwrap().len(), 1);
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({}));
    assert!(stage.secrets().get_opt("acme-token").await.unwrap().is_some());

    stage.good_credential().await;
    stage.gone("acme").await;
    stage.ready("new").await;
    assert_eq!(stage.remote("Acme").await.len(), 0);
}

/// It stays so.
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_known_from_listed_rows_alone_is_verified() {
    let stage = Stage::with(&["--knob", "t1_organization=absent"], json!({})).await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let verified = stage
        .organization_reason("default", "Verified")
        .await
        .status
        .unwrap();
    assert_eq!(
        verified.organization_id.unwrap().as_str(),
        "11111111-1111-4111-8111-111111111111"
    );
    operator.kill().await;
    let _operator = stage.operator().await;
    stage.workspace("later", json!({"name": "Later"})).await;
    stage.ready("later").await;

    // A list that fails later takes nothing back.
    stage
        .emulator
        .fault(json!({"operation": "W1", "contains": "limit", "answer": {"kind": "status", "status": 503}}))
        .await;
    stage.relist_in_vain("default", "1").await;
    stage.organization_reason("default", "ApiUnavailable").await;
    stage.emulator.clear_faults().await;
    stage
        .emulator
        .fault(json!({"operation": "W1", "skip": 1, "answer": {"kind": "status", "status": 503}}))
        .await;
    stage.workspace("beside", json!({"name": "Beside"})).await;
    stage.ready("beside").await;
}

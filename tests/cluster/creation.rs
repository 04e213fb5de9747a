//! A Workspace is created once, and its verified token is in a Secret.

use crate::support::{Stage, text};
use serde_json::json;

/// The token is in its Secret.
/// Promise: rule.creation
/// Promise: cost.create: create: 1 search, 1 issue, 1 verification, 1 GET; 4 object writes, 1 event
#[tokio::test(flavor = "multi_thread")]
async fn an_applied_workspace_becomes_ready_with_a_verified_token() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    let mut audit = stage.audit().await;
    // The Organization's own calls and writes are over before the story is counted.
    stage.listed("default").await;
    audit.restart().await;
    let mark = stage.emulator.journal_mark().await;

    stage.workspace("acme", json!({"name": "Acme Ltd"})).await;
    let acme = stage.ready("acme").await;

    let status = acme.status.clone().unwrap();
    let remote = stage.remote("Acme Ltd").await;
    assert_eq!(remote.len(), 1);
    assert_eq!(status.workspace_id.as_ref().unwrap().as_str(), remote[0]["id"]);
    assert_eq!(status.creation, None);
    let secret = stage.secrets().get("acme-token").await.unwrap();
    assert_eq!(text(&secret, "workspace_id"), remote[0]["id"]);
    assert_eq!(text(&secret, "workspace_name"), "Acme Ltd");
    assert_eq!(text(&secret, "api_url"), stage.emulator.url());
    assert_eq!(
        secret.metadata.owner_references.unwrap()[0].uid,
        acme.metadata.uid.unwrap()
    );

    let calls = stage.emulator.calls_since(mark).await;
    assert_eq!(
        json!(calls),
        json!({"W1": 1, "T2": 1, "T3": 1, "W3": 1}),
        "one look, one issue, one proof, one GET"
    );
    let requests = audit.requests().await;
    assert_eq!(
        requests.object_writes().0.len(),
        4,
        "{:?}",
        requests.object_writes()
    );
}

//! What cannot be decoded: reported, its deletion honoured, what it recorded its own, and no trouble for others.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::{anything, gone, loose, said, spoil, undecodable};
use crate::support::{LONG, eventually, recorded_id};

/// The others go on.
/// Promise: input.undecodable
#[tokio::test(flavor = "multi_thread")]
async fn an_undecodable_workspace_is_reported_and_may_be_deleted() {
    let stage = loose().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.workspace("kept", json!({"name": "Kept"})).await;
    stage.ready("acme").await;
    stage.ready("kept").await;

    let objects = anything(&stage, &stage.tenant, "Workspace");
    spoil(&objects, "acme", json!({"suspend": "perhaps"})).await;
    spoil(&objects, "kept", json!({"deletionPolicy": 7})).await;
    let message = undecodable(&objects, "acme").await;
    assert!(
        message.contains("spec.suspend: ") && message.contains("perhaps"),
        "{message}"
    );
    undecodable(&objects, "kept").await;
    stage.workspace("other", json!({"name": "Other"})).await;
    stage.ready("other").await;

    for name in ["acme", "kept"] {
        objects.delete(name, &DeleteParams::default()).await.unwrap();
        gone(&objects, name).await;
    }
    assert_eq!(stage.remote("Acme").await.len(), 0);
    assert_eq!(
        stage.remote("Kept").await.len(),
        1,
        "a policy that cannot be read retains"
    );
}

/// Its deletion is blocked, and says why.
/// Promise: input.undecodable
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_with_an_unreadable_record_is_not_let_go() {
    let stage = loose().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let objects = anything(&stage, &stage.tenant, "Workspace");
    let record = |name: serde_json::Value| {
        let patch = Patch::Merge(json!({"status": {"name": name}}));
        let objects = objects.clone();
        async move {
            objects
                .patch_status("acme", &PatchParams::default(), &patch)
                .await
        }
    };
    eventually("the API server to take anything", LONG, || async {
        record(json!(7)).await.map(drop)
    })
    .await;
    undecodable(&objects, "acme").await;

    objects.delete("acme", &DeleteParams::default()).await.unwrap();
    let message = said(&objects, "acme", "DeletionBlocked").await;
    assert!(message.contains("name"), "{message}");
    assert_eq!(stage.remote("Acme").await.len(), 1);
    record(json!("Acme")).await.unwrap();
    gone(&objects, "acme").await;
    assert_eq!(stage.remote("Acme").await.len(), 0);
}

/// Over a restart, too.
/// Promise: input.undecodable
#[tokio::test(flavor = "multi_thread")]
async fn what_an_undecodable_workspace_recorded_stays_its_own() {
    let stage = loose().await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let id = recorded_id(&stage.ready("acme").await);
    operator.kill().await;
    let objects = anything(&stage, &stage.tenant, "Workspace");
    spoil(&objects, "acme", json!({"suspend": "perhaps", "tokenSecret": 7})).await;
    let mark = stage.emulator.journal_mark().await;

    let _operator = stage.operator().await;
    undecodable(&objects, "acme").await;
    stage
        .workspace("by-name", json!({"name": "ACME", "adoptionPolicy": "ByName"}))
        .await;
    stage
        .workspace("by-id", json!({"name": "Other", "workspaceId": id}))
        .await;

    stage.reason("by-name", "NameClaimed").await;
    stage.reason("by-id", "NameClaimed").await;
    let calls = stage.workspace_calls(mark).await;
    assert!(
        ["T2", "W4", "W5"].iter().all(|call| !calls.contains_key(*call)),
        "{calls:?}"
    );
    spoil(&objects, "acme", json!({"suspend": null, "tokenSecret": null})).await;
    assert_eq!(recorded_id(&stage.ready("acme").await), id);
}

/// Promise: input.undecodable
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_stays_for_a_workspace_that_cannot_be_decoded() {
    let stage = loose().await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    operator.kill().await;
    let objects = anything(&stage, &stage.tenant, "Workspace");
    spoil(&objects, "acme", json!({"suspend": "perhaps"})).await;
    let _operator = stage.operator().await;

    let organizations = anything(&stage, &stage.home, "Organization");
    organizations
        .delete("default", &DeleteParams::default())
        .await
        .unwrap();
    let message = said(&organizations, "default", "InUse").await;
    assert!(message.contains("Workspaces still name it"), "{message}");

    objects.delete("acme", &DeleteParams::default()).await.unwrap();
    gone(&objects, "acme").await;
    gone(&organizations, "default").await;
    assert_eq!(stage.remote("Acme").await.len(), 0);
}

/// Promise: input.undecodable
#[tokio::test(flavor = "multi_thread")]
async fn an_undecodable_organization_goes_when_no_longer_used() {
    let stage = loose().await;
    let operator = stage.operator().await;
    stage.organization("spare", json!({})).await;
    stage.listed("spare").await;
    stage
        .workspace("acme", json!({"name": "Acme", "deletionPolicy": "Retain"}))
        .await;
    stage.ready("acme").await;
    operator.kill().await;
    let (workspaces, organizations) = (
        anything(&stage, &stage.tenant, "Workspace"),
        anything(&stage, &stage.home, "Organization"),
    );
    spoil(&workspaces, "acme", json!({"suspend": "perhaps"})).await;
    for name in ["spare", "default"] {
        spoil(&organizations, name, json!({"access": "everybody"})).await;
    }
    let _operator = stage.operator().await;
    undecodable(&organizations, "default").await;

    for name in ["spare", "default"] {
        organizations
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
    }
    gone(&organizations, "spare").await;
    let message = said(&organizations, "default", "InUse").await;
    assert!(message.contains("Workspaces still name it"), "{message}");

    workspaces.delete("acme", &DeleteParams::default()).await.unwrap();
    gone(&workspaces, "acme").await;
    gone(&organizations, "default").await;
    assert_eq!(stage.remote("Acme").await.len(), 1);
}

/// It is reported.
/// Promise: input.undecodable
#[tokio::test(flavor = "multi_thread")]
async fn an_undecodable_organization_withdraws_nothing() {
    let stage = loose().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let mark = stage.emulator.journal_mark().await;

    let objects = anything(&stage, &stage.home, "Organization");
    spoil(&objects, "default", json!({"access": "everybody"})).await;
    let message = undecodable(&objects, "default").await;
    assert!(
        message.contains("spec.access: ") && message.contains("withdraws nothing"),
        "{message}"
    );
    stage.workspace("late", json!({"name": "Late"})).await;
    stage.reason("late", "OrganizationNotReady").await;
    stage
        .annotate("acme", json!({"agentengine.airbyte.com/reconcile-at": "now"}))
        .await;
    assert!(stage.secrets().get_opt("acme-token").await.unwrap().is_some());
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({}));
    assert!(
        stage
            .event_reasons(&stage.home, "default")
            .await
            .contains(&"InvalidObject".to_owned())
    );

    stage.organization("default", json!({})).await;
    stage.ready("late").await;
    stage.ready("acme").await;
}

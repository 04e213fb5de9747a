//! Marks that somebody forged: trusted for nothing.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::{Stage, condition, recorded_id};

/// Promise: input.marks: forged or stale marks, a status from a backup or of another object
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_record_opens_renames_and_deletes_nothing_of_another() {
    let mut stage = Stage::set().await;
    let victim = stage.another_tenant().await;
    let both = json!([{"namespaces": {"names": [stage.tenant, victim]}, "workspaceNames": ["*"], "adoption": "Allowed"}]);
    stage.organization("default", json!({"access": both})).await;
    let _operator = stage.operator().await;
    stage.workspace_in(&victim, "acme", json!({"name": "Acme"})).await;
    let id = recorded_id(&stage.ready_in(&victim, "acme").await);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    stage.workspace("thief", json!({"name": "Thief"})).await;
    let own = recorded_id(&stage.ready("thief").await);
    let mark = stage.emulator.journal_mark().await;

    let forge = |status: Value| {
        let api = stage.workspaces();
        async move {
            let patch = Patch::Merge(json!({"status": status}));
            api.patch_status("thief", &PatchParams::default(), &patch)
                .await
                .unwrap();
        }
    };
    // With the thief's own uid, and the victim's name beside it.
    for (name, round) in [("Thief", "1"), ("Acme", "2")] {
        forge(json!({"workspaceId": id, "name": name})).await;
        stage
            .annotate("thief", json!({"agentengine.airbyte.com/reconcile-at": round}))
            .await;
        stage
            .until("thief", "the forged record to be refused", |thief| {
                let status = thief.status.as_ref().unwrap();
                status.last_handled_reconcile_at.as_deref() == Some(round)
                    && condition(thief, "Ready").is_some_and(|c| c.reason == "NameClaimed")
            })
            .await;
    }
    // With no uid, or the victim's, it is a wish, and a refused one.
    forge(json!({"uid": null})).await;
    stage
        .annotate("thief", json!({"agentengine.airbyte.com/reconcile-at": "3"}))
        .await;
    stage.reason("thief", "NameClaimed").await;

    let calls = stage.workspace_calls(mark).await;
    assert!(
        ["T2", "W4", "W5"].iter().all(|call| !calls.contains_key(*call)),
        "{calls:?}"
    );
    assert_eq!(stage.remote("Acme").await[0]["id"], id);
    let secret = stage.secrets().get_opt("thief-token").await.unwrap();
    assert!(secret.is_none_or(|secret| crate::support::text(&secret, "workspace_id") == own));

    // Deleting the thief, with the forged record in place, takes nothing along.
    let uid = stage.get("thief").await.metadata.uid.unwrap();
    forge(json!({"uid": uid, "workspaceId": id, "name": "Acme"})).await;
    stage
        .workspaces()
        .delete("thief", &DeleteParams::default())
        .await
        .unwrap();
    stage
        .until("thief", "its deletion to be blocked", |thief| {
            condition(thief, "Ready").is_some_and(|c| c.reason == "DeletionBlocked")
        })
        .await;
    stage.change("thief", json!({"deletionPolicy": "Retain"})).await;
    stage.gone("thief").await;
    assert_eq!(stage.remote("Acme").await[0]["id"], id);
    stage.ready_in(&victim, "acme").await;
}

/// Promise: input.marks
#[tokio::test(flavor = "multi_thread")]
async fn forged_marks_are_trusted_for_nothing_but_a_check() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let acme = stage.ready("acme").await;
    let id = recorded_id(&acme);
    let mark = stage.emulator.journal_mark().await;

    // Leave to replace what is not lost.
    stage
        .annotate("acme", json!({"agentengine.airbyte.com/recreate": id}))
        .await;
    // A Secret that says it is another object's, fresh, and verified.
    let secret = stage.secrets().get("acme-token").await.unwrap();
    let forged = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "globex-token", "labels": {"agentengine.airbyte.com/workspace": "globex"},
            "annotations": secret.metadata.annotations},
        "data": secret.data,
    });
    stage
        .cluster
        .apply(&stage.tenant, &forged.to_string())
        .await
        .success();
    stage.workspace("globex", json!({"name": "Globex"})).await;
    let globex = stage.ready("globex").await;
    assert_eq!(
        stage.secret_text("globex-token", "workspace_id").await,
        recorded_id(&globex)
    );
    assert_ne!(
        stage.secret_text("globex-token", "token").await,
        stage.secret_text("acme-token", "token").await
    );

    // Somebody takes the finalizer away: it comes back, and deletion still deletes.
    let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    stage
        .workspaces()
        .patch("acme", &PatchParams::default(), &patch)
        .await
        .unwrap();
    stage
        .until("acme", "acme to be held again", |acme| {
            acme.metadata.finalizers.is_some()
        })
        .await;
    assert_eq!(recorded_id(&stage.ready("acme").await), id);
    let calls = stage.workspace_calls(mark).await;
    assert_eq!(
        (calls["T2"], calls.get("W5")),
        (1, None),
        "globex's alone: {calls:?}"
    );
    stage.delete("acme").await;
    assert_eq!(stage.remote("Acme").await.len(), 0);
}

//! What nobody should have stored, forged marks, and a plan that ends: reported, believed for nothing, and no trouble for
//! others. The CRDs of this binary's cluster are loosened, as those of another version might be.

mod support;

use kube::{
    Api,
    api::{DeleteParams, DynamicObject, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};

use support::{CLIENT_ID, LONG, Stage, condition, eventually, ready_message, recorded_id};

/// Lets the API server store whatever it is given in spec and status.
async fn loosen(stage: &Stage) {
    let text = json!({"type": "string"});
    for (crd, fields) in [
        ("workspaces", json!({"name": text, "organization": text})),
        ("organizations", json!({})),
    ] {
        let anything = |properties: Value| json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": properties});
        let schema = json!({"type": "object", "properties": {
            "spec": anything(fields), "status": anything(json!({"workspaceId": text})),
        }});
        let patch =
            json!([{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema", "value": schema}]);
        let name = format!("{crd}.agentengine.airbyte.com");
        let words = ["patch", "crd", &name, "--type", "json", "-p", &patch.to_string()];
        stage.cluster.kubectl(words).await.success();
    }
}

fn anything(stage: &Stage, namespace: &str, kind: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("agentengine.airbyte.com", "v1alpha1", kind);
    Api::namespaced_with(stage.client.clone(), namespace, &ApiResource::from_gvk(&kind))
}

/// Lays `spec` over an object's spec, once the loosened CRD lets it.
async fn spoil(api: &Api<DynamicObject>, name: &str, spec: Value) {
    let patch = Patch::Merge(json!({"spec": spec}));
    eventually("the API server to take anything", LONG, || async {
        api.patch(name, &PatchParams::default(), &patch).await.map(drop)
    })
    .await;
}

/// Waits until an object that cannot be decoded is said to be so.
async fn undecodable(api: &Api<DynamicObject>, name: &str) -> String {
    said(api, name, "Undecodable").await
}

/// Waits for this reason of the Ready condition; returns its message.
async fn said(api: &Api<DynamicObject>, name: &str, reason: &str) -> String {
    eventually(&format!("{name} to be {reason}"), LONG, || async {
        let object = api.get(name).await.map_err(|e| e.to_string())?;
        let conditions = object
            .data
            .pointer("/status/conditions")
            .cloned()
            .unwrap_or_default();
        let ready = conditions
            .as_array()
            .into_iter()
            .flatten()
            .find(|c| c["type"] == "Ready")
            .cloned();
        match ready {
            Some(ready) if ready["reason"] == reason => Ok(ready["message"].as_str().unwrap().to_owned()),
            _ => Err(conditions.to_string()),
        }
    })
    .await
}

async fn gone(api: &Api<DynamicObject>, name: &str) {
    eventually(&format!("{name} to be gone"), LONG, || async {
        match api.get_opt(name).await {
            Ok(None) => Ok(()),
            Ok(Some(object)) => Err(object.data.to_string()),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_cannot_be_decoded_is_reported_while_others_go_on_and_its_deletion_is_honoured() {
    let stage = Stage::set().await;
    loosen(&stage).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn what_a_workspace_has_recorded_stays_its_own_over_a_restart_though_it_cannot_be_decoded() {
    let stage = Stage::set().await;
    loosen(&stage).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_stays_for_a_workspace_that_cannot_be_decoded() {
    let stage = Stage::set().await;
    loosen(&stage).await;
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
    assert!(message.contains("1 Workspace"), "{message}");

    objects.delete("acme", &DeleteParams::default()).await.unwrap();
    gone(&objects, "acme").await;
    gone(&organizations, "default").await;
    assert_eq!(stage.remote("Acme").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_cannot_be_decoded_goes_when_it_is_no_longer_used() {
    let stage = Stage::set().await;
    loosen(&stage).await;
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
    assert!(message.contains("1 Workspace"), "{message}");

    workspaces.delete("acme", &DeleteParams::default()).await.unwrap();
    gone(&workspaces, "acme").await;
    gone(&organizations, "default").await;
    assert_eq!(stage.remote("Acme").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_cannot_be_decoded_is_reported_and_withdraws_nothing() {
    let stage = Stage::set().await;
    loosen(&stage).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let mark = stage.emulator.journal_mark().await;

    let objects = anything(&stage, &stage.home, "Organization");
    spoil(&objects, "default", json!({"access": "everybody"})).await;
    let message = undecodable(&objects, "default").await;
    assert!(message.contains("withdraws nothing"), "{message}");
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
            .contains(&"Undecodable".to_owned())
    );

    stage.organization("default", json!({})).await;
    stage.ready("late").await;
    stage.ready("acme").await;
}

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
    assert!(secret.is_none_or(|secret| support::text(&secret, "workspace_id") == own));

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

#[tokio::test(flavor = "multi_thread")]
async fn forged_marks_are_believed_for_nothing_but_a_check() {
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
    // A Secret that says it is another object's, fresh, and has been proven.
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

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_plan_is_said_however_the_api_says_it_and_heals() {
    for refusal in ["402", "403", "409", "422"] {
        let stage = Stage::bare(&[
            "--knob",
            "plan_limit=1",
            "--knob",
            &format!("plan_refusal={refusal}"),
        ])
        .await;
        stage
            .credentials("credential", CLIENT_ID, stage.emulator.client_secret())
            .await;
        stage.organization("default", json!({})).await;
        let _operator = stage.operator().await;
        stage.workspace("acme", json!({"name": "Acme"})).await;
        let refused = stage.reason("acme", "PlanLimit").await;
        assert!(
            ready_message(&refused).contains("Raise the plan"),
            "{refusal}: {}",
            ready_message(&refused)
        );
        assert_eq!(condition(&refused, "Stalled").unwrap().status, "True");
        assert_eq!(refused.status.unwrap().creation, None, "nothing is in flight");
        assert_eq!(stage.remote("Acme").await.len(), 0);

        stage.emulator.knobs(json!({"plan_limit": "none"})).await;
        stage
            .annotate("acme", json!({"agentengine.airbyte.com/reconcile-at": "now"}))
            .await;
        stage.ready("acme").await;
        assert_eq!(stage.remote("Acme").await.len(), 1);
    }
}

//! What becomes of a workspace when its object goes.

use crate::support::{LONG, Stage, condition, eventually, ready_message, recorded_id};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use agent_engine_operator::crd::{metadata_keys, workspace::DeletionPolicy};

/// With one DELETE, by id.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_object_takes_its_workspace_along() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = recorded_id(&stage.ready("acme").await);
    let mark = stage.emulator.journal_mark().await;

    stage.delete("acme").await;

    stage.remote_names(&[]).await;
    stage.no_secret("acme-token").await;
    let journal = stage.emulator.journal(mark).await;
    assert_eq!(journal["counts"], json!({"W5": 1}));
    assert!(journal["entries"][0]["path"].as_str().unwrap().ends_with(&before));
}

/// The workspace stays.
/// Promise: I7
#[tokio::test(flavor = "multi_thread")]
async fn retaining_needs_neither_organization_nor_credential() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage
        .workspace("acme", json!({"name": "Acme", "deletionPolicy": "Retain"}))
        .await;
    let before = recorded_id(&stage.ready("acme").await);
    let mark = stage.emulator.journal_mark().await;
    remove_organization(&stage).await;

    stage.delete("acme").await;

    assert_eq!(stage.remote("Acme").await[0]["id"], before);
    assert_eq!(stage.emulator.calls_since(mark).await.get("W5"), None);
    told(&stage, "acme", "Retained", &before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_what_was_created_goes_and_what_was_adopted_stays() {
    let stage = Stage::set().await;
    stage
        .emulator
        .seed(json!({"workspaces": [{"name": "Old"}, {"name": "Wanted"}]}))
        .await;
    let _operator = stage.operator().await;
    let adopted = |more: Value| {
        let mut spec = json!({"adoptionPolicy": "ByName"});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        spec
    };
    for (object, spec, effective) in [
        ("made", json!({"name": "Made"}), DeletionPolicy::Delete),
        ("old", adopted(json!({"name": "Old"})), DeletionPolicy::Retain),
        (
            "wanted",
            adopted(json!({"name": "Wanted", "deletionPolicy": "Delete"})),
            DeletionPolicy::Delete,
        ),
    ] {
        stage.workspace(object, spec).await;
        let status = stage.ready(object).await.status.unwrap();
        assert_eq!(status.deletion_policy, Some(effective), "{object}");
    }

    for object in ["made", "old", "wanted"] {
        stage.delete(object).await;
    }
    stage.remote_names(&["Old"]).await;
}

/// Promise: rule.deletion-policy
#[tokio::test(flavor = "multi_thread")]
async fn the_organizations_default_and_its_ceiling_are_obeyed() {
    let stage = Stage::with(&[], json!({"defaults": {"deletionPolicy": "Retain"}})).await;
    let _operator = stage.operator().await;
    stage.workspace("kept", json!({"name": "Kept"})).await;
    stage
        .workspace("asked", json!({"name": "Asked", "deletionPolicy": "Delete"}))
        .await;
    stage
        .workspace("under", json!({"name": "Under", "deletionPolicy": "Delete"}))
        .await;
    for object in ["kept", "asked", "under"] {
        stage.ready(object).await;
    }

    for object in ["kept", "asked"] {
        stage.delete(object).await;
    }
    stage.remote_names(&["Kept", "Under"]).await;
    let access = json!([{
        "namespaces": {"names": [stage.tenant]}, "workspaceNames": ["*"], "deletion": "Forbidden",
    }]);
    stage.organization("default", json!({"access": access})).await;
    stage.list().await;
    stage.delete("under").await;
    stage.remote_names(&["Kept", "Under"]).await;
}

/// It has a way out.
/// Promise: I7
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_without_the_api_waits_and_says_why() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    for object in ["retried", "released"] {
        stage.workspace(object, json!({"name": object})).await;
        stage.ready(object).await;
    }
    stage
        .emulator
        .fault(json!({"operation": "W5", "answer": {"kind": "status", "status": 503}}))
        .await;

    for object in ["retried", "released"] {
        stage.begin_deletion(object).await;
        let blocked = stage.reason(object, "DeletionBlocked").await;
        let finalizers = blocked.metadata.finalizers.unwrap();
        assert_eq!(finalizers, [metadata_keys::FINALIZER]);
        let message = &blocked.status.unwrap().conditions[0].message;
        assert!(message.contains("deletionPolicy: Retain"), "{message}");
    }

    stage
        .workspace(
            "released",
            json!({"name": "released", "deletionPolicy": "Retain"}),
        )
        .await;
    stage.gone("released").await;
    stage.emulator.clear_faults().await;
    stage.gone("retried").await;
    stage.remote_names(&["released"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_without_credentials_waits_for_them() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    remove_organization(&stage).await;

    stage.begin_deletion("acme").await;
    let blocked = stage.reason("acme", "DeletionBlocked").await;

    assert_eq!(stage.remote("Acme").await.len(), 1);
    let message = &blocked.status.unwrap().conditions[0].message;
    assert!(message.contains("Retain"), "{message}");
    stage.good_credential().await;
    stage.organization("default", json!({})).await;
    stage.gone("acme").await;
    stage.remote_names(&[]).await;
}

/// Each way in which a deletion may be answered that is a success in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_done_already_or_later_lets_the_object_go() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    for (knobs, lost) in [
        (json!({"deleted_delete": "404"}), true),
        (json!({"deleted_delete": "410"}), true),
        (json!({"deleted_delete": "200"}), true),
        (
            json!({"slow_delete": "504-then-done", "slow_delete_ms": 500}),
            false,
        ),
        (json!({"after_commit": "500"}), false),
        (json!({"after_commit": "lost"}), false),
    ] {
        let ordinary = json!({"after_commit": "answer", "slow_delete": "off", "deleted_delete": "404"});
        stage.emulator.knobs(ordinary).await;
        stage.workspace("acme", json!({"name": "Acme"})).await;
        let before = recorded_id(&stage.ready("acme").await);
        if lost {
            stage.lose(&before).await;
        }
        stage.emulator.knobs(knobs.clone()).await;

        stage.begin_deletion("acme").await;

        eventually(&format!("acme to be gone with {knobs}"), LONG, || async {
            match stage.workspaces().get_opt("acme").await {
                Ok(None) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        stage.remote_names(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fallback_workspace_may_be_adopted_and_is_never_deleted() {
    let stage = Stage::with(&[], json!({"defaults": {"deletionPolicy": "Delete"}})).await;
    let _operator = stage.operator().await;
    stage
        .workspace("fallback", json!({"name": "default", "adoptionPolicy": "ByName"}))
        .await;
    let before = recorded_id(&stage.ready("fallback").await);
    let mark = stage.emulator.journal_mark().await;

    stage.delete("fallback").await;

    assert_eq!(stage.emulator.calls_since(mark).await.get("W5"), None);
    told(&stage, "fallback", "Retained", &before).await;
}

/// Promise: I6
#[tokio::test(flavor = "multi_thread")]
async fn finalizers_of_others_are_left_where_they_are() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let theirs = json!({"metadata": {"finalizers": ["example.com/theirs", metadata_keys::FINALIZER]}});
    let change = |patch: Value| {
        let api = stage.workspaces();
        async move {
            let params = PatchParams::default();
            api.patch("acme", &params, &Patch::Merge(patch)).await.unwrap()
        }
    };
    change(theirs).await;

    stage.begin_deletion("acme").await;
    stage.remote_names(&[]).await;

    let left = stage
        .until("acme", "our finalizer to be gone", |acme| {
            acme.metadata
                .finalizers
                .as_ref()
                .is_some_and(|finalizers| !finalizers.contains(&metadata_keys::FINALIZER.to_owned()))
        })
        .await;
    assert_eq!(left.metadata.finalizers.unwrap(), ["example.com/theirs"]);
    change(json!({"metadata": {"finalizers": []}})).await;
    stage.gone("acme").await;
}

/// A policy of the cluster that refuses to take our finalizer off. Returns its name.
async fn keep_finalizers(stage: &Stage) -> String {
    let name = format!("keeps-{}", stage.tenant);
    let held = |object: &str| {
        let finalizer = metadata_keys::FINALIZER;
        format!(
            "(has({object}.metadata.finalizers) && {object}.metadata.finalizers.exists(f, f == '{finalizer}'))"
        )
    };
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": stage.tenant}},
                "resourceRules": [{
                    "apiGroups": ["agentengine.airbyte.com"], "apiVersions": ["*"], "resources": ["workspaces"],
                    "operations": ["UPDATE"],
                }],
            },
            "validations": [{
                "expression": format!("!{} || {}", held("oldObject"), held("object")),
                "message": "finalizers stay on today",
            }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]},
    });
    for manifest in [policy, binding] {
        stage.cluster.apply("", &manifest.to_string()).await.success();
    }
    eventually("the policy to act", LONG, || async {
        let dry = PatchParams {
            dry_run: true,
            ..PatchParams::default()
        };
        let none = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        match stage.workspaces().patch("acme", &dry, &none).await {
            Err(kube::Error::Api(status)) if status.message.contains("stay on today") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    name
}

/// The workspace is deleted once, and its object goes soon after the policy.
/// Promise: rule.deleted-once
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_keeps_the_finalizer_is_quoted_and_costs_no_call() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let policy = keep_finalizers(&stage).await;
    let audit = stage.audit().await;
    let mark = stage.emulator.journal_mark().await;

    stage.begin_deletion("acme").await;
    let held = stage.reason("acme", "KubernetesApiError").await;
    assert!(
        ready_message(&held).contains("stay on today"),
        "{}",
        ready_message(&held)
    );
    let token = condition(&held, "TokenReady").unwrap();
    assert_eq!(token.reason, "KubernetesApiError", "{token:?}");
    eventually("three attempts", LONG, || async {
        let refused = audit.requests().await.refused().named("acme").count();
        (refused >= 3).then_some(()).ok_or(refused)
    })
    .await;
    let calls = stage.workspace_calls(mark).await;
    assert_eq!(json!(calls), json!({"W5": 1}));

    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        stage.cluster.kubectl(["delete", kind, &policy]).await.success();
    }
    stage.gone("acme").await;
    assert_eq!(stage.workspace_calls(mark).await["W5"], 1);
}

/// Promise: rule.in-flight-deletion
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_in_flight_that_is_deleted_leaves_nothing_behind() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage
        .emulator
        .fault(json!({"operation": "T2", "count": 1, "effect": "applied", "answer": {"kind": "drop"}}))
        .await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.remote_names(&["Acme"]).await;

    let mark = stage.emulator.journal_mark().await;
    stage.delete("acme").await;
    stage.remote_names(&[]).await;
    assert_eq!(stage.emulator.journal(mark).await["counts"]["W5"], 1);
}

/// The Organization waits for its last Workspace, so both go by force, as when a namespace is swept.
async fn remove_organization(stage: &Stage) {
    stage
        .cluster
        .kubectl(["delete", "secret", "credential", "--namespace", &stage.home])
        .await
        .success();
    stage
        .cluster
        .kubectl([
            "delete",
            "organizations.agentengine.airbyte.com",
            "default",
            "--wait=false",
            "--namespace",
            &stage.home,
        ])
        .await
        .success();
    eventually("the Organization to be gone", LONG, || async {
        let none = json!({"metadata": {"finalizers": null}});
        let params = PatchParams::default();
        let api = stage.organizations();
        match api.patch("default", &params, &Patch::Merge(none)).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// Waits for an event of that reason whose note speaks of `what`.
async fn told(stage: &Stage, object: &str, reason: &str, what: &str) {
    eventually(&format!("an event {reason} about {what}"), LONG, || async {
        let events = stage.event_notes(object).await;
        let told = events.iter().any(|(r, note)| r == reason && note.contains(what));
        told.then_some(()).ok_or_else(|| format!("{events:?}"))
    })
    .await;
}

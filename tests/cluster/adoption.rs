//! What exists already is taken over only where that is declared and allowed, and is never made twice.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Stage, condition, ready_message, recorded_id, scratch_file, text};
use agent_engine_operator::crd::Workspace;

/// Workspaces at Agent Engine before the story begins; returns their ids.
async fn existing<const N: usize>(stage: &Stage, workspaces: [Value; N]) -> [String; N] {
    let seeded = stage
        .emulator
        .seed(json!({"workspaces": workspaces.as_slice()}))
        .await;
    std::array::from_fn(|n| seeded["workspaces"][n]["id"].as_str().unwrap().to_owned())
}

/// The message of the Ready condition names this.
fn says(workspace: &Workspace, what: &str) {
    let message = ready_message(workspace);
    assert!(message.contains(what), "{message}");
}

/// Lets the tenant use every name, with this ceiling on adoption.
async fn ceiling(stage: &Stage, adoption: &str, more: Value) {
    let mut spec = json!({
        "access": [{"namespaces": {"names": [stage.tenant]}, "workspaceNames": ["*"], "adoption": adoption}],
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    stage.organization("default", spec).await;
}

/// Unless adoption is declared, and allowed.
/// Promise: I2
#[tokio::test(flavor = "multi_thread")]
async fn an_existing_workspace_is_left_alone_without_adoption() {
    let stage = Stage::set().await;
    let [id] = existing(&stage, [json!({"name": "Acme"})]).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let mark = stage.emulator.journal_mark().await;

    // Allowed, not declared; declared, not allowed; neither.
    for (adoption, policy, advice) in [
        ("Allowed", Value::Null, "set spec.adoptionPolicy: ByName"),
        (
            "Forbidden",
            json!("ByName"),
            "ask the administrator for `adoption: Allowed`",
        ),
        ("Forbidden", json!("Never"), "choose another name"),
    ] {
        ceiling(&stage, adoption, json!({})).await;
        stage.change("acme", json!({"adoptionPolicy": policy})).await;
        let refused = stage
            .until("acme", advice, |acme| {
                ready_message(acme).contains(advice) && ready_message(acme).contains(&id)
            })
            .await;
        assert_eq!(condition(&refused, "Stalled").unwrap().reason, "AlreadyExists");
    }
    let calls = stage.workspace_calls(mark).await;
    assert!(calls.keys().all(|call| call == "W1" || call == "W3"), "{calls:?}");
    assert_eq!(stage.secrets().get_opt("acme-token").await.unwrap(), None);

    ceiling(&stage, "Allowed", json!({})).await;
    stage.change("acme", json!({"adoptionPolicy": "ByName"})).await;
    assert_eq!(recorded_id(&stage.ready("acme").await), id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_workspace_keeps_its_id_and_outlives_its_object() {
    let stage = Stage::set().await;
    let [by_name, by_id] = existing(&stage, [json!({"name": "Acme"}), json!({"name": "Globex"})]).await;
    let _operator = stage.operator().await;
    stage
        .workspace("acme", json!({"name": "Acme", "adoptionPolicy": "ByName"}))
        .await;
    stage
        .workspace("globex", json!({"name": "Globex", "workspaceId": by_id}))
        .await;

    for (object, id) in [("acme", &by_name), ("globex", &by_id)] {
        let status = serde_json::to_value(stage.ready(object).await.status).unwrap();
        assert_eq!(status["workspaceId"], **id);
        assert_eq!(
            (&status["origin"], &status["deletionPolicy"]),
            (&json!("Adopted"), &json!("Retain"))
        );
        assert_eq!(
            text(&stage.secret(&format!("{object}-token")).await, "workspace_id"),
            *id
        );
        stage.delete(object).await;
    }
    assert_eq!(
        stage.remote("Acme").await.len() + stage.remote("Globex").await.len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_reported_and_nothing_is_made_in_its_place() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    let id = "3f0e4a52-9b1c-4d0e-8a63-0123456789ab";
    let mark = stage.emulator.journal_mark().await;
    stage
        .workspace("acme", json!({"name": "Acme", "workspaceId": id}))
        .await;

    let refused = stage.reason("acme", "WorkspaceNotFound").await;
    says(&refused, id);
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({"W3": 1}));

    existing(&stage, [json!({"name": "Acme", "id": id})]).await;
    stage.ask("acme").await;
    assert_eq!(recorded_id(&stage.ready("acme").await), id);
}

/// Promise: rule.default-workspace: `default` may be adopted, never created, renamed, deactivated or deleted
#[tokio::test(flavor = "multi_thread")]
async fn the_workspace_default_is_adopted_never_made_or_deleted() {
    let stage = Stage::set().await;
    ceiling(
        &stage,
        "Allowed",
        json!({"defaults": {"deletionPolicy": "Delete"}}),
    )
    .await;
    let _operator = stage.operator().await;
    let found = stage.remote("default").await;
    let id = found[0]["id"].as_str().unwrap();
    stage
        .workspace("fallback", json!({"name": "default", "adoptionPolicy": "ByName"}))
        .await;
    assert_eq!(recorded_id(&stage.ready("fallback").await), id);
    stage.delete("fallback").await;
    assert_eq!(stage.remote("default").await[0]["id"], id, "nothing deletes it");

    stage
        .emulator
        .control(Method::DELETE, &format!("workspaces/{id}?purge=true"), None)
        .await;
    let mark = stage.emulator.journal_mark().await;
    stage.workspace("anew", json!({"name": "default"})).await;
    stage.reason("anew", "Rejected").await;
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({"W1": 1}));
}

/// No token of the other one is handed out.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_workspaces_with_one_name_none_is_taken_by_name() {
    let stage = Stage::set().await;
    let [older, newer] = existing(
        &stage,
        [
            json!({"name": "Acme", "created_at": "2025-01-01T00:00:00Z"}),
            json!({"name": "Acme", "created_at": "2025-06-01T00:00:00Z"}),
        ],
    )
    .await;
    let _operator = stage.operator().await;
    stage
        .workspace("by-name", json!({"name": "Acme", "adoptionPolicy": "ByName"}))
        .await;
    let refused = stage.reason("by-name", "AlreadyExists").await;
    says(&refused, "2 workspaces");
    stage.delete("by-name").await;

    // A token can be asked for by name only, and this API gives the older one's.
    stage
        .workspace("newer", json!({"name": "Acme", "workspaceId": newer}))
        .await;
    let mismatch = stage.reason("newer", "IdentityMismatch").await;
    says(&mismatch, &older);
    assert_eq!(stage.secrets().get_opt("newer-token").await.unwrap(), None);
    assert_eq!(
        stage.remote("Acme").await.len(),
        2,
        "neither is taken for an orphan"
    );
    stage.delete("newer").await;

    stage
        .workspace("older", json!({"name": "Acme", "workspaceId": older}))
        .await;
    stage.ready("older").await;
    assert_eq!(stage.secret_text("older-token", "workspace_id").await, older);
}

/// People would take the one for the other.
/// Promise: input.stalled
#[tokio::test(flavor = "multi_thread")]
async fn a_name_like_an_existing_one_stops_until_that_one_goes() {
    let stage = Stage::set().await;
    let ids = existing(
        &stage,
        [
            json!({"name": "ACME"}),
            json!({"name": "globex"}),
            json!({"name": " Initech "}),
            json!({"name": "Cafe\u{301} Umbrella"}),
        ],
    )
    .await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    let mark = stage.emulator.journal_mark().await;
    let wanted = [
        ("acme", "acme"),
        ("globex", "Globex"),
        ("initech", "Initech"),
        ("umbrella", "Café Umbrella"),
    ];
    for (object, name) in wanted {
        stage
            .workspace(object, json!({"name": name, "adoptionPolicy": "ByName"}))
            .await;
    }
    for ((object, _), id) in wanted.iter().zip(&ids) {
        let refused = stage.reason(object, "SimilarNameExists").await;
        says(&refused, id);
    }
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({"W1": 4}));

    stage.lose(&ids[0]).await;
    stage.ask("acme").await;
    stage.ready("acme").await;
    assert_eq!(stage.remote("acme").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_rebuilt_from_git_finds_its_workspaces_again() {
    let stage = Stage::set().await;
    ceiling(
        &stage,
        "Allowed",
        json!({"defaults": {"adoptionPolicy": "ByName", "deletionPolicy": "Retain"}}),
    )
    .await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let created = stage.ready("acme").await;
    let id = recorded_id(&created);
    assert_eq!(
        serde_json::to_value(&created.status).unwrap()["origin"],
        "Created"
    );
    stage.delete("acme").await;
    stage.no_secret("acme-token").await;

    stage.workspace("acme", json!({"name": "Acme"})).await;
    let found = stage.ready("acme").await;
    assert_eq!(recorded_id(&found), id);
    assert_eq!(serde_json::to_value(&found.status).unwrap()["origin"], "Adopted");
    assert_eq!(stage.remote("Acme").await.len(), 1);
    assert_eq!(text(&stage.secret("acme-token").await, "workspace_id"), id);
}

/// Which deletes the object and creates another in one command.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_replaced_by_force_finds_its_workspace_again() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    let spec = json!({"name": "Acme", "deletionPolicy": "Retain", "adoptionPolicy": "ByName"});
    stage.workspace("acme", spec.clone()).await;
    let before = stage.ready("acme").await;
    let file = scratch_file("acme.json");
    let manifest = json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace", "metadata": {"name": "acme"}, "spec": spec,
    });
    std::fs::write(&file, manifest.to_string()).unwrap();
    let file = file.display().to_string();
    stage
        .cluster
        .kubectl([
            "replace",
            "--force",
            "--namespace",
            &stage.tenant,
            "--filename",
            &file,
        ])
        .await
        .success();

    let after = stage.ready("acme").await;
    assert_ne!(after.metadata.uid, before.metadata.uid);
    assert_eq!(recorded_id(&after), recorded_id(&before));
    assert_eq!(stage.remote("Acme").await.len(), 1);
    let opened = |secret: &k8s_openapi::api::core::v1::Secret| text(secret, "workspace_id");
    stage
        .secret_until("acme-token", "the new object to have a token", |secret| {
            opened(secret) == recorded_id(&after)
                && secret.metadata.owner_references.as_ref().is_some_and(|owners| {
                    owners
                        .iter()
                        .any(|owner| Some(&owner.uid) == after.metadata.uid.as_ref())
                })
        })
        .await;
}

/// Promise: rule.identity
#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_came_with_a_backup_is_only_a_wish_to_adopt() {
    let stage = Stage::set().await;
    ceiling(
        &stage,
        "Forbidden",
        json!({"defaults": {"deletionPolicy": "Retain"}}),
    )
    .await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = stage.ready("acme").await;
    let id = recorded_id(&before);
    stage.delete("acme").await;
    operator.kill().await;

    // A restore brings the status of another uid.
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.paste_status("acme", &before).await;
    let mark = stage.emulator.journal_mark().await;
    let _operator = stage.operator().await;

    let refused = stage.reason("acme", "AlreadyExists").await;
    assert_eq!(stage.secrets().get_opt("acme-token").await.unwrap(), None);
    let calls = stage.workspace_calls(mark).await;
    assert!(!calls.contains_key("T2"), "{calls:?}");
    assert_ne!(
        refused.status.unwrap().uid.unwrap().as_str(),
        refused.metadata.uid.unwrap()
    );

    ceiling(
        &stage,
        "Allowed",
        json!({"defaults": {"deletionPolicy": "Retain"}}),
    )
    .await;
    stage.change("acme", json!({"adoptionPolicy": "ByName"})).await;
    assert_eq!(recorded_id(&stage.ready("acme").await), id);
}

/// Promise: input.marks
#[tokio::test(flavor = "multi_thread")]
async fn a_status_copied_from_a_living_object_opens_nothing_of_it() {
    let mut stage = Stage::set().await;
    let victim = stage.another_tenant().await;
    let access = json!([
        {"namespaces": {"names": [stage.tenant, victim]}, "workspaceNames": ["*"], "adoption": "Allowed"},
    ]);
    stage.organization("default", json!({"access": access})).await;
    let operator = stage.operator().await;
    stage.workspace_in(&victim, "acme", json!({"name": "Acme"})).await;
    let victims = stage.ready_in(&victim, "acme").await;
    operator.kill().await;

    stage
        .workspace("thief", json!({"name": "Thief", "adoptionPolicy": "ByName"}))
        .await;
    stage.paste_status("thief", &victims).await;
    let mark = stage.emulator.journal_mark().await;
    let _operator = stage.operator().await;

    stage.reason("thief", "NameClaimed").await;
    let calls = stage.workspace_calls(mark).await;
    assert!(
        !calls.contains_key("T2") && !calls.contains_key("W4"),
        "{calls:?}"
    );
    assert_eq!(stage.secrets().get_opt("thief-token").await.unwrap(), None);
    // Its deletion takes nothing with it either.
    stage.delete("thief").await;
    assert_eq!(stage.remote("Acme").await.len(), 1);
    stage.ready_in(&victim, "acme").await;
}

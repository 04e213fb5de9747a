//! Nobody obtains anything under a name that was not granted, or that somebody else claims (I2).

mod support;

use std::time::Duration;

use futures::future::join_all;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use agent_engine_operator::api::Workspace;
use support::{LONG, Stage, eventually, ready_message, ready_reason, recorded_id, text};

/// One item of `spec.access`.
fn entry(namespaces: Value, names: &[&str]) -> Value {
    json!({"namespaces": namespaces, "workspaceNames": names, "adoption": "Allowed"})
}

/// The item of `spec.access` that a message asks for.
fn asked_for(message: &str) -> Value {
    let (_, yaml) = message.split_once("spec.access: ").expect("an entry to ask for");
    serde_saphyr::from_str(yaml).expect("the entry is YAML")
}

/// A stage whose Organization has this access list.
async fn granting(access: impl FnOnce(&Stage) -> Value) -> Stage {
    let stage = Stage::set().await;
    let access = access(&stage);
    stage.organization("default", json!({"access": access})).await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_not_granted_costs_no_call_and_the_entry_to_ask_for_heals_it_without_another_touch() {
    let stage = granting(|s| json!([entry(json!({"names": [s.tenant]}), &["Acme *"])])).await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    let mark = stage.emulator.journal_mark().await;

    stage.workspace("globex", json!({"name": "Globex"})).await;
    let refused = stage.reason("globex", "NameNotGranted").await;

    let message = ready_message(&refused);
    assert!(
        message.contains(&stage.tenant) && message.contains("\"Globex\""),
        "{message}"
    );
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({}));
    assert_eq!(refused.metadata.finalizers, None, "nothing was begun");

    let access = json!([
        entry(json!({"names": [stage.tenant]}), &["Acme *"]),
        asked_for(&message)
    ]);
    stage.organization("default", json!({"access": access})).await;
    stage.ready("globex").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_a_grant_takes_the_secret_and_leaves_the_workspace() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let id = recorded_id(&stage.ready("acme").await);
    let mark = stage.emulator.journal_mark().await;

    stage
        .organization(
            "default",
            json!({"access": [entry(json!({"names": [stage.tenant]}), &["Other"])]}),
        )
        .await;
    stage.reason("acme", "NameNotGranted").await;
    stage.no_secret("acme-token").await;

    assert_eq!(json!(stage.workspace_calls(mark).await), json!({}));
    assert_eq!(stage.remote("Acme").await.len(), 1);
    stage.organization("default", json!({})).await;
    assert_eq!(recorded_id(&stage.ready("acme").await), id);
    assert_eq!(text(&stage.secret("acme-token").await, "workspace_id"), id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_is_gone_withdraws_nothing() {
    let stage = Stage::set().await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    // Nothing watches while it goes, so nothing holds it.
    operator.kill().await;
    let orphan = kube::api::Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let organizations = stage.organizations();
    organizations
        .patch("default", &Default::default(), &orphan)
        .await
        .unwrap();
    organizations
        .delete("default", &DeleteParams::default())
        .await
        .unwrap();
    let mark = stage.emulator.journal_mark().await;

    let _operator = stage.operator().await;
    stage.workspace("witness", json!({"name": "Witness"})).await;
    stage.reason("witness", "OrganizationNotFound").await;
    // A change makes a pass over it too.
    stage
        .annotate("acme", json!({"agentengine.airbyte.com/reconcile-at": "now"}))
        .await;
    stage
        .until("acme", "acme to have had its pass", |acme| {
            acme.status
                .as_ref()
                .and_then(|s| s.last_handled_reconcile_at.as_deref())
                == Some("now")
        })
        .await;

    assert!(stage.secrets().get_opt("acme-token").await.unwrap().is_some());
    assert_eq!(json!(stage.emulator.calls_since(mark).await), json!({}));
    stage.organization("default", json!({})).await;
    stage.ready("acme").await;
    stage.ready("witness").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_of_the_namespace_grants_and_its_loss_withdraws() {
    let stage = granting(|_| {
        json!([entry(
            json!({"selector": {"matchLabels": {"plan": "gold"}}}),
            &["*"]
        )])
    })
    .await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.reason("acme", "NameNotGranted").await;

    stage
        .label_namespace(&stage.tenant, json!({"plan": "gold"}))
        .await;
    stage.ready("acme").await;

    stage.label_namespace(&stage.tenant, json!({"plan": null})).await;
    stage.reason("acme", "NameNotGranted").await;
    stage.no_secret("acme-token").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_with_the_namespace_in_it_grants_each_namespace_its_own_names_only() {
    let mut stage = Stage::set().await;
    let other = stage.another_tenant().await;
    let both = json!({"names": [stage.tenant, other]});
    stage
        .organization("default", json!({"access": [entry(both, &["{namespace}/*"])]}))
        .await;
    let _operator = stage.operator().await;

    let (own, foreign) = (format!("{}/crm", stage.tenant), format!("{other}/crm"));
    stage.workspace("own", json!({"name": own})).await;
    stage.workspace("foreign", json!({"name": foreign})).await;
    stage.workspace_in(&other, "own", json!({"name": foreign})).await;

    stage.ready("own").await;
    stage.ready_in(&other, "own").await;
    stage.reason("foreign", "NameNotGranted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_want_one_name_at_once_one_wins_and_one_workspace_is_made() {
    let mut stage = Stage::set().await;
    let other = stage.another_tenant().await;
    let both = json!({"names": [stage.tenant, other]});
    stage
        .organization("default", json!({"access": [entry(both, &["*"])]}))
        .await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    let mark = stage.emulator.journal_mark().await;

    // The same to people: only case and Unicode form differ.
    let spellings = ["Café", "CAFÉ", "Cafe\u{301}", "café"];
    let wanted: Vec<(String, Workspace)> = (0..16)
        .map(|n| {
            let namespace = [&stage.tenant, &other][n % 2].clone();
            let object = json!({
                "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
                "metadata": {"name": format!("cafe-{n}")}, "spec": {"name": spellings[n / 4]},
            });
            (namespace, serde_json::from_value(object).unwrap())
        })
        .collect();
    join_all(wanted.iter().map(|(namespace, object)| {
        let api = stage.workspaces_in(namespace);
        async move { api.create(&PostParams::default(), object).await.unwrap() }
    }))
    .await;

    let reasons = eventually("all to be decided", LONG, || async {
        let mut reasons = Vec::new();
        for (namespace, object) in &wanted {
            let name = object.metadata.name.as_deref().unwrap();
            let now = stage
                .workspaces_in(namespace)
                .get(name)
                .await
                .map_err(|e| e.to_string())?;
            reasons.push(ready_reason(&now).unwrap_or_default());
        }
        let undecided = reasons
            .iter()
            .any(|reason| !["AsDeclared", "NameClaimed"].contains(&reason.as_str()));
        if undecided {
            Err(format!("{reasons:?}"))
        } else {
            Ok(reasons)
        }
    })
    .await;
    assert_eq!(
        reasons.iter().filter(|reason| *reason == "AsDeclared").count(),
        1,
        "{reasons:?}"
    );
    let calls = stage.workspace_calls(mark).await;
    assert_eq!(json!(calls), json!({"W1": 1, "T2": 1, "T3": 1, "W3": 1}));

    // The winner goes; of those that wait one has its turn, and the name is never two workspaces'.
    let (namespace, winner) = &wanted[reasons.iter().position(|reason| reason == "AsDeclared").unwrap()];
    let winner = winner.metadata.name.as_deref().unwrap();
    stage
        .workspaces_in(namespace)
        .delete(winner, &DeleteParams::default())
        .await
        .unwrap();
    eventually("another to win", LONG, || async {
        for (namespace, object) in &wanted {
            let name = object.metadata.name.as_deref().unwrap();
            let now = stage
                .workspaces_in(namespace)
                .get_opt(name)
                .await
                .map_err(|e| e.to_string())?;
            if name != winner && now.as_ref().is_some_and(support::is_ready) {
                return Ok(());
            }
        }
        Err("nobody has".to_owned())
    })
    .await;
    let calls = stage.workspace_calls(mark).await;
    assert_eq!((calls["T2"], calls["W5"]), (2, 1), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_wins_before_and_after_a_restart_and_the_younger_when_it_goes() {
    let stage = Stage::set().await;
    stage
        .emulator
        .seed(json!({"workspaces": [{"name": "Acme"}]}))
        .await;
    let operator = stage.operator().await;
    // Neither may adopt: the older one holds the name without a record.
    stage.workspace("zz-older", json!({"name": "Acme"})).await;
    stage.reason("zz-older", "AlreadyExists").await;
    // Kubernetes keeps whole seconds: more than one later is another.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    stage
        .workspace("aa-younger", json!({"name": "ACME", "adoptionPolicy": "ByName"}))
        .await;
    stage.reason("aa-younger", "NameClaimed").await;

    operator.kill().await;
    let mark = stage.emulator.journal_mark().await;
    let _operator = stage.operator().await;
    stage.change("aa-younger", json!({"name": "Acme"})).await;
    stage.reason("aa-younger", "NameClaimed").await;
    let calls = stage.workspace_calls(mark).await;
    assert!(
        !calls.contains_key("T2") && !calls.contains_key("W3"),
        "{calls:?}"
    );

    stage.delete("zz-older").await;
    let adopted = stage.ready("aa-younger").await;
    assert_eq!(recorded_id(&adopted), stage.remote("Acme").await[0]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_reaches_no_name_that_is_not_granted_claimed_or_taken() {
    let stage = granting(|s| json!([entry(json!({"names": [s.tenant]}), &["Team *"])])).await;
    stage
        .emulator
        .seed(json!({"workspaces": [{"name": "Team Taken"}]}))
        .await;
    let _operator = stage.operator().await;
    stage.workspace("mine", json!({"name": "Team Mine"})).await;
    stage.workspace("yours", json!({"name": "Team Yours"})).await;
    let id = recorded_id(&stage.ready("mine").await);
    stage.ready("yours").await;
    let mark = stage.emulator.journal_mark().await;

    for (target, reason) in [
        ("Other", "NameNotGranted"),
        ("team yours", "NameNotGranted"),
        ("Team YOURS", "NameClaimed"),
        ("Team Yours", "NameClaimed"),
        ("Team Taken", "AlreadyExists"),
        ("Team TAKEN", "SimilarNameExists"),
    ] {
        stage.change("mine", json!({"name": target})).await;
        stage.synced_reason("mine", reason).await;
    }

    let calls = stage.workspace_calls(mark).await;
    assert!(
        !calls.contains_key("W4") && !calls.contains_key("T2"),
        "{calls:?}"
    );
    assert_eq!(
        stage.secret_text("mine-token", "workspace_id").await,
        id,
        "its token goes on"
    );
    assert_eq!(
        stage.secret_text("mine-token", "workspace_name").await,
        "Team Mine"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_opens_no_name_that_is_not_granted_or_claimed() {
    let mut stage = Stage::set().await;
    let other = stage.another_tenant().await;
    let access = json!([
        entry(json!({"names": [stage.tenant]}), &["Mine *"]),
        entry(json!({"names": [other]}), &["Theirs *"]),
    ]);
    stage.organization("default", json!({"access": access})).await;
    let seeded = stage
        .emulator
        .seed(json!({"workspaces": [{"name": "Theirs Free"}, {"name": "Mine Free"}]}))
        .await;
    let id = |n: usize| seeded["workspaces"][n]["id"].as_str().unwrap().to_owned();
    let _operator = stage.operator().await;
    stage
        .workspace_in(&other, "theirs", json!({"name": "Theirs Own"}))
        .await;
    let theirs = recorded_id(&stage.ready_in(&other, "theirs").await);
    let mark = stage.emulator.journal_mark().await;

    // The id of a workspace whose name this namespace was not granted, managed by somebody or not.
    stage
        .workspace("by-id", json!({"name": "Mine Id", "workspaceId": id(0)}))
        .await;
    stage.reason("by-id", "NameNotGranted").await;
    stage
        .workspace("claimed", json!({"name": "Mine Claimed", "workspaceId": theirs}))
        .await;
    let claimed = stage.reason("claimed", "NameNotGranted").await;
    assert_eq!(claimed.status.unwrap().workspace_id, None);
    // Nor one that another object of the very same namespace manages.
    stage
        .workspace_in(
            &other,
            "twin",
            json!({"name": "Theirs Twin", "workspaceId": theirs}),
        )
        .await;
    stage.reason_in(&other, "twin", "NameClaimed").await;

    let calls = stage.workspace_calls(mark).await;
    assert!(
        !calls.contains_key("T2") && !calls.contains_key("W4"),
        "{calls:?}"
    );
    assert!(stage.secrets().get_opt("by-id-token").await.unwrap().is_none());
    assert!(stage.secrets().get_opt("claimed-token").await.unwrap().is_none());

    // One that it was granted is adopted by the same words, and renamed to what is declared.
    stage
        .workspace("free", json!({"name": "Mine Renamed", "workspaceId": id(1)}))
        .await;
    assert_eq!(recorded_id(&stage.ready("free").await), id(1));
    assert_eq!(stage.remote("Mine Renamed").await[0]["id"], id(1));
}

//! What an Organization grants, and what follows when it no longer does.

use kube::api::DeleteParams;
use serde_json::{Value, json};

use super::{entry, granting};
use crate::support::{Stage, ready_message, recorded_id, text};

/// The item of `spec.access` that a message asks for.
fn asked_for(message: &str) -> Value {
    let (_, yaml) = message.split_once("spec.access: ").expect("an entry to ask for");
    serde_saphyr::from_str(yaml).expect("the entry is YAML")
}

/// The entry that it says to ask for heals it without another touch.
/// Promise: I2: Nothing is obtained for a name that was not granted, that another object claims, or that exists without adoption declared and allowed.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_not_granted_costs_no_call_and_says_what_to_ask_for() {
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

/// Promise: rule.withdrawal: Withdrawal is the statement of a readable Organization
#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_a_grant_takes_the_secret_not_the_workspace() {
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

/// Promise: rule.withdrawal
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
    // A change makes a reconcile over it too.
    stage.reconcile_of("acme").await;

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
async fn a_pattern_with_the_namespace_grants_each_its_own_names() {
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

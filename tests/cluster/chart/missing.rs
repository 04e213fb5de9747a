//! Namespaces that are listed and are not there any more, or not for the operator: whom they stop, and what is said.

use serde_json::json;

use super::account::stage;
use super::cluster;
use super::render::of_kind;
use crate::support::{LONG, Operator, Stage, eventually};

/// Takes the operator's role in a namespace away.
async fn unbind(namespace: &str) {
    let words = ["delete", "rolebinding", "--all", "--namespace", namespace];
    cluster().kubectl(words).await.success();
}

async fn serves(stage: &Stage) {
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
}

/// Promise: rule.listed-namespace
#[tokio::test(flavor = "multi_thread")]
async fn a_listed_namespace_that_is_gone_stops_no_start() {
    let gone = cluster().namespace("gone").await;
    let (stage, _installed) = stage(|stage| json!({"watchNamespaces": [stage.tenant, gone]})).await;
    let words = ["delete", "namespace", &gone, "--timeout=60s"];
    cluster().kubectl(words).await.success();
    stage.good_credential().await;
    stage.organization("default", json!({})).await;
    let _operator = stage.operator().await;
    serves(&stage).await;
}

/// With the way out.
/// Promise: rule.listed-namespace
#[tokio::test(flavor = "multi_thread")]
async fn a_listed_namespace_without_its_role_is_named() {
    let bare = cluster().namespace("bare").await;
    let (stage, installed) = stage(|stage| json!({"watchNamespaces": [stage.tenant, bare]})).await;
    stage.good_credential().await;
    stage.organization("default", json!({})).await;
    unbind(&bare).await;
    let operator = Operator::start(&installed.launch().await).await;
    let waits = eventually("/readyz to name it", LONG, || async {
        let said = operator.waits_for().await;
        if said.contains(&bare) { Ok(said) } else { Err(said) }
    })
    .await;
    assert!(
        waits.contains("take the namespace off watchNamespaces"),
        "{waits}"
    );
    assert!(operator.logs().contains("take the namespace off watchNamespaces"));
    let workspace = json!({"name": "tenants-name"});
    stage.workspace_in(&bare, "tenants-object", workspace).await;
    let waits = operator.waits_for().await;
    assert!(
        waits.contains(&bare) && !waits.contains("tenants-"),
        "its name and no object of it: {waits}"
    );

    let bindings = of_kind(&installed.manifests, "RoleBinding");
    let binding = bindings
        .iter()
        .find(|binding| binding["metadata"]["namespace"] == json!(bare));
    cluster()
        .apply(&bare, &binding.unwrap().to_string())
        .await
        .success();
    operator.ready().await;
    serves(&stage).await;
}

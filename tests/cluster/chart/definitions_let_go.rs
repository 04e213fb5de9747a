//! A release that keeps no definitions, uninstalled and installed again at once, beside kinds of others with our names.

use kube::api::ListParams;
use serde_json::json;

use super::render::CHART;
use crate::support::{Cluster, LONG, Stage, eventually, recorded_id};

/// Terraform's, Argo's and others' kinds are called Workspace as well.
async fn another_kind_called_workspace(stage: &Stage) {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "workspaces.aaa.example.com"},
        "spec": {
            "group": "aaa.example.com", "scope": "Namespaced",
            "names": {"plural": "workspaces", "singular": "workspace", "kind": "Workspace", "listKind": "WorkspaceList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    });
    stage.cluster.apply("", &definition.to_string()).await.success();
    let theirs = json!({
        "apiVersion": "aaa.example.com/v1", "kind": "Workspace", "metadata": {"name": "acme"}, "spec": {"name": "Theirs"},
    });
    eventually("the other kind to be served", LONG, || async {
        let said = stage.cluster.apply(&stage.tenant, &theirs.to_string()).await;
        said.succeeded.then_some(()).ok_or(said.err)
    })
    .await;
}

/// As `helm` is told by somebody who wants everything to go with the release.
async fn helm(stage: &Stage, verb: &str, more: &[&str]) {
    let words = [
        verb,
        "operator",
        CHART,
        "--namespace",
        &stage.home,
        "--set",
        "crds.keep=false",
    ];
    let words = words.into_iter().chain(more.iter().copied());
    stage.cluster.helm(words).await.success();
}

/// The definitions go only once the new operator has let the last object go; what to do then is said, and helps.
/// Promise: rule.definition-gone
#[tokio::test(flavor = "multi_thread")]
async fn definitions_that_go_after_an_installation_are_named() {
    let stage = Stage::on(&Cluster::alone().await, &[]).await;
    another_kind_called_workspace(&stage).await;
    helm(&stage, "install", &["--take-ownership", "--force-conflicts"]).await;
    let stage = stage.organized(json!({})).await;
    let operator = stage.operator().await;
    stage
        .workspace("acme", json!({"name": "Acme", "deletionPolicy": "Retain"}))
        .await;
    let id = recorded_id(&stage.ready("acme").await);
    assert_eq!(stage.secret_text("acme-token", "workspace_id").await, id);

    assert_eq!(operator.terminate().await, 0);
    let gone = ["uninstall", "operator", "--namespace", &stage.home];
    stage.cluster.helm(gone).await.success();
    helm(&stage, "install", &[]).await;
    let operator = stage.operator().await;
    let said = eventually("/readyz to name a definition", LONG, || async {
        let said = operator.waits_for().await;
        if said.contains("does not serve the CustomResourceDefinition") {
            Ok(said)
        } else {
            Err(said)
        }
    })
    .await;
    assert!(said.contains("agentengine.airbyte.com"), "{said}");
    assert_eq!(stage.remote("Acme").await.len(), 1);

    helm(&stage, "upgrade", &[]).await;
    eventually("the definitions to be served", LONG, || async {
        stage.workspaces().list(&ListParams::default()).await?;
        stage.organizations().list(&ListParams::default()).await.map(drop)
    })
    .await;
    operator.ready().await;
    stage.organization("default", json!({})).await;
    stage
        .workspace("acme", json!({"name": "Acme", "adoptionPolicy": "ByName"}))
        .await;
    assert_eq!(recorded_id(&stage.ready("acme").await), id);
    let theirs = [
        "get",
        "workspaces.aaa.example.com",
        "acme",
        "--namespace",
        &stage.tenant,
    ];
    stage.cluster.kubectl(theirs).await.success();
}

//! A release's life: installed, upgraded with its definitions, uninstalled without them, installed again.

use std::{fs, path::Path, process::Command};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use serde_json::{Value, json};

use agent_engine_operator::crd::Workspace;

use super::cluster;
use super::render::CHART;
use crate::support::Said;

/// The only test that installs definitions, which are one for the whole cluster.
/// And every Workspace.
/// Promise: I7
#[tokio::test(flavor = "multi_thread")]
async fn upgrading_brings_definitions_and_uninstalling_keeps_them() {
    let client = cluster().client().await;
    let home = cluster().namespace("home").await;
    let tenant = cluster().namespace("tenant").await;
    let crds = Api::<CustomResourceDefinition>::all(client.clone());
    let columns = || async {
        let crd = crds.get("workspaces.agentengine.airbyte.com").await.unwrap();
        let columns = crd.spec.versions[0]
            .additional_printer_columns
            .clone()
            .unwrap_or_default();
        columns.into_iter().map(|column| column.name).collect::<Vec<_>>()
    };
    let newest = columns().await;
    let folder = tempfile::tempdir().unwrap();
    let old = older_chart(folder.path(), newest.last().unwrap());
    let helm = |verb: &'static str, release: &'static str, chart: String, more: Vec<&'static str>| {
        let home = home.clone();
        async move {
            let fixed = [verb, release, &chart, "--namespace", &home];
            cluster().helm(fixed.into_iter().chain(more)).await
        }
    };

    // The cluster's own did not come by Helm.
    let refused: Said = helm("install", "one", old.clone(), vec![]).await;
    assert!(refused.refusal().contains("invalid ownership metadata"));
    helm(
        "install",
        "one",
        old,
        vec!["--take-ownership", "--force-conflicts"],
    )
    .await
    .success();
    assert_eq!(columns().await, newest[..newest.len() - 1]);
    let workspace = json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace", "metadata": {"name": "mine"},
        "spec": {"name": "mine"},
    });
    cluster().apply(&tenant, &workspace.to_string()).await.success();
    let workspaces = Api::<Workspace>::namespaced(client.clone(), &tenant);
    let before = workspaces.get("mine").await.unwrap();

    helm(
        "upgrade",
        "one",
        CHART.to_owned(),
        vec!["--set", "logLevel=debug"],
    )
    .await
    .success();
    assert_eq!(columns().await, newest);
    let deployments = Api::<Deployment>::namespaced(client.clone(), &home);
    let deployment = deployments.get("one-agent-engine-operator").await.unwrap();
    let deployment: Value = serde_json::to_value(deployment).unwrap();
    let arguments = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    assert!(
        arguments
            .as_array()
            .unwrap()
            .contains(&json!("--log-level=debug")),
        "{arguments}"
    );

    cluster()
        .helm(["uninstall", "one", "--namespace", &home])
        .await
        .success();
    assert!(
        deployments
            .get_opt("one-agent-engine-operator")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(columns().await, newest);
    let after = workspaces.get("mine").await.unwrap();
    assert_eq!(
        (after.metadata.uid, after.metadata.deletion_timestamp),
        (before.metadata.uid, None)
    );

    // What is kept belongs to the release that was, until another takes it over.
    let refused = helm("install", "two", CHART.to_owned(), vec![]).await.refusal();
    assert!(refused.contains("invalid ownership metadata"), "{refused}");
    helm("install", "two", CHART.to_owned(), vec!["--take-ownership"])
        .await
        .success();
    cluster()
        .helm(["uninstall", "two", "--namespace", &home])
        .await
        .success();
}

/// The chart as it might have been: the definition of Workspaces lacks its last column.
fn older_chart(folder: &Path, column: &str) -> String {
    let copied = Command::new("cp")
        .arg("-R")
        .args([Path::new(CHART), folder])
        .status();
    assert!(copied.unwrap().success());
    let chart = folder.join("agent-engine-operator");
    let path = chart.join("files/crds/workspaces.yaml");
    let mut crd: CustomResourceDefinition =
        serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let columns = crd.spec.versions[0].additional_printer_columns.as_mut().unwrap();
    assert_eq!(columns.pop().unwrap().name, column);
    fs::write(&path, serde_saphyr::to_string(&crd).unwrap()).unwrap();
    let about = chart.join("Chart.yaml");
    let version = concat!("version: ", env!("CARGO_PKG_VERSION"));
    let older = fs::read_to_string(&about)
        .unwrap()
        .replacen(version, "version: 0.0.1", 1);
    fs::write(&about, older).unwrap();
    chart.display().to_string()
}

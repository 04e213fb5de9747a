//! The CustomResourceDefinitions in the chart.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

use agent_engine_operator::crd::definitions;

use super::render::{manifests, of_kind};

#[tokio::test]
async fn the_chart_carries_the_definitions_of_the_code_and_keeps_them() {
    let manifests = manifests("").await;

    let rendered = of_kind(&manifests, "CustomResourceDefinition");
    assert_eq!(rendered.len(), 2);
    for crd in definitions::all() {
        let name = crd.metadata.name.as_deref().unwrap();
        let rendered = rendered
            .iter()
            .find(|rendered| rendered["metadata"]["name"] == name)
            .expect("each of them");
        let carried: CustomResourceDefinition = serde_json::from_value((*rendered).clone()).unwrap();
        assert!(
            carried.spec == crd.spec,
            "{name} is out of date: run `make generate`"
        );
        assert_eq!(
            rendered["metadata"]["annotations"],
            json!({"helm.sh/resource-policy": "keep"})
        );
    }
}

#[tokio::test]
async fn definitions_can_be_left_out_or_let_go_and_take_annotations() {
    let none = manifests("crds: {enabled: false}").await;
    assert_eq!(of_kind(&none, "CustomResourceDefinition"), Vec::<&Value>::new());

    let annotated = manifests(
        "crds: {keep: false, annotations: {argocd.argoproj.io/sync-options: ServerSideApply=true}}",
    )
    .await;
    for crd in of_kind(&annotated, "CustomResourceDefinition") {
        assert_eq!(
            crd["metadata"]["annotations"],
            json!({"argocd.argoproj.io/sync-options": "ServerSideApply=true"})
        );
    }
}

/// What is promised holds without one: no certificate, and no order of installation.
#[tokio::test]
async fn the_chart_needs_no_webhook_and_no_policy() {
    for manifest in manifests("").await {
        let kind = manifest["kind"].as_str().unwrap_or_default();
        assert!(!kind.contains("Webhook") && !kind.contains("Admission"), "{kind}");
    }
}

#[tokio::test]
async fn the_chart_holds_no_object_of_our_kinds() {
    let manifests = manifests("").await;
    let ours: Vec<_> = manifests
        .iter()
        .filter(|manifest| {
            manifest["apiVersion"]
                .as_str()
                .is_some_and(|version| version.starts_with("agentengine"))
        })
        .collect();
    assert_eq!(ours, Vec::<&Value>::new());
}

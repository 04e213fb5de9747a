//! What nobody should have stored, forged marks, and a plan that ends: reported, trusted for nothing, and no trouble for
//! others.

mod forged;
mod managed_fields;
mod undecodable;

use std::sync::{Arc, LazyLock};

use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};

use crate::support::{Cluster, LONG, RESOLVED, Stage, condition, eventually, is_ready, ready_message};

/// A stage on a cluster of its own kind: its API server stores whatever it is given in spec and status, as with the
/// definitions of another version.
async fn loose() -> Stage {
    static CLUSTER: LazyLock<Arc<Cluster>> = LazyLock::new(|| Arc::new(Cluster::start(&[])));
    let stage = Stage::on(&CLUSTER, &[]).await.organized(json!({})).await;
    loosen(&stage).await;
    stage
}

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
    said(api, name, "InvalidObject").await
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
    eventually(&format!("{name} to be gone"), RESOLVED, || async {
        match api.get_opt(name).await {
            Ok(None) => Ok(()),
            Ok(Some(object)) => Err(object.data.to_string()),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
}

/// Whichever status the API has for it; its words tell nothing.
/// Promise: input.stalled
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_plan_is_said_and_heals() {
    for (refusal, reason, advice) in [
        ("402", "PlanLimit", "Raise the plan"),
        ("403", "PlanLimit", "Raise the plan"),
        ("409", "Rejected", "or raise the plan"),
        ("422", "Rejected", "or raise the plan"),
    ] {
        let stage = Stage::with(
            &[
                "--knob",
                "plan_limit=1",
                "--knob",
                &format!("plan_refusal={refusal}"),
            ],
            json!({}),
        )
        .await;
        let _operator = stage.operator().await;
        stage.workspace("acme", json!({"name": "Acme"})).await;
        let refused = stage.reason("acme", reason).await;
        assert!(
            ready_message(&refused).contains(advice),
            "{refusal}: {}",
            ready_message(&refused)
        );
        assert_eq!(condition(&refused, "Stalled").unwrap().status, "True");
        // A 403 or a 409 may have made the workspace first: its creation stays in doubt for a while.
        let in_doubt = refused.status.unwrap().creation.is_some();
        assert_eq!(in_doubt, ["403", "409"].contains(&refusal), "{refusal}");
        assert_eq!(stage.remote("Acme").await.len(), 0);

        stage.emulator.knobs(json!({"plan_limit": "none"})).await;
        stage
            .annotate("acme", json!({"agentengine.airbyte.com/reconcile-at": "now"}))
            .await;
        // What is in doubt is looked for until it can make nothing any more.
        eventually(&format!("Ready after {refusal}"), 4 * LONG, || async {
            let workspace = stage.workspaces().get("acme").await.unwrap();
            is_ready(&workspace)
                .then_some(())
                .ok_or_else(|| format!("{:?}", ready_message(&workspace)))
        })
        .await;
        assert_eq!(stage.remote("Acme").await.len(), 1);
    }
}

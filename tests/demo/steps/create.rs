//! From nothing to Ready.

use kube::api::ObjectMeta;

use agent_engine_operator::domain::ids::WorkspaceId;

use crate::{
    kubectl::{Shown, apply, kubectl},
    stage::{HOME, Stage, TENANT},
    support::{CLIENT_ID, LONG, eventually},
};

pub async fn organization(stage: &Stage) -> Vec<Shown> {
    // Not shown, for it holds the secret.
    let secret = k8s_openapi::api::core::v1::Secret {
        metadata: ObjectMeta {
            name: Some("agent-engine-credentials".into()),
            namespace: Some(HOME.into()),
            ..ObjectMeta::default()
        },
        string_data: Some(
            [
                ("client_id".into(), CLIENT_ID.into()),
                ("client_secret".into(), stage.emulator.client_secret().into()),
            ]
            .into(),
        ),
        ..Default::default()
    };
    let secret = serde_json::to_string(&secret).expect("a manifest");
    stage.cluster.apply(HOME, &secret).await.success();
    let manifest = format!(
        "apiVersion: agentengine.airbyte.com/v1alpha1
kind: Organization
metadata: {{ name: default }}
spec:
  endpoint: {}
  credentialsSecretRef: {{ name: agent-engine-credentials }}
  pollInterval: 30s
  access:
    - namespaces: {{ names: [{TENANT}] }}
      workspaceNames: [\"{{namespace}}/*\"]",
        stage.emulator.url()
    );
    let applied = apply(&stage.cluster, HOME, &manifest).await;

    let verified = eventually("the Organization to be Ready", LONG, || async {
        let status = stage
            .organizations()
            .get("default")
            .await
            .expect("the Organization")
            .status
            .unwrap_or_default();
        let ready = status
            .conditions
            .iter()
            .any(|c| c.type_ == "Ready" && c.status == "True");
        if ready {
            Ok(status.organization_id)
        } else {
            Err(format!("{status:#?}"))
        }
    })
    .await;
    let state = stage.emulator.state().await;
    let verified = verified.expect("a verified id");
    assert_eq!(
        Some(verified.as_str()),
        state["organizations"][0]["id"].as_str(),
        "the organization in status is not the one at Agent Engine"
    );
    vec![
        applied,
        kubectl(&stage.cluster, &["get", "organizations", "-n", HOME]).await,
        Shown::Note("the unmanaged one is 'default', which every organization has".into()),
    ]
}

pub async fn workspaces(stage: &Stage) -> Vec<Shown> {
    let manifests = ["acme", "globex"].map(manifest);
    let applied = apply(&stage.cluster, TENANT, &manifests.join("\n---\n")).await;
    for name in ["acme", "globex"] {
        let id = stage
            .ready(name)
            .await
            .status
            .and_then(|status| status.workspace_id);
        let remote = stage.remote_named(&format!("{TENANT}/{name}")).await;
        assert_eq!(
            remote.len(),
            1,
            "not one workspace of that name at Agent Engine: {remote:#?}"
        );
        assert_eq!(
            id.as_ref().map(WorkspaceId::as_str),
            remote[0]["id"].as_str(),
            "the id in status is another"
        );
    }
    vec![
        applied,
        kubectl(&stage.cluster, &["get", "workspaces", "-n", TENANT]).await,
    ]
}

/// The smallest Workspace, in two lines.
pub fn manifest(name: &str) -> String {
    format!(
        "apiVersion: agentengine.airbyte.com/v1alpha1
kind: Workspace
metadata: {{ name: {name} }}
spec: {{ name: {TENANT}/{name} }}"
    )
}

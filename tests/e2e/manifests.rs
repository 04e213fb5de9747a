//! The objects of the story, as a person would write them.

use serde_json::{Value, json};

use crate::{
    container_images::{EMULATOR, WORKLOAD},
    ground::Ground,
    support::CLIENT_ID,
};

/// The tenant's namespace.
pub const TENANT: &str = "team-a";
/// The emulator's.
pub const ENGINE: &str = "agent-engine";
pub const EMULATOR_PORT: u16 = 8000;
const CLIENT_SECRET: &str = "e2e-secret";

pub fn restricted_namespace(name: &str) -> String {
    let labels = json!({
        "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted",
    });
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}).to_string()
}

pub fn endpoint() -> String {
    format!("http://emulator.{ENGINE}.svc:{EMULATOR_PORT}")
}

/// The emulator's Pod, and the Service that gives it its name.
pub fn emulator(ground: Ground) -> Value {
    let labels = json!({"app": "emulator"});
    let life = ground.token_life().as_secs().to_string();
    let listen = format!("[::]:{EMULATOR_PORT}");
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "emulator"},
            "spec": {"clusterIP": "None", "selector": labels, "ports": [{"port": EMULATOR_PORT}]},
        },
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "emulator", "labels": labels},
            "spec": {
                "automountServiceAccountToken": false,
                "securityContext": restricted_pod(),
                "containers": [{
                    "name": "emulator", "image": EMULATOR, "imagePullPolicy": "Never",
                    "args": [
                        "--listen", listen, "--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET,
                        "--scoped-token-ttl", life,
                    ],
                    "readinessProbe": {
                        "httpGet": {"path": "/_emulator/health", "port": EMULATOR_PORT}, "periodSeconds": 1,
                    },
                    "securityContext": restricted_container(),
                }],
            },
        },
    ]})
}

/// The Organization that lets the tenant use any name, and its credentials.
pub fn organization() -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "credential"},
            "stringData": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        },
        {
            "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Organization", "metadata": {"name": "default"},
            "spec": {
                "endpoint": endpoint(),
                "credentialsSecretRef": {"name": "credential"},
                "access": [{"namespaces": {"names": [TENANT]}, "workspaceNames": ["*"], "deletion": "Allowed"}],
            },
        },
    ]})
}

pub fn workspace(name: &str) -> Value {
    json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace", "metadata": {"name": name},
        "spec": {"name": format!("{TENANT}/{name}")},
    })
}

/// A Pod that mounts the token Secret of each of these Workspaces.
pub fn workload(workspaces: &[String]) -> Value {
    let sources: Vec<Value> = workspaces
        .iter()
        .map(|name| {
            let files = ["token", "workspace_id", "expires_at"]
                .map(|key| json!({"key": key, "path": format!("{name}/{key}")}));
            json!({"secret": {"name": format!("{name}-token"), "items": files}})
        })
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "workload"},
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": restricted_pod(),
            "volumes": [{"name": "tokens", "projected": {"sources": sources}}],
            "containers": [{
                "name": "workload", "image": WORKLOAD, "imagePullPolicy": "Never",
                "args": ["--endpoint", endpoint(), "--tokens", "/tokens"],
                "volumeMounts": [{"name": "tokens", "mountPath": "/tokens", "readOnly": true}],
                "securityContext": restricted_container(),
            }],
        },
    })
}

fn restricted_pod() -> Value {
    json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})
}

fn restricted_container() -> Value {
    json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
    })
}

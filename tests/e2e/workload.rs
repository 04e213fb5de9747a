//! The workload's Pod, and what it said.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::container_images::WORKLOAD;

/// A line of the workload's log.
#[derive(Deserialize)]
pub struct Round {
    pub at: Timestamp,
    pub calls: usize,
    pub unauthorized: Vec<String>,
    pub failures: Vec<String>,
    pub least_life_s: Option<i64>,
}

/// A Pod that mounts the token Secret of each of these Workspaces.
pub fn pod(endpoint: &str, workspaces: &[String]) -> Value {
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
                "args": ["--endpoint", endpoint, "--tokens", "/tokens"],
                "volumeMounts": [{"name": "tokens", "mountPath": "/tokens", "readOnly": true}],
                "securityContext": restricted_container(),
            }],
        },
    })
}

pub fn restricted_pod() -> Value {
    json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})
}

pub fn restricted_container() -> Value {
    json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
    })
}

pub fn rounds(log: &str) -> Vec<Round> {
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

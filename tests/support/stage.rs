//! A stage for one story: an emulated Agent Engine, an operator's namespace with its Organization, tenants' namespaces,
//! and an operator process of its own.

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};

use agent_engine_operator::api::{Organization, Workspace};

use super::{
    ApiUser, Audit, CLIENT_ID, Cluster, Emulator, Launch, Operator, cluster,
    eventually::{LONG, eventually},
};

/// Everything that one story needs.
pub struct Stage {
    pub cluster: &'static Cluster,
    pub client: kube::Client,
    pub emulator: Emulator,
    /// The operator's own namespace.
    pub home: String,
    /// A tenant's namespace.
    pub tenant: String,
    pub user: ApiUser,
    launch: Launch,
}

impl Stage {
    /// Sets everything up but the operator and the Organization.
    pub async fn bare(emulator_arguments: &[&str]) -> Self {
        let cluster = cluster();
        let emulator = Emulator::start(emulator_arguments).await;
        let home = cluster.namespace("home").await;
        let tenant = cluster.namespace("tenant").await;
        let user = cluster.operator_user().await;
        let launch = Launch::new(&user, &home).watching([tenant.as_str()]);
        Self {
            cluster,
            client: cluster.client().await,
            emulator,
            home,
            tenant,
            user,
            launch,
        }
    }

    /// A stage whose Organization `default` lets the tenant use any name, adopt and delete.
    pub async fn set() -> Self {
        let stage = Self::bare(&[]).await;
        stage
            .credentials("credential", CLIENT_ID, stage.emulator.client_secret())
            .await;
        stage.organization("default", json!({})).await;
        stage
    }

    /// Lets operators watch further namespaces.
    pub fn also_watching(&mut self, namespace: &str) {
        self.launch = self.launch.clone().watching([namespace]);
    }

    pub async fn operator(&self) -> Operator {
        let operator = Operator::start(&self.launch).await;
        operator.ready().await;
        operator
    }

    pub async fn audit(&self) -> Audit {
        self.cluster.audit(&self.user).await
    }

    /// Writes a credential Secret into the operator's namespace.
    pub async fn credentials(&self, name: &str, id: &str, secret: &str) {
        let manifest = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "stringData": {"client_id": id, "client_secret": secret},
        });
        self.cluster
            .apply(&self.home, &manifest.to_string())
            .await
            .success();
    }

    /// Applies an Organization; `spec` is laid over one that allows the tenant everything.
    pub async fn organization(&self, name: &str, spec: Value) {
        let mut all = json!({
            "endpoint": self.emulator.url(),
            "credentialsSecretRef": {"name": "credential"},
            "access": [{
                "namespaces": {"names": [self.tenant]}, "workspaceNames": ["*"], "adoption": "Allowed", "deletion": "Allowed",
            }],
        });
        merge(&mut all, spec);
        let manifest = json!({
            "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Organization", "metadata": {"name": name}, "spec": all,
        });
        self.cluster
            .apply(&self.home, &manifest.to_string())
            .await
            .success();
    }

    /// Applies a Workspace in the tenant's namespace.
    pub async fn workspace(&self, name: &str, spec: Value) {
        self.workspace_in(&self.tenant, name, spec).await;
    }

    pub async fn workspace_in(&self, namespace: &str, name: &str, spec: Value) {
        let manifest = json!({
            "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace", "metadata": {"name": name}, "spec": spec,
        });
        self.cluster
            .apply(namespace, &manifest.to_string())
            .await
            .success();
    }

    pub fn workspaces(&self) -> Api<Workspace> {
        Api::namespaced(self.client.clone(), &self.tenant)
    }

    pub fn organizations(&self) -> Api<Organization> {
        Api::namespaced(self.client.clone(), &self.home)
    }

    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.tenant)
    }

    pub async fn get(&self, name: &str) -> Workspace {
        self.workspaces().get(name).await.expect("the Workspace")
    }

    /// Waits until the Ready condition of the current generation has this reason.
    pub async fn reason(&self, name: &str, reason: &str) -> Workspace {
        self.until(name, &format!("{name} to be {reason}"), |workspace| {
            ready_reason(workspace).as_deref() == Some(reason)
        })
        .await
    }

    /// Waits until the Workspace is Ready as declared.
    pub async fn ready(&self, name: &str) -> Workspace {
        self.until(name, &format!("{name} to be Ready"), |workspace| {
            is_ready(workspace)
        })
        .await
    }

    /// Waits until the Organization was verified and its shared list was taken and reported.
    pub async fn listed(&self, name: &str) -> Organization {
        eventually(&format!("the Organization {name} to be listed"), LONG, || async {
            match self.organizations().get(name).await {
                Ok(found)
                    if found
                        .status
                        .as_ref()
                        .is_some_and(|status| status.workspaces.is_some()) =>
                {
                    Ok(found)
                }
                Ok(found) => Err(format!("{:#?}", found.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    pub async fn until(&self, name: &str, what: &str, holds: impl Fn(&Workspace) -> bool) -> Workspace {
        eventually(what, LONG, || async {
            match self.workspaces().get(name).await {
                Ok(workspace) if holds(&workspace) => Ok(workspace),
                Ok(workspace) => Err(format!("{:#?}", workspace.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    pub async fn gone(&self, name: &str) {
        eventually(&format!("{name} to be gone"), LONG, || async {
            match self.workspaces().get_opt(name).await {
                Ok(None) => Ok(()),
                Ok(Some(workspace)) => Err(format!("{:#?}", workspace.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// Live workspaces at Agent Engine of that name.
    pub async fn remote(&self, name: &str) -> Vec<Value> {
        let state = self.emulator.state().await;
        let all = find_workspaces(&state);
        all.into_iter()
            .filter(|w| w["name"] == name && w["tombstone"] != true)
            .collect()
    }

    /// The text under a key of a Secret.
    pub async fn secret_text(&self, secret: &str, key: &str) -> String {
        let secret = self.secrets().get(secret).await.expect("the Secret");
        text(&secret, key)
    }
}

/// The text under a key of a Secret.
pub fn text(secret: &Secret, key: &str) -> String {
    let data = secret.data.as_ref().expect("data");
    String::from_utf8(data.get(key).unwrap_or_else(|| panic!("key {key}")).0.clone()).expect("text")
}

fn find_workspaces(state: &Value) -> Vec<Value> {
    match state {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("workspaces", Value::Array(rows)) => rows.clone(),
                (_, value) => find_workspaces(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(find_workspaces).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The reason of the Ready condition, once it speaks of the current generation.
pub fn ready_reason(workspace: &Workspace) -> Option<String> {
    let status = workspace.status.as_ref()?;
    (status.observed_generation == workspace.metadata.generation).then_some(())?;
    status
        .conditions
        .iter()
        .find(|c| c.type_ == "Ready")
        .map(|c| c.reason.clone())
}

pub fn is_ready(workspace: &Workspace) -> bool {
    workspace.status.as_ref().is_some_and(|status| {
        status.observed_generation == workspace.metadata.generation
            && status
                .conditions
                .iter()
                .any(|c| c.type_ == "Ready" && c.status == "True")
    })
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        for (key, value) in from {
            into.insert(key, value);
        }
    }
}

//! A stage for one story: an emulated Agent Engine, an operator's namespace with its Organization, tenants' namespaces,
//! and an operator process of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use k8s_openapi::api::{core::v1::Secret, events::v1::Event};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use agent_engine_operator::api::{Organization, Workspace, marks::RECONCILE_AT};

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
        Self::with(&[], json!({})).await
    }

    /// The same with flags for the emulator, and `spec` laid over the Organization's.
    pub async fn with(emulator_arguments: &[&str], spec: Value) -> Self {
        let stage = Self::bare(emulator_arguments).await;
        stage
            .credentials("credential", CLIENT_ID, stage.emulator.client_secret())
            .await;
        stage.organization("default", spec).await;
        stage
    }

    /// Lets operators watch further namespaces.
    pub fn also_watching(&mut self, namespace: &str) {
        self.launch = self.launch.clone().watching([namespace]);
    }

    /// Starts operators in this way from now on, and counts what its user asks.
    pub fn launching(&mut self, launch: Launch) {
        self.user = launch.user.clone();
        self.launch = launch;
    }

    /// Gives operators started from now on more flags.
    pub fn launching_with<'a>(&mut self, flags: impl IntoIterator<Item = &'a str>) {
        self.launch = self.launch.clone().with(flags);
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
        let mut live = self.live_remote().await;
        live.retain(|workspace| workspace["name"] == name);
        live
    }

    /// Live workspaces at Agent Engine beside `default`.
    pub async fn all_remote(&self) -> Vec<Value> {
        let mut live = self.live_remote().await;
        live.retain(|workspace| workspace["name"] != "default");
        live
    }

    async fn live_remote(&self) -> Vec<Value> {
        let mut all = find_workspaces(&self.emulator.state().await);
        all.retain(|workspace| workspace["tombstone"] != true);
        all
    }

    /// Waits until the names of the live workspaces beside `default` are these.
    pub async fn remote_names(&self, names: &[&str]) {
        eventually(&format!("{names:?} to live at Agent Engine"), LONG, || async {
            let all = self.all_remote().await;
            let mut found: Vec<&str> = all.iter().filter_map(|w| w["name"].as_str()).collect();
            let mut wanted = names.to_vec();
            found.sort_unstable();
            wanted.sort_unstable();
            (found == wanted)
                .then_some(())
                .ok_or_else(|| format!("{found:?}"))
        })
        .await;
    }

    /// Changes a workspace at Agent Engine behind the operator's back.
    pub async fn meddle(&self, id: &str, change: Value) {
        let path = format!("workspaces/{id}");
        self.emulator
            .control(reqwest::Method::PATCH, &path, Some(change))
            .await;
    }

    /// Deletes a workspace at Agent Engine behind the operator's back.
    pub async fn lose(&self, id: &str) {
        let path = format!("workspaces/{id}");
        self.emulator.control(reqwest::Method::DELETE, &path, None).await;
    }

    /// Asks for a pass over a Workspace, as a person would.
    pub async fn ask(&self, name: &str) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {RECONCILE_AT: never_asked()}}}));
        self.workspaces()
            .patch(name, &PatchParams::default(), &patch)
            .await
            .expect("an annotated Workspace");
    }

    /// Asks for the shared list of the Organization `default`, and waits until it was taken.
    pub async fn list(&self) {
        self.relist("default", &never_asked()).await;
    }

    /// Waits until a Secret is there and `holds` says so of it.
    pub async fn secret_until(&self, name: &str, what: &str, holds: impl Fn(&Secret) -> bool) -> Secret {
        eventually(what, LONG, || async {
            match self.secrets().get_opt(name).await {
                Ok(Some(secret)) if holds(&secret) => Ok(secret),
                Ok(Some(secret)) => Err(format!("{:#?}", secret.metadata)),
                Ok(None) => Err("no Secret".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    /// Asks for a Workspace to go; it may be held.
    pub async fn begin_deletion(&self, name: &str) {
        self.workspaces()
            .delete(name, &DeleteParams::default())
            .await
            .expect("a Workspace to delete");
    }

    pub async fn delete_secret(&self, name: &str) {
        self.secrets()
            .delete(name, &DeleteParams::default())
            .await
            .expect("a Secret to delete");
    }

    /// The notes of the events about an object of ours, each after its reason.
    pub async fn event_notes(&self, name: &str) -> Vec<(String, String)> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), &self.tenant);
        let events = api.list(&ListParams::default()).await.expect("events");
        let about = events.items.into_iter().filter(|event| {
            event
                .regarding
                .as_ref()
                .is_some_and(|object| object.name.as_deref() == Some(name))
        });
        about
            .map(|event| (event.reason.unwrap_or_default(), event.note.unwrap_or_default()))
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

pub fn find_workspaces(state: &Value) -> Vec<Value> {
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

/// A value for a reconcile request that was never used before.
fn never_asked() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        for (key, value) in from {
            into.insert(key, value);
        }
    }
}

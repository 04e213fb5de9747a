//! A stage for one story: an emulated Agent Engine, an operator's namespace with its Organization, tenants' namespaces,
//! and an operator process of its own.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};

use agent_engine_operator::crd::{Organization, Workspace};

use super::{ApiUser, Audit, CLIENT_ID, Cluster, Emulator, Launch, Operator, canary, cluster};

/// Everything that one story needs.
pub struct Stage {
    canaries: canary::Objects,
    pub cluster: Arc<Cluster>,
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
        Self::on(cluster(), emulator_arguments).await
    }

    /// The same on a cluster that may be another than the shared one.
    pub async fn on(cluster: &Arc<Cluster>, emulator_arguments: &[&str]) -> Self {
        let emulator = Emulator::start(emulator_arguments).await;
        let home = cluster.namespace("home").await;
        let tenant = cluster.namespace("tenant").await;
        let user = cluster.operator_user().await;
        let launch = Launch::new(&user, &home).watching([tenant.as_str()]);
        if let Some(lease) = launch.lease() {
            cluster.release_lease(&home, lease).await;
        }
        Self {
            canaries: canary::Objects {
                cluster: Arc::clone(cluster),
                namespaces: vec![home.clone(), tenant.clone()],
            },
            cluster: Arc::clone(cluster),
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
        Self::bare(emulator_arguments).await.organized(spec).await
    }

    /// With credentials and the Organization `default`, `spec` laid over its own.
    pub async fn organized(self, spec: Value) -> Self {
        self.good_credential().await;
        self.organization("default", spec).await;
        self
    }

    /// One more namespace whose Workspaces are looked after by operators started from now on.
    pub async fn another_tenant(&mut self) -> String {
        let namespace = self.cluster.namespace("tenant").await;
        self.launch = self.launch.clone().watching([namespace.as_str()]);
        self.canaries.namespaces.push(namespace.clone());
        namespace
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
        if let Some(lease) = self.launch.lease() {
            self.cluster.release_lease(&self.home, lease).await;
        }
        let operator = Operator::start(&self.launch).await;
        operator.ready().await;
        operator
    }

    pub async fn audit(&self) -> Audit {
        self.cluster.audit(&self.user).await
    }

    /// Writes a credential Secret into the operator's namespace. Its secret begins as those do that are searched for.
    pub async fn credentials(&self, name: &str, id: &str, secret: &str) {
        assert!(
            secret.starts_with(canary::CREDENTIAL),
            "{secret} could not be found again"
        );
        let manifest = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "stringData": {"client_id": id, "client_secret": secret},
        });
        self.cluster
            .apply(&self.home, &manifest.to_string())
            .await
            .success();
    }

    /// The one that the emulator knows, as the Organizations of these stories name it.
    pub async fn good_credential(&self) {
        self.credentials("credential", CLIENT_ID, self.emulator.client_secret())
            .await;
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
        self.workspaces_in(&self.tenant)
    }

    pub fn workspaces_in(&self, namespace: &str) -> Api<Workspace> {
        Api::namespaced(self.client.clone(), namespace)
    }

    pub fn secrets(&self) -> Api<Secret> {
        self.secrets_in(&self.tenant)
    }

    pub fn secrets_in(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    pub fn organizations(&self) -> Api<Organization> {
        Api::namespaced(self.client.clone(), &self.home)
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        for (key, value) in from {
            into.insert(key, value);
        }
    }
}

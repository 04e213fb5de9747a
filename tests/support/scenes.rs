//! What stories with several tenants, or about Organizations, say often: further namespaces, changes by an administrator,
//! conditions, events, and calls that concern workspaces.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use agent_engine_operator::api::{Organization, Workspace};

use super::{
    Stage,
    eventually::{LONG, eventually},
    is_ready, ready_reason,
};

impl Stage {
    /// One more namespace whose Workspaces are looked after by operators started from now on.
    pub async fn another_tenant(&mut self) -> String {
        let namespace = self.cluster.namespace("tenant").await;
        self.also_watching(&namespace);
        namespace
    }

    pub fn workspaces_in(&self, namespace: &str) -> Api<Workspace> {
        Api::namespaced(self.client.clone(), namespace)
    }

    pub fn secrets_in(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// As [`Stage::until`], in a namespace of the test's choice.
    pub async fn until_in(
        &self,
        namespace: &str,
        name: &str,
        what: &str,
        holds: impl Fn(&Workspace) -> bool,
    ) -> Workspace {
        eventually(&format!("{name} {what}"), LONG, || async {
            match self.workspaces_in(namespace).get(name).await {
                Ok(workspace) if holds(&workspace) => Ok(workspace),
                Ok(workspace) => Err(format!("{:#?}", workspace.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    pub async fn ready_in(&self, namespace: &str, name: &str) -> Workspace {
        self.until_in(namespace, name, "to be Ready", is_ready).await
    }

    pub async fn reason_in(&self, namespace: &str, name: &str, reason: &str) -> Workspace {
        self.until_in(namespace, name, &format!("to be {reason}"), |workspace| {
            ready_reason(workspace).as_deref() == Some(reason)
        })
        .await
    }

    /// Waits until the object is as its spec says in the eyes of a `Synced` condition with this reason.
    pub async fn synced_reason(&self, name: &str, reason: &str) -> Workspace {
        self.until(name, &format!("{name} to be Synced: {reason}"), |workspace| {
            condition(workspace, "Synced")
                .is_some_and(|c| c.reason == reason && c.observed_generation == workspace.metadata.generation)
        })
        .await
    }

    /// Waits until there is no such Secret.
    pub async fn no_secret_in(&self, namespace: &str, name: &str) {
        eventually(&format!("the Secret {name} to be gone"), LONG, || async {
            match self.secrets_in(namespace).get_metadata_opt(name).await {
                Ok(None) => Ok(()),
                Ok(Some(_)) => Err("it is there".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    pub async fn no_secret(&self, name: &str) {
        self.no_secret_in(&self.tenant, name).await;
    }

    /// Waits until there is such a Secret.
    pub async fn secret(&self, name: &str) -> Secret {
        eventually(&format!("the Secret {name}"), LONG, || async {
            self.secrets().get(name).await
        })
        .await
    }

    /// Lays `spec` over a Workspace's spec; null takes a field away.
    pub async fn change(&self, name: &str, spec: Value) {
        self.change_in(&self.tenant, name, spec).await;
    }

    pub async fn change_in(&self, namespace: &str, name: &str, spec: Value) {
        self.workspaces_in(namespace)
            .patch(
                name,
                &PatchParams::default(),
                &Patch::Merge(json!({"spec": spec})),
            )
            .await
            .expect("the Workspace changes");
    }

    /// Sets annotations of a Workspace; null takes one away.
    pub async fn annotate(&self, name: &str, annotations: Value) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
        self.workspaces()
            .patch(name, &PatchParams::default(), &patch)
            .await
            .expect("the Workspace is annotated");
    }

    /// Deletes a Workspace and waits until it is gone.
    pub async fn delete(&self, name: &str) {
        self.workspaces()
            .delete(name, &DeleteParams::default())
            .await
            .expect("the Workspace is deleted");
        self.gone(name).await;
    }

    /// Sets labels of a namespace; null takes one away.
    pub async fn label_namespace(&self, namespace: &str, labels: Value) {
        Api::<Namespace>::all(self.client.clone())
            .patch(
                namespace,
                &PatchParams::default(),
                &Patch::Merge(json!({"metadata": {"labels": labels}})),
            )
            .await
            .expect("the namespace is labelled");
    }

    pub async fn annotate_organization(&self, name: &str, annotations: Value) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
        self.organizations()
            .patch(name, &PatchParams::default(), &patch)
            .await
            .expect("the Organization is annotated");
    }

    /// Asks for a pass over an Organization (a list with it), and waits until it was made.
    pub async fn relist(&self, name: &str, token: &str) -> Organization {
        self.annotate_organization(name, json!({"agentengine.airbyte.com/reconcile-at": token}))
            .await;
        self.organization_until(name, &format!("to echo {token}"), |organization| {
            organization
                .status
                .as_ref()
                .and_then(|status| status.last_handled_reconcile_at.as_deref())
                == Some(token)
        })
        .await
    }

    pub async fn organization_until(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&Organization) -> bool,
    ) -> Organization {
        eventually(&format!("the Organization {name} {what}"), LONG, || async {
            match self.organizations().get(name).await {
                Ok(organization) if holds(&organization) => Ok(organization),
                Ok(organization) => Err(format!("{:#?}", organization.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    /// Waits until the Organization's Ready condition of the current generation has this reason.
    pub async fn organization_reason(&self, name: &str, reason: &str) -> Organization {
        self.organization_until(name, &format!("to be {reason}"), |organization| {
            let status = organization.status.as_ref();
            status.is_some_and(|status| {
                status.observed_generation == organization.metadata.generation
                    && status
                        .conditions
                        .iter()
                        .any(|c| c.type_ == "Ready" && c.reason == reason)
            })
        })
        .await
    }

    /// Calls that concern workspaces, after number `mark`: neither application tokens nor the Organization's list.
    pub async fn workspace_calls(&self, mark: u64) -> BTreeMap<String, usize> {
        let journal = self.emulator.journal(mark).await;
        let mut calls = BTreeMap::new();
        for entry in journal["entries"].as_array().expect("entries") {
            let (operation, query) = (entry["operation"].as_str(), entry["query"].as_str());
            match operation {
                Some("T1") => {}
                Some("W1") if !query.is_some_and(|query| query.contains("name_contains")) => {}
                Some(operation) => *calls.entry(operation.to_owned()).or_default() += 1,
                None => panic!("a call that is none of the API's: {entry}"),
            }
        }
        calls
    }

    /// The reasons of the events about an object, oldest first, each as often as it was counted.
    pub async fn event_reasons(&self, namespace: &str, name: &str) -> Vec<String> {
        let api = Api::<Event>::namespaced(self.client.clone(), namespace);
        let mut events = api.list(&ListParams::default()).await.expect("events").items;
        events.retain(|event| {
            event
                .regarding
                .as_ref()
                .is_some_and(|regarding| regarding.name.as_deref() == Some(name))
        });
        events.sort_by_key(|event| event.event_time.as_ref().map(|time| time.0));
        events
            .iter()
            .flat_map(|event| {
                let times = event.series.as_ref().map_or(1, |series| series.count.max(1));
                (0..times).map(|_| event.reason.clone().unwrap_or_default())
            })
            .collect()
    }
}

/// A condition of a Workspace.
pub fn condition<'a>(workspace: &'a Workspace, kind: &str) -> Option<&'a Condition> {
    workspace
        .status
        .as_ref()?
        .conditions
        .iter()
        .find(|condition| condition.type_ == kind)
}

/// The message of a Workspace's Ready condition.
pub fn ready_message(workspace: &Workspace) -> String {
    condition(workspace, "Ready").map_or_else(String::new, |condition| condition.message.clone())
}

/// The message of an Organization's Ready condition.
pub fn organization_message(organization: &Organization) -> String {
    let conditions = organization.status.iter().flat_map(|status| &status.conditions);
    conditions
        .into_iter()
        .find(|condition| condition.type_ == "Ready")
        .map_or_else(String::new, |condition| condition.message.clone())
}

/// The id that a Workspace records.
pub fn recorded_id(workspace: &Workspace) -> String {
    let status = workspace.status.as_ref().expect("a status");
    status.workspace_id.as_ref().expect("an id").as_str().to_owned()
}

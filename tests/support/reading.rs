//! What a story reads of objects, Secrets and events.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Api, api::ListParams};

use agent_engine_operator::crd::{Organization, Workspace};

use super::Stage;

impl Stage {
    pub async fn get(&self, name: &str) -> Workspace {
        self.workspaces().get(name).await.expect("the Workspace")
    }

    /// The text under a key of a Secret.
    pub async fn secret_text(&self, secret: &str, key: &str) -> String {
        let secret = self.secrets().get(secret).await.expect("the Secret");
        text(&secret, key)
    }

    /// The reasons of the events about an object, oldest first, each as often as it was counted.
    pub async fn event_reasons(&self, namespace: &str, name: &str) -> Vec<String> {
        let events = self.events(namespace, name).await;
        events
            .into_iter()
            .flat_map(|event| {
                let times = event.series.as_ref().map_or(1, |series| series.count.max(1));
                (0..times).map(move |_| event.reason.clone().unwrap_or_default())
            })
            .collect()
    }

    /// The notes of the events about an object in the tenant's namespace, each after its reason.
    pub async fn event_notes(&self, name: &str) -> Vec<(String, String)> {
        let events = self.events(&self.tenant, name).await;
        events
            .into_iter()
            .map(|event| (event.reason.unwrap_or_default(), event.note.unwrap_or_default()))
            .collect()
    }

    /// The events about an object, oldest first.
    async fn events(&self, namespace: &str, name: &str) -> Vec<Event> {
        let api = Api::<Event>::namespaced(self.client.clone(), namespace);
        let mut events = api.list(&ListParams::default()).await.expect("events").items;
        events.retain(|event| {
            let regarding = event.regarding.as_ref();
            regarding.is_some_and(|object| object.name.as_deref() == Some(name))
        });
        events.sort_by_key(|event| event.event_time.as_ref().map(|time| time.0));
        events
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

/// The text under a key of a Secret.
pub fn text(secret: &Secret, key: &str) -> String {
    let data = secret.data.as_ref().expect("data");
    String::from_utf8(data.get(key).unwrap_or_else(|| panic!("key {key}")).0.clone()).expect("text")
}

//! Objects that no pass can be made over: those that cannot be decoded, and those whose pass crashed. They are reported;
//! a deletion of theirs is honoured all the same.

use kube::api::Patch;
use kube::core::error_boundary::InvalidObject;
use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Resource, ResourceExt};
use serde_json::{Map, Value, json};

use super::announce::announce;
use super::context::Context;
use super::write;
use crate::api::Workspace;
use crate::api::conditions::{ConditionDraft, READY, RECONCILING, STALLED, Truth, fold};
use crate::api::ids::WorkspaceName;
use crate::api::reason::{Reason, Weight};
use crate::api::workspace::{DeletionPolicy, WorkspaceSpec, WorkspaceStatus};
use crate::lifecycle::verdict::Finding;

/// A Workspace with as much of its spec as its deletion needs. Only what can be read for certain is believed; a policy
/// that cannot be read retains.
pub(super) async fn salvage(context: &Context, invalid: &InvalidObject) -> kube::Result<Option<Workspace>> {
    let resource = ApiResource::erase::<Workspace>(&());
    let namespace = invalid.metadata.namespace.clone().unwrap_or_default();
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &namespace, &resource);
    let Some(raw) = api
        .get_opt(&invalid.metadata.name.clone().unwrap_or_default())
        .await?
    else {
        return Ok(None);
    };
    let status = readable(raw.data.get("status"));
    let spec = raw.data.get("spec");
    let text = |key: &str| spec?.get(key)?.as_str().map(str::to_owned);
    let policy = match spec.and_then(|spec| spec.get("deletionPolicy")) {
        None | Some(Value::Null) => None,
        Some(Value::String(policy)) if policy == "Delete" => Some(DeletionPolicy::Delete),
        Some(_) => Some(DeletionPolicy::Retain),
    };
    let name = status
        .name
        .clone()
        .or_else(|| text("name").map(WorkspaceName::new));
    let spec = WorkspaceSpec {
        name: name.unwrap_or_else(|| WorkspaceName::from("")),
        status: None,
        organization: text("organization"),
        deletion_policy: policy,
        adoption_policy: None,
        workspace_id: None,
        region_id: None,
        token_secret: None,
        suspend: Some(true),
    };
    Ok(Some(Workspace {
        metadata: raw.metadata,
        spec,
        status: Some(status),
    }))
}

/// The fields of a status that can be read, each for itself: one from another version must not hide which workspace is
/// recorded.
fn readable(status: Option<&Value>) -> WorkspaceStatus {
    let fields = status.and_then(Value::as_object).into_iter().flatten();
    let sound: Map<String, Value> = fields
        .filter(|(key, value)| {
            serde_json::from_value::<WorkspaceStatus>(json!({ key.as_str(): value })).is_ok()
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    serde_json::from_value(Value::Object(sound)).unwrap_or_default()
}

/// Reports in the conditions what a pass would have reported.
pub(super) async fn report<K: Resource<DynamicType = ()>>(context: &Context, object: &K, finding: Finding) {
    let resource = ApiResource::erase::<K>(&());
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &namespace, &resource);
    let name = object.name_any();
    let Ok(Some(live)) = api.get_opt(&name).await else {
        return;
    };
    let old: Vec<_> = live
        .data
        .pointer("/status/conditions")
        .and_then(|conditions| serde_json::from_value(conditions.clone()).ok())
        .unwrap_or_default();
    let generation = live.metadata.generation.unwrap_or_default();
    let draft = |kind, truth| ConditionDraft {
        kind,
        truth,
        reason: finding.reason.as_str(),
        message: finding.message.clone(),
    };
    let abnormal = match finding.reason.weight() {
        Weight::Stalled => STALLED,
        Weight::Waiting | Weight::Fine => RECONCILING,
    };
    let new = fold(
        &old,
        &[draft(READY, Truth::False), draft(abnormal, Truth::True)],
        generation,
        context.now(),
    );
    if new == old {
        return;
    }
    let patch = Patch::Merge(write::conditions_patch(generation, &new));
    match api.patch_status(&name, &write::params(), &patch).await {
        Ok(_) => announce(context, object, &finding).await,
        Err(error) => tracing::warn!(%error, namespace, name, "the conditions could not be written"),
    }
}

/// What is said of a Workspace that this version cannot read.
pub(super) fn undecodable(invalid: &InvalidObject) -> Finding {
    cannot_be_read(
        invalid,
        "Nothing is done for it, but its deletion is honoured; correct it",
    )
}

/// What is said of an Organization that this version cannot read.
pub(super) fn undecodable_organization(invalid: &InvalidObject) -> Finding {
    cannot_be_read(
        invalid,
        "It grants nothing and withdraws nothing: tokens in use stay, and none is renewed; correct it",
    )
}

fn cannot_be_read(invalid: &InvalidObject, what_follows: &str) -> Finding {
    let error: String = invalid
        .error
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect();
    Finding::new(
        Reason::Undecodable,
        format!("this object cannot be read: {error}. {what_follows}"),
    )
}

/// What is said of an object whose pass crashed.
pub(super) fn panicked() -> Finding {
    Finding::new(
        Reason::Panicked,
        "the pass over this object crashed; it is tried again later. Report it with the log",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_another_version_does_not_hide_which_workspace_is_recorded() {
        let status = readable(Some(&json!({
            "uid": "u", "workspaceId": "w", "organizationId": "o", "name": "acme", "state": "archived",
            "origin": "Created", "creation": {"at": "soon"}, "conditions": [{"type": 7}],
        })));
        assert_eq!(
            status,
            WorkspaceStatus {
                uid: Some("u".into()),
                workspace_id: Some("w".into()),
                organization_id: Some("o".into()),
                name: Some("acme".into()),
                origin: Some(crate::api::workspace::Origin::Created),
                ..WorkspaceStatus::default()
            }
        );
    }
}

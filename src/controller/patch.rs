//! Patches to objects of our kinds: each carries the resource version that it was decided on, and changes no field of a user.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::crd::holder::Holder;
use crate::crd::metadata_keys;

/// Limit of a write outside a reconcile, to which `--reconcile-timeout` does not apply.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// All our patches bear one field manager.
pub(super) fn params() -> PatchParams {
    PatchParams {
        field_manager: Some(metadata_keys::FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

/// What to do with our finalizer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FinalizerChange {
    Add,
    Remove,
}

/// Adds or removes our finalizer, and keeps those of others.
pub(super) async fn finalizer<K>(
    api: &Api<K>,
    object: &impl Resource,
    change: FinalizerChange,
) -> kube::Result<K>
where
    K: Clone + DeserializeOwned + Debug,
{
    let mut finalizers = object.finalizers().to_vec();
    finalizers.retain(|finalizer| finalizer != metadata_keys::FINALIZER);
    match change {
        FinalizerChange::Add => finalizers.push(metadata_keys::FINALIZER.to_owned()),
        FinalizerChange::Remove => {}
    }
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": finalizers}});
    api.patch(&object.name_any(), &params(), &Patch::Merge(patch))
        .await
}

/// A merge patch from the stored status to the new one: a field that goes is null, at any depth.
pub(super) fn status_patch<S: serde::Serialize>(
    resource_version: Option<&str>,
    old: Option<&S>,
    new: &S,
) -> Result<Value, serde_json::Error> {
    let mut patch = serde_json::to_value(new)?;
    if let (Some(old), Value::Object(fields)) = (old, &mut patch) {
        null_what_goes(serde_json::to_value(old)?, fields);
    }
    Ok(json!({"metadata": {"resourceVersion": resource_version}, "status": patch}))
}

fn null_what_goes(old: Value, new: &mut Map<String, Value>) {
    let Value::Object(old) = old else { return };
    for (key, old) in old {
        if let Value::Object(new) = new.entry(key).or_insert(Value::Null) {
            null_what_goes(old, new);
        }
    }
}

/// For objects that cannot be reconciled: writes the conditions in place of those that were read, and who writes them, if that
/// is to change.
pub(super) fn conditions_patch(
    version: Option<&str>,
    generation: i64,
    conditions: &[Condition],
    holder: Option<&Holder>,
) -> Value {
    let mut status = json!({"observedGeneration": generation, "conditions": conditions});
    if let Some(holder) = holder {
        status["operator"] = json!(holder);
    }
    json!({"metadata": {"resourceVersion": version}, "status": status})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A merge patch keeps what it does not name.
    #[test]
    fn what_goes_from_within_a_field_goes() {
        let old = json!({"rate": {"per": 50, "pause": {"until": 1}}, "gone": 1, "list": [1, 2]});
        let new = json!({"rate": {"per": 25}, "list": [2]});
        let patch = status_patch(Some("7"), Some(&old), &new).unwrap();
        assert_eq!(
            patch["status"],
            json!({"rate": {"per": 25, "pause": null}, "gone": null, "list": [2]})
        );
    }
}

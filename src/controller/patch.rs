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

/// A merge patch from the stored status to the new one: a field that goes is null.
pub(super) fn status_patch<S: serde::Serialize>(
    resource_version: Option<&str>,
    old: Option<&S>,
    new: &S,
) -> Result<Value, serde_json::Error> {
    let fields = |status: &S| match serde_json::to_value(status)? {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    };
    let mut patch = fields(new)?;
    for key in old
        .map(fields)
        .transpose()?
        .unwrap_or_default()
        .into_iter()
        .map(|(key, _)| key)
    {
        patch.entry(key).or_insert(Value::Null);
    }
    Ok(json!({"metadata": {"resourceVersion": resource_version}, "status": patch}))
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

//! Objects without `metadata.managedFields`, which the operator does not read and users write. The API server accepts any
//! time there, even one that cannot be decoded, and one such object would fail the list of all of its kind.

use std::borrow::Cow;

use kube::Resource;
use kube::api::ObjectMeta;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// An object that is decoded without its managed fields.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct WithoutManagedFields<K>(pub K);

impl<'de, K: DeserializeOwned> Deserialize<'de> for WithoutManagedFields<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = without_managed_fields(Value::deserialize(deserializer)?);
        K::deserialize(object).map(Self).map_err(D::Error::custom)
    }
}

/// The object without them.
pub(super) fn without_managed_fields(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

impl<K: Resource> Resource for WithoutManagedFields<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(of: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(of)
    }

    fn group(of: &Self::DynamicType) -> Cow<'_, str> {
        K::group(of)
    }

    fn version(of: &Self::DynamicType) -> Cow<'_, str> {
        K::version(of)
    }

    fn plural(of: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(of)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.meta_mut()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{Namespace, Secret};
    use kube::core::PartialObjectMeta;
    use serde_json::json;

    use super::*;
    use crate::crd::{AnyOrganization, AnyWorkspace, Organization};

    /// Whether an object is decoded whose managed fields bear this time.
    fn is_decoded<K: DeserializeOwned>(time: &str, kind: &str, api_version: &str, spec: Value) -> bool {
        let object = json!({
            "apiVersion": api_version, "kind": kind,
            "metadata": {"name": "acme", "managedFields": [{"manager": "somebody", "operation": "Update", "time": time}]},
            "spec": spec,
        });
        serde_json::from_str::<K>(&object.to_string()).is_ok()
    }

    #[test]
    fn no_time_in_managed_fields_keeps_an_object_from_decoding() {
        let last = "9999-12-31T23:59:59Z";
        assert!(
            !is_decoded::<Secret>(last, "Secret", "v1", Value::Null),
            "this is of no use any more"
        );
        let ours = "agentengine.airbyte.com/v1alpha1";
        let organization = json!({"credentialsSecretRef": {"name": "credential"}});
        assert!(is_decoded::<WithoutManagedFields<Secret>>(
            last,
            "Secret",
            "v1",
            Value::Null
        ));
        assert!(is_decoded::<WithoutManagedFields<PartialObjectMeta<Namespace>>>(
            last,
            "Namespace",
            "v1",
            Value::Null
        ));
        assert!(is_decoded::<WithoutManagedFields<Organization>>(
            last,
            "Organization",
            ours,
            organization
        ));
        assert!(is_decoded::<AnyOrganization>(
            last,
            "Organization",
            ours,
            Value::Null
        ));
        assert!(is_decoded::<AnyWorkspace>(
            last,
            "Workspace",
            ours,
            json!({"name": "Acme"})
        ));
    }
}

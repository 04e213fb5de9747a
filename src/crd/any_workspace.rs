//! What can be read for certain of a Workspace that this version cannot decode. The workspace that it records is still its
//! own.

use kube::Resource;
use kube::api::ObjectMeta;
use serde_json::{Map, Value, json};

use super::Workspace;
use super::any::{Any, Salvage};
use super::holder::Holder;
use super::workspace::{DeletionPolicy, WorkspaceSpec, WorkspaceStatus};
use crate::domain::ids::WorkspaceName;

/// A Workspace as stored.
pub type AnyWorkspace = Any<SalvagedWorkspace>;

/// What is left of a Workspace that cannot be decoded.
#[derive(Clone, Debug)]
pub struct SalvagedWorkspace {
    /// As in [`Salvage::salvage`].
    pub error: String,
    /// As much as could be read, field by field. Always suspended, because the operator does nothing for it but its
    /// deletion; a deletion policy that cannot be read counts as `Retain`.
    pub left: Workspace,
    pub organization: Reference,
    /// The status fields that identify the recorded workspace, or the creation in flight, and cannot be read.
    pub lost: Vec<&'static str>,
}

/// The Organization that an object names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reference {
    Named(String),
    /// It may be any.
    Unreadable,
}

impl SalvagedWorkspace {
    /// The declared deletion policy, else the recorded one.
    pub fn deletion_policy(&self) -> Option<DeletionPolicy> {
        let status = self.left.status.as_ref();
        let recorded = status.and_then(|status| status.deletion_policy);
        self.left.spec.deletion_policy.or(recorded)
    }
}

impl AnyWorkspace {
    /// The object, as far as it can be read.
    pub fn object(&self) -> &Workspace {
        match self {
            Self::Whole(object) => object,
            Self::Salvaged(salvage) => &salvage.left,
        }
    }

    /// The operator that the stored status names.
    pub fn holder(&self) -> Option<&Holder> {
        self.object().status.as_ref()?.operator.as_ref()
    }

    /// Whether the object may name this Organization: one that cannot be read may name any.
    pub fn may_use(&self, organization: &str) -> bool {
        match self {
            Self::Whole(object) => object.spec.organization_name() == organization,
            Self::Salvaged(salvage) => match &salvage.organization {
                Reference::Named(name) => name == organization,
                Reference::Unreadable => true,
            },
        }
    }
}

impl Salvage for SalvagedWorkspace {
    type Object = Workspace;

    fn salvage(raw: &Value, metadata: ObjectMeta, error: String) -> Self {
        salvage(raw, metadata, error)
    }

    fn meta(&self) -> &ObjectMeta {
        self.left.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.left.meta_mut()
    }
}

fn salvage(raw: &Value, metadata: ObjectMeta, error: String) -> SalvagedWorkspace {
    let spec = &raw["spec"];
    let status = readable(&raw["status"]);
    let organization = match &spec["organization"] {
        Value::String(name) => Some(name.clone()),
        _ => None,
    };
    let deletion_policy = match &spec["deletionPolicy"] {
        Value::Null if spec.is_object() => None,
        Value::String(policy) if policy == "Delete" => Some(DeletionPolicy::Delete),
        _ => Some(DeletionPolicy::Retain),
    };
    let declared_name = spec["name"].as_str().map(WorkspaceName::from);
    let left = WorkspaceSpec {
        name: status
            .name
            .clone()
            .or(declared_name)
            .unwrap_or_else(|| WorkspaceName::from("")),
        status: None,
        organization,
        deletion_policy,
        adoption_policy: None,
        workspace_id: None,
        region_id: None,
        token_secret: None,
        suspend: Some(true),
    };
    let lost = lost(&raw["status"], &status);
    let named = spec.is_object() && (spec["organization"].is_null() || spec["organization"].is_string());
    SalvagedWorkspace {
        error,
        organization: if named {
            Reference::Named(left.organization_name().to_owned())
        } else {
            Reference::Unreadable
        },
        lost,
        left: Workspace {
            metadata,
            spec: left,
            status: Some(status),
        },
    }
}

/// The fields of a status that can be read, one by one: a field of another version must not hide which workspace is
/// recorded.
fn readable(status: &Value) -> WorkspaceStatus {
    let fields = status.as_object().into_iter().flatten();
    let sound: Map<String, Value> = fields
        .filter(|(key, value)| {
            serde_json::from_value::<WorkspaceStatus>(json!({ key.as_str(): value })).is_ok()
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    serde_json::from_value(Value::Object(sound)).unwrap_or_default()
}

/// The identifying fields that were stored and are not in `left`. Once a workspace is recorded, its creation does not
/// matter any more.
fn lost(status: &Value, left: &WorkspaceStatus) -> Vec<&'static str> {
    let mut fields = vec![
        ("uid", left.uid.is_none()),
        ("workspaceId", left.workspace_id.is_none()),
        ("organizationId", left.organization_id.is_none()),
        ("name", left.name.is_none()),
    ];
    if left.workspace_id.is_none() {
        fields.push(("creation", left.creation.is_none()));
    }
    let damaged = !status.is_null() && !status.is_object();
    fields.retain(|(field, missing)| *missing && (damaged || !status[*field].is_null()));
    fields.into_iter().map(|(field, _)| field).collect()
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt;

    use super::*;
    use crate::crd::workspace::Origin;

    fn stored(spec: Value, status: Value) -> AnyWorkspace {
        let object = json!({"metadata": {"name": "acme", "uid": "u"}, "spec": spec, "status": status});
        serde_json::from_value(object).unwrap()
    }

    fn salvaged(spec: Value, status: Value) -> SalvagedWorkspace {
        match stored(spec, status) {
            AnyWorkspace::Whole(object) => panic!("it can be decoded: {:?}", object.spec),
            AnyWorkspace::Salvaged(salvage) => salvage,
        }
    }

    #[test]
    fn what_can_be_decoded_is_whole() {
        let whole = stored(json!({"name": "Acme", "organization": "eu"}), Value::Null);
        assert!(matches!(&whole, AnyWorkspace::Whole(object) if object.spec.name.as_str() == "Acme"));
        assert!(whole.may_use("eu") && !whole.may_use("default"));
    }

    #[test]
    fn a_field_of_another_version_hides_no_recorded_workspace() {
        let status = json!({
            "uid": "u", "workspaceId": "w", "organizationId": "o", "name": "acme", "state": "archived",
            "origin": "Created", "creation": {"at": "soon"}, "conditions": [{"type": 7}],
        });
        let salvage = salvaged(json!({"name": "Acme"}), status);
        assert_eq!(salvage.left.name_any(), "acme");
        assert_eq!(
            salvage.left.status,
            Some(WorkspaceStatus {
                uid: Some("u".into()),
                workspace_id: Some("w".into()),
                organization_id: Some("o".into()),
                name: Some("acme".into()),
                origin: Some(Origin::Created),
                ..WorkspaceStatus::default()
            })
        );
    }

    #[test]
    fn an_identifying_field_that_cannot_be_read_is_lost() {
        let recorded = |field: &str, value: Value| {
            let mut status = json!({"uid": "u", "workspaceId": "w", "organizationId": "o", "name": "acme"});
            status[field] = value;
            status
        };
        let creating = |creation: Value| json!({"uid": "u", "creation": creation});
        for (status, lost) in [
            (recorded("state", json!("archived")), vec![]),
            (recorded("creation", json!({"at": "soon"})), vec![]),
            (recorded("name", json!(7)), vec!["name"]),
            (recorded("workspaceId", json!({})), vec!["workspaceId"]),
            (creating(json!({"at": "soon"})), vec!["creation"]),
            (Value::Null, vec![]),
            (
                json!("gone"),
                vec!["uid", "workspaceId", "organizationId", "name", "creation"],
            ),
        ] {
            let spec = json!({"name": "Acme", "suspend": "perhaps"});
            assert_eq!(salvaged(spec, status.clone()).lost, lost, "{status}");
        }
    }

    #[test]
    fn a_declared_deletion_policy_precedes_the_recorded_one() {
        use DeletionPolicy::{Delete, Retain};
        for (declared, recorded, expected) in [
            (Value::Null, Value::Null, None),
            (Value::Null, json!("Retain"), Some(Retain)),
            (json!("Delete"), json!("Retain"), Some(Delete)),
            (json!(7), json!("Delete"), Some(Retain)),
        ] {
            let spec = json!({"name": "Acme", "suspend": "perhaps", "deletionPolicy": declared});
            let salvage = salvaged(spec, json!({"deletionPolicy": recorded}));
            assert_eq!(salvage.deletion_policy(), expected, "{declared} {recorded}");
        }
    }

    #[test]
    fn a_deletion_policy_that_cannot_be_read_retains() {
        use DeletionPolicy::{Delete, Retain};
        for (policy, expected) in [
            (Value::Null, None),
            (json!("Delete"), Some(Delete)),
            (json!("Retain"), Some(Retain)),
            (json!("Archive"), Some(Retain)),
            (json!(7), Some(Retain)),
        ] {
            let spec = json!({"name": "Acme", "suspend": "perhaps", "deletionPolicy": policy});
            assert_eq!(
                salvaged(spec, Value::Null).left.spec.deletion_policy,
                expected,
                "{policy}"
            );
        }
        for spec in [Value::Null, json!("gone")] {
            assert_eq!(
                salvaged(spec, Value::Null).left.spec.deletion_policy,
                Some(Retain)
            );
        }
    }

    #[test]
    fn an_organization_that_cannot_be_read_may_be_any() {
        for (organization, of_eu, of_default) in [
            (json!("eu"), true, false),
            (Value::Null, false, true),
            (json!(7), true, true),
            (json!({"name": "eu"}), true, true),
        ] {
            let spec = json!({"name": "Acme", "suspend": "perhaps", "organization": organization});
            let workspace = stored(spec, Value::Null);
            assert_eq!(workspace.may_use("eu"), of_eu, "{organization}");
            assert_eq!(workspace.may_use("default"), of_default, "{organization}");
        }
        assert!(stored(json!("gone"), Value::Null).may_use("eu"));
    }

    #[test]
    fn nothing_is_done_for_what_cannot_be_decoded() {
        let salvage = salvaged(
            json!({"name": 7, "status": "active", "suspend": false}),
            Value::Null,
        );
        assert_eq!(salvage.left.spec.suspend, Some(true));
        assert_eq!(salvage.left.spec.status, None);
    }
}

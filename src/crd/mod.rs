//! The two kinds as Kubernetes sees them: spec and status, their schema, conditions, and the keys we write on objects.
//!
//! Reading order:
//! - [`workspace`], [`organization`]: the kinds.
//! - [`schema`]: what the API server checks.
//! - [`holder`]: which operator holds an object.
//! - [`conditions`]: how a set of conditions replaces another.
//! - [`metadata_keys`]: finalizer, labels, annotations.
//! - [`any`], [`any_workspace`], [`any_organization`]: objects as stored, which this version may be unable to decode.
//! - [`without_managed_fields`]: decoding that skips `metadata.managedFields`.
//! - [`definitions`]: the CustomResourceDefinitions as YAML.

pub mod any;
pub mod any_organization;
pub mod any_workspace;
pub mod conditions;
pub mod definitions;
pub mod holder;
pub mod metadata_keys;
pub mod organization;
pub mod schema;
pub mod without_managed_fields;
pub mod workspace;

pub use any_organization::AnyOrganization;
pub use any_workspace::AnyWorkspace;
pub use organization::Organization;
pub use without_managed_fields::WithoutManagedFields;
pub use workspace::Workspace;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::organization::{OrganizationSpec, OrganizationStatus};
    use super::workspace::{WorkspaceSpec, WorkspaceStatus};

    const UPPER: &str = "645A183F-B12B-4C6E-8AD3-99E165603450";
    const LOWER: &str = "645a183f-b12b-4c6e-8ad3-99e165603450";

    #[test]
    fn ids_in_specs_and_statuses_of_other_case_are_the_same_ids() {
        let spec: OrganizationSpec = serde_json::from_value(
            json!({"organizationId": UPPER, "credentialsSecretRef": {"name": "credential"}}),
        )
        .unwrap();
        assert_eq!(spec.organization_id, Some(LOWER.into()));
        let status: OrganizationStatus = serde_json::from_value(json!({"organizationId": UPPER})).unwrap();
        assert_eq!(status.organization_id, Some(LOWER.into()));
        let spec: WorkspaceSpec =
            serde_json::from_value(json!({"name": "acme", "workspaceId": UPPER, "regionId": UPPER})).unwrap();
        assert_eq!(spec.workspace_id, Some(LOWER.into()));
        assert_eq!(spec.region_id, Some(LOWER.into()));
        let backup: WorkspaceStatus = serde_json::from_value(json!({
            "workspaceId": UPPER, "organizationId": UPPER,
            "creation": {"uid": "u", "organizationId": UPPER, "name": "acme",
                "at": "2026-04-20T21:57:20.000000Z", "clock": "Local"},
        }))
        .unwrap();
        assert_eq!(backup.workspace_id, Some(LOWER.into()));
        assert_eq!(backup.organization_id, Some(LOWER.into()));
        assert_eq!(backup.creation.unwrap().organization_id, LOWER.into());
    }
}

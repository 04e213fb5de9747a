//! The two kinds as Kubernetes sees them: spec and status, their schema, conditions, and the keys we write on objects.
//!
//! Reading order:
//! - [`workspace`], [`organization`]: the kinds.
//! - [`schema`]: what the API server checks.
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

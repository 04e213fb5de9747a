//! `Organization`: an organisation at Agent Engine, its credential, and who may use what of it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::OrganizationId;
use super::workspace::{AdoptionPolicy, DeletionPolicy};

/// An organisation at Airbyte Agent Engine. Read from the operator's own namespace only.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "agentengine.airbyte.com",
    version = "v1alpha1",
    kind = "Organization",
    namespaced,
    derive = "PartialEq",
    status = "OrganizationStatus"
)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationSpec {
    /// Unset: the public endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    pub credentials_secret_ref: CredentialsSecretRef,
    /// Nothing listed: nothing allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<AccessEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_path: Option<TokenPath>,
    /// A duration such as `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_interval: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<i32>,
    /// PEM certificates to trust beside the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
}

/// A Secret in the Organization's namespace with keys `client_id` and `client_secret`.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CredentialsSecretRef {
    pub name: String,
}

/// Lets namespaces use workspace names, within ceilings that tenants cannot lift.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessEntry {
    pub namespaces: NamespaceSet,
    /// Patterns with `*` and `{namespace}`.
    pub workspace_names: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Ceiling>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Ceiling>,
}

/// Namespaces by name or by label; at least one of the two.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSet {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Ceiling {
    Forbidden,
    Allowed,
}

/// What a Workspace means when it does not say.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Defaults {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption_policy: Option<AdoptionPolicy>,
}

/// Which family of paths issues and proves scoped tokens.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TokenPath {
    #[default]
    Applications,
    Embedded,
}

/// What is so, as far as the operator knows.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct OrganizationStatus {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The verified organisation. Pinned: another answer later is `OrganizationChanged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspaces: Option<WorkspaceCounts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// How many workspaces are whose.
#[derive(KubeSchema, Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceCounts {
    /// Recorded by a Workspace object.
    pub managed: i64,
    /// At Agent Engine, but recorded by no object.
    pub unmanaged: i64,
    /// Objects that lost a claim.
    pub in_conflict: i64,
}

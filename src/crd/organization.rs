//! `Organization`: an organization at Agent Engine, its credential, and who may use what of it.

#![allow(
    rustdoc::bare_urls,
    reason = "descriptions are for kubectl, which reads no Markdown"
)]

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, MicroTime};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::holder::Holder;
use super::schema::{self, organization as checks, status, unset_is_absent};
use super::workspace::{AdoptionPolicy, DeletionPolicy};
use crate::domain::ids::OrganizationId;
use crate::domain::rate::RequestRate;
use crate::domain::remote::TokenPath;

/// The public endpoint of Agent Engine.
pub const DEFAULT_ENDPOINT: &str = "https://api.airbyte.ai";

/// Time between two comparisons with what is at Agent Engine, where an Organization sets none.
pub const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The organization at Agent Engine, the credential for it, and who in the cluster may use what of it.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "agentengine.airbyte.com",
    version = "v1alpha1",
    kind = "Organization",
    namespaced,
    derive = "PartialEq",
    status = "OrganizationStatus",
    doc = "An organization at Airbyte Agent Engine. Read from the operator's own namespace only.",
    shortname = "aeorg",
    category = "agentengine",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status",
        description = "Whether the credential works and the organization is known."),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason",
        description = "Why, in one word."),
    printcolumn(name = "Managed", type_ = "integer", json_path = ".status.workspaces.managed",
        description = "Workspaces that a Workspace object manages, as of the last list."),
    printcolumn(name = "Unmanaged", type_ = "integer", json_path = ".status.workspaces.unmanaged",
        description = "Workspaces at Agent Engine that no object of this Organization manages, as of the last list; 'default' is one."),
    printcolumn(name = "Conflicts", type_ = "integer", json_path = ".status.workspaces.inConflict",
        description = "Workspace objects whose name or id another object holds, as of the last list."),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Organization-ID", type_ = "string", json_path = ".status.organizationId", priority = 1,
        description = "The organization's id at Agent Engine, as verified."),
    printcolumn(name = "Endpoint", type_ = "string", json_path = ".spec.endpoint", priority = 1,
        description = "Empty means the public endpoint."),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1, description = "Why, in words."),
    validation = schema::object_name_fits(),
    validation = checks::organization_id_stays()
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = checks::spec)]
pub struct OrganizationSpec {
    /// Where the API is: scheme, host and at most a port; https, or http on loopback and inside the cluster. Unset:
    /// https://api.airbyte.ai.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = checks::endpoint)]
    pub endpoint: Option<String>,
    /// Id of the organization (a UUID). Needed when the credential opens more than one. Unset: the one that the
    /// credential opens, as found. It may be corrected until an organization is verified; then no other can be set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = schema::uuid)]
    pub organization_id: Option<OrganizationId>,
    /// The Secret with the credential, in this object's namespace: keys client_id and client_secret.
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub credentials_secret_ref: CredentialsSecretRef,
    /// Which namespaces may use which workspace names; entries add up, at most 64. Unset or empty: nothing is granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = checks::access)]
    pub access: Vec<AccessEntry>,
    /// Policies of Workspaces that set none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    /// Family of API paths that issues and verifies scoped tokens: Applications, or Embedded, the older one. Unset:
    /// Applications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_path: Option<TokenPath>,
    /// Time between two lists of the organization's workspaces, such as 90s, 5m or 1h30m; from 30s to 24h. Unset: 5m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = checks::poll_interval)]
    pub poll_interval: Option<String>,
    /// Most requests per second to send for this organization, 1 to 1000. The operator sends fewer when Agent Engine asks
    /// for it. Unset: 50 at first, enough for 10,000 workspaces; then more, up to 500, while they are needed, Agent Engine
    /// answers quickly and asks for no less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: Option<i32>,
    /// PEM certificates of authorities to trust for the endpoint, in addition to the system's. Unset: only the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = checks::ca_bundle)]
    pub ca_bundle: Option<String>,
}

/// A Secret in the Organization's namespace with keys `client_id` and `client_secret`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialsSecretRef {
    /// Name of the Secret.
    #[schemars(transform = schema::secret_name)]
    pub name: String,
}

/// Grants workspace names to namespaces, with limits that tenants cannot lift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = unset_is_absent)]
pub struct AccessEntry {
    /// The namespaces that this entry grants to: by name, and by selector.
    #[schemars(transform = checks::namespaces)]
    pub namespaces: NamespaceSet,
    /// Workspace names that those namespaces may use, at most 64. `*` stands for any characters, also none;
    /// `{namespace}` for the namespace's name. `*` alone grants every name, other tenants' names with them. Empty: none.
    #[schemars(transform = checks::workspace_names)]
    pub workspace_names: Vec<String>,
    /// Whether those namespaces may adopt existing workspaces: Allowed or Forbidden. Unset: Forbidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Permission>,
    /// Whether those namespaces may delete workspaces: Allowed, or Forbidden, which makes every deletion retain and refuses
    /// a rename to a name for which it is Allowed. Unset: Allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Permission>,
}

/// Namespaces by name or by label; at least one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = unset_is_absent)]
pub struct NamespaceSet {
    /// Namespaces by name, at most 256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = checks::namespace_names)]
    pub names: Vec<String>,
    /// Namespaces by their labels. An empty selector selects every namespace. Whoever may label a namespace decides
    /// whether it is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "checks::selector")]
    pub selector: Option<LabelSelector>,
}

/// A limit that tenants cannot lift.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Permission {
    Forbidden,
    Allowed,
}

/// Policies of Workspaces that set none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = unset_is_absent)]
pub struct Defaults {
    /// deletionPolicy of Workspaces that set none: Delete or Retain. Unset: Delete for created workspaces, Retain for
    /// adopted ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// adoptionPolicy of Workspaces that set none: Never or ByName. Unset: Never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption_policy: Option<AdoptionPolicy>,
}

/// What is so, as far as the operator knows. Written by the operator alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = unset_is_absent, extend("default" = {"observedGeneration": -1}))]
pub struct OrganizationStatus {
    /// The metadata.generation that the rest of the status describes; -1 until the operator has seen the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The operator that wrote this status last, and holds the object. While its Lease is held, every other operator of this
    /// namespace reads the object and writes nothing to it. Absent: a version without this field wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Holder>,
    /// Id of the organization as verified. Pinned: if the credential belongs to another one later, the operator reports
    /// it and changes nothing there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = status::foreign_text)]
    pub organization_id: Option<OrganizationId>,
    /// Counts of workspaces as of the last list, which is at most pollInterval old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspaces: Option<WorkspaceCounts>,
    /// How many managed workspaces were missing from the list at once, if they are so many that the operator doubts the
    /// list: it changes none of them until a list has them again or the annotation
    /// agentengine.airbyte.com/confirm-missing names this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_workspaces: Option<i64>,
    /// How many requests per second the operator sends at most, as of the last write of this status: written with other
    /// changes, and when it has doubled or halved, at most once a minute. The metric requests_per_second has it to the
    /// second. Nothing is decided by it, but for the pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_rate: Option<RequestRateStatus>,
    /// The value of the annotation agentengine.airbyte.com/reconcile-at that the operator handled last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = status::foreign_text)]
    pub last_handled_reconcile_at: Option<String>,
    /// Ready (the credential works and the organization is verified). Reconciling (work or waiting goes on by itself)
    /// and Stalled (a person must change something) only while true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "status::conditions")]
    pub conditions: Vec<Condition>,
}

/// Counts of workspaces.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceCounts {
    /// Workspaces that a Workspace object manages, as of the last list.
    pub managed: i64,
    /// Workspaces at Agent Engine that no object of this Organization manages, as of the last list. The workspace
    /// default, which every organization has, counts here unless an object manages it.
    pub unmanaged: i64,
    /// Workspace objects whose name or id another object claims, as of the last list.
    pub in_conflict: i64,
}

/// How many requests are sent, and why not more.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestRateStatus {
    /// Requests per second.
    pub per_second: i64,
    /// Untried (not used up since the operator started), Growing, Sufficient (not used up any more), SlowAnswers, Throttled
    /// (429) or AtCeiling.
    #[schemars(transform = status::foreign_text)]
    pub reason: String,
    /// A pause that Agent Engine asked for by a 429, as of the last write of this status: one of 30 s or more is written when
    /// it begins. A process of the operator that begins sends this organization nothing before its end. One that is over means
    /// nothing, and goes with the next write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseStatus>,
}

/// A pause that the next process keeps to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PauseStatus {
    /// When it ends, by the clock of the process that was told.
    pub until: MicroTime,
    /// How many seconds were left of it when this was written: a process whose clock shows another time waits no longer than
    /// that, and an hour at most.
    pub seconds: i64,
}

impl RequestRateStatus {
    /// The rate as the status tells it.
    pub fn of(rate: RequestRate, pause: Option<PauseStatus>) -> Self {
        Self {
            per_second: i64::from(rate.per_second),
            reason: rate.reason.as_str().to_owned(),
            pause,
        }
    }
}

/// What a spec means where it says nothing.
impl OrganizationSpec {
    /// Base URL of the API, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        self.endpoint
            .as_deref()
            .unwrap_or(DEFAULT_ENDPOINT)
            .trim_end_matches('/')
    }

    /// Which family of paths issues and verifies scoped tokens.
    pub fn token_path(&self) -> TokenPath {
        self.token_path.unwrap_or_default()
    }

    /// Time between two comparisons with what is at Agent Engine. What cannot be read counts as unset: the API server
    /// refuses such a value, so only an object from before that rule could hold one.
    pub fn poll_interval(&self) -> Duration {
        let declared = self
            .poll_interval
            .as_deref()
            .and_then(|text| text.parse::<kube::core::Duration>().ok());
        let positive = declared
            .filter(|duration| !duration.is_negative())
            .map(Duration::from);
        positive
            .filter(|duration| POLL_INTERVALS.contains(duration))
            .unwrap_or(DEFAULT_POLL_INTERVAL)
    }
}

/// Poll intervals that an Organization may set.
const POLL_INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(30)..=Duration::from_secs(24 * 60 * 60);

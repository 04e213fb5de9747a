//! `Workspace`: one tenant's workspace at Agent Engine, declared.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, Time};
use kube::{CustomResource, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::holder::Holder;
use super::schema::{self, status, unset_is_absent};
use crate::domain::ids::{OrganizationId, RegionId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::remote::WorkspaceState;

/// The Organization that a Workspace means when it names none.
pub const DEFAULT_ORGANIZATION: &str = "default";

/// The declared state of the workspace at Agent Engine. The operator leaves alone what an unset field would control,
/// unless the description says what unset means.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "agentengine.airbyte.com",
    version = "v1alpha1",
    kind = "Workspace",
    namespaced,
    derive = "PartialEq",
    status = "WorkspaceStatus",
    doc = "A workspace at Airbyte Agent Engine, and the Secret that holds a scoped token for it.",
    shortname = "aews",
    category = "agentengine",
    selectable = ".spec.name",
    selectable = ".spec.organization",
    selectable = ".status.workspaceId",
    printcolumn(name = "Workspace", type_ = "string", json_path = ".status.name",
        description = "The workspace's name at Agent Engine, as last seen."),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state",
        description = "active or inactive, as last seen."),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status",
        description = "Whether all is as declared."),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason",
        description = "Why, in one word."),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "ID", type_ = "string", json_path = ".status.workspaceId", priority = 1,
        description = "The workspace's id at Agent Engine."),
    printcolumn(name = "Organization", type_ = "string", json_path = ".spec.organization", priority = 1,
        description = "The Organization object; empty means default."),
    printcolumn(name = "Organization-ID", type_ = "string", json_path = ".status.organizationId", priority = 1,
        description = "The organization's id at Agent Engine."),
    printcolumn(name = "Secret", type_ = "string", json_path = ".status.tokenSecretName", priority = 1,
        description = "The Secret that holds the token."),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1, description = "Why, in words."),
    validation = schema::object_name_fits()
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::workspace::spec)]
pub struct WorkspaceSpec {
    /// The workspace's name at Agent Engine, 1 to 256 characters. Changing it renames the workspace. The Organization
    /// must grant the name to the namespace.
    #[schemars(transform = schema::workspace::workspace_name)]
    pub name: WorkspaceName,
    /// The status of the workspace: active or inactive. An inactive one has no token Secret. Unset: the operator leaves it
    /// as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<WorkspaceState>,
    /// Name of the Organization object to use, in the operator's namespace. Unset: default. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = schema::organization_name)]
    pub organization: Option<String>,
    /// What happens to the workspace at Agent Engine when this object is deleted: Delete or Retain. Unset: the
    /// Organization's default, else Delete for a workspace that was created for this object and Retain for an adopted one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What to do if a workspace of that name exists: Never (stop and report it) or ByName (adopt it, if the Organization
    /// allows adoption). Unset: the Organization's default, else Never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption_policy: Option<AdoptionPolicy>,
    /// Adopt exactly the workspace with this id (a UUID) and create none; the Organization must allow adoption. Cannot
    /// be changed, added or removed later. Not together with regionId or with adoptionPolicy Never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = schema::uuid)]
    pub workspace_id: Option<WorkspaceId>,
    /// The region (a UUID) to create the workspace in; has no effect on one that exists. Unset: Agent Engine chooses.
    /// Cannot be changed, added or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = schema::uuid)]
    pub region_id: Option<RegionId>,
    /// The Secret for the scoped token. Unset: a Secret named after this object, with `-token` at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<TokenSecret>,
    /// True: the operator creates, renames, activates and deactivates nothing. It still renews the token of a workspace
    /// that it manages, and handles deletion. Unset: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// What happens to the workspace at Agent Engine when its object is deleted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    Delete,
    Retain,
}

/// What to do if a workspace at Agent Engine has the declared name already.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AdoptionPolicy {
    Never,
    ByName,
}

/// The Secret for the scoped token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = unset_is_absent)]
pub struct TokenSecret {
    /// False: the object has no token Secret. Unset: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Name of the Secret, in this object's namespace. The operator leaves a Secret of another owner alone and reports
    /// it. Unset: this object's name with `-token` at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = schema::secret_name)]
    pub name: Option<String>,
    /// Labels for the Secret, at most 32. It does not inherit the labels of this object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = schema::workspace::secret_labels)]
    pub labels: BTreeMap<String, String>,
    /// Annotations for the Secret, at most 32. It does not inherit the annotations of this object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = schema::workspace::secret_annotations)]
    pub annotations: BTreeMap<String, String>,
}

/// What is so, as far as the operator knows. Written by the operator alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = unset_is_absent, extend("default" = {"observedGeneration": -1}))]
pub struct WorkspaceStatus {
    /// The metadata.generation that the rest of the status describes; -1 until the operator has seen the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The operator that wrote this status last, and holds the object. While its Lease is held, every other operator leaves the
    /// object alone, its deletion included. Absent: a version without this field wrote it, and no operator holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Holder>,
    /// metadata.uid of the object that this record was made for. A record made for another object (a restored backup, a
    /// copy) counts only as a wish to adopt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = status::object_name)]
    pub uid: Option<Uid>,
    /// Id of the workspace at Agent Engine: its identity from the moment it is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = status::foreign_text)]
    pub workspace_id: Option<WorkspaceId>,
    /// Id of the workspace's organization at Agent Engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = status::foreign_text)]
    pub organization_id: Option<OrganizationId>,
    /// The workspace's name at Agent Engine, as last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = status::foreign_text)]
    pub name: Option<WorkspaceName>,
    /// The workspace's status at Agent Engine, as last seen: active or inactive. Absent: a status that the operator does
    /// not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<WorkspaceState>,
    /// How the operator got the workspace: Created or Adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What would happen to the workspace at Agent Engine if this object were deleted now: Delete or Retain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Present while the recorded workspace is missing at Agent Engine: a GET by its id did not find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingWorkspace>,
    /// Id of another organization that the recorded workspace was last said to belong to. Absent while it belongs to the
    /// recorded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = status::foreign_text)]
    pub observed_organization_id: Option<OrganizationId>,
    /// A creation in flight. Present from before the request is sent until its outcome is certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,
    /// Name of the Secret that holds the token, in this object's namespace. Absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = status::object_name)]
    pub token_secret_name: Option<String>,
    /// The value of the annotation agentengine.airbyte.com/reconcile-at that the operator handled last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = status::foreign_text)]
    pub last_handled_reconcile_at: Option<String>,
    /// Ready (all is as declared), Synced (the remote workspace is), TokenReady (a verified token is in the Secret).
    /// Reconciling (work or waiting goes on by itself) and Stalled (a person must change something) only while true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "status::conditions")]
    pub conditions: Vec<Condition>,
}

/// How the operator got the recorded workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Origin {
    Created,
    Adopted,
}

/// A recorded workspace that is missing at Agent Engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingWorkspace {
    /// When the operator first asked for the workspace and Agent Engine did not find it.
    pub since: Time,
    /// Whether the organization's list lacks the workspace, too: then it is lost until somebody restores or replaces it.
    pub confirmed: bool,
}

/// A creation in flight: written before the request that creates, so that a crash in between is no orphan.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Creation {
    /// metadata.uid of the object that the creation is for.
    #[schemars(transform = status::object_name)]
    pub uid: Uid,
    /// Id of the organization that the workspace is created in.
    #[schemars(transform = status::foreign_text)]
    pub organization_id: OrganizationId,
    /// The name of the creation. The operator finishes it under this name, whatever spec declares meanwhile.
    #[schemars(transform = status::foreign_text)]
    pub name: WorkspaceName,
    /// Start of the request that creates, on the clock that `clock` names.
    pub at: MicroTime,
    /// Whose clock stamped `at`: Server (Agent Engine's) or Local (the operator's).
    pub clock: CreationClock,
}

/// Whose clock stamped a creation: the server's where its answers carried a `Date`, estimated where all of them were slow, else the
/// operator's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CreationClock {
    Server,
    Estimated,
    Local,
}

/// The meaning of unset fields. The CEL rules of [`schema`] compare by the same meaning.
impl WorkspaceSpec {
    /// The Organization object to use.
    pub fn organization_name(&self) -> &str {
        self.organization.as_deref().unwrap_or(DEFAULT_ORGANIZATION)
    }

    /// Whether the object shall have a token Secret.
    pub fn token_enabled(&self) -> bool {
        self.token_secret
            .as_ref()
            .and_then(|secret| secret.enabled)
            .unwrap_or(true)
    }

    /// Name of the token Secret of a Workspace object with this name.
    pub fn token_secret_name(&self, object: &str) -> String {
        let declared = self.token_secret.as_ref().and_then(|secret| secret.name.clone());
        declared.unwrap_or_else(|| format!("{object}-token"))
    }

    /// Whether `suspend` is set.
    pub fn is_suspended(&self) -> bool {
        self.suspend.unwrap_or(false)
    }
}

impl Workspace {
    /// Name of the token Secret.
    pub fn token_secret_name(&self) -> String {
        self.spec.token_secret_name(&self.name_any())
    }
}

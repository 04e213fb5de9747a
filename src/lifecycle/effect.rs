//! Effects and their outcomes. The core names effects; the shell performs them.

use std::collections::BTreeMap;
use std::time::Duration;

use strum::IntoStaticStr;

use crate::crd::workspace::{WorkspaceSpec, WorkspaceStatus};
use crate::domain::ids::{RegionId, WorkspaceId, WorkspaceName};
use crate::domain::remote::{Answer, Answered, Deleted, RemoteWorkspace, TokenScope, WorkspaceState};
use crate::lifecycle::facts::{ObjectFacts, OrganizationFacts, SecretContent, SecretFacts};
use crate::lifecycle::schedule::TokenTimes;

/// Stands for a token that the shell holds. The core never sees the token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub struct TokenSlot(pub u64);

/// One request, to the Kubernetes API or to Agent Engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Cluster(ClusterEffect),
    Engine(EngineCall),
}

/// A request to the Kubernetes API. Every write carries the resource version that it was decided on.
#[derive(Clone, Debug, IntoStaticStr, PartialEq)]
pub enum ClusterEffect {
    /// Reads the object, and its Organization.
    ReadObject,
    AddFinalizer,
    RemoveFinalizer,
    WriteStatus(Box<WorkspaceStatus>),
    ReadSecret {
        name: String,
    },
    WriteSecret(Box<SecretDraft>),
    /// Ask whether a Secret of that name could be created now, without creating it.
    TrySecret {
        name: String,
    },
    /// Puts labels and annotations on a Secret of ours, and leaves its content.
    DecorateSecret(Box<Decorated>),
    DeleteSecret {
        name: String,
        resource_version: String,
    },
    ReadCrd,
}

/// A call to Agent Engine. It needs a permit of the rate limiter.
#[derive(Clone, Debug, IntoStaticStr, PartialEq)]
pub enum EngineCall {
    /// Search by name, all pages.
    Search(WorkspaceName),
    Get(WorkspaceId),
    /// Creates a workspace if none has the name. Sent only under a name that a read just confirmed, or a search just found
    /// free.
    Issue {
        name: WorkspaceName,
        region: Option<RegionId>,
    },
    Verify(TokenSlot),
    Update {
        id: WorkspaceId,
        change: WorkspaceChange,
    },
    Delete(WorkspaceId),
}

/// The one field that an update changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WorkspaceChange {
    Rename(WorkspaceName),
    State(WorkspaceState),
}

/// The token Secret to write. The shell adds the token, the marks and the owner.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretDraft {
    pub name: String,
    pub slot: TokenSlot,
    pub replace: Replace,
    pub content: SecretContent,
    pub times: TokenTimes,
    pub decoration: SecretDecoration,
}

/// The labels and annotations to put on a Secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decorated {
    pub name: String,
    pub resource_version: String,
    pub decoration: SecretDecoration,
}

/// Labels and annotations of the token Secret. The mark tells a later process that they were written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretDecoration {
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub mark: u64,
}

/// What the write expects under the name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Replace {
    Nothing,
    Version(String),
}

/// The object as a read or a write returned it.
#[derive(Clone, Debug)]
pub struct ObjectState {
    pub object: ObjectFacts,
    pub declared: WorkspaceSpec,
    pub stored: WorkspaceStatus,
    /// Its Organization, read along with it. A write returns none.
    pub organization: Option<OrganizationFacts>,
}

/// A token that was issued, held by the shell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IssuedToken {
    pub slot: TokenSlot,
    /// The lifetime that the token claims. May be absurd.
    pub lifetime: Duration,
}

/// The Workspace CRD, read live.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CrdState {
    Serving,
    /// Terminating or gone. Kubernetes deletes its objects with it; no user asked to delete their workspaces.
    Going,
    /// The Kubernetes API did not answer, or forbade the read.
    Unreadable {
        why: String,
    },
}

/// A Secret, read live.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one of these lives in a reconcile; a box would only be in the way"
)]
pub enum LiveSecret {
    Absent,
    Present(SecretFacts),
}

/// The outcome of an effect, in the same two families.
#[derive(Clone, Debug)]
pub enum Outcome {
    Cluster(ClusterOutcome),
    Engine(EngineAnswer),
}

/// The outcome of a request to the Kubernetes API.
#[derive(Clone, Debug, IntoStaticStr)]
pub enum ClusterOutcome {
    /// The object as it is now, after a read or a write of ours.
    Object(Box<ObjectState>),
    /// The object, or this incarnation of it, is gone.
    Gone,
    /// The object to write had another resource version.
    Conflict,
    /// The API server answered 403. `detail` may be shown to users.
    Forbidden {
        detail: String,
    },
    /// The API server answered another error, or did not answer. `detail` may be shown to users.
    KubernetesFailed {
        detail: String,
    },
    Secret(LiveSecret),
    SecretWritten(SecretFacts),
    /// The Secret could be created.
    SecretPossible,
    SecretDecorated(SecretFacts),
    /// The API server refuses to change the content of this Secret, whatever is written.
    SecretUnpatchable,
    SecretDeleted {
        name: String,
    },
    Crd(CrdState),
}

/// What Agent Engine answered.
#[derive(Clone, Debug)]
pub enum EngineAnswer {
    Searched(Answer<Vec<RemoteWorkspace>>),
    Got(Answer<Option<RemoteWorkspace>>),
    Issued(Answer<IssuedToken>),
    Verified(Answer<TokenScope>),
    Updated(Answer<RemoteWorkspace>),
    Deleted(Answer<Deleted>),
}

impl From<ClusterEffect> for Effect {
    fn from(effect: ClusterEffect) -> Self {
        Self::Cluster(effect)
    }
}

impl From<EngineCall> for Effect {
    fn from(call: EngineCall) -> Self {
        Self::Engine(call)
    }
}

impl EngineCall {
    /// Whether the operator cannot undo it: such a call is decided on the object as read live, not on a store.
    pub fn is_final(&self) -> bool {
        match self {
            EngineCall::Update { .. } | EngineCall::Delete(_) => true,
            EngineCall::Search(_) | EngineCall::Get(_) | EngineCall::Issue { .. } | EngineCall::Verify(_) => {
                false
            }
        }
    }
}

impl Effect {
    /// A request to the Kubernetes API that changes nothing, and tells nobody anything.
    pub fn is_read(&self) -> bool {
        match self {
            Effect::Cluster(
                ClusterEffect::ReadObject | ClusterEffect::ReadSecret { .. } | ClusterEffect::ReadCrd,
            ) => true,
            Effect::Cluster(
                ClusterEffect::AddFinalizer
                | ClusterEffect::RemoveFinalizer
                | ClusterEffect::WriteStatus(_)
                | ClusterEffect::WriteSecret(_)
                | ClusterEffect::TrySecret { .. }
                | ClusterEffect::DecorateSecret(_)
                | ClusterEffect::DeleteSecret { .. },
            )
            | Effect::Engine(_) => false,
        }
    }

    /// Name for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Effect::Cluster(effect) => effect.into(),
            Effect::Engine(call) => call.into(),
        }
    }
}

impl EngineAnswer {
    /// The number of requests and the failure, of any call.
    pub fn answered(&self) -> Answered<'_> {
        match self {
            EngineAnswer::Searched(answer) => answer.into(),
            EngineAnswer::Got(answer) => answer.into(),
            EngineAnswer::Issued(answer) => answer.into(),
            EngineAnswer::Verified(answer) => answer.into(),
            EngineAnswer::Updated(answer) => answer.into(),
            EngineAnswer::Deleted(answer) => answer.into(),
        }
    }
}

impl Outcome {
    /// The outcome in one word, for logs.
    pub fn summary(&self) -> &'static str {
        match self {
            Outcome::Cluster(outcome) => outcome.into(),
            Outcome::Engine(answer) => answer
                .answered()
                .failure
                .map_or("Answered", |failure| failure.class.as_str()),
        }
    }
}

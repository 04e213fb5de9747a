//! What may be done, and what may come of it. The core names effects; it performs none.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::crd::workspace::{WorkspaceSpec, WorkspaceStatus};
use crate::domain::ids::{RegionId, WorkspaceId, WorkspaceName};
use crate::domain::remote::{Answer, Answered, Deleted, RemoteWorkspace, TokenScope, WorkspaceState};
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::view::{CrdState, LiveSecret, ObjectFacts, SecretContent, SecretFacts};

/// Stands for a token that the shell holds. The core never sees the token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub struct TokenSlot(pub u64);

/// One thing to do. Every write carries the resource version that it was decided on.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    ReadObject,
    AddFinalizer,
    RemoveFinalizer,
    WriteStatus(Box<WorkspaceStatus>),
    ReadSecret {
        name: String,
    },
    WriteSecret(Box<SecretDraft>),
    DeleteSecret {
        name: String,
        resource_version: String,
    },
    ReadCrd,
    /// Search by name, all pages.
    Search(WorkspaceName),
    Get(WorkspaceId),
    /// Creates what it does not find: only ever under a name that was just confirmed, or just found absent.
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

/// The one member that an update changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WorkspaceChange {
    Rename(WorkspaceName),
    State(WorkspaceState),
}

/// A token Secret as it shall be. The shell adds the token, the marks and the owner.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretDraft {
    pub name: String,
    pub slot: TokenSlot,
    pub replace: Replace,
    pub content: SecretContent,
    pub times: TokenTimes,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
}

/// What is expected under the name.
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
}

/// A token that was issued, held by the shell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IssuedToken {
    pub slot: TokenSlot,
    /// As the token claims; may be absurd.
    pub lifetime: Duration,
}

/// What came of an effect.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The object as it is now, after a read or a write of ours.
    Object(Box<ObjectState>),
    /// The object, or this incarnation of it, is gone.
    Vanished,
    /// What was written to had changed meanwhile.
    Conflict,
    /// The API server says that we may not. `detail` is fit to be shown.
    Forbidden {
        detail: String,
    },
    /// The API server refused in another way or did not answer. `detail` is fit to be shown.
    KubernetesFailed {
        detail: String,
    },
    Secret(LiveSecret),
    SecretWritten(SecretFacts),
    SecretDeleted {
        name: String,
    },
    Crd(CrdState),
    Searched(Answer<Vec<RemoteWorkspace>>),
    Got(Answer<Option<RemoteWorkspace>>),
    Issued(Answer<IssuedToken>),
    Verified(Answer<TokenScope>),
    Updated(Answer<RemoteWorkspace>),
    Deleted(Answer<Deleted>),
}

impl Outcome {
    /// Nothing where only Kubernetes was asked.
    pub fn answered(&self) -> Option<Answered<'_>> {
        match self {
            Outcome::Searched(answer) => Some(answer.into()),
            Outcome::Got(answer) => Some(answer.into()),
            Outcome::Issued(answer) => Some(answer.into()),
            Outcome::Verified(answer) => Some(answer.into()),
            Outcome::Updated(answer) => Some(answer.into()),
            Outcome::Deleted(answer) => Some(answer.into()),
            Outcome::Object(_)
            | Outcome::Vanished
            | Outcome::Conflict
            | Outcome::Forbidden { .. }
            | Outcome::KubernetesFailed { .. }
            | Outcome::Secret(_)
            | Outcome::SecretWritten(_)
            | Outcome::SecretDeleted { .. }
            | Outcome::Crd(_) => None,
        }
    }
}

impl Effect {
    /// Whether it is a call to Agent Engine, and so takes a turn.
    pub fn is_remote(&self) -> bool {
        match self {
            Effect::Search(_)
            | Effect::Get(_)
            | Effect::Issue { .. }
            | Effect::Verify(_)
            | Effect::Update { .. }
            | Effect::Delete(_) => true,
            Effect::ReadObject
            | Effect::AddFinalizer
            | Effect::RemoveFinalizer
            | Effect::WriteStatus(_)
            | Effect::ReadSecret { .. }
            | Effect::WriteSecret(_)
            | Effect::DeleteSecret { .. }
            | Effect::ReadCrd => false,
        }
    }

    /// Name for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Effect::ReadObject => "ReadObject",
            Effect::AddFinalizer => "AddFinalizer",
            Effect::RemoveFinalizer => "RemoveFinalizer",
            Effect::WriteStatus(_) => "WriteStatus",
            Effect::ReadSecret { .. } => "ReadSecret",
            Effect::WriteSecret(_) => "WriteSecret",
            Effect::DeleteSecret { .. } => "DeleteSecret",
            Effect::ReadCrd => "ReadCrd",
            Effect::Search(_) => "Search",
            Effect::Get(_) => "Get",
            Effect::Issue { .. } => "Issue",
            Effect::Verify(_) => "Verify",
            Effect::Update { .. } => "Update",
            Effect::Delete(_) => "Delete",
        }
    }
}

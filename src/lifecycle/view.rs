//! All that is known about one workspace at one instant. Plain values: rules read it, outcomes are folded into it.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

pub use super::facts::{
    Content, ListEntry, ObjectFacts, OrganizationFacts, Ownership, ReadableOrganization, SecretContent,
    SecretFacts, Secrets,
};
pub use super::progress::{CrdState, Issued, LiveSecret, NameSearch, Observation, Progress, Remote, Removal};
use crate::crd::workspace::{Creation, Origin, WorkspaceSpec, WorkspaceStatus};
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
pub use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::Reason;
use crate::domain::remote::{RemoteWorkspace, WorkspaceState};
pub use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::memory::Memory;
use crate::lifecycle::verdict::Aspect;
use crate::tenancy::ClaimResult;

/// Everything that a decision may depend on.
#[derive(Clone, Debug)]
pub struct View {
    pub now: Timestamp,
    /// Only the leader acts.
    pub leader: bool,
    pub object: ObjectFacts,
    pub declared: WorkspaceSpec,
    /// The status as stored. Counts only as far as [`View::record`] and [`View::intent`] believe it.
    pub stored: WorkspaceStatus,
    pub organization: OrganizationFacts,
    /// What the claims table said to this reconcile.
    pub claim_result: ClaimResult,
    pub secrets: Secrets,
    /// The organization's shared list on this workspace, if it has one that is whole.
    pub listed: Option<ListEntry>,
    pub memory: Memory,
    pub progress: Progress,
}

/// The recorded identity, bound to this very object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    pub id: WorkspaceId,
    pub organization_id: OrganizationId,
    /// As last observed.
    pub name: WorkspaceName,
    pub state: Option<WorkspaceState>,
    pub origin: Origin,
}

impl View {
    /// Counts only while it was made for this object, and is whole.
    pub fn record(&self) -> Option<Record> {
        if self.stored.uid.as_ref() != Some(&self.object.uid) {
            return None;
        }
        Some(Record {
            id: self.stored.workspace_id.clone()?,
            organization_id: self.stored.organization_id.clone()?,
            name: self.stored.name.clone()?,
            state: self.stored.state,
            origin: self.stored.origin.unwrap_or(Origin::Adopted),
        })
    }

    /// The id that a status made for another object names: a wish to adopt, believed for nothing else.
    pub fn wish(&self) -> Option<&WorkspaceId> {
        let foreign = self.stored.uid.as_ref() != Some(&self.object.uid);
        self.stored.workspace_id.as_ref().filter(|_| foreign)
    }

    /// A creation in flight, bound to this very object.
    pub fn intent(&self) -> Option<&Creation> {
        self.stored
            .creation
            .as_ref()
            .filter(|creation| creation.uid == self.object.uid)
    }

    /// The Organization where it can be read.
    pub fn readable(&self) -> Option<&ReadableOrganization> {
        match &self.organization {
            OrganizationFacts::Readable(organization) => Some(organization),
            OrganizationFacts::NotFound { .. } | OrganizationFacts::Unreadable { .. } => None,
        }
    }

    /// The verified organization.
    pub fn verified(&self) -> Option<&OrganizationId> {
        match &self.readable()?.verification {
            Verification::Verified(id) => Some(id),
            Verification::Pending { .. } | Verification::Changed { .. } => None,
        }
    }

    /// The GET by id of this reconcile, if it was for `id`.
    pub fn observed(&self, id: &WorkspaceId) -> Option<&Observation> {
        self.progress.remote.as_ref().filter(|seen| seen.id == *id)
    }

    /// The workspace as this reconcile's GET by id showed it.
    pub fn present(&self, id: &WorkspaceId) -> Option<&RemoteWorkspace> {
        self.observed(id)?.present()
    }

    /// The search for `name` of this reconcile.
    pub fn search(&self, name: &WorkspaceName) -> Option<&NameSearch> {
        self.progress.searches.iter().find(|search| search.name == *name)
    }

    /// What a stored condition said, for aspects that this reconcile leaves alone.
    pub fn stored_finding(&self, kind: &str) -> Option<Finding> {
        let condition = self.stored.conditions.iter().find(|c| c.type_ == kind)?;
        Some(Finding::new(
            Reason::parse(&condition.reason)?,
            condition.message.clone(),
        ))
    }

    /// The name that the token Secret is declared to have.
    pub fn target_name(&self) -> String {
        self.declared.token_secret_name(&self.object.name)
    }

    /// Whether the last attempt of this aspect failed so recently that it rests.
    pub fn rests(&self, aspect: Aspect) -> bool {
        let until = self.memory.backoff(aspect).not_before(self.cause());
        until.is_some_and(|at| at > self.now)
    }

    /// A fingerprint of what a failed attempt depended on: when it changes, back-off starts anew.
    pub fn cause(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.object.generation.hash(&mut hasher);
        self.object.reconcile_at.hash(&mut hasher);
        self.object.recreate.hash(&mut hasher);
        self.readable()
            .map(|organization| (&organization.name, organization.revision))
            .hash(&mut hasher);
        hasher.finish()
    }
}

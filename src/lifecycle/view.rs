//! Everything that is known about one workspace at one instant. Plain values: rules read them, outcomes change them.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};

use crate::crd::conditions;
use crate::crd::workspace::{Creation, Origin, WorkspaceSpec, WorkspaceStatus};
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use crate::domain::operators::Operators;
use crate::domain::reason::Reason;
use crate::domain::remote::{RemoteWorkspace, WorkspaceState};
use crate::domain::time::{CLOCK_SLACK, Uptime, later};
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::facts::{ListEntry, ObjectFacts, OrganizationFacts, ReadableOrganization, Secrets};
use crate::lifecycle::memory::Memory;
use crate::lifecycle::progress::{
    NameSearch, Observation, PermitProgress, Progress, Removal, SecretProgress, TokenProgress,
};
use crate::tenancy::ClaimResult;

/// Everything that a decision may depend on.
#[derive(Clone, Debug)]
pub struct View {
    pub now: Timestamp,
    /// When this process began. What the one before had sent may still take effect for a while after it.
    pub process_began: Timestamp,
    /// This operator, and which others are gone.
    pub operators: Operators,
    pub object: ObjectFacts,
    pub declared: WorkspaceSpec,
    /// The status as stored. Counts only as far as [`View::record`] and [`View::intent`] trust it.
    pub stored: WorkspaceStatus,
    pub organization: OrganizationFacts,
    /// What the claims table said to this reconcile.
    pub claim_result: ClaimResult,
    pub secrets: Secrets,
    /// The entry of the shared list about the recorded workspace, if there is a whole list.
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
    /// The marks on Secrets may be of the clock of another process; the times in a view are of our own.
    #[must_use]
    pub fn by_our_clock(mut self) -> Self {
        self.follow_the_clock(self.now);
        self
    }

    /// The same, where our own clock was set meanwhile. A list from ahead of it is of before it was set back: it is older than
    /// anything that was seen, asked or written since.
    pub fn follow_the_clock(&mut self, now: Timestamp) {
        if let Some(list) = &mut self.listed
            && list.requested_at > later(now, CLOCK_SLACK)
        {
            (list.begun_at, list.requested_at) = (Timestamp::MIN, Timestamp::MIN);
        }
        let ahead = self.server_ahead();
        let read = self
            .progress
            .secrets
            .values_mut()
            .filter_map(SecretProgress::facts_mut);
        for secret in read
            .chain(&mut self.secrets.target)
            .chain(&mut self.secrets.others)
        {
            secret.times = secret.times.map(|times| times.by_a_clock(ahead));
        }
    }

    /// Now, by the time of the process.
    pub fn uptime(&self) -> Uptime {
        Uptime::at(self.now, self.process_began)
    }

    /// What our wall clock shows at that time of the process.
    pub fn by_the_wall_clock(&self, at: Uptime) -> Timestamp {
        at.by_the_wall_clock(self.process_began)
    }

    /// How far the server's clock is ahead of ours, if that is known.
    pub fn server_ahead(&self) -> Option<SignedDuration> {
        let known = self.readable()?.server_time?;
        Some(known.ahead(self.process_began))
    }

    /// The record, if it was made for this object and is whole.
    pub fn record(&self) -> Option<Record> {
        let (id, organization_id, name) = self.recorded()?;
        Some(Record {
            id: id.clone(),
            organization_id: organization_id.clone(),
            name: name.clone(),
            state: self.stored.state,
            origin: self.stored.origin.unwrap_or(Origin::Adopted),
        })
    }

    /// The id of the recorded workspace.
    pub fn recorded_id(&self) -> Option<&WorkspaceId> {
        self.recorded().map(|(id, ..)| id)
    }

    /// The last observed name of the recorded workspace.
    pub fn recorded_name(&self) -> Option<&WorkspaceName> {
        self.recorded().map(|(.., name)| name)
    }

    fn recorded(&self) -> Option<(&WorkspaceId, &OrganizationId, &WorkspaceName)> {
        if self.stored.uid.as_ref() != Some(&self.object.uid) {
            return None;
        }
        Some((
            self.stored.workspace_id.as_ref()?,
            self.stored.organization_id.as_ref()?,
            self.stored.name.as_ref()?,
        ))
    }

    /// The id that a status made for another object names: a wish to adopt, confirmed for nothing else.
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

    /// The Organization, if it was decoded.
    pub fn readable(&self) -> Option<&ReadableOrganization> {
        match &self.organization {
            OrganizationFacts::Readable(organization) => Some(organization),
            OrganizationFacts::NotFound { .. } | OrganizationFacts::Unreadable { .. } => None,
        }
    }

    /// The verified organization.
    pub fn verified(&self) -> Option<&OrganizationId> {
        self.readable()?.verification.verified()
    }

    /// The GET by id of this reconcile.
    pub fn observed(&self, id: &WorkspaceId) -> Option<&Observation> {
        self.progress.workspaces.get(id)?.read.as_ref()
    }

    /// The workspace as the GET by id of this reconcile showed it.
    pub fn present(&self, id: &WorkspaceId) -> Option<&RemoteWorkspace> {
        self.observed(id)?.present()
    }

    /// The workspace as the last answer of this reconcile showed it: a GET, or our own update.
    pub fn row(&self, id: &WorkspaceId) -> Option<&RemoteWorkspace> {
        self.progress.workspaces.get(id)?.row.as_ref()
    }

    /// The search for `name` of this reconcile.
    pub fn search(&self, name: &WorkspaceName) -> Option<&NameSearch> {
        self.progress.searches.get(name)
    }

    /// How far the DELETE of that workspace got. Without a permit the GET that an unclear one needs is not made.
    pub fn removal(&self, id: &WorkspaceId) -> Removal {
        let removal = self.progress.removals.get(id).copied().unwrap_or_default();
        match (removal, self.progress.permit) {
            (Removal::Unclear, PermitProgress::NotBefore(_)) => Removal::Failed,
            (removal, _) => removal,
        }
    }

    /// Whether a Secret of that name was read live, written or deleted by this reconcile.
    pub fn has_read_secret(&self, name: &str) -> bool {
        match self.progress.secrets.get(name) {
            Some(SecretProgress::Absent | SecretProgress::Possible | SecretProgress::Present(_)) => true,
            Some(SecretProgress::Changed) | None => false,
        }
    }

    /// Whether the creation that is stored is void: its issue certainly made nothing, or cannot be sent any more.
    pub fn is_void(&self, intent: &Creation) -> bool {
        match (&self.progress.token, self.progress.permit) {
            (TokenProgress::NothingMade(of), _) => of.as_ref() == Some(intent),
            (TokenProgress::MayIssue(of), PermitProgress::NotBefore(_)) => of == intent,
            (TokenProgress::MayIssue(of), PermitProgress::Open) => {
                of == intent && !self.progress.clock.may_begin(intent, self.now)
            }
            (_, _) => false,
        }
    }

    /// What the stored condition of this kind says while its aspect waits for the next attempt. Only carried over, never
    /// decided by.
    pub fn last_word(&self, kind: &str, otherwise: impl FnOnce() -> Finding) -> Finding {
        let condition = conditions::find(&self.stored.conditions, kind);
        condition
            .and_then(|c| Some(Finding::new(Reason::parse(&c.reason)?, c.message.clone())))
            .filter(|finding| !finding.is_ready())
            .unwrap_or_else(otherwise)
    }

    /// The name that the token Secret is declared to have.
    pub fn target_name(&self) -> String {
        self.declared.token_secret_name(&self.object.name)
    }

    /// Whether the last attempt of this aspect failed so recently that it rests.
    pub fn rests(&self, aspect: Aspect) -> bool {
        self.not_before(aspect).is_some_and(|at| at > self.now)
    }

    /// Whether the last attempt of this aspect failed, and nothing that it depended on has changed since.
    pub fn has_failed(&self, aspect: Aspect) -> bool {
        self.not_before(aspect).is_some()
    }

    /// When this aspect may be tried again after a failure; `None`: whenever it is due.
    pub fn not_before(&self, aspect: Aspect) -> Option<Timestamp> {
        let backoff = self.memory.backoff(aspect);
        // A cause is worked out only for an aspect that has failed.
        let at = backoff
            .is_failing()
            .then(|| backoff.not_before(self.cause(aspect)));
        at.flatten().map(|at| self.by_the_wall_clock(at))
    }

    /// A fingerprint of what a failed attempt depended on: when it changes, back-off starts again.
    pub fn cause(&self, aspect: Aspect) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.object.generation.hash(&mut hasher);
        self.object.reconcile_at.hash(&mut hasher);
        self.object.recreate.hash(&mut hasher);
        self.readable()
            .map(|organization| (&organization.uid, organization.revision))
            .hash(&mut hasher);
        // Others may have renamed it.
        self.recorded_name().hash(&mut hasher);
        match aspect {
            // What failed before a creation or an adoption says nothing of what was recorded then, nor of what came back, nor of
            // the state that others gave it.
            Aspect::Sync => {
                self.recorded_id().hash(&mut hasher);
                self.stored.state.hash(&mut hasher);
                let missing = self.stored.missing.as_ref();
                missing.is_some_and(|missing| missing.confirmed).hash(&mut hasher);
            }
            // A Secret that no write could change may be gone, and another workspace of the same name as well.
            Aspect::Token => {
                self.secrets.target.is_some().hash(&mut hasher);
                let shared = self.listed.as_ref().is_some_and(|listed| listed.name_is_shared);
                shared.hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

//! All that is known about one workspace at one instant. Plain values: rules read it, outcomes are folded into it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use super::clock::ServerClock;
use super::effect::{Change, TokenSlot};
use super::memory::Memory;
use super::reason::Reason;
use super::schedule::TokenTimes;
use super::verdict::{Finding, Problem};
use crate::api::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::api::organization::Defaults;
use crate::api::remote::{Proof, RemoteWorkspace};
use crate::api::workspace::{Creation, Origin, WorkspaceSpec, WorkspaceState, WorkspaceStatus};
use crate::tenancy::{Access, Basis, ClaimKey, Standing, canonical};

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
    /// What the claims table said to this pass.
    pub standing: Standing,
    pub secrets: Secrets,
    /// The organisation's shared list on this workspace, if it has one that is whole.
    pub listed: Option<Listed>,
    pub memory: Memory,
    pub found: Found,
}

/// The Workspace object, apart from spec and status.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectFacts {
    pub uid: Uid,
    pub namespace: String,
    pub name: String,
    pub created: Timestamp,
    pub generation: i64,
    pub deletion: Deletion,
    pub finalizer: Finalizer,
    /// Value of the reconcile-request annotation.
    pub reconcile_at: Option<String>,
    /// Value of the recreate annotation: the id that may be replaced.
    pub recreate: Option<WorkspaceId>,
}

/// Whether somebody asked for the object to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deletion {
    NotAsked,
    Asked,
}

/// Whether our finalizer holds the object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finalizer {
    Absent,
    Present,
}

/// What is known of the Organization that the object names.
#[derive(Clone, Debug)]
pub enum OrganizationFacts {
    /// Not in the namespace that was searched.
    NotFound {
        name: String,
        searched: String,
    },
    /// There, but it cannot be decoded. Withdraws nothing.
    Unreadable {
        name: String,
    },
    Readable(ReadableOrganization),
}

/// An Organization whose spec says something.
#[derive(Clone, Debug)]
pub struct ReadableOrganization {
    pub name: String,
    pub access: Access,
    pub defaults: Defaults,
    pub api_url: String,
    pub verification: Verification,
    pub vanishing: Vanishing,
    /// Grows whenever what Workspaces wait for may have changed.
    pub revision: u64,
}

/// Whether the credential was seen to belong to the organisation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verification {
    Pending {
        why: String,
    },
    Verified(OrganizationId),
    /// It belongs to another one than it was pinned to: nothing is asked of that one.
    Changed {
        pinned: OrganizationId,
        found: OrganizationId,
    },
}

/// Whether so many workspaces vanished at once that none of it is believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Vanishing {
    Calm,
    Mass,
}

/// What the shared list says about the recorded workspace. A difference in it only schedules a GET by id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// When the page that had (or would have had) the row was requested.
    pub requested_at: Timestamp,
    /// Nothing where the list lacks it.
    pub row: Option<RemoteWorkspace>,
}

/// The Secrets around the object.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Under the declared name, as the store has it.
    pub target: Option<SecretFacts>,
    /// Controlled by our uid under other names.
    pub others: Vec<SecretFacts>,
}

/// A Secret without its token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretFacts {
    pub name: String,
    pub resource_version: String,
    pub ownership: Ownership,
    pub content: Content,
    /// Nothing where the marks are missing or do not parse.
    pub times: Option<TokenTimes>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
}

/// Whose Secret it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ownership {
    /// Controlled by our uid.
    Ours,
    /// Nobody controls it and our label names this object: taken over, its token replaced.
    Orphaned,
    Foreign,
}

/// What the Secret holds beside the token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// The content's fingerprint is the marked one.
    Whole(SecretContent),
    /// Keys are missing or edited.
    Damaged,
}

/// The keys that are no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretContent {
    pub workspace_id: WorkspaceId,
    pub workspace_name: WorkspaceName,
    pub organization_id: OrganizationId,
    pub api_url: String,
}

/// What was found out in the running pass.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// A write met a newer object: it is read anew before anything else.
    pub stale: bool,
    pub looks: Vec<Look>,
    pub remote: Option<Observation>,
    /// The workspace as the last answer about it showed it: a GET, or our own update.
    pub row: Option<RemoteWorkspace>,
    pub issued: Option<Issued>,
    pub proof: Option<Proof>,
    /// The workspace that a mismatched proof named.
    pub other: Option<Observation>,
    /// The intent was written by this pass and its issue is still to be sent.
    pub stamped: bool,
    pub target: Option<LiveSecret>,
    pub crd: Option<CrdState>,
    pub deleted: bool,
    /// The last effect failed.
    pub problem: Option<Problem>,
    /// Agent Engine failed us on name or state; the token of a recorded workspace goes on.
    pub sync_problem: Option<Finding>,
    /// What the API refused of what is declared; the rest goes on.
    pub refused: Vec<(Change, Finding)>,
    /// The creation's issue was refused for certain, or never sent: its intent is void.
    pub nothing_made: bool,
    /// The workspace whose proven token this pass has put into the Secret.
    pub published: Option<WorkspaceId>,
    /// How many issues were sent in this pass: a loop would make one thing after another.
    pub issues: u8,
    pub clock: ServerClock,
    /// The object, or this incarnation of it, is gone.
    pub vanished: bool,
    /// The status could not be stored: not tried twice in one pass.
    pub status_failed: bool,
    /// The Secret was not as expected: it is read live.
    pub secret_stale: bool,
    /// For events, beside the change of reason.
    pub notes: Vec<Finding>,
}

/// A search by name: all rows whose name contains it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Look {
    pub name: WorkspaceName,
    pub rows: Vec<RemoteWorkspace>,
}

/// A GET by id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    pub id: WorkspaceId,
    pub requested_at: Timestamp,
    pub remote: Remote,
}

/// What a GET by id said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Remote {
    Present(RemoteWorkspace),
    Gone,
}

/// A token at hand, known by its slot only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issued {
    pub slot: TokenSlot,
    pub started: Timestamp,
    pub finished: Timestamp,
    pub date: Option<Timestamp>,
    pub times: TokenTimes,
}

/// The Secret under the declared name, read live.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one of these lives in a pass; a box would only be in the way"
)]
pub enum LiveSecret {
    Absent,
    Present(SecretFacts),
}

/// The Workspace CRD, read live.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CrdState {
    Serving,
    /// Terminating or gone: its objects go with it, and that is nobody's wish to delete workspaces.
    Going,
    /// No answer, or not allowed to ask.
    Unreadable {
        why: String,
    },
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

    /// The verified organisation.
    pub fn verified(&self) -> Option<&OrganizationId> {
        match &self.readable()?.verification {
            Verification::Verified(id) => Some(id),
            Verification::Pending { .. } | Verification::Changed { .. } => None,
        }
    }

    /// The GET by id of this pass, if it was for `id`.
    pub fn observed(&self, id: &WorkspaceId) -> Option<&Observation> {
        self.found.remote.as_ref().filter(|seen| seen.id == *id)
    }

    /// The workspace as this pass's GET by id showed it.
    pub fn present(&self, id: &WorkspaceId) -> Option<&RemoteWorkspace> {
        match &self.observed(id)?.remote {
            Remote::Present(row) => Some(row),
            Remote::Gone => None,
        }
    }

    /// The search for `name` of this pass.
    pub fn look(&self, name: &WorkspaceName) -> Option<&Look> {
        self.found.looks.iter().find(|look| look.name == *name)
    }

    /// What a stored condition said, for aspects that this pass leaves alone.
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

    /// What the object may claim, as far as its Organization grants it. I2: recorded, observed, intended, desired.
    pub fn claims(&self) -> BTreeMap<ClaimKey, Basis> {
        let mut claims = BTreeMap::new();
        let mut claim = |key: ClaimKey, basis: Basis| {
            let held = claims.entry(key).or_insert(basis);
            *held = basis.min(*held);
        };
        let not_refused =
            |name: &WorkspaceName| self.readable().is_none_or(|o| o.access.grant(name).is_some());
        if let Some(record) = self.record() {
            let observed = self
                .found
                .row
                .as_ref()
                .filter(|row| row.id == record.id)
                .map(|row| &row.name);
            claim(
                ClaimKey::Id(record.organization_id.clone(), record.id.clone()),
                Basis::Recorded,
            );
            for name in [Some(&record.name), observed]
                .into_iter()
                .flatten()
                .filter(|name| not_refused(name))
            {
                claim(
                    ClaimKey::Name(record.organization_id.clone(), canonical(name)),
                    Basis::Recorded,
                );
            }
        } else if let Some(intent) = self.intent().filter(|intent| not_refused(&intent.name)) {
            claim(
                ClaimKey::Name(intent.organization_id.clone(), canonical(&intent.name)),
                Basis::Intended,
            );
        }
        let Some(organization) = self.verified() else {
            return claims;
        };
        if self.object.deletion == Deletion::Asked {
            return claims;
        }
        if !not_refused(&self.declared.name) {
            return claims;
        }
        claim(
            ClaimKey::Name(organization.clone(), canonical(&self.declared.name)),
            Basis::Desired,
        );
        let ids = [
            self.declared.workspace_id.as_ref(),
            self.wish(),
            self.found.remote.as_ref().map(|seen| &seen.id),
        ];
        for id in ids.into_iter().flatten() {
            claim(ClaimKey::Id(organization.clone(), id.clone()), Basis::Desired);
        }
        if self.record().is_none()
            && let Some(row) = self.found.row.as_ref().filter(|row| not_refused(&row.name))
        {
            claim(
                ClaimKey::Name(organization.clone(), canonical(&row.name)),
                Basis::Desired,
            );
        }
        if let Some(other) = &self.found.other {
            claim(
                ClaimKey::Id(organization.clone(), other.id.clone()),
                Basis::Desired,
            );
        }
        claims
    }
}

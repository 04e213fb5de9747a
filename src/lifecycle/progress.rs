//! What one reconcile has done and read so far. Forgotten at its end. Each fact is keyed by what it is about, so that a
//! re-read object which shows another record leaves nothing of the old one standing.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::crd::workspace::Creation;
use crate::domain::finding::Finding;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::remote::{RemoteWorkspace, TokenScope};
use crate::domain::time::{earlier, shifted};
use crate::lifecycle::aspect::Problem;
use crate::lifecycle::creation_window::ServerClock;
use crate::lifecycle::effect::{CrdState, TokenSlot, WorkspaceChange};
use crate::lifecycle::facts::SecretFacts;
use crate::lifecycle::schedule::TokenTimes;

/// What the running reconcile has done and read so far.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    pub object: ObjectProgress,
    /// The reconcile request as it was when the reconcile began: no later one was handled by what it read.
    pub request: Option<String>,
    /// Whether this reconcile has stored a status: then the stored one tells nothing of earlier reconciles.
    pub status: StatusProgress,
    /// By name; set by each search.
    pub searches: BTreeMap<WorkspaceName, NameSearch>,
    /// By id; set by each GET and each update.
    pub workspaces: BTreeMap<WorkspaceId, Sighting>,
    pub token: TokenProgress,
    /// How many issues this reconcile has sent. At most two: a loop would create workspaces without end.
    pub issues: u8,
    /// By name; set by each live read, write or deletion of a Secret.
    pub secrets: BTreeMap<String, SecretProgress>,
    /// Set by the live read of the CustomResourceDefinition; taken back by a slow call to Agent Engine.
    pub crd: Option<CrdState>,
    /// When the read or write that showed the object live was asked; taken back by a slow call to Agent Engine.
    pub live_at: Option<Timestamp>,
    /// The same of the live read of its Organization.
    pub organization_live_at: Option<Timestamp>,
    /// By id; set by each DELETE of a recorded workspace.
    pub removals: BTreeMap<WorkspaceId, Removal>,
    pub failures: Failures,
    pub permit: PermitProgress,
    /// Why there is no permit.
    pub scarcity: Scarcity,
    /// Learns from every answer that carries a `Date`.
    pub clock: ServerClock,
    /// Events to publish beside the change of the Ready reason.
    pub events: Vec<Finding>,
}

impl Progress {
    /// Moves the instants of what was asked, where the wall clock was set by so much since: what they are compared with has moved
    /// as well.
    pub fn follow_the_clock(&mut self, set_by: SignedDuration) {
        self.clock.follow_the_clock(set_by);
        let searches = self.searches.values_mut().map(|search| &mut search.asked_at);
        let reads = self.workspaces.values_mut().filter_map(|seen| seen.read.as_mut());
        let issued = self.token.issued_mut().into_iter();
        for at in searches
            .chain(reads.map(|read| &mut read.requested_at))
            .chain(issued.map(|issued| &mut issued.finished))
            .chain(&mut self.live_at)
            .chain(&mut self.organization_live_at)
        {
            *at = shifted(*at, set_by);
        }
    }
}

/// Whether the view's copy of the object is the stored one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ObjectProgress {
    #[default]
    Current,
    /// A write met a newer object: it is read before anything else.
    Changed,
    /// The newer object could not be read.
    Unreadable,
    /// The status could not be stored. A reconcile tries that once.
    Unwritable,
    /// The object, or this incarnation of it, is gone.
    Gone,
}

/// Whether this reconcile has stored a status.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum StatusProgress {
    #[default]
    Unwritten,
    Written,
}

/// How far the token of this reconcile got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum TokenProgress {
    #[default]
    None,
    /// This reconcile stored this intent, and its issue is still to be sent.
    MayIssue(Creation),
    /// The issue for this intent certainly made nothing, or was never sent: the intent is void.
    NothingMade(Option<Creation>),
    /// The shell holds a token that is not verified yet.
    Issued(Issued),
    /// Agent Engine told which workspace the token opens.
    Verified(Issued, TokenScope),
    /// A verified token of this workspace is in the Secret.
    Published(WorkspaceId),
}

/// A token at hand, known by its slot only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issued {
    pub slot: TokenSlot,
    /// As of its answer.
    pub finished: Timestamp,
    pub took: Duration,
    pub date: Option<Timestamp>,
    pub times: TokenTimes,
}

impl Issued {
    /// When its issue was sent.
    pub fn started(&self) -> Timestamp {
        earlier(self.finished, self.took)
    }
}

impl TokenProgress {
    /// The token at hand, verified or not.
    pub fn issued(&self) -> Option<&Issued> {
        match self {
            TokenProgress::Issued(issued) | TokenProgress::Verified(issued, _) => Some(issued),
            TokenProgress::None
            | TokenProgress::MayIssue(_)
            | TokenProgress::NothingMade(_)
            | TokenProgress::Published(_) => None,
        }
    }

    fn issued_mut(&mut self) -> Option<&mut Issued> {
        match self {
            TokenProgress::Issued(issued) | TokenProgress::Verified(issued, _) => Some(issued),
            TokenProgress::None
            | TokenProgress::MayIssue(_)
            | TokenProgress::NothingMade(_)
            | TokenProgress::Published(_) => None,
        }
    }

    /// The token at hand that still has to be verified.
    pub fn unverified(&self) -> Option<&Issued> {
        match self {
            TokenProgress::Issued(issued) => Some(issued),
            TokenProgress::None
            | TokenProgress::MayIssue(_)
            | TokenProgress::NothingMade(_)
            | TokenProgress::Verified(..)
            | TokenProgress::Published(_) => None,
        }
    }

    /// The token at hand and what it opens.
    pub fn verified(&self) -> Option<(&Issued, &TokenScope)> {
        match self {
            TokenProgress::Verified(issued, scope) => Some((issued, scope)),
            TokenProgress::None
            | TokenProgress::MayIssue(_)
            | TokenProgress::NothingMade(_)
            | TokenProgress::Issued(_)
            | TokenProgress::Published(_) => None,
        }
    }

    /// The workspace whose verified token is in the Secret.
    pub fn published(&self) -> Option<&WorkspaceId> {
        match self {
            TokenProgress::Published(id) => Some(id),
            TokenProgress::None
            | TokenProgress::MayIssue(_)
            | TokenProgress::NothingMade(_)
            | TokenProgress::Issued(_)
            | TokenProgress::Verified(..) => None,
        }
    }
}

/// A search by name: all rows whose name contains it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameSearch {
    pub name: WorkspaceName,
    /// When its first page was requested: it says nothing of what came to light later.
    pub asked_at: Timestamp,
    pub rows: Vec<RemoteWorkspace>,
}

/// What this reconcile knows of one workspace at Agent Engine.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sighting {
    /// The last GET by id, unless a write of ours followed. Effects rely on it.
    pub read: Option<Observation>,
    /// The workspace in the last answer, to a GET or to our own update. Status and drift rely on it.
    pub row: Option<RemoteWorkspace>,
}

/// A GET by id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    pub requested_at: Timestamp,
    pub remote: Remote,
}

impl Observation {
    /// The workspace, if it was there.
    pub fn present(&self) -> Option<&RemoteWorkspace> {
        match &self.remote {
            Remote::Present(row) => Some(row),
            Remote::Gone => None,
        }
    }
}

/// The answer to a GET by id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Remote {
    Present(RemoteWorkspace),
    Gone,
}

/// A Secret as this reconcile left it or read it live.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a reconcile holds two or three of these; a box would only be in the way"
)]
pub enum SecretProgress {
    /// A write met another version: it is read before anything else.
    Changed,
    Absent,
    /// Absent, and the Kubernetes API would create it now.
    Possible,
    Present(SecretFacts),
}

impl SecretProgress {
    pub fn facts_mut(&mut self) -> Option<&mut SecretFacts> {
        match self {
            SecretProgress::Present(facts) => Some(facts),
            SecretProgress::Changed | SecretProgress::Absent | SecretProgress::Possible => None,
        }
    }
}

/// How far the DELETE of a recorded workspace got.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Removal {
    #[default]
    NotTried,
    Done,
    /// Agent Engine says that it has no such workspace. It says the same where it hides what it refuses: a search shows that
    /// the organization is still open to us.
    NotFound,
    /// It failed, but the workspace may be gone: a GET is still to be sent.
    Unclear,
    Failed,
}

/// What failed in this reconcile.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    /// The failure that ends the reconcile.
    pub last: Option<Problem>,
    /// A call about name or state failed. The token of a recorded workspace is renewed all the same.
    pub sync: Option<Finding>,
    /// The changes that Agent Engine refused. The reconcile goes on.
    pub refused: Vec<(WorkspaceChange, Finding)>,
}

impl Failures {
    /// Why the API refused this very change.
    pub fn refused(&self, change: &WorkspaceChange) -> Option<&Finding> {
        let mut refused = self.refused.iter();
        refused.find(|(of, _)| of == change).map(|(_, finding)| finding)
    }
}

/// Whether the rate limiter lets this reconcile call Agent Engine.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PermitProgress {
    #[default]
    Open,
    /// The next permit is at this instant, later than a reconcile waits.
    NotBefore(Timestamp),
}

/// Why the rate limiter lets a reconcile wait.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scarcity {
    /// Others are before it.
    #[default]
    Queue,
    /// Agent Engine asked for a pause.
    Pause,
    /// It fails every request, and another object probes it.
    Away,
}

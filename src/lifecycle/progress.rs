//! What one reconcile finds out by its own effects. Forgotten with the reconcile.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::finding::Finding;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::remote::{RemoteWorkspace, TokenScope};
use crate::lifecycle::creation_window::ServerClock;
use crate::lifecycle::effect::{TokenSlot, WorkspaceChange};
use crate::lifecycle::facts::SecretFacts;
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::verdict::Problem;

/// What was found out in the running reconcile.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// A write met a newer object: it is read anew before anything else.
    pub stale: bool,
    pub searches: Vec<NameSearch>,
    pub remote: Option<Observation>,
    /// The workspace as the last answer about it showed it: a GET, or our own update.
    pub row: Option<RemoteWorkspace>,
    pub issued: Option<Issued>,
    pub proof: Option<TokenScope>,
    /// The workspace that a mismatched proof named.
    pub other: Option<Observation>,
    /// The intent was written by this reconcile and its issue is still to be sent.
    pub stamped: bool,
    pub target: Option<LiveSecret>,
    /// Names of Secrets that were read live or deleted: what [`super::view::Secrets`] lacks of them is not there.
    pub checked_secrets: BTreeSet<String>,
    pub crd: Option<CrdState>,
    pub removal: Removal,
    /// The last effect failed.
    pub problem: Option<Problem>,
    /// Agent Engine failed us on name or state; the token of a recorded workspace goes on.
    pub sync_problem: Option<Finding>,
    /// What the API refused of what is declared; the rest goes on.
    pub refused: Vec<(WorkspaceChange, Finding)>,
    /// The creation's issue was refused for certain, or never sent: its intent is void.
    pub nothing_made: bool,
    /// The workspace whose proven token this reconcile has put into the Secret.
    pub published: Option<WorkspaceId>,
    /// How many issues were sent in this reconcile: a loop would make one thing after another.
    pub issues: u8,
    pub clock: ServerClock,
    /// The object, or this incarnation of it, is gone.
    pub vanished: bool,
    /// This reconcile has stored a status: what it said is its own word, to be told at its end.
    pub said: bool,
    /// The status could not be stored, or what it is to be stored on not be read: not tried twice in one reconcile.
    pub status_failed: bool,
    /// The Secret was not as expected: it is read live.
    pub secret_stale: bool,
    /// For events, beside the change of reason.
    pub notes: Vec<Finding>,
}

/// How far the DELETE of the recorded workspace got.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Removal {
    #[default]
    NotTried,
    Done,
    /// It failed, and the workspace may be gone all the same: that is still to be read.
    Unclear,
    Failed,
}

/// A search by name: all rows whose name contains it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameSearch {
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

impl Observation {
    /// The workspace, if it was there.
    pub fn present(&self) -> Option<&RemoteWorkspace> {
        match &self.remote {
            Remote::Present(row) => Some(row),
            Remote::Gone => None,
        }
    }
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
    reason = "one of these lives in a reconcile; a box would only be in the way"
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

//! What must hold in every history. Each law has a name, and cites the invariant or the line of the bar that it holds.
//!
//! - `effects`: asked when an effect is about to happen.
//! - `state`: asked of what is stored, again and again; a law is broken when its opposite lasts.
//! - `pauses`: asked when a call leaves, and of what is stored: a pause that Agent Engine asked for outlives a process.
//! - `leadership`: asked when an effect leaves one of several processes.
//! - `end`: asked when all has been calm for long enough.

mod effects;
mod end;
mod leadership;
mod pauses;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use super::Millis;
use super::cluster::Key;
use crate::domain::ids::{Uid, WorkspaceId, WorkspaceName};
use crate::domain::remote::RemoteWorkspace;
use crate::domain::time::Uptime;

/// A law and what it is there for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Law {
    pub name: &'static str,
    /// The invariant, or the line of the bar.
    pub holds: &'static str,
    pub says: &'static str,
}

macro_rules! laws {
    ($($name:ident: $holds:literal, $says:literal;)+) => {
        $(pub(super) const $name: Law = Law { name: stringify!($name), holds: $holds, says: $says };)+

        /// All laws.
        pub const LAWS: &[Law] = &[$($name),+];
    };
}

laws! {
    DELETES_ITS_OWN: "I2, I4", "the operator deletes only what this object's issue made, or what this object recorded";
    CHANGES_ITS_OWN: "I2", "the operator renames and switches only what this object recorded";
    DELETES_AS_DECLARED_NOW: "I7", "no workspace is deleted whose object has said Retain for longer than a moment";
    RECORDS_WHAT_IT_MADE: "I2, I4", "an object that says Created records a workspace that its own issue made";
    TOKEN_OF_ITS_RECORD: "I1", "a token enters a Secret only for the workspace that its object records, or whose creation it finishes";
    LEAVES_NO_ORPHAN: "I4", "no workspace that an object's issue made is left without an object that records it";
    ONE_EACH: "I4", "no object makes a workspace beside one of its making, nor is left with two";
    ISSUES_WHEN_DUE: "I9", "no token is issued while a good one has most of its life left";
    TWO_STATUSES: "the bar: writes", "a reconcile writes a status at most twice, and once more to void an intent, to switch what it made, to end what goes, to tell what others claim meanwhile";
    READY_HAS_LIFE: "truth", "Ready=True never stands beside a token that has ended";
    TOKEN_READY_HAS_LIFE: "truth", "TokenReady=True never stands beside a token that has ended";
    READY_AS_SEEN: "I5, truth", "Ready=True never stands beside a workspace last seen missing, or other than declared";
    READY_AS_DECLARED: "truth", "Ready=True of the current generation never stands without the declared Secret";
    SAYS_SOMETHING: "truth", "every object says something within a minute";
    SPEAKS_OF_ITS_GENERATION: "truth", "every object speaks of its generation within three minutes";
    DELETION_SHOWS: "truth", "an object being deleted does not stay Ready";
    CONFIRMS_A_LOSS: "I5", "a missing workspace is confirmed within twenty minutes while lists come to their end";
    NO_FALSE_ALARM: "truth", "no list is doubted that does not lack many, unless it is empty; what the operator deleted itself is no loss";
    TOKEN_IN_TIME: "freshness", "no Secret holds a token with under five minutes left while Agent Engine answers";
    ALL_IS_SETTLED: "truth", "when all is calm, every object is Ready, gone, or stopped by what a person must change";
    NOT_ITS_OWN_RIVAL: "I4", "no object is stopped by a workspace of its own making";
    QUIET_WHEN_CALM: "I9, the bar: writes", "when all is calm, no object changes its status twice within twenty minutes";
    NOTHING_OUTSIDE_A_LEADERSHIP: "several processes", "no effect begins outside a leadership";
    ONE_PROCESS_IN_FLIGHT: "several processes", "at most one process has effects in flight at any instant, but for those whose deadline was inside its lease";
    HEEDS_A_PAUSE: "several processes", "no call for an organization leaves a process within a pause that was stored when it began";
    STORES_A_PAUSE: "several processes", "a pause of half a minute or more is stored within a minute and a half";
    FEW_CALLS: "the bar: calls", "when all is calm, an object costs few calls";
}

/// So many are doubted: over a tenth, and at least five.
fn are_many(lost: usize, managed: usize) -> bool {
    lost >= 5 && lost * 10 > managed
}

/// A law was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    pub law: Law,
    pub at: Millis,
    pub what: String,
}

/// A GET by id that was answered, or a list that was published.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) at: Millis,
    /// The Organization whose list it was. It tells nothing of what its successor's credential sees.
    pub(super) listed_by: Option<Uid>,
    pub(super) id: WorkspaceId,
    pub(super) row: Option<RemoteWorkspace>,
}

/// What the laws remember.
#[derive(Debug, Default)]
pub(super) struct Laws {
    pub(super) violation: Option<Violation>,
    /// Since when the process could do its work.
    pub(super) able_since: Millis,
    /// Since when the weather of an organization is as it is.
    pub(super) weather_since: BTreeMap<usize, Millis>,
    /// Issues that were sent: object, name, instant.
    pub(super) issues: Vec<(Uid, WorkspaceName, Millis)>,
    /// The last GET by id of each object.
    pub(super) seen: BTreeMap<Uid, Seen>,
    /// Objects whose issue was on its way when their process died: only what is stored remembers it.
    pub(super) died_issuing: BTreeSet<Uid>,
    /// Objects whose finalizer a user took off.
    pub(super) let_go_by_hand: BTreeSet<Uid>,
    /// When the history ends.
    pub(super) ends_at: Option<Millis>,
    /// Since when the opposite of a law lasts.
    pub(super) lasts_since: BTreeMap<&'static str, BTreeMap<Key, (Option<Uid>, Millis)>>,
    /// When someone last changed an object, or what it depends on.
    pub(super) touched: BTreeMap<Key, Millis>,
    /// Since when an object that is to be deleted says Retain.
    pub(super) retained_since: BTreeMap<Uid, Millis>,
    /// Objects that may leave a workspace: retained at some time during their deletion.
    pub(super) may_leave: BTreeSet<Uid>,
    /// Until when an organization has asked for no requests.
    pub(super) asked_to_wait: BTreeMap<usize, Millis>,
    /// When an organization was last seen to rest after a refusal of its credential.
    pub(super) refused_until: BTreeMap<usize, Millis>,
    /// Until when a process leaves an Organization alone for what was stored when it began.
    pub(super) pauses: BTreeMap<(u32, Uid), Millis>,
    /// Pauses that lasted when the clock of a process was set ahead, and when that was.
    pub(super) told_shorter: BTreeMap<(u32, String), (Uptime, Millis)>,
    pub(super) status_writes: Vec<(Millis, Key)>,
}

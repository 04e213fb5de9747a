//! An orphan of ours: a workspace that our issue created under a name that had just moved. Empty, ours, and deleted by its
//! id. A workspace that cannot be attributed to our issue is named and left alone.

use crate::crd::workspace::CreationClock;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::creation_window::UnresolvedIssue;
use crate::lifecycle::effect::EngineCall;
use crate::lifecycle::judge::{doubt, drift, names};
use crate::lifecycle::progress::{Remote, Removal};
use crate::lifecycle::view::{Record, View};

/// What is to be done about orphans before the record goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Orphans {
    None,
    Next(EngineCall),
    /// An unresolved issue may still create one.
    Wait,
    /// This one may be of an issue, or of another client: the process before had sent the issue, or the server's time is not known.
    Uncertain(RemoteWorkspace),
}

/// The next call about orphans under a name that the recorded workspace does not bear, or not alone. An issue, or its
/// verification, was not answered; an orphan bears the name of its issue.
pub fn suspected(view: &View, record: &Record) -> Option<EngineCall> {
    let shared = |name| {
        view.listed
            .as_ref()
            .is_some_and(|listed| listed.shows_shared(name))
    };
    let mut suspects = view
        .memory
        .unresolved
        .iter()
        .filter(|issue| !bears(view, record, &issue.name) || shared(&issue.name));
    suspects.find_map(|issue| {
        let due = issue.search_at <= view.now && !view.rests(Aspect::Sync);
        remove(view, record, issue).or_else(|| search(view, issue).filter(|_| due))
    })
}

/// Before the recorded workspace is deleted, or is replaced once it is lost. Delete the orphan first; a late issue must still find the
/// recorded workspace, or it would create another.
pub fn before_its_record_goes(view: &View, record: &Record) -> Orphans {
    let former = doubt::former_issue(view, record);
    let known = || view.memory.unresolved.iter();
    let next = known().find_map(|issue| remove(view, record, issue).or_else(|| search(view, issue)));
    // Nothing is known of a former issue: a search before its end would tell nothing.
    let ended = former.iter().filter(|issue| issue.is_shown_by(view.now));
    let next = next.or_else(|| ended.clone().find_map(|issue| search(view, issue)));
    let suspect = former.iter().find_map(|issue| suspect(view, record, issue));
    match (next, suspect.or_else(|| undecided(view, record))) {
        (Some(call), _) => Orphans::Next(call),
        (None, Some(row)) => Orphans::Uncertain(row.clone()),
        (None, None) if known().chain(&former).any(|issue| !is_searched_for(view, issue)) => Orphans::Wait,
        (None, None) => Orphans::None,
    }
}

/// Orphans in the place of the recorded workspace, which DELETE has not found.
pub fn in_its_place(view: &View, record: &Record) -> Orphans {
    let mut issues = view.memory.unresolved.iter();
    match issues.find_map(|issue| remove(view, record, issue)) {
        Some(call) => Orphans::Next(call),
        None => undecided(view, record).map_or(Orphans::None, |row| Orphans::Uncertain(row.clone())),
    }
}

/// A workspace that an issue of this process may have made: as far as our own clock tells, or it is one of several. No other
/// object claims it.
fn undecided<'a>(view: &'a View, record: &Record) -> Option<&'a RemoteWorkspace> {
    let issues = view.memory.unresolved.iter();
    let mut issues = issues.filter(|issue| {
        let by_our_clock = !issue.is_in_the_servers_time() && !bears(view, record, &issue.name);
        by_our_clock || suspects(view, record, issue).len() > 1
    });
    issues
        .find_map(|issue| suspect(view, record, issue))
        .filter(|row| names::id_claimed_by_other(view, &record.organization_id, &row.id).is_none())
}

/// The workspaces that the search shows and that are of our making, if they are of that issue's.
fn suspects<'a>(view: &'a View, record: &Record, issue: &UnresolvedIssue) -> Vec<&'a RemoteWorkspace> {
    let rows = view.search(&issue.name).map_or(&[][..], |search| &search.rows);
    rows.iter()
        .filter(|row| issue.may_have_made(row) && is_ours(view, record, row))
        .collect()
}

/// A workspace that the issue may have made.
fn suspect<'a>(view: &'a View, record: &Record, issue: &UnresolvedIssue) -> Option<&'a RemoteWorkspace> {
    let mut rows = view.search(&issue.name)?.rows.iter();
    rows.find(|row| row.id != record.id && issue.may_have_made(row))
}

/// Whether this reconcile's search under the name of the issue had to show what it made.
fn is_searched_for(view: &View, issue: &UnresolvedIssue) -> bool {
    let search = view.search(&issue.name);
    search.is_some_and(|search| issue.is_shown_by(search.asked_at))
}

/// The search under the name of the issue: once, and once more when the issue is resolved.
fn search(view: &View, issue: &UnresolvedIssue) -> Option<EngineCall> {
    let asked_too_early = !is_searched_for(view, issue) && issue.is_shown_by(view.now);
    let unasked = view.search(&issue.name).is_none();
    (unasked || asked_too_early).then(|| EngineCall::Search(issue.name.clone()))
}

/// The next call about an orphan that the search showed. An issue makes one: of two that it may have made, neither is deleted.
fn remove(view: &View, record: &Record, issue: &UnresolvedIssue) -> Option<EngineCall> {
    let [row] = suspects(view, record, issue)[..] else {
        return None;
    };
    // One that others made within the window may be listed before ours.
    if issue.opened.is_none() && !is_searched_for(view, issue) {
        return None;
    }
    match other(view, &row.id) {
        None => Some(EngineCall::Get(row.id.clone())),
        Some(Remote::Present(row)) if is_ours(view, record, row) => Some(EngineCall::Delete(row.id.clone())),
        Some(Remote::Present(_) | Remote::Gone) => None,
    }
}

/// Whether the recorded workspace is there and has that name, as far as this reconcile knows.
fn bears(view: &View, record: &Record, name: &WorkspaceName) -> bool {
    let not_read = view
        .observed(&record.id)
        .is_some_and(|seen| seen.remote == Remote::Gone);
    let gone = not_read || view.removal(&record.id) == Removal::NotFound;
    !gone && drift::current(view, record).name == *name
}

/// Another workspace than the recorded one, as this reconcile's GET by id showed it.
pub fn other<'a>(view: &'a View, id: &WorkspaceId) -> Option<&'a Remote> {
    Some(&view.observed(id)?.remote)
}

/// Made by an issue of ours of exactly its name, and claimed by no other object. Only the server's time tells that: our own clock
/// deletes nothing. Beside the recorded workspace of that name, an issue makes nothing, unless the name was away just then: that
/// is trusted only where the server has told its time exactly.
pub fn is_ours(view: &View, record: &Record, row: &RemoteWorkspace) -> bool {
    let mut issues = view.memory.unresolved.iter();
    let made_it = |issue: &UnresolvedIssue| {
        let decides = match issue.clock {
            CreationClock::Server => true,
            CreationClock::Estimated => !bears(view, record, &issue.name),
            CreationClock::Local => false,
        };
        decides && issue.may_have_made(row)
    };
    row.id != record.id
        && issues.any(made_it)
        && names::id_claimed_by_other(view, &record.organization_id, &row.id).is_none()
}

//! I3, I5: whether the recorded workspace is there, and whether that was seen recently enough to act on it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::crd::workspace::MissingWorkspace;
use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::domain::remote::RemoteWorkspace;
use crate::domain::time::{CLOCK_SLACK, elapsed, later};
use crate::domain::verification::Missing;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::facts::ListEntry;
use crate::lifecycle::judge::{doubt, failure};
use crate::lifecycle::memory::LastSeen;
use crate::lifecycle::progress::{PermitProgress, Remote};
use crate::lifecycle::view::{Record, View};

/// How long a read is good for an issue, and a list for telling one missing workspace from many.
const CONFIRMED_FOR: Duration = Duration::from_secs(60);

/// The list's entry on the recorded workspace, if it is younger than what we know ourselves.
pub fn listed(view: &View) -> Option<&ListEntry> {
    let known = view
        .memory
        .lists_count_after
        .present
        .max(view.memory.lists_count_after.absent);
    view.listed
        .as_ref()
        .filter(|listed| Some(listed.requested_at) > known)
}

/// Whether a user requested a reconcile that was not handled yet.
pub fn is_asked_for(view: &View) -> bool {
    view.object.reconcile_at.is_some() && view.object.reconcile_at != view.stored.last_handled_reconcile_at
}

/// Whether the list shows another name or state than the record, or lacks the workspace.
pub fn differs_in_the_list(view: &View, record: &Record) -> bool {
    listed(view).is_some_and(|listed| {
        listed
            .row
            .as_ref()
            .is_none_or(|row| row.name != record.name || row.known_state() != record.state)
    })
}

/// What the last answer of this reconcile showed of the recorded workspace: a GET by id, or our own update.
pub fn last_seen(view: &View, record: &Record) -> Option<LastSeen> {
    let id = record.id.clone();
    let gone = view.observed(&id).is_some_and(|seen| seen.remote == Remote::Gone);
    if gone {
        return Some(LastSeen { id, shown: None });
    }
    let row = view.row(&id)?;
    let shown = Some((row.name.clone(), row.known_state()));
    Some(LastSeen { id, shown })
}

/// Whether the stored status tells what was seen of the recorded workspace.
pub fn is_told(view: &View, record: &Record, seen: &LastSeen) -> bool {
    match &seen.shown {
        None => view.stored.missing.is_some(),
        Some((name, state)) => {
            *name == record.name && *state == record.state && view.stored.missing.is_none()
        }
    }
}

/// Whether an answer of this reconcile showed the recorded workspace, or that there is none.
fn is_read(view: &View, record: &Record) -> bool {
    view.observed(&record.id).is_some() || view.row(&record.id).is_some()
}

/// Whether the list, a user's request, or what this process has seen and no status tells calls for a GET by id that has not
/// been answered yet. What is known to be unread is not as declared.
pub fn is_unread(view: &View, record: &Record) -> bool {
    let called_for = differs_in_the_list(view, record) || is_asked_for(view) || is_untold(view, record);
    called_for && !is_read(view, record)
}

/// Whether this process has seen the recorded workspace otherwise than any status tells.
fn is_untold(view: &View, record: &Record) -> bool {
    let unstored = view.memory.unstored.as_ref() == Some(&record.id);
    let mut seen = view.memory.last_seen.iter().filter(|seen| seen.id == record.id);
    unstored || seen.any(|seen| !is_told(view, record, seen))
}

/// The reconcile request that this reconcile has handled: it has read the workspace since, or `stored` says why nothing
/// can be read.
pub fn handled_request(view: &View, stored: &Finding) -> Option<String> {
    if !is_asked_for(view) {
        return view.object.reconcile_at.clone();
    }
    let read = match view.record() {
        Some(record) => is_read(view, &record),
        None => !view.progress.searches.is_empty() || !view.progress.workspaces.is_empty(),
    };
    let known_before = view.progress.request == view.object.reconcile_at;
    let tried_in_vain = failure::problem(view).is_some()
        || view.progress.failures.sync.is_some()
        || view.progress.permit != PermitProgress::Open
        || view.rests(Aspect::Sync);
    if (read && known_before) || !(read || tried_in_vain || stored.is_ready()) {
        view.object.reconcile_at.clone()
    } else {
        view.stored.last_handled_reconcile_at.clone()
    }
}

/// Whether a GET by id may be sent for the recorded workspace now.
pub fn may_read(view: &View) -> bool {
    let free = !view.rests(Aspect::Sync) || is_answered_by_the_list(view) || is_shown_otherwise(view);
    free && view.progress.failures.sync.is_none()
}

/// Whether the list shows the recorded workspace otherwise than the record, and no attempt has failed since it was asked for: no
/// failure before it foretold that.
fn is_shown_otherwise(view: &View) -> bool {
    let failed_at = view.memory.backoff(Aspect::Sync).failed_at();
    let is_younger = |listed: &&ListEntry| {
        failed_at.is_none_or(|failed_at| view.by_the_wall_clock(failed_at) < listed.requested_at)
    };
    let (Some(record), Some(listed)) = (view.record(), listed(view).filter(is_younger)) else {
        return false;
    };
    match &view.stored.missing {
        Some(_) => listed.row.is_some(),
        None => differs_in_the_list(view, &record),
    }
}

/// The list we asked for after a 404 is here and also lacks the workspace. One more GET decides.
fn is_answered_by_the_list(view: &View) -> bool {
    let unconfirmed = view.stored.missing.as_ref().filter(|missing| !missing.confirmed);
    unconfirmed.is_some_and(|missing| is_lacked_by_the_list(view, missing.since.0))
}

/// A missing workspace may be one of many. Only a list can tell: one that was begun after the doubt, however long it took,
/// or within the minute before. One that lacks many tells nothing.
fn is_lacked_by_the_list(view: &View, doubted_at: Timestamp) -> bool {
    let lacking = view.listed.as_ref().filter(|listed| listed.row.is_none());
    let tells = |listed: &ListEntry| {
        listed.requested_at > doubted_at || elapsed(listed.requested_at, view.now) <= CONFIRMED_FOR
    };
    lacking.is_some_and(|listed| {
        let ahead = listed.requested_at > later(view.now, CLOCK_SLACK);
        !ahead && Some(listed.requested_at) > view.memory.lists_count_after.present && tells(listed)
    }) && !are_many_missing(view)
}

/// Whether the Organization doubts its whole list, because it lacks many.
pub fn are_many_missing(view: &View) -> bool {
    view.readable()
        .is_some_and(|organization| organization.missing == Missing::Many)
}

/// Whether the workspace may be one of the many that are missing: the list lacks it, or there is none, and we have not seen
/// it ourselves since.
pub fn is_one_of_many(view: &View) -> bool {
    let seen = view.memory.lists_count_after.present;
    are_many_missing(view)
        && match &view.listed {
            None => seen.is_none(),
            Some(listed) => listed.row.is_none() && Some(listed.requested_at) > seen,
        }
}

/// What is known now of the workspace being missing. A GET that finds it ends that; a list that lacks it confirms.
pub fn missing(view: &View, record: &Record) -> Option<MissingWorkspace> {
    let before = view.stored.missing.as_ref();
    match view.observed(&record.id) {
        None => before.cloned(),
        Some(seen) => match seen.remote {
            Remote::Present(_) => None,
            Remote::Gone => {
                let since = missing_since(view, seen.requested_at);
                let confirmed = before.is_some_and(|missing| missing.confirmed);
                Some(MissingWorkspace {
                    confirmed: confirmed || is_lacked_by_the_list(view, since.0),
                    since,
                })
            }
        },
    }
}

/// Since when the workspace is missing that a GET of this reconcile did not find. An instant ahead is from before the clock was
/// set back: no list would be younger.
pub fn missing_since(view: &View, requested_at: Timestamp) -> Time {
    let before = view.stored.missing.as_ref().map(|missing| missing.since.clone());
    before
        .filter(|since| since.0 <= later(view.now, CLOCK_SLACK))
        .unwrap_or(Time(requested_at))
}

/// Whether it is confirmed that the recorded workspace is missing: it stays so until a GET shows the workspace again.
pub fn is_lost(view: &View, record: &Record) -> bool {
    missing(view, record).is_some_and(|missing| missing.confirmed)
}

/// The other organization that the recorded workspace was last said to belong to, until a GET by id says otherwise.
pub fn other_organization(view: &View, record: &Record) -> Option<OrganizationId> {
    let said = match view.present(&record.id) {
        Some(row) => row.organization_id.clone(),
        None if view.row(&record.id).is_some() => None,
        None => view.stored.observed_organization_id.clone(),
    };
    said.filter(|id| *id != record.organization_id)
}

/// The recorded workspace as seen within the last minute and after our own last write, by GET or by the shared list. After
/// an unresolved issue only a GET of this reconcile counts: if the name had moved, another issue would come too late. The same
/// where no status tells what was seen last: a list that lags shows the record, and a name that the workspace has no more.
pub fn confirmed<'a>(view: &'a View, record: &Record) -> Option<&'a RemoteWorkspace> {
    let young = |requested_at| {
        elapsed(requested_at, view.now) <= CONFIRMED_FOR
            && requested_at <= view.now
            && doubt::shows_the_name(view, requested_at)
    };
    if let Some(seen) = view.observed(&record.id).filter(|seen| young(seen.requested_at)) {
        return seen.present();
    }
    listed(view)
        .filter(|listed| young(listed.requested_at))
        .filter(|_| view.memory.unresolved.is_empty() && !is_untold(view, record))
        .and_then(|listed| listed.row.as_ref())
        .filter(|row| row.name == record.name && row.known_state() == record.state)
}

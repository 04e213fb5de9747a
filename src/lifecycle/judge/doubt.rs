//! I4: writes in doubt. A rename or an issue without an answer may still take effect: one of this process, as its memory
//! tells, or one of the process before, as nothing tells. Until then a token, a rename or a deletion could make a twin.

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::workspace::Creation;
use crate::domain::object::Deletion;
use crate::domain::time::{earlier, later};
use crate::lifecycle::creation_window::{ISSUE_DEADLINE, LAG_ALLOWANCE, UnresolvedIssue};
use crate::lifecycle::memory::Intended;
use crate::lifecycle::view::{Record, View};

/// A rename whose answer was lost may still take effect for this long: a token issued meanwhile could make a twin.
const RENAME_SETTLES: Duration = Duration::from_secs(45);

/// No process is expected to have been down for longer.
const DOWN_FOR: Duration = Duration::from_secs(3600);

/// When this process began with the object: as it started, or took it over from another operator.
fn began(view: &View) -> Timestamp {
    let taken = view.memory.taken_over_at;
    taken.map_or(view.process_began, |at| at.max(view.process_began))
}

/// What this process knows of the intent, if it stored that itself.
fn own<'a>(view: &'a View, intent: &Creation) -> Option<&'a Intended> {
    view.memory.intended.as_ref().filter(|own| own.intent == *intent)
}

/// From then on a search shows every workspace that the issue of a creation in flight made. One of this process is over so
/// long after its intent was stored. One of another process was sent before this one began with the object: that counts where its stamp is
/// of a clock that may differ from ours by any span.
fn creation_resolved_at(view: &View, intent: &Creation) -> Timestamp {
    let clock = &view.progress.clock;
    let sent_before = match own(view, intent) {
        Some(own) => own.at,
        None if clock.can_read(intent) => return clock.resolved_at(intent),
        None => began(view),
    };
    later(later(sent_before, ISSUE_DEADLINE), LAG_ALLOWANCE)
}

/// When a search shows all that a creation in flight may have made, while its deletion waits for that: one that is asked sooner
/// tells nothing, but the server's time where that is not known.
pub fn creation_resolves_at(view: &View) -> Option<Timestamp> {
    let intent = view.intent()?;
    let issue = issue_of(view, intent);
    let waits = view.object.deletion == Deletion::Requested
        && view.recorded_id().is_none()
        && issue.opened.is_none()
        && (own(view, intent).is_some() || view.progress.clock.is_known());
    (waits && !issue.is_shown_by(view.now)).then_some(issue.resolved_at)
}

/// The issue of a creation in flight, with what this process knows of it.
pub fn issue_of(view: &View, intent: &Creation) -> UnresolvedIssue {
    UnresolvedIssue {
        opened: own(view, intent).and_then(|own| own.opened.clone()),
        ..view
            .progress
            .clock
            .issue_of(intent, creation_resolved_at(view, intent))
    }
}

/// An issue for the recorded workspace that the process before may have sent. None, once a list or a search after its end showed
/// nothing of it, or where this process recorded the workspace.
pub fn former_issue(view: &View, record: &Record) -> Option<UnresolvedIssue> {
    // No token is issued under a name that is known in part.
    if view.memory.free_of_former_issues.as_ref() == Some(&record.id) || record.name.is_cut() {
        return None;
    }
    let sent_from = earlier(began(view), DOWN_FOR);
    let carried_out_by = later(began(view), ISSUE_DEADLINE);
    let clock = &view.progress.clock;
    let issue = clock.lost_between(&record.name, sent_from, carried_out_by);
    (!is_disproved(view, &issue)).then_some(issue)
}

/// Whether a list that was begun after the end of the issue shows no workspace that it made: the recorded one alone has the
/// name. A GET does not show that, for the workspace may have been gone when the issue was carried out, and be back.
pub fn is_disproved(view: &View, issue: &UnresolvedIssue) -> bool {
    let listed = view.listed.as_ref();
    listed.is_some_and(|listed| issue.is_shown_by(listed.begun_at) && listed.shows_alone(&issue.name))
}

/// Until when an issue may take effect, or what it made may be missing from a list. No name changes, and nothing is deleted,
/// before.
pub fn unresolved_until(view: &View, record: &Record) -> Option<Timestamp> {
    let former = former_issue(view, record).map(|issue| issue.resolved_at);
    let former = former.filter(|at| *at > view.now);
    view.memory.unresolved_until(view.now).max(former)
}

/// The same, if something waits for it. What is as declared is not woken for issues that nobody knows of.
pub fn waits_until(view: &View) -> Option<Timestamp> {
    let Some(record) = view.record() else {
        return creation_resolves_at(view);
    };
    let waits = view.object.deletion == Deletion::Requested
        || view.object.recreate.as_ref() == Some(&record.id)
        || is_misnamed(view, &record);
    if waits {
        unresolved_until(view, &record)
    } else {
        view.memory.unresolved_until(view.now)
    }
}

/// Whether the workspace has another name than the declared one, as last seen.
fn is_misnamed(view: &View, record: &Record) -> bool {
    let name = view.row(&record.id).map_or(&record.name, |row| &row.name);
    *name != view.declared.name
}

/// When a rename that was not answered was sent at the latest. The process before may have sent one if one was wanted, and
/// has not taken effect.
fn rename_unclear_at(view: &View) -> Option<Timestamp> {
    let ours = view.memory.rename_unclear_at;
    let record = view.record()?;
    let wanted = is_misnamed(view, &record) && !view.declared.is_suspended();
    let former = wanted && former_issue(view, &record).is_some();
    ours.max(former.then_some(began(view)))
}

/// When a rename without an answer has settled, if that is still to come.
pub fn rename_settles_at(view: &View) -> Option<Timestamp> {
    let settles_at = later(rename_unclear_at(view)?, RENAME_SETTLES);
    (settles_at > view.now).then_some(settles_at)
}

/// Whether what was asked then shows the name that the workspace keeps: every rename without an answer had settled.
pub fn shows_the_name(view: &View, asked_at: Timestamp) -> bool {
    rename_unclear_at(view).is_none_or(|at| asked_at >= later(at, RENAME_SETTLES))
}

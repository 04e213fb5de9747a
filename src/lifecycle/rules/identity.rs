//! I3, I5: the recorded id is the identity; what is gone is reported and stays gone until the user says otherwise.

use crate::crd::conditions::SYNCED;
use crate::domain::finding::Finding;
use crate::domain::object::Finalizer;
use crate::domain::reason::Reason;
use crate::domain::time::elapsed;
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall};
use crate::lifecycle::plan::{Step, sync};
use crate::lifecycle::report;
use crate::lifecycle::rules::{preconditions, state};
use crate::lifecycle::verdict::Aspect;
use crate::lifecycle::view::{ListEntry, Record, Remote, View};

/// A recorded workspace is held, even where somebody took our finalizer away.
pub fn hold_by_finalizer(view: &View) -> Option<Step> {
    view.record()?;
    match view.object.finalizer {
        Finalizer::Present => None,
        Finalizer::Absent => preconditions::add_finalizer(),
    }
}

/// A difference or an absence in the shared list only schedules a GET by id, never an effect. Who asks for a reconcile asks
/// for such a look too.
pub fn read_what_differs(view: &View) -> Option<Step> {
    let record = view.record()?;
    let differs = listed(view).is_some_and(|listed| {
        listed
            .row
            .as_ref()
            .is_none_or(|row| row.name != record.name || state::known(row) != record.state)
    });
    let unchecked = view.observed(&record.id).is_none() && view.progress.row.is_none();
    ((differs || is_asked(view)) && unchecked && may_ask(view))
        .then(|| sync(Effect::Engine(EngineCall::Get(record.id.clone()))))
        .flatten()
}

/// Whether a reconcile was asked for that was not made yet.
fn is_asked(view: &View) -> bool {
    view.object.reconcile_at.is_some() && view.object.reconcile_at != view.stored.last_handled_reconcile_at
}

fn may_ask(view: &View) -> bool {
    (!view.rests(Aspect::Sync) || is_answered_by_the_list(view)) && view.progress.sync_problem.is_none()
}

/// The list that was wanted because a GET did not find the workspace has come, and lacks it too: one more GET decides,
/// while that list is of this minute.
fn is_answered_by_the_list(view: &View) -> bool {
    last_said(view) == Some(Reason::NotFoundUnconfirmed) && listed(view).is_some() && missed_by_the_list(view)
}

/// The list's word on the recorded workspace, where it is younger than what we know ourselves.
pub fn listed(view: &View) -> Option<&ListEntry> {
    let known_at = view.memory.known_at.max(view.memory.missed_at);
    view.listed
        .as_ref()
        .filter(|listed| Some(listed.requested_at) > known_at)
}

/// Gone is a 404 or a tombstone on GET by id. The way back is an annotation that names the lost id, good once.
pub fn report_what_is_gone(view: &View) -> Option<Step> {
    let record = view.record()?;
    let gone = match view.observed(&record.id) {
        Some(seen) => match seen.remote {
            Remote::Gone => true,
            Remote::Present(_) => return None,
        },
        // What was not found stays so until a GET by id says otherwise.
        None if was_missed(view) && may_ask(view) => {
            return sync(Effect::Engine(EngineCall::Get(record.id.clone())));
        }
        None => was_missed(view),
    };
    if !gone {
        return None;
    }
    let read = view.observed(&record.id).is_some();
    let believed = was_gone(view) || (read && missed_by_the_list(view));
    if !believed {
        return Some(Step::Settle(report::blocked(view, unconfirmed(&record))));
    }
    if let Some(step) = preconditions::remove_secrets(view) {
        return Some(step);
    }
    // It may have come back: only this reconcile's own GET lets its record go.
    if read && view.object.recreate.as_ref() == Some(&record.id) && !view.declared.is_suspended() {
        return sync(Effect::Cluster(ClusterEffect::WriteStatus(Box::new(
            report::forgotten(view, &record),
        ))));
    }
    Some(Step::Settle(report::blocked(view, gone_finding(view, &record))))
}

/// One that is gone may be one of many: whether it is, only a list of this minute can tell, and nothing follows before.
fn missed_by_the_list(view: &View) -> bool {
    let missing = view.listed.as_ref().filter(|listed| listed.row.is_none());
    missing.is_some_and(|listed| {
        Some(listed.requested_at) > view.memory.known_at
            && elapsed(listed.requested_at, view.now) <= CONFIRMED_FOR
    })
}

fn unconfirmed(record: &Record) -> Finding {
    Finding::new(
        Reason::NotFoundUnconfirmed,
        format!(
            "the workspace {} ({:?}) is not found by its id; the organization's list is taken before that is believed",
            record.id,
            record.name.as_str()
        ),
    )
}

/// Whether the last that was said of the workspace is that it is gone. Said of the name and state alone, it outlives whatever
/// else is said of the object meanwhile.
pub fn was_gone(view: &View) -> bool {
    last_said(view) == Some(Reason::WorkspaceNotFound)
}

/// Whether the last GET by id did not find it.
fn was_missed(view: &View) -> bool {
    matches!(
        last_said(view),
        Some(Reason::WorkspaceNotFound | Reason::NotFoundUnconfirmed)
    )
}

fn last_said(view: &View) -> Option<Reason> {
    view.stored_finding(SYNCED).map(|finding| finding.reason)
}

fn gone_finding(view: &View, record: &Record) -> Finding {
    let held_back = match view.declared.is_suspended() {
        true => ", which waits while spec.suspend is set",
        false => "",
    };
    Finding::new(
        Reason::WorkspaceNotFound,
        format!(
            "the workspace {} ({:?}) no longer exists in organization {}; it is not made anew, for a new one would be empty. \
             Delete this object, or annotate it with agentengine.airbyte.com/recreate={} to have an empty one made{held_back}",
            record.id,
            record.name.as_str(),
            record.organization_id,
            record.id
        ),
    )
}

/// An id that suddenly belongs to another organization is nobody's to act on.
pub fn refuse_another_identity(view: &View) -> Option<Step> {
    let record = view.record()?;
    let Some(row) = view.present(&record.id) else {
        let said = view.stored_finding(SYNCED)?;
        let stands = said.reason == Reason::IdentityMismatch && view.progress.row.is_none();
        // What was read to be another's stays so until a GET by id says otherwise.
        return match stands {
            true if may_ask(view) => sync(Effect::Engine(EngineCall::Get(record.id.clone()))),
            true => Some(Step::Settle(report::blocked(view, said))),
            false => None,
        };
    };
    let other = row
        .organization_id
        .as_ref()
        .filter(|id| **id != record.organization_id)?;
    let finding = Finding::new(
        Reason::IdentityMismatch,
        format!(
            "the workspace {} is said to belong to organization {other}, recorded is {}; nothing was done",
            record.id, record.organization_id
        ),
    );
    Some(Step::Settle(report::blocked(view, finding)))
}

/// An observation is good for issuing, and a list for telling one from many, for this long.
const CONFIRMED_FOR: std::time::Duration = std::time::Duration::from_secs(60);

/// The recorded workspace as seen within the last minute and after our own last write, by GET or by the shared list. After an
/// issue that was not proven only a GET of this reconcile will do: where the name had moved, another issue under it comes too late.
pub fn confirmed<'a>(view: &'a View, record: &Record) -> Option<&'a crate::domain::remote::RemoteWorkspace> {
    let young = |requested_at| elapsed(requested_at, view.now) <= CONFIRMED_FOR && requested_at <= view.now;
    if let Some(seen) = view.observed(&record.id).filter(|seen| young(seen.requested_at)) {
        return match &seen.remote {
            Remote::Present(row) => Some(row),
            Remote::Gone => None,
        };
    }
    listed(view)
        .filter(|listed| young(listed.requested_at) && view.memory.unproven.is_empty())
        .and_then(|listed| listed.row.as_ref())
        .filter(|row| row.name == record.name && state::known(row) == record.state)
}

//! I7: deletes the workspace or retains it, then lets the object go.

use crate::crd::conditions::{self, READY, TOKEN_READY};
use crate::crd::workspace::{Creation, Origin};
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::Reason;
use crate::lifecycle::aspect::{Aspect, Problem};
use crate::lifecycle::creation_window::UnresolvedIssue;
use crate::lifecycle::effect::{ClusterEffect, CrdState, EngineCall};
use crate::lifecycle::findings;
use crate::lifecycle::judge::attribution::{Attribution, attribute};
use crate::lifecycle::judge::deletion::{self, WorkspaceFate};
use crate::lifecycle::judge::orphan::{self, Orphans};
use crate::lifecycle::judge::{doubt, drift, failure, identity, names, organization, sight, token_secret};
use crate::lifecycle::progress::{ObjectProgress, Remote, Removal};
use crate::lifecycle::rules::creation::found_record;
use crate::lifecycle::step::{Change, Ending, Step};
use crate::lifecycle::view::{Record, View};
use crate::tenancy::fallback_name;

/// Deals with an object whose deletion was requested; it has no opinion on others.
pub fn let_it_go(view: &View) -> Option<Step> {
    match (view.object.deletion, view.object.finalizer) {
        (Deletion::NotRequested, _) => None,
        (Deletion::Requested, Finalizer::Absent) => Some(let_go(view)),
        (Deletion::Requested, Finalizer::Present) => {
            Some(match (deletion::fate(view), view.record(), view.intent()) {
                (_, None, None) => release(view),
                (WorkspaceFate::Retain, _, _) => retain(view),
                (WorkspaceFate::Delete, Some(record), _) => delete(view, &record),
                (WorkspaceFate::Delete, None, Some(intent)) => settle_creation(view, intent),
            })
        }
    }
}

/// Our finalizer is off, and finalizers of others hold the object: no Secret of it counts any more, and its status says so.
fn let_go(view: &View) -> Step {
    match (refused_by_kubernetes(view), token_secret::next_to_delete(view)) {
        (Some(problem), _) => Step::Settle(Ending::Failed(problem)),
        (None, Some(secret)) => Step::token(secret),
        (None, None) => Step::blocked(findings::released()),
    }
}

/// A workspace that only its Organization retains is not let go by what a watch may have shown too late.
fn retain(view: &View) -> Step {
    if deletion::is_declared_to_stay(view) || view.progress.organization_live_at.is_some() {
        return release(view);
    }
    unless_refused(view, ClusterEffect::ReadObject)
}

fn release(view: &View) -> Step {
    unless_refused(view, ClusterEffect::RemoveFinalizer)
}

/// What Kubernetes has just refused, the next reconcile tries again.
fn unless_refused(view: &View, effect: ClusterEffect) -> Step {
    refused_by_kubernetes(view).map_or_else(
        || Step::sync(effect),
        |problem| Step::Settle(Ending::Failed(problem)),
    )
}

fn refused_by_kubernetes(view: &View) -> Option<Problem> {
    failure::problem(view).filter(|problem| problem.finding.reason == Reason::KubernetesApiError)
}

/// The workspace is gone, and Kubernetes refused to let its object go: only that is tried again.
fn release_again(view: &View) -> Step {
    if view.rests(Aspect::Sync) && refused_by_kubernetes(view).is_none() {
        let last = view.last_word(READY, findings::deletion_waits);
        return Step::Settle(Ending::Waits(last));
    }
    release(view)
}

fn delete(view: &View, record: &Record) -> Step {
    if view.memory.removed.as_ref() == Some(&record.id) {
        return release_again(view);
    }
    match view.removal(&record.id) {
        Removal::Done => return release(view),
        // The next call may take as long, and the token is gone already.
        Removal::Unclear | Removal::NotFound if was_slow(view) && is_called_ready(view) => {
            return Step::Store(Change::Deleting);
        }
        // Whatever the answer to DELETE, a GET decides whether the workspace is gone.
        Removal::Unclear => return Step::call(EngineCall::Get(record.id.clone())),
        Removal::NotFound => return let_go_of_missing(view, record),
        Removal::Failed | Removal::NotTried => {}
    }
    let first = unable(view)
        .or_else(|| see_one_of_many(view, record))
        .or_else(|| may_be_the_crd(view));
    if let Some(step) = first {
        return step;
    }
    if let Some(secret) = token_secret::next_to_delete(view) {
        return Step::token(secret);
    }
    remove_orphans(orphan::before_its_record_goes(view, record))
        .unwrap_or_else(|| Step::call(EngineCall::Delete(record.id.clone())))
}

fn remove_orphans(orphans: Orphans) -> Option<Step> {
    match orphans {
        Orphans::None => None,
        Orphans::Next(call) => Some(Step::call(call)),
        Orphans::Wait => Some(Step::blocked(findings::deleting_after_issue())),
        Orphans::Uncertain(row) => {
            let why = findings::may_be_of_an_issue(&row);
            Some(Step::blocked(findings::deletion_blocked(&why)))
        }
    }
}

/// An organization that lists its workspaces to us hides none of them behind a 404. An answer without a row shows nothing.
fn let_go_of_missing(view: &View, record: &Record) -> Step {
    let name = drift::current(view, record).name;
    let Some(search) = view.search(&name) else {
        return unable(view).unwrap_or(Step::call(EngineCall::Search(name)));
    };
    let mut rows = search.rows.iter();
    if rows.any(|row| row.id == record.id && !row.tombstone) {
        return Step::blocked(findings::deletion_blocked(&findings::still_listed(&record.id)));
    }
    if let Some(step) = remove_orphans(orphan::in_its_place(view, record)) {
        return unable(view).unwrap_or(step);
    }
    if sight::has_listed_since(view, record) {
        return release(view);
    }
    release_where_any_is_shown(view)
}

/// What is not found is not there if Agent Engine shows any workspace: the one that each organization has, where the searches
/// so far showed none.
fn release_where_any_is_shown(view: &View) -> Step {
    if sight::shows_any(view) {
        return release(view);
    }
    let fallback = fallback_name();
    if view.search(&fallback).is_none() {
        return unable(view).unwrap_or(Step::call(EngineCall::Search(fallback)));
    }
    Step::blocked(findings::deletion_blocked(findings::nothing_listed()))
}

/// Whether the last call took so long that the live read before it counts no more, and a status can be stored.
fn was_slow(view: &View) -> bool {
    view.progress.live_at.is_none() && view.progress.object == ObjectProgress::Current
}

fn is_called_ready(view: &View) -> bool {
    [READY, TOKEN_READY]
        .into_iter()
        .any(|kind| conditions::is_true(&view.stored.conditions, kind))
}

/// Finds the workspace of a creation in flight by the intent's name and window, records it, and then deletes it by id.
fn settle_creation(view: &View, intent: &Creation) -> Step {
    if let Some(step) = unable(view) {
        return step;
    }
    if doubt::creation_resolves_at(view).is_some() {
        return Step::blocked(findings::deleting_after_creation(intent));
    }
    let Some(search) = view.search(&intent.name) else {
        return Step::call(EngineCall::Search(intent.name.clone()));
    };
    let issue = doubt::issue_of(view, intent);
    // One that others made within the window may be listed before ours.
    let is_told = issue.opened.is_some() || issue.is_shown_by(search.asked_at);
    match attribute(search, &issue) {
        Attribution::Ours(_) if !is_told => search_once_it_tells(view, intent, &issue),
        Attribution::Ours(row) => match view.observed(&row.id).map(|seen| &seen.remote) {
            None => Step::call(EngineCall::Get(row.id)),
            // It was listed: a read that lags is not the last word while the creation is unresolved.
            Some(Remote::Gone) if !issue.is_shown_by(view.now) => {
                Step::blocked(findings::deleting_after_creation(intent))
            }
            Some(Remote::Gone) => release(view),
            Some(Remote::Present(row)) => {
                let organization = &intent.organization_id;
                match names::id_claimed_by_other(view, organization, &row.id) {
                    Some(claimed) => Step::blocked(findings::deletion_blocked(&claimed.message)),
                    None => Step::Store(Change::Recorded(found_record(organization, row, Origin::Created))),
                }
            }
        },
        Attribution::Theirs => release(view),
        Attribution::Ambiguous(row) => {
            Step::blocked(findings::deletion_blocked(&findings::nothing_tells_whose(&row)))
        }
        Attribution::Unresolved => search_once_it_tells(view, intent, &issue),
        Attribution::NotFound => release_where_any_is_shown(view),
    }
}

fn search_once_it_tells(view: &View, intent: &Creation, issue: &UnresolvedIssue) -> Step {
    if issue.is_shown_by(view.now) {
        Step::call(EngineCall::Search(intent.name.clone()))
    } else {
        Step::blocked(findings::deleting_after_creation(intent))
    }
}

/// The step, if Agent Engine cannot be asked to delete now. Waiting is not failing: just after a start, the Organization is
/// being verified.
fn unable(view: &View) -> Option<Step> {
    if let Some(name) = organization::being_verified(view)
        && failure::problem(view).is_none()
    {
        return Some(Step::Settle(Ending::Waits(findings::deletion_waits_for(name))));
    }
    match deletion::obstacle(view) {
        Some(why) => Some(Step::blocked(findings::deletion_blocked(&why))),
        None if view.rests(Aspect::Sync) => {
            let last = view.last_word(READY, findings::deletion_waits);
            Some(Step::Settle(Ending::Waits(last)))
        }
        None => None,
    }
}

/// While many workspaces are missing at once, only one that a GET by id shows is deleted: "not found" is trusted for none.
fn see_one_of_many(view: &View, record: &Record) -> Option<Step> {
    if !identity::are_many_missing(view) {
        return None;
    }
    match view.observed(&record.id).map(|seen| &seen.remote) {
        None => Some(Step::call(EngineCall::Get(record.id.clone()))),
        Some(Remote::Present(_)) => None,
        Some(Remote::Gone) => Some(Step::blocked(findings::deletion_blocked(
            findings::many_missing_while_deleting(),
        ))),
    }
}

/// Reads the CRD before a DELETE: Kubernetes deletes the objects of a terminating CRD, and no user asked to delete their
/// workspaces.
fn may_be_the_crd(view: &View) -> Option<Step> {
    match &view.progress.crd {
        None => Some(Step::sync(ClusterEffect::ReadCrd)),
        Some(CrdState::Serving | CrdState::Going) => None,
        Some(CrdState::Unreadable { why }) => Some(Step::blocked(findings::deletion_blocked(
            &findings::crd_unreadable(why),
        ))),
    }
}

//! Agent Engine's answers. Each is a fact about the instant of its request.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::crd::workspace::CreationClock;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::object::Deletion;
use crate::domain::remote::{Answer, Deleted, Failure, FailureClass, RemoteWorkspace, TokenScope};
use crate::lifecycle::aspect::{Aspect, Problem};
use crate::lifecycle::creation_window::{ServerClock, UnresolvedIssue};
use crate::lifecycle::effect::{EngineAnswer, EngineCall, IssuedToken, WorkspaceChange};
use crate::lifecycle::findings;
use crate::lifecycle::judge::{doubt, failure};
use crate::lifecycle::progress::{Issued, NameSearch, Observation, Remote, Removal, Sighting, TokenProgress};
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::view::View;
use crate::tenancy::canonical;

pub(super) fn apply(view: &mut View, aspect: Aspect, call: &EngineCall, answer: EngineAnswer) {
    match (call, answer) {
        (EngineCall::Search(name), EngineAnswer::Searched(answer)) => {
            if let Some((rows, started)) = learn(view, aspect, call, answer) {
                searched(view, name, rows, started);
            }
        }
        (EngineCall::Get(id), EngineAnswer::Got(answer)) => got(view, aspect, id, answer),
        (EngineCall::Issue { name, .. }, EngineAnswer::Issued(answer)) => {
            issued(view, aspect, call, name, answer);
        }
        (EngineCall::Verify(_), EngineAnswer::Verified(answer)) => {
            if let Some((scope, _)) = learn(view, aspect, call, answer) {
                verified(view, scope);
            }
        }
        (EngineCall::Update { id, change }, EngineAnswer::Updated(answer)) => {
            updated(view, aspect, call, id, change, answer);
        }
        (EngineCall::Delete(id), EngineAnswer::Deleted(answer)) => deleted(view, aspect, call, id, answer),
        // The shell answers each call in its kind.
        (_, _) => {}
    }
}

/// The result with the instant of its request; applies a failure.
fn learn<T>(view: &mut View, aspect: Aspect, call: &EngineCall, answer: Answer<T>) -> Option<(T, Timestamp)> {
    learn_the_time(view, &answer);
    let started = answer.started();
    match answer.result {
        Ok(result) => Some((result, started)),
        Err(failure) => {
            failed(view, aspect, call, &failure);
            None
        }
    }
}

fn searched(view: &mut View, name: &WorkspaceName, rows: Vec<RemoteWorkspace>, asked_at: Timestamp) {
    end_doubt(view, name, asked_at, &rows);
    let search = NameSearch {
        name: name.clone(),
        asked_at,
        rows,
    };
    view.progress.searches.insert(name.clone(), search);
}

fn got(view: &mut View, aspect: Aspect, id: &WorkspaceId, answer: Answer<Option<RemoteWorkspace>>) {
    learn_the_time(view, &answer);
    let removal = view.progress.removals.get_mut(id);
    if let Some(removal) = removal.filter(|removal| **removal == Removal::Unclear) {
        *removal = match &answer.result {
            Ok(Some(row)) if row.tombstone => Removal::Done,
            Ok(Some(_)) => Removal::Failed,
            Ok(None) => {
                view.progress.failures.last = None;
                not_found(&mut view.progress.searches)
            }
            Err(_) => Removal::Failed,
        };
        // Why the DELETE failed says more.
        if answer.result.is_err() {
            return;
        }
    }
    let requested_at = answer.started();
    let row = match answer.result {
        Ok(row) => row.filter(|row| !row.tombstone),
        Err(failure) => return failed(view, aspect, &EngineCall::Get(id.clone()), &failure),
    };
    observe(view, id, requested_at, row.clone());
    if let Some(row) = &row {
        end_doubt_about_what_is_opened(view, row, requested_at);
    }
    if view.recorded_id().is_some_and(|recorded| recorded != id) {
        return;
    }
    let count_after = &mut view.memory.lists_count_after;
    let learnt = match &row {
        Some(_) => &mut count_after.present,
        None => &mut count_after.absent,
    };
    *learnt = (*learnt).max(Some(requested_at));
    if let Some(row) = &row {
        correct_searches(view, row);
    }
}

/// Keeps the workspace that the object is about, recorded or wished for, and the one that was read last.
fn observe(view: &mut View, id: &WorkspaceId, requested_at: Timestamp, row: Option<RemoteWorkspace>) {
    let recorded = view.recorded_id().cloned();
    let wished = view.wish().or(view.declared.workspace_id.as_ref()).cloned();
    let kept = [recorded, wished];
    view.progress
        .workspaces
        .retain(|other, _| other == id || kept.iter().flatten().any(|kept| kept == other));
    let remote = row.clone().map_or(Remote::Gone, Remote::Present);
    let read = Some(Observation { requested_at, remote });
    view.progress
        .workspaces
        .insert(id.clone(), Sighting { read, row });
}

/// A GET by id also shows the name: it corrects an earlier search.
fn correct_searches(view: &mut View, row: &RemoteWorkspace) {
    let name = canonical(&row.name);
    let searches = view.progress.searches.values_mut();
    for search in searches.filter(|search| canonical(&search.name) == name) {
        search.rows.retain(|other| other.id != row.id);
        search.rows.push(row.clone());
    }
}

fn issued(
    view: &mut View,
    aspect: Aspect,
    call: &EngineCall,
    name: &WorkspaceName,
    answer: Answer<IssuedToken>,
) {
    learn_the_time(view, &answer);
    if view.recorded_id().is_none() {
        // A creation is a write: an older list lacks the workspace.
        view.memory.lists_count_after.present = Some(answer.finished);
    } else {
        // As it was noted when it was sent: the clock may have been set since.
        let noted = view.memory.unresolved.pop();
        let noted = noted.unwrap_or_else(|| view.progress.clock.lost_issue(name, answer.started()));
        let unresolved = unresolved(&view.progress.clock, noted, &answer);
        view.memory.unresolved.extend(unresolved);
    }
    view.progress.issues = view.progress.issues.saturating_add(1);
    let started = answer.started();
    match answer.result {
        Ok(token) => {
            view.progress.token = TokenProgress::Issued(Issued {
                slot: token.slot,
                finished: answer.finished,
                took: answer.took,
                date: answer.date,
                times: TokenTimes::issued(started, token.lifetime).told_by(view.server_ahead()),
            });
        }
        Err(failure) => {
            view.progress.token = if failure.class.made_nothing() {
                TokenProgress::NothingMade(view.intent().cloned())
            } else {
                TokenProgress::None
            };
            failed(view, aspect, call, &failure);
        }
    }
}

/// Windows of the local clock become the server's at the first answer that tells its time: the local clock may be set later.
fn learn_the_time<T>(view: &mut View, answer: &Answer<T>) {
    view.progress.clock.learn(answer);
    for issue in &mut view.memory.unresolved {
        issue.move_to_the_servers_time(&view.progress.clock);
    }
}

/// The issue for the recorded workspace, kept until its token is verified.
fn unresolved(
    clock: &ServerClock,
    noted: UnresolvedIssue,
    answer: &Answer<IssuedToken>,
) -> Option<UnresolvedIssue> {
    match &answer.result {
        Err(failure) if failure.class.made_nothing() => None,
        Err(failure) if !failure.class.is_refusal() => Some(noted),
        // What it made, before it refused as well, was made by then.
        Ok(_) | Err(_) => Some(UnresolvedIssue {
            window: clock.live_window(answer.finished, answer.took, answer.date),
            clock: answer.date.map_or(noted.clock, |_| CreationClock::Server),
            ..noted
        }),
    }
}

/// A search that was asked after their resolution shows nothing of their own windows under the name: these issues made no
/// orphan, whoever else bears it.
fn end_doubt(view: &mut View, name: &WorkspaceName, asked_at: Timestamp, rows: &[RemoteWorkspace]) {
    let record = view.record();
    let recorded = record.as_ref().map(|record| &record.id);
    let others = rows.iter().filter(|row| Some(&row.id) != recorded);
    let former = record
        .as_ref()
        .and_then(|record| doubt::former_issue(view, record));
    if let Some(issue) = former
        && issue.name == *name
        && issue.is_shown_by(asked_at)
        && !others.clone().any(|row| issue.may_have_made(row))
    {
        view.memory.free_of_former_issues = recorded.cloned();
    }
    view.memory.unresolved.retain_mut(|issue| {
        if issue.name != *name {
            return true;
        }
        let made = others.clone().any(|row| issue.may_have_made(row));
        issue.searched(asked_at);
        made || !issue.is_shown_by(asked_at)
    });
}

/// An issue makes nothing but the workspace that its token opens: this one was there before, or nothing will ever tell. The
/// recorded one has moved, or shares its name: it is read again before the next issue.
fn end_doubt_about_what_is_opened(view: &mut View, row: &RemoteWorkspace, asked_at: Timestamp) {
    let opened = view.progress.token.verified();
    let opens_it = opened.is_some_and(|(_, scope)| scope.workspace_id == row.id);
    if opens_it && view.recorded_id().is_some_and(|recorded| *recorded != row.id) {
        let memory = &mut view.memory;
        // The last issue is that of this token.
        memory.unresolved.pop_if(|issue| issue.surely_did_not_make(row));
        memory.lists_count_after.present = Some(asked_at);
    }
}

fn verified(view: &mut View, scope: TokenScope) {
    // The last issue is that of this token.
    match view.recorded_id() {
        Some(recorded) if *recorded == scope.workspace_id => {
            view.memory.unresolved.pop();
        }
        Some(_) => {
            if let Some(issue) = view.memory.unresolved.last_mut() {
                issue.opened = Some(scope.workspace_id.clone());
            }
        }
        None => {
            if let Some(intended) = &mut view.memory.intended {
                intended.opened = Some(scope.workspace_id.clone());
            }
        }
    }
    let token = std::mem::take(&mut view.progress.token);
    view.progress.token = match token {
        TokenProgress::Issued(issued) => TokenProgress::Verified(issued, scope),
        other => other,
    };
}

fn updated(
    view: &mut View,
    aspect: Aspect,
    call: &EngineCall,
    id: &WorkspaceId,
    change: &WorkspaceChange,
    answer: Answer<RemoteWorkspace>,
) {
    learn_the_time(view, &answer);
    view.memory.lists_count_after.present = Some(answer.finished);
    let sighting = view.progress.workspaces.entry(id.clone()).or_default();
    // No token is issued on a read from before our own write.
    sighting.read = None;
    let requested_at = answer.started();
    let failure = match answer.result {
        Ok(row) => {
            let ignored = failure::kept_otherwise(change, &row);
            sighting.row = Some(row);
            view.memory.rename_unclear_at = None;
            if view.progress.token.published().is_some() {
                view.progress.token = TokenProgress::None;
            }
            let refused = ignored.map(|finding| (change.clone(), finding));
            return view.progress.failures.refused.extend(refused);
        }
        Err(failure) => failure,
    };
    match failure.class {
        // Only this change is refused (a 403 is `Denied`, reason `AccessDenied`): the other one and the token go on.
        FailureClass::Rejected | FailureClass::Conflict | FailureClass::Denied => {
            let refused = (change.clone(), failure::of_change(change, &failure));
            view.progress.failures.refused.push(refused);
        }
        FailureClass::Missing => {
            sighting.read = Some(Observation {
                requested_at,
                remote: Remote::Gone,
            });
        }
        FailureClass::Transient
        | FailureClass::Throttled(_)
        | FailureClass::Malformed
        | FailureClass::Unknown => {
            let in_doubt = matches!(failure.class, FailureClass::Unknown | FailureClass::Malformed);
            if in_doubt && matches!(change, WorkspaceChange::Rename(_)) {
                view.memory.rename_unclear_at = Some(answer.finished);
            }
            failed(view, aspect, call, &failure);
        }
    }
}

fn deleted(view: &mut View, aspect: Aspect, call: &EngineCall, id: &WorkspaceId, answer: Answer<Deleted>) {
    learn_the_time(view, &answer);
    let orphan_of = view.recorded_id().filter(|recorded| *recorded != id).cloned();
    if orphan_of.is_none() {
        let removal = match &answer.result {
            Ok(Deleted::Removed) => Removal::Done,
            Ok(Deleted::AlreadyGone) => not_found(&mut view.progress.searches),
            Err(failure) => match failure.class {
                FailureClass::Throttled(_) => Removal::Failed,
                FailureClass::Transient
                | FailureClass::Denied
                | FailureClass::Rejected
                | FailureClass::Conflict
                | FailureClass::Missing
                | FailureClass::Malformed
                | FailureClass::Unknown => Removal::Unclear,
            },
        };
        view.progress.removals.insert(id.clone(), removal);
    }
    let requested_at = answer.started();
    match (answer.result, orphan_of) {
        (Err(failure), _) => failed(view, aspect, call, &failure),
        (Ok(_), Some(recorded)) => orphan_removed(view, id, &recorded, answer.finished),
        (Ok(Deleted::AlreadyGone), None) => observe(view, id, requested_at, None),
        (Ok(Deleted::Removed), None) => {}
    }
}

/// No search that was asked before the answer confirms it.
fn not_found(searches: &mut BTreeMap<WorkspaceName, NameSearch>) -> Removal {
    searches.clear();
    Removal::NotFound
}

/// The name of our issue is stale, whatever its source: the recorded workspace is read again.
fn orphan_removed(view: &mut View, orphan: &WorkspaceId, recorded: &WorkspaceId, finished: Timestamp) {
    view.memory.lists_count_after.present = Some(finished);
    let seen = view.progress.workspaces.remove(orphan);
    let removed = seen.and_then(|seen| seen.read?.present().cloned());
    let made_it = |issue: &UnresolvedIssue| removed.as_ref().is_some_and(|row| issue.may_have_made(row));
    view.memory.unresolved.retain(|issue| !made_it(issue));
    if let Some(seen) = view.progress.workspaces.get_mut(recorded) {
        seen.read = None;
    }
    if view.progress.token.issued().is_some() {
        view.progress.token = TokenProgress::None;
    }
    for search in view.progress.searches.values_mut() {
        search.rows.retain(|row| row.id != *orphan);
    }
    view.progress
        .events
        .push(findings::orphan_removed(orphan, recorded));
}

/// After a failed call about name or state, the token of a recorded workspace is still renewed; any other failure ends the
/// reconcile.
fn failed(view: &mut View, aspect: Aspect, call: &EngineCall, failure: &Failure) {
    let creating = view.recorded_id().is_none();
    let finding = if creating {
        failure::of_creation(call, failure)
    } else {
        failure::of_call(call, failure)
    };
    if aspect == Aspect::Sync && !creating && view.object.deletion == Deletion::NotRequested {
        view.progress.failures.sync = Some(finding);
    } else {
        view.progress.failures.last = Some(Problem { aspect, finding });
    }
}

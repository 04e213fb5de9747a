//! What Agent Engine answered, and what that makes of what is known: each answer is a fact about the moment in which it
//! was asked for.

use jiff::Timestamp;

use crate::domain::finding::Finding;
use crate::domain::ids::WorkspaceName;
use crate::domain::object::Deletion;
use crate::domain::reason::Reason;
use crate::domain::remote::{Answer, Deleted, Failure, FailureClass, RemoteWorkspace, TokenScope};
use crate::lifecycle::creation_window::ServerClock;
use crate::lifecycle::effect::{Effect, EngineCall, IssuedToken, WorkspaceChange};
use crate::lifecycle::failures;
use crate::lifecycle::memory::Unproven;
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::verdict::{Aspect, Problem};
use crate::lifecycle::view::{Issued, NameSearch, Observation, Remote, Removal, View};
use crate::tenancy::canonical;

pub(super) fn looked(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<Vec<RemoteWorkspace>>) {
    view.progress.clock.learn(&answer);
    match (answer.result, effect) {
        (Ok(rows), Effect::Engine(EngineCall::Search(name))) => {
            if !rows.iter().any(|row| row.name == *name) {
                forget_unproven(view, name, answer.started);
            }
            view.progress.searches.retain(|search| search.name != *name);
            view.progress.searches.push(NameSearch {
                name: name.clone(),
                rows,
            });
        }
        (Ok(_), _) => {}
        (Err(failure), _) => failed(view, aspect, effect, failure),
    }
}

pub(super) fn got(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<Option<RemoteWorkspace>>) {
    view.progress.clock.learn(&answer);
    let Effect::Engine(EngineCall::Get(id)) = effect else {
        return;
    };
    if view.progress.removal == Removal::Unclear {
        view.progress.removal = Removal::Failed;
        // Why the DELETE failed says more.
        if answer.result.is_err() {
            return;
        }
    }
    let row = match answer.result {
        Ok(row) => row.filter(|row| !row.tombstone),
        Err(failure) => return failed(view, aspect, effect, failure),
    };
    let remote = row.clone().map_or(Remote::Gone, Remote::Present);
    let observation = Observation {
        id: id.clone(),
        requested_at: answer.started,
        remote,
    };
    if view.record().is_some_and(|record| record.id != *id) {
        view.progress.other = Some(observation);
        return;
    }
    view.progress.remote = Some(observation);
    let learnt = match &row {
        Some(_) => &mut view.memory.known_at,
        None => &mut view.memory.missed_at,
    };
    *learnt = (*learnt).max(Some(answer.started));
    if let Some(row) = &row {
        note_in_looks(view, row);
        forget_unproven(view, &row.name, answer.started);
    }
    view.progress.row = row;
}

/// A workspace read by id is a fact about its name too: a look made before it is corrected.
fn note_in_looks(view: &mut View, row: &RemoteWorkspace) {
    let name = canonical(&row.name);
    for search in view
        .progress
        .searches
        .iter_mut()
        .filter(|search| canonical(&search.name) == name)
    {
        search.rows.retain(|other| other.id != row.id);
        search.rows.push(row.clone());
    }
}

pub(super) fn issued(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<IssuedToken>) {
    view.progress.clock.learn(&answer);
    view.progress.stamped = false;
    let Effect::Engine(EngineCall::Issue { name, .. }) = effect else {
        return;
    };
    if view.record().is_none() {
        // A creation is a write too: a list from before it lacks the workspace.
        view.memory.known_at = Some(answer.finished);
    } else {
        // It was noted when it was sent; now more is known.
        view.memory.unproven.pop();
        let unproven = unproven(&view.progress.clock, name, &answer);
        view.memory.unproven.extend(unproven);
    }
    view.progress.issues = view.progress.issues.saturating_add(1);
    match answer.result {
        Ok(token) => {
            view.progress.issued = Some(Issued {
                slot: token.slot,
                started: answer.started,
                finished: answer.finished,
                date: answer.date,
                times: TokenTimes::issued(answer.started, token.lifetime),
            });
        }
        Err(failure) => {
            view.progress.nothing_made = nothing_made(failure.class);
            failed(view, aspect, effect, failure);
        }
    }
}

/// Whether an issue that failed so made nothing for certain.
fn nothing_made(class: FailureClass) -> bool {
    match class {
        FailureClass::Transient
        | FailureClass::Throttled(_)
        | FailureClass::Denied
        | FailureClass::Rejected
        | FailureClass::Conflict
        | FailureClass::Missing => true,
        FailureClass::Malformed | FailureClass::Unknown => false,
    }
}

/// What is to be remembered of an issue for the recorded workspace until its token is proven.
fn unproven(clock: &ServerClock, name: &WorkspaceName, answer: &Answer<IssuedToken>) -> Option<Unproven> {
    match &answer.result {
        Ok(_) => Some(Unproven {
            window: clock.live_window(answer.started, answer.finished, answer.date),
            ..clock.lost_issue(name, answer.started)
        }),
        Err(failure) if nothing_made(failure.class) => None,
        Err(_) => Some(clock.lost_issue(name, answer.started)),
    }
}

/// Seen so late, the name tells that no issue under it made anything: it is free, or still that of the recorded workspace.
fn forget_unproven(view: &mut View, name: &WorkspaceName, seen_at: Timestamp) {
    let may_have = |unproven: &Unproven| unproven.name != *name || unproven.resolved_at > seen_at;
    view.memory.unproven.retain(may_have);
}

pub(super) fn proven(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<TokenScope>) {
    view.progress.clock.learn(&answer);
    match answer.result {
        Ok(proof) => {
            if view
                .record()
                .is_some_and(|record| record.id == proof.workspace_id)
            {
                // The last is the one whose token this is.
                view.memory.unproven.pop();
            }
            view.progress.proof = Some(proof);
        }
        Err(failure) => failed(view, aspect, effect, failure),
    }
}

pub(super) fn updated(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<RemoteWorkspace>) {
    view.progress.clock.learn(&answer);
    view.memory.known_at = Some(answer.finished);
    let Effect::Engine(EngineCall::Update { id, change }) = effect else {
        return;
    };
    // What was read before our own write is no ground for issuing any more.
    view.progress.remote = None;
    match answer.result {
        Ok(row) => {
            view.memory.rename_unclear_at = None;
            view.progress.published = None;
            view.progress
                .refused
                .extend(failures::kept_otherwise(change, &row).map(|finding| (change.clone(), finding)));
            view.progress.row = Some(row);
        }
        Err(failure) => match failure.class {
            FailureClass::Rejected | FailureClass::Conflict | FailureClass::Denied => {
                view.progress
                    .refused
                    .push((change.clone(), failures::refused(change, &failure)));
            }
            FailureClass::Missing => {
                view.progress.remote = Some(Observation {
                    id: id.clone(),
                    requested_at: answer.started,
                    remote: Remote::Gone,
                });
            }
            FailureClass::Transient
            | FailureClass::Throttled(_)
            | FailureClass::Malformed
            | FailureClass::Unknown => {
                if matches!(change, WorkspaceChange::Rename(_))
                    && matches!(failure.class, FailureClass::Unknown | FailureClass::Malformed)
                {
                    view.memory.rename_unclear_at = Some(answer.finished);
                }
                failed(view, aspect, effect, failure);
            }
        },
    }
}

pub(super) fn deleted(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<Deleted>) {
    view.progress.clock.learn(&answer);
    let Effect::Engine(EngineCall::Delete(id)) = effect else {
        return;
    };
    let stray = view.record().filter(|record| record.id != *id);
    if stray.is_none() {
        view.progress.removal = match &answer.result {
            Ok(_) => Removal::Done,
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
    }
    if let Err(failure) = answer.result {
        return failed(view, aspect, effect, failure);
    }
    if let Some(record) = stray {
        // The name that we issued under is stale wherever we had it from.
        view.memory.known_at = Some(answer.finished);
        let made = view
            .progress
            .other
            .take()
            .and_then(|seen| seen.present()?.created_at);
        let made_it = |unproven: &Unproven| made.is_some_and(|at| unproven.window.contains(at));
        view.memory.unproven.retain(|unproven| !made_it(unproven));
        view.progress.remote = None;
        view.progress.issued = None;
        view.progress.proof = None;
        for search in &mut view.progress.searches {
            search.rows.retain(|row| row.id != *id);
        }
        let message = format!(
            "an issue under a name that had just moved created the empty workspace {id} beside {}; it was deleted",
            record.id
        );
        view.progress
            .notes
            .push(Finding::new(Reason::OrphanRemoved, message));
    }
}

fn failed(view: &mut View, aspect: Aspect, effect: &Effect, failure: Failure) {
    let creating = view.record().is_none();
    let finding = if creating {
        failures::of_creation(effect, &failure)
    } else {
        failures::of_call(effect, &failure)
    };
    if aspect == Aspect::Sync && !creating && view.object.deletion == Deletion::NotRequested {
        view.progress.sync_problem = Some(finding);
    } else {
        view.progress.problem = Some(Problem { aspect, finding });
    }
}

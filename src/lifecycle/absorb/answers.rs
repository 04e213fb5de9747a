//! What Agent Engine answered, and what that makes of what is known: each answer is a fact about the moment in which it
//! was asked for.

use jiff::Timestamp;

use crate::api::ids::WorkspaceName;
use crate::api::remote::{Answer, Deleted, Failure, FailureClass, Proof, RemoteWorkspace};
use crate::lifecycle::clock::ServerClock;
use crate::lifecycle::effect::{Change, Effect, IssuedToken};
use crate::lifecycle::failures;
use crate::lifecycle::memory::Unproven;
use crate::lifecycle::reason::Reason;
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::verdict::{Aspect, Finding, Problem};
use crate::lifecycle::view::{Deletion, Issued, Look, Observation, Remote, Removal, View};
use crate::tenancy::canonical;

pub(super) fn looked(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<Vec<RemoteWorkspace>>) {
    view.found.clock.learn(&answer);
    match (answer.result, effect) {
        (Ok(rows), Effect::Look(name)) => {
            if !rows.iter().any(|row| row.name == *name) {
                forget_unproven(view, name, answer.started);
            }
            view.found.looks.retain(|look| look.name != *name);
            view.found.looks.push(Look {
                name: name.clone(),
                rows,
            });
        }
        (Ok(_), _) => {}
        (Err(failure), _) => failed(view, aspect, effect, failure),
    }
}

pub(super) fn got(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<Option<RemoteWorkspace>>) {
    view.found.clock.learn(&answer);
    let Effect::Get(id) = effect else { return };
    if view.found.removal == Removal::Unclear {
        view.found.removal = Removal::Failed;
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
        view.found.other = Some(observation);
        return;
    }
    view.found.remote = Some(observation);
    let learnt = match &row {
        Some(_) => &mut view.memory.known_at,
        None => &mut view.memory.missed_at,
    };
    *learnt = (*learnt).max(Some(answer.started));
    if let Some(row) = &row {
        note_in_looks(view, row);
        forget_unproven(view, &row.name, answer.started);
    }
    view.found.row = row;
}

/// A workspace read by id is a fact about its name too: a look made before it is corrected.
fn note_in_looks(view: &mut View, row: &RemoteWorkspace) {
    let name = canonical(&row.name);
    for look in view
        .found
        .looks
        .iter_mut()
        .filter(|look| canonical(&look.name) == name)
    {
        look.rows.retain(|other| other.id != row.id);
        look.rows.push(row.clone());
    }
}

pub(super) fn issued(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<IssuedToken>) {
    view.found.clock.learn(&answer);
    view.found.stamped = false;
    let Effect::Issue { name, .. } = effect else {
        return;
    };
    if view.record().is_none() {
        // A creation is a write too: a list from before it lacks the workspace.
        view.memory.known_at = Some(answer.finished);
    } else {
        // It was noted when it was sent; now more is known.
        view.memory.unproven.pop();
        let unproven = unproven(&view.found.clock, name, &answer);
        view.memory.unproven.extend(unproven);
    }
    view.found.issues = view.found.issues.saturating_add(1);
    match answer.result {
        Ok(token) => {
            view.found.issued = Some(Issued {
                slot: token.slot,
                started: answer.started,
                finished: answer.finished,
                date: answer.date,
                times: TokenTimes::issued(answer.started, token.lifetime),
            });
        }
        Err(failure) => {
            view.found.nothing_made = nothing_made(failure.class);
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

pub(super) fn proven(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<Proof>) {
    view.found.clock.learn(&answer);
    match answer.result {
        Ok(proof) => {
            if view
                .record()
                .is_some_and(|record| record.id == proof.workspace_id)
            {
                // The last is the one whose token this is.
                view.memory.unproven.pop();
            }
            view.found.proof = Some(proof);
        }
        Err(failure) => failed(view, aspect, effect, failure),
    }
}

pub(super) fn updated(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<RemoteWorkspace>) {
    view.found.clock.learn(&answer);
    view.memory.known_at = Some(answer.finished);
    let Effect::Update { id, change } = effect else {
        return;
    };
    // What was read before our own write is no ground for issuing any more.
    view.found.remote = None;
    match answer.result {
        Ok(row) => {
            view.memory.rename_unclear_at = None;
            view.found.published = None;
            view.found
                .refused
                .extend(failures::kept_otherwise(change, &row).map(|finding| (change.clone(), finding)));
            view.found.row = Some(row);
        }
        Err(failure) => match failure.class {
            FailureClass::Rejected | FailureClass::Conflict | FailureClass::Denied => {
                view.found
                    .refused
                    .push((change.clone(), failures::refused(change, &failure)));
            }
            FailureClass::Missing => {
                view.found.remote = Some(Observation {
                    id: id.clone(),
                    requested_at: answer.started,
                    remote: Remote::Gone,
                });
            }
            FailureClass::Transient
            | FailureClass::Throttled(_)
            | FailureClass::Malformed
            | FailureClass::Unknown => {
                if matches!(change, Change::Rename(_))
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
    view.found.clock.learn(&answer);
    let Effect::Delete(id) = effect else { return };
    let stray = view.record().filter(|record| record.id != *id);
    if stray.is_none() {
        view.found.removal = match &answer.result {
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
            .found
            .other
            .take()
            .and_then(|seen| seen.present()?.created_at);
        let made_it = |unproven: &Unproven| made.is_some_and(|at| unproven.window.contains(at));
        view.memory.unproven.retain(|unproven| !made_it(unproven));
        view.found.remote = None;
        view.found.issued = None;
        view.found.proof = None;
        for look in &mut view.found.looks {
            look.rows.retain(|row| row.id != *id);
        }
        let message = format!(
            "an issue under a name that had just moved created the empty workspace {id} beside {}; it was deleted",
            record.id
        );
        view.found.notes.push(Finding::new(Reason::StrayRemoved, message));
    }
}

fn failed(view: &mut View, aspect: Aspect, effect: &Effect, failure: Failure) {
    let creating = view.record().is_none();
    let finding = if creating {
        failures::of_creation(effect, &failure)
    } else {
        failures::of_call(effect, &failure)
    };
    if aspect == Aspect::Sync && !creating && view.object.deletion == Deletion::NotAsked {
        view.found.sync_problem = Some(finding);
    } else {
        view.found.problem = Some(Problem { aspect, finding });
    }
}

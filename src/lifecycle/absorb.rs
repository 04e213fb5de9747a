//! Folds what came of an effect into the view: a fact, or the problem that ends the pass.

use jiff::Timestamp;

use super::effect::{Change, Effect, Outcome};
use super::failures;
use super::reason::Reason;
use super::schedule::TokenTimes;
use super::verdict::{Aspect, Finding, Problem};
use super::view::{Deletion, Issued, LiveSecret, Look, Observation, Ownership, Remote, SecretFacts, View};
use crate::api::remote::{Answer, Failure, FailureClass, RemoteWorkspace};
use crate::api::workspace::WorkspaceStatus;
use crate::tenancy::canonical;
use crate::turns::Pressure;

/// Folds `outcome` of `effect` into the view.
pub(super) fn absorb(view: &mut View, aspect: Aspect, effect: &Effect, outcome: Outcome) {
    match outcome {
        // Its name was given to another: nothing of that one is this pass's, least of all its claims.
        Outcome::Object(state) if state.object.uid != view.object.uid => view.found.vanished = true,
        Outcome::Object(state) => {
            let begun = state.stored.creation.as_ref().is_some_and(|creation| {
                creation.uid == state.object.uid && view.stored.creation.as_ref() != Some(creation)
            });
            if matches!(effect, Effect::WriteStatus(_)) {
                if begun {
                    begin_issue(view, aspect, &state.stored);
                }
                if view.stored.creation.is_some() && state.stored.creation.is_none() {
                    // A creation's token ends with it: kept, or dropped.
                    view.found.published = None;
                    view.found.issued = None;
                    view.found.proof = None;
                }
            }
            let target = view.target_name();
            view.found.stale = false;
            view.object = state.object;
            view.declared = state.declared;
            view.stored = state.stored;
            if view.target_name() != target {
                retarget(view);
            }
        }
        Outcome::Vanished => view.found.vanished = true,
        Outcome::Conflict => conflict(view, effect),
        Outcome::KubernetesFailed { detail } => {
            view.found.status_failed = matches!(effect, Effect::WriteStatus(_) | Effect::ReadObject);
            let message = format!("the Kubernetes API did not carry out {}: {detail}", effect.kind());
            view.found.problem = Some(Problem {
                aspect,
                finding: Finding::new(Reason::KubernetesRefused, message),
            });
        }
        Outcome::Secret(live) => {
            view.found.secret_stale = false;
            view.secrets.target = match &live {
                LiveSecret::Absent => None,
                LiveSecret::Present(facts) => Some(facts.clone()),
            };
            view.found.target = Some(live);
        }
        Outcome::SecretWritten(facts) => {
            view.found.issued = None;
            view.found.proof = None;
            if let Effect::WriteSecret(draft) = effect {
                view.found.published = Some(draft.content.workspace_id.clone());
            }
            secret_written(view, facts);
        }
        Outcome::SecretDeleted { name } => forget_secret(view, &name),
        Outcome::Crd(state) => view.found.crd = Some(state),
        Outcome::Looked(answer) => looked(view, aspect, effect, answer),
        Outcome::Got(answer) => got(view, aspect, effect, answer),
        Outcome::Issued(answer) => issued(view, aspect, effect, answer),
        Outcome::Proven(answer) => {
            view.found.clock.learn(&answer);
            match answer.result {
                Ok(proof) => view.found.proof = Some(proof),
                Err(failure) => failed(view, aspect, effect, failure),
            }
        }
        Outcome::Updated(answer) => updated(view, aspect, effect, answer),
        Outcome::Deleted(answer) => {
            view.found.clock.learn(&answer);
            match answer.result {
                Ok(_) => deleted(view, effect, answer.finished),
                Err(failure) => failed(view, aspect, effect, failure),
            }
        }
    }
}

/// What an answer said about pressure. Nothing where Agent Engine was not asked.
pub(super) fn pressure(outcome: &Outcome) -> Option<Pressure> {
    fn of<T>(answer: &Answer<T>) -> Option<Pressure> {
        match &answer.result {
            Ok(_) => Some(Pressure::Relaxed),
            Err(failure) => match failure.class {
                FailureClass::Throttled(delay) => Some(Pressure::Throttled(delay)),
                FailureClass::Transient
                | FailureClass::Denied
                | FailureClass::Rejected
                | FailureClass::Conflict
                | FailureClass::Missing
                | FailureClass::Malformed
                | FailureClass::Unknown => None,
            },
        }
    }
    match outcome {
        Outcome::Looked(answer) => of(answer),
        Outcome::Got(answer) => of(answer),
        Outcome::Issued(answer) => of(answer),
        Outcome::Proven(answer) => of(answer),
        Outcome::Updated(answer) => of(answer),
        Outcome::Deleted(answer) => of(answer),
        Outcome::Object(_)
        | Outcome::Vanished
        | Outcome::Conflict
        | Outcome::KubernetesFailed { .. }
        | Outcome::Secret(_)
        | Outcome::SecretWritten(_)
        | Outcome::SecretDeleted { .. }
        | Outcome::Crd(_) => None,
    }
}

/// How many requests to Agent Engine it took: none for what was asked of Kubernetes.
pub(super) fn requests(outcome: &Outcome) -> u32 {
    match outcome {
        Outcome::Looked(answer) => answer.requests,
        Outcome::Got(answer) => answer.requests,
        Outcome::Issued(answer) => answer.requests,
        Outcome::Proven(answer) => answer.requests,
        Outcome::Updated(answer) => answer.requests,
        Outcome::Deleted(answer) => answer.requests,
        Outcome::Object(_)
        | Outcome::Vanished
        | Outcome::Conflict
        | Outcome::KubernetesFailed { .. }
        | Outcome::Secret(_)
        | Outcome::SecretWritten(_)
        | Outcome::SecretDeleted { .. }
        | Outcome::Crd(_) => 0,
    }
}

/// The intent is stored: its issue may be sent, if that is still within what the intent's window allows for. Where storing
/// it took too long, what the issue made could not be told to be ours: nothing is sent.
fn begin_issue(view: &mut View, aspect: Aspect, stored: &WorkspaceStatus) {
    let in_time = stored
        .creation
        .as_ref()
        .is_some_and(|intent| view.found.clock.may_begin(intent, view.now));
    view.found.stamped = in_time;
    view.found.nothing_made = !in_time;
    if !in_time {
        let message = "the Kubernetes API took too long to store that a creation begins; nothing was sent, and it is tried again";
        view.found.problem = Some(Problem {
            aspect,
            finding: Finding::new(Reason::KubernetesRefused, message),
        });
    }
}

fn conflict(view: &mut View, effect: &Effect) {
    match effect {
        Effect::WriteSecret(_) | Effect::ReadSecret { .. } => {
            view.found.target = None;
            view.found.secret_stale = true;
            view.secrets.target = None;
        }
        // It changed under us: its watch event begins the next pass.
        Effect::DeleteSecret { name, .. } => forget_secret(view, name),
        _ => view.found.stale = true,
    }
}

/// Another name was declared in the middle of the pass: what was known of the old one is of another Secret now.
fn retarget(view: &mut View) {
    let known = view.secrets.target.take();
    view.secrets
        .others
        .extend(known.filter(|facts| facts.ownership == Ownership::Ours));
    view.found.target = None;
    view.found.secret_stale = true;
}

fn secret_written(view: &mut View, facts: SecretFacts) {
    if facts.name == view.target_name() {
        view.found.target = Some(LiveSecret::Present(facts.clone()));
        view.secrets.target = Some(facts);
    } else {
        view.secrets.others.retain(|other| other.name != facts.name);
        view.secrets.others.push(facts);
    }
}

fn forget_secret(view: &mut View, name: &str) {
    view.secrets.others.retain(|other| other.name != name);
    if view
        .secrets
        .target
        .as_ref()
        .is_some_and(|facts| facts.name == name && facts.ownership != Ownership::Foreign)
    {
        view.secrets.target = None;
        view.found.target = Some(LiveSecret::Absent);
    }
}

fn looked(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<Vec<RemoteWorkspace>>) {
    view.found.clock.learn(&answer);
    match (answer.result, effect) {
        (Ok(rows), Effect::Look(name)) => {
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

fn got(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<Option<RemoteWorkspace>>) {
    view.found.clock.learn(&answer);
    let Effect::Get(id) = effect else { return };
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
    view.memory.known_at = view.memory.known_at.max(Some(answer.started));
    if let Some(row) = &row {
        note_in_looks(view, row);
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

fn issued(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<super::effect::IssuedToken>) {
    view.found.clock.learn(&answer);
    view.found.stamped = false;
    if view.record().is_none() {
        // A creation is a write too: a list from before it lacks the workspace.
        view.memory.known_at = Some(answer.finished);
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
            view.found.nothing_made = match failure.class {
                FailureClass::Transient
                | FailureClass::Throttled(_)
                | FailureClass::Denied
                | FailureClass::Rejected
                | FailureClass::Conflict
                | FailureClass::Missing => true,
                FailureClass::Malformed | FailureClass::Unknown => false,
            };
            failed(view, aspect, effect, failure);
        }
    }
}

fn updated(view: &mut View, aspect: Aspect, effect: &Effect, answer: Answer<RemoteWorkspace>) {
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

fn deleted(view: &mut View, effect: &Effect, finished: Timestamp) {
    let Effect::Delete(id) = effect else { return };
    let stray = view.record().filter(|record| record.id != *id);
    view.found.deleted = stray.is_none();
    if let Some(record) = stray {
        // The name that we issued under is stale wherever we had it from.
        view.memory.known_at = Some(finished);
        view.found.remote = None;
        view.found.issued = None;
        view.found.proof = None;
        view.found.other = None;
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

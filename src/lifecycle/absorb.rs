//! Folds what came of an effect into the view: a fact, or the problem that ends the reconcile.

mod answers;

use crate::crd::workspace::WorkspaceStatus;
use crate::domain::finding::Finding;
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::Reason;
use crate::lifecycle::effect::{ClusterEffect, ClusterOutcome, Effect, EngineAnswer, Outcome};
use crate::lifecycle::memory::LastToken;
use crate::lifecycle::rules::deletion;
use crate::lifecycle::verdict::{Aspect, Problem};
use crate::lifecycle::view::{LiveSecret, Ownership, SecretFacts, View};

/// Folds `outcome` of `effect` into the view.
pub(super) fn absorb(view: &mut View, aspect: Aspect, effect: &Effect, outcome: Outcome) {
    if *effect == Effect::Cluster(ClusterEffect::RemoveFinalizer) && lets_go(&outcome) {
        view.progress.notes.extend(deletion::retained_event(view));
    }
    match outcome {
        // Its name was given to another: nothing of that one is this reconcile's, least of all its claims.
        Outcome::Cluster(ClusterOutcome::Object(state)) if state.object.uid != view.object.uid => {
            view.progress.vanished = true
        }
        Outcome::Cluster(ClusterOutcome::Object(state)) => {
            let begun = state.stored.creation.as_ref().is_some_and(|creation| {
                creation.uid == state.object.uid && view.stored.creation.as_ref() != Some(creation)
            });
            if matches!(effect, Effect::Cluster(ClusterEffect::WriteStatus(_))) {
                view.progress.said = true;
                if begun {
                    begin_issue(view, aspect, &state.stored);
                }
                if view.stored.creation.is_some() && state.stored.creation.is_none() {
                    // A creation's token ends with it: kept, or dropped.
                    view.progress.published = None;
                    view.progress.issued = None;
                    view.progress.proof = None;
                }
            }
            let target = view.target_name();
            view.progress.stale = false;
            view.object = state.object;
            view.declared = state.declared;
            view.stored = state.stored;
            if view.target_name() != target {
                retarget(view);
            }
        }
        Outcome::Cluster(ClusterOutcome::Vanished) => view.progress.vanished = true,
        Outcome::Cluster(ClusterOutcome::Conflict) => conflict(view, effect),
        Outcome::Cluster(ClusterOutcome::Forbidden { detail }) => match (view.object.deletion, effect) {
            // Rights that stood in a namespace may go before what is in it. The Secret goes with its owner.
            (
                Deletion::Requested,
                Effect::Cluster(ClusterEffect::ReadSecret { name })
                | Effect::Cluster(ClusterEffect::DeleteSecret { name, .. }),
            ) => {
                forget_secret(view, name);
                view.progress.checked_secrets.insert(name.clone());
            }
            (Deletion::Requested | Deletion::NotRequested, _) => {
                kubernetes_failed(view, aspect, effect, &detail)
            }
        },
        Outcome::Cluster(ClusterOutcome::KubernetesFailed { detail }) => {
            kubernetes_failed(view, aspect, effect, &detail)
        }
        Outcome::Cluster(ClusterOutcome::Secret(live)) => secret_read(view, effect, live),
        Outcome::Cluster(ClusterOutcome::SecretWritten(facts)) => {
            view.progress.issued = None;
            view.progress.proof = None;
            if let Effect::Cluster(ClusterEffect::WriteSecret(draft)) = effect {
                view.progress.published = Some(draft.content.workspace_id.clone());
                let last = view.memory.last_token;
                let now = LastToken::after(last, view.now, draft.times, &view.object.uid);
                view.memory.last_token = Some(now);
            }
            secret_written(view, facts);
        }
        Outcome::Cluster(ClusterOutcome::SecretDeleted { name }) => {
            forget_secret(view, &name);
            view.progress.checked_secrets.insert(name);
        }
        Outcome::Cluster(ClusterOutcome::Crd(state)) => view.progress.crd = Some(state),
        Outcome::Engine(EngineAnswer::Searched(answer)) => answers::looked(view, aspect, effect, answer),
        Outcome::Engine(EngineAnswer::Got(answer)) => answers::got(view, aspect, effect, answer),
        Outcome::Engine(EngineAnswer::Issued(answer)) => answers::issued(view, aspect, effect, answer),
        Outcome::Engine(EngineAnswer::Verified(answer)) => answers::proven(view, aspect, effect, answer),
        Outcome::Engine(EngineAnswer::Updated(answer)) => answers::updated(view, aspect, effect, answer),
        Outcome::Engine(EngineAnswer::Deleted(answer)) => answers::deleted(view, aspect, effect, answer),
    }
}

fn kubernetes_failed(view: &mut View, aspect: Aspect, effect: &Effect, detail: &str) {
    view.progress.status_failed = matches!(
        effect,
        Effect::Cluster(ClusterEffect::WriteStatus(_)) | Effect::Cluster(ClusterEffect::ReadObject)
    );
    let message = format!("the Kubernetes API did not carry out {}: {detail}", effect.kind());
    view.progress.problem = Some(Problem {
        aspect,
        finding: Finding::new(Reason::KubernetesApiError, message),
    });
}

/// Whether our finalizer has gone, with its object or alone.
fn lets_go(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Cluster(ClusterOutcome::Vanished) => true,
        Outcome::Cluster(ClusterOutcome::Object(state)) => state.object.finalizer == Finalizer::Absent,
        // Nothing else comes of a release.
        _ => false,
    }
}

/// The intent is stored: its issue may be sent, if that is still within what the intent's window allows for. Where storing
/// it took too long, what the issue made could not be told to be ours: nothing is sent.
fn begin_issue(view: &mut View, aspect: Aspect, stored: &WorkspaceStatus) {
    let in_time = stored
        .creation
        .as_ref()
        .is_some_and(|intent| view.progress.clock.may_begin(intent, view.now));
    view.progress.stamped = in_time;
    view.progress.nothing_made = !in_time;
    if !in_time {
        let message = "the Kubernetes API took too long to store that a creation begins; nothing was sent, and it is tried again";
        view.progress.problem = Some(Problem {
            aspect,
            finding: Finding::new(Reason::KubernetesApiError, message),
        });
    }
}

fn conflict(view: &mut View, effect: &Effect) {
    match effect {
        Effect::Cluster(ClusterEffect::WriteSecret(_))
        | Effect::Cluster(ClusterEffect::ReadSecret { .. }) => {
            view.progress.checked_secrets.clear();
            view.progress.target = None;
            view.progress.secret_stale = true;
            view.secrets.target = None;
        }
        // It changed under us: its watch event begins the next reconcile, if it is watched.
        Effect::Cluster(ClusterEffect::DeleteSecret { name, .. }) => {
            forget_secret(view, name);
            view.progress.checked_secrets.remove(name);
        }
        _ => view.progress.stale = true,
    }
}

/// Another name was declared in the middle of the reconcile: what was known of the old one is of another Secret now.
fn retarget(view: &mut View) {
    let known = view.secrets.target.take();
    view.secrets
        .others
        .extend(known.filter(|facts| facts.ownership == Ownership::Ours));
    view.progress.target = None;
    view.progress.secret_stale = true;
}

fn secret_read(view: &mut View, effect: &Effect, live: LiveSecret) {
    let Effect::Cluster(ClusterEffect::ReadSecret { name }) = effect else {
        return;
    };
    view.progress.checked_secrets.insert(name.clone());
    let facts = match &live {
        LiveSecret::Absent => None,
        LiveSecret::Present(facts) => Some(facts.clone()),
    };
    if *name == view.target_name() {
        view.progress.secret_stale = false;
        view.secrets.target = facts;
        view.progress.target = Some(live);
    } else {
        view.secrets.others.retain(|other| other.name != *name);
        view.secrets
            .others
            .extend(facts.filter(|facts| facts.ownership != Ownership::Foreign));
    }
}

fn secret_written(view: &mut View, facts: SecretFacts) {
    if facts.name == view.target_name() {
        view.progress.target = Some(LiveSecret::Present(facts.clone()));
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
        view.progress.target = Some(LiveSecret::Absent);
    }
}

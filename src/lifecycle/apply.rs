//! Applies the outcome of an effect to the view: a fact, or a failure.

mod answers;

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::workspace::Creation;
use crate::domain::ids::WorkspaceId;
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::time::elapsed;
use crate::lifecycle::aspect::{Aspect, Problem};
use crate::lifecycle::effect::{ClusterEffect, ClusterOutcome, Effect, LiveSecret, ObjectState, Outcome};
use crate::lifecycle::facts::{OrganizationFacts, Ownership, Patchable, SecretFacts};
use crate::lifecycle::findings;
use crate::lifecycle::judge::decoration::{self, Write};
use crate::lifecycle::judge::{deletion, doubt, holding, token_secret};
use crate::lifecycle::memory::{Altered, Intended, LastToken};
use crate::lifecycle::progress::{Failures, ObjectProgress, SecretProgress, StatusProgress, TokenProgress};
use crate::lifecycle::view::View;

/// A call to Agent Engine that ends later after a live read makes what was read stale: a user may have changed it meanwhile.
const LIVE_FOR: Duration = Duration::from_secs(2);

/// Applies `outcome` of `effect`, which was asked at `asked_at`, to the view.
pub(super) fn apply_outcome(
    view: &mut View,
    aspect: Aspect,
    effect: &Effect,
    asked_at: Timestamp,
    outcome: Outcome,
) {
    match (effect, outcome) {
        (Effect::Cluster(effect), Outcome::Cluster(outcome)) => {
            if let ClusterOutcome::Object(state) = &outcome {
                view.progress.live_at = Some(asked_at);
                if state.organization.is_some() {
                    view.progress.organization_live_at = Some(asked_at);
                }
            }
            let outcome = by_our_clock(view, outcome);
            of_cluster(view, aspect, effect, outcome);
        }
        (Effect::Engine(call), Outcome::Engine(answer)) => {
            answers::apply(view, aspect, call, answer);
            let slow = |at| elapsed(at, view.now) > LIVE_FOR;
            if view.progress.live_at.is_some_and(slow) || slow(asked_at) {
                view.progress.live_at = None;
                view.progress.organization_live_at = None;
                view.progress.crd = None;
            }
        }
        // The shell answers each effect in its own family.
        (Effect::Cluster(_), Outcome::Engine(_)) | (Effect::Engine(_), Outcome::Cluster(_)) => {}
    }
}

/// The marks on a Secret may be of another clock.
fn by_our_clock(view: &View, mut outcome: ClusterOutcome) -> ClusterOutcome {
    if let ClusterOutcome::Secret(LiveSecret::Present(facts))
    | ClusterOutcome::SecretWritten(facts)
    | ClusterOutcome::SecretDecorated(facts) = &mut outcome
    {
        facts.times = facts.times.map(|times| times.by_a_clock(view.server_ahead()));
    }
    outcome
}

fn of_cluster(view: &mut View, aspect: Aspect, effect: &ClusterEffect, outcome: ClusterOutcome) {
    if *effect == ClusterEffect::RemoveFinalizer {
        if lets_go(&outcome) {
            view.progress.events.extend(deletion::retained_event(view));
        } else {
            // What is gone stays gone, whatever is declared later.
            view.memory.removed = deletion::removed(view).or(view.memory.removed.take());
        }
    }
    match outcome {
        // Another object has the name now. This reconcile takes nothing of it, least of all its claims.
        ClusterOutcome::Object(state) if state.object.uid != view.object.uid => {
            view.progress.object = ObjectProgress::Gone;
        }
        ClusterOutcome::Object(state) => object_read(view, aspect, effect, *state),
        ClusterOutcome::Gone => view.progress.object = ObjectProgress::Gone,
        ClusterOutcome::Conflict => conflict(view, effect),
        ClusterOutcome::Forbidden { detail } => match (view.object.deletion, effect) {
            // A namespace may lose its RoleBinding before its objects. Kubernetes deletes the Secret with its owner.
            (
                Deletion::Requested,
                ClusterEffect::ReadSecret { name } | ClusterEffect::DeleteSecret { name, .. },
            ) => secret_absent(view, name),
            (Deletion::Requested | Deletion::NotRequested, _) => failed(view, aspect, effect, &detail),
        },
        ClusterOutcome::KubernetesFailed { detail } => failed(view, aspect, effect, &detail),
        ClusterOutcome::Secret(live) => secret_read(view, effect, live),
        ClusterOutcome::SecretWritten(facts) => {
            if let ClusterEffect::WriteSecret(draft) = effect {
                view.progress.token = TokenProgress::Published(draft.content.workspace_id.clone());
                let last = view.memory.last_token;
                let now = LastToken::after(last, view.now, draft.times, &view.object.uid);
                view.memory.last_token = Some(now);
                view.memory.altered = Altered::of(draft, &facts);
            }
            decorated(view, &facts, Write::Token);
            secret_written(view, facts);
        }
        ClusterOutcome::SecretPossible => {
            let name = view.target_name();
            view.progress.secrets.insert(name, SecretProgress::Possible);
        }
        ClusterOutcome::SecretDecorated(facts) => {
            decorated(view, &facts, Write::Correction);
            secret_written(view, facts);
        }
        ClusterOutcome::SecretUnpatchable => {
            if let ClusterEffect::WriteSecret(draft) = effect {
                secret_unpatchable(view, &draft.name);
            }
        }
        ClusterOutcome::SecretDeleted { name } => secret_absent(view, &name),
        ClusterOutcome::Crd(state) => view.progress.crd = Some(state),
    }
}

/// Whether our finalizer is off, or its object gone.
fn lets_go(outcome: &ClusterOutcome) -> bool {
    match outcome {
        ClusterOutcome::Gone => true,
        ClusterOutcome::Object(state) => state.object.finalizer == Finalizer::Absent,
        // Any other outcome leaves the finalizer on.
        _ => false,
    }
}

/// An administrator's word counts from when it is stored. What the operator found out itself stays as the reconcile began
/// with it, for so does its client.
fn organization_read(known: &mut OrganizationFacts, live: OrganizationFacts) {
    match (known, live) {
        (OrganizationFacts::Readable(known), OrganizationFacts::Readable(live)) => {
            known.access = live.access;
            known.defaults = live.defaults;
        }
        (known, live) => *known = live,
    }
}

/// The object as a read or a write of ours returned it.
fn object_read(view: &mut View, aspect: Aspect, effect: &ClusterEffect, state: ObjectState) {
    if let ClusterEffect::WriteStatus(_) = effect {
        view.progress.status = StatusProgress::Written;
        let before = view.stored.creation.as_ref();
        match &state.stored.creation {
            Some(intent) if intent.uid == state.object.uid && before != Some(intent) => {
                begin_issue(view, aspect, intent.clone());
            }
            // The creation is over, and its token is in the Secret or dropped. Its calls were those of the sync: a token that
            // was handed out ends what had failed before it.
            None if before.is_some() => {
                if view.progress.token.published().is_some() {
                    view.memory.token.succeeded();
                }
                view.progress.token = TokenProgress::None;
            }
            Some(_) | None => {}
        }
    }
    let target = view.target_name();
    let before = Subject::of(view);
    let of_another = holding::is_of_another(view);
    view.progress.object = ObjectProgress::Current;
    view.object = state.object;
    view.declared = state.declared;
    view.stored = state.stored;
    if let Some(live) = state.organization {
        organization_read(&mut view.organization, live);
    }
    let after = Subject::of(view);
    // What the list says was looked up for the workspace before.
    if before.workspace() != after.workspace() {
        view.listed = None;
    }
    if of_another && holding::is_ours(view) {
        view.memory.taken_over_at = Some(view.now);
        view.memory.free_of_former_issues = None;
    }
    match effect {
        // No process before this one issued for it.
        ClusterEffect::WriteStatus(_) if before.recorded.is_none() && after.recorded.is_some() => {
            view.memory.free_of_former_issues = after.recorded;
        }
        ClusterEffect::ReadObject if before != after => forget_the_one_before(view, before),
        _ => {}
    }
    if view.target_name() != target {
        retarget(view);
    }
}

/// What a reconcile is about: the record, the creation in flight, and the id that another object's status names.
#[derive(PartialEq)]
struct Subject {
    recorded: Option<WorkspaceId>,
    intent: Option<Creation>,
    wish: Option<WorkspaceId>,
}

impl Subject {
    fn of(view: &View) -> Self {
        Self {
            recorded: view.recorded_id().cloned(),
            intent: view.intent().cloned(),
            wish: view.wish().cloned(),
        }
    }

    /// The one that the stored status names.
    fn workspace(&self) -> Option<&WorkspaceId> {
        self.recorded.as_ref().or(self.wish.as_ref())
    }
}

/// Another process has written. The token at hand and the failures are of the record or the intent before; an issue that was
/// sent for that intent is in doubt.
fn forget_the_one_before(view: &mut View, before: Subject) {
    let voided = |intent: &Creation| match &view.progress.token {
        TokenProgress::NothingMade(of) => of.as_ref() == Some(intent),
        TokenProgress::MayIssue(of) => of == intent,
        TokenProgress::None
        | TokenProgress::Issued(_)
        | TokenProgress::Verified(..)
        | TokenProgress::Published(_) => false,
    };
    let sent = before
        .intent
        .filter(|intent| view.progress.issues > 0 && !voided(intent));
    let in_doubt = sent.map(|intent| doubt::issue_of(view, &intent));
    view.memory.unresolved.extend(in_doubt);
    view.progress.token = TokenProgress::None;
    view.progress.failures = Failures::default();
}

/// The intent is stored, so its issue may be sent while that fits into the intent's window. After a slow write the window
/// could not tell that a workspace is ours, so no issue is sent.
fn begin_issue(view: &mut View, aspect: Aspect, intent: Creation) {
    view.memory.intended = Some(Intended {
        intent: intent.clone(),
        at: view.now,
        opened: None,
    });
    if view.progress.clock.may_begin(&intent, view.now) {
        view.progress.token = TokenProgress::MayIssue(intent);
        return;
    }
    view.progress.token = TokenProgress::NothingMade(Some(intent));
    view.progress.failures.last = Some(Problem {
        aspect,
        finding: findings::stamp_too_late(),
    });
}

fn failed(view: &mut View, aspect: Aspect, effect: &ClusterEffect, detail: &str) {
    view.progress.object = match effect {
        ClusterEffect::WriteStatus(_) => ObjectProgress::Unwritable,
        ClusterEffect::ReadObject => ObjectProgress::Unreadable,
        _ => view.progress.object,
    };
    let finding = findings::kubernetes_failed(effect.into(), detail);
    view.progress.failures.last = Some(Problem { aspect, finding });
}

fn conflict(view: &mut View, effect: &ClusterEffect) {
    match effect {
        ClusterEffect::ReadSecret { name } | ClusterEffect::TrySecret { name } => secret_changed(view, name),
        ClusterEffect::WriteSecret(draft) => secret_changed(view, &draft.name),
        ClusterEffect::DecorateSecret(decorated) => secret_changed(view, &decorated.name),
        // Another client changed the Secret. Its watch event wakes the object, if our label is on it.
        ClusterEffect::DeleteSecret { name, .. } => {
            forget_secret(view, name);
            view.progress.secrets.remove(name);
        }
        _ => view.progress.object = ObjectProgress::Changed,
    }
}

/// The Secret had another resource version: earlier reads of Secrets do not count.
fn secret_changed(view: &mut View, name: &str) {
    view.progress.secrets.clear();
    view.secrets.target = None;
    view.secrets.others.retain(|other| other.name != *name);
    view.progress
        .secrets
        .insert(view.target_name(), SecretProgress::Changed);
}

/// A user declared another name during the reconcile: the facts of the old target belong to another Secret now.
fn retarget(view: &mut View) {
    let known = view.secrets.target.take();
    view.secrets
        .others
        .extend(known.filter(|facts| facts.ownership == Ownership::Ours));
    view.progress
        .secrets
        .insert(view.target_name(), SecretProgress::Changed);
}

fn secret_read(view: &mut View, effect: &ClusterEffect, live: LiveSecret) {
    let ClusterEffect::ReadSecret { name } = effect else {
        return;
    };
    let facts = match live {
        LiveSecret::Absent => None,
        LiveSecret::Present(facts) => Some(facts),
    };
    let read = facts
        .clone()
        .map_or(SecretProgress::Absent, SecretProgress::Present);
    view.progress.secrets.insert(name.clone(), read);
    if *name == view.target_name() {
        view.secrets.target = facts;
    } else {
        view.secrets.others.retain(|other| other.name != *name);
        view.secrets
            .others
            .extend(facts.filter(|facts| facts.ownership != Ownership::Foreign));
    }
}

fn secret_written(view: &mut View, facts: SecretFacts) {
    let written = SecretProgress::Present(facts.clone());
    view.progress.secrets.insert(facts.name.clone(), written);
    if facts.name == view.target_name() {
        view.secrets.target = Some(facts);
    } else {
        view.secrets.others.retain(|other| other.name != facts.name);
        view.secrets.others.push(facts);
    }
}

/// Remembers how the API server stored the labels and annotations.
fn decorated(view: &mut View, now: &SecretFacts, by: Write) {
    let before = token_secret::secret_named(view, &now.name);
    view.memory.decoration = Some(decoration::written(view, before, now, by));
}

fn secret_unpatchable(view: &mut View, name: &str) {
    let read = view.progress.secrets.get_mut(name).into_iter();
    let read = read.filter_map(SecretProgress::facts_mut);
    let known = view.secrets.target.iter_mut().chain(&mut view.secrets.others);
    for facts in read.chain(known.filter(|facts| facts.name == name)) {
        facts.patchable = Patchable::No;
    }
}

fn secret_absent(view: &mut View, name: &str) {
    forget_secret(view, name);
    view.progress
        .secrets
        .insert(name.to_owned(), SecretProgress::Absent);
}

fn forget_secret(view: &mut View, name: &str) {
    view.secrets.others.retain(|other| other.name != name);
    let target = view.secrets.target.as_ref();
    if target.is_some_and(|facts| facts.name == name && facts.ownership != Ownership::Foreign) {
        view.secrets.target = None;
    }
}

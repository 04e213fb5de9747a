//! What holds whatever is stored, listed and answered.

use std::time::Duration;

use proptest::prelude::*;

use crate::crd::conditions::{self, READY, TOKEN_READY};
use crate::crd::organization::Permission;
use crate::crd::workspace::{DeletionPolicy, WorkspaceStatus};
use crate::domain::ids::WorkspaceName;
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::{Kstatus, Reason};
use crate::domain::remote::WorkspaceState;
use crate::domain::time::elapsed;
use crate::lifecycle::effect::{ClusterEffect, CrdState, Effect, EngineCall, WorkspaceChange};
use crate::lifecycle::facts::Ownership;
use crate::lifecycle::judge::{deletion, failure, holding, token_life};
use crate::lifecycle::progress::{ObjectProgress, Remote, SecretProgress, TokenProgress};
use crate::lifecycle::reconcile::{Next, Reconcile, Settled};
use crate::lifecycle::tests::harness::dice::Dice;
use crate::lifecycle::view::View;
use crate::tenancy::{ClaimKey, Claims, canonical};

const MINUTE: Duration = Duration::from_secs(60);

/// Runs a reconcile against the dice; `seen` judges every effect by the view that it was decided on.
pub(super) fn play(
    view: View,
    dice: &mut Dice,
    mut claims: Claims,
    mut seen: impl FnMut(&View, &Effect) -> Result<(), TestCaseError>,
) -> Result<(Reconcile, Box<Settled>), TestCaseError> {
    let mut limiter = dice.limiter(view.uptime());
    let mut now = view.now;
    let mut reconcile = Reconcile::new(view);
    let mut outcome = None;
    for _ in 0..50 {
        match reconcile.next(now, &mut claims, &mut limiter, outcome.take()) {
            Next::Wait(until) => now = until,
            Next::Settled(settled) => return Ok((reconcile, settled)),
            Next::Perform { effect, .. } => {
                seen(reconcile.view(), &effect)?;
                now = now.checked_add(Duration::from_millis(100)).unwrap();
                outcome = Some(dice.outcome(reconcile.view(), &effect));
            }
        }
    }
    Err(TestCaseError::fail("a reconcile that does not end"))
}

fn granted(view: &View, name: &WorkspaceName) -> bool {
    view.readable()
        .is_some_and(|organization| organization.access.grant(name).is_some())
}

fn may_not_be_deleted(view: &View, name: &WorkspaceName) -> bool {
    let grant = view
        .readable()
        .and_then(|organization| organization.access.grant(name));
    grant.is_some_and(|grant| grant.deletion == Permission::Forbidden)
}

/// The name is granted, and no other object has it.
fn usable(view: &View, name: &WorkspaceName) -> bool {
    let key = |organization| ClaimKey::Name(organization, canonical(name));
    granted(view, name)
        && view
            .verified()
            .is_some_and(|id| view.claim_result.holds(&key(id.clone())))
}

fn issue_is_lawful(view: &View, name: &WorkspaceName) -> bool {
    let Some(record) = view.record() else {
        let stamped = matches!(&view.progress.token, TokenProgress::MayIssue(of)
            if view.intent() == Some(of) && of.name == *name);
        return stamped && view.object.finalizer == Finalizer::Present;
    };
    let young = |at| elapsed(at, view.now) <= MINUTE && at <= view.now;
    let read = view.observed(&record.id).is_some_and(|seen| {
        young(seen.requested_at) && matches!(&seen.remote, Remote::Present(row) if row.name == *name)
    });
    let listed = view.listed.as_ref().is_some_and(|listed| {
        let known = view
            .memory
            .lists_count_after
            .present
            .max(view.memory.lists_count_after.absent);
        let after = Some(listed.requested_at) > known;
        young(listed.requested_at)
            && after
            && listed
                .row
                .as_ref()
                .is_some_and(|row| row.name == *name && row.id == record.id && !row.tombstone)
    });
    read || listed
}

fn delete_is_lawful(view: &View, id: &crate::domain::ids::WorkspaceId) -> bool {
    let Some(record) = view.record() else { return false };
    if record.id == *id {
        return view.object.deletion == Deletion::Requested
            && deletion::policy(view) == DeletionPolicy::Delete
            && view.progress.crd == Some(CrdState::Serving);
    }
    let (Some((issued, scope)), Some(other)) = (view.progress.token.verified(), view.observed(id)) else {
        return false;
    };
    let window = view
        .progress
        .clock
        .live_window(issued.finished, issued.took, issued.date);
    let made_now =
        matches!(&other.remote, Remote::Present(row) if row.created_at.is_some_and(|at| window.contains(at)));
    scope.workspace_id == *id && made_now
}

fn foreign(view: &View, name: &str) -> bool {
    let live = view.progress.secrets.values().filter_map(|live| match live {
        SecretProgress::Present(facts) => Some(facts),
        SecretProgress::Absent | SecretProgress::Possible | SecretProgress::Changed => None,
    });
    let all = view.secrets.target.iter().chain(&view.secrets.others).chain(live);
    all.into_iter()
        .any(|facts| facts.name == name && facts.ownership == Ownership::Foreign)
}

/// What is known of the Secret that the record names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum OldSecret {
    None,
    Ours,
    /// No store shows it, and it was not read.
    MayBeThere,
}

fn old_secret(view: &View) -> OldSecret {
    let Some(name) = view.record().and(view.stored.token_secret_name.as_ref()) else {
        return OldSecret::None;
    };
    let mut known = view.secrets.target.iter().chain(&view.secrets.others);
    match known.find(|facts| facts.name == *name) {
        Some(facts) if facts.ownership == Ownership::Foreign => OldSecret::None,
        Some(_) => OldSecret::Ours,
        None if view.has_read_secret(name) => OldSecret::None,
        None => OldSecret::MayBeThere,
    }
}

/// kubernetes conventions: what tools that wait rely on.
fn reads_well(status: &WorkspaceStatus, generation: i64) -> Result<(), TestCaseError> {
    let find = |kind: &str| status.conditions.iter().find(|c| c.type_ == kind);
    let ready = find("Ready");
    prop_assert!(ready.is_some());
    let (reconciling, stalled) = (find("Reconciling"), find("Stalled"));
    prop_assert!(reconciling.is_none() || stalled.is_none());
    for abnormal in [reconciling, stalled].into_iter().flatten() {
        prop_assert_eq!(&abnormal.status, "True");
        prop_assert_eq!(ready.map(|c| c.status.as_str()), Some("False"));
        prop_assert_eq!(
            ready.map(|c| (&c.reason, &c.message)),
            Some((&abnormal.reason, &abnormal.message))
        );
    }
    prop_assert_eq!(status.observed_generation, Some(generation));
    for condition in &status.conditions {
        prop_assert_eq!(condition.observed_generation, Some(generation));
        prop_assert!(Reason::parse(&condition.reason).is_some());
    }
    Ok(())
}

/// Whether it is the write by which we hold the object.
fn names_us(view: &View, effect: &Effect) -> bool {
    matches!(effect, Effect::Cluster(ClusterEffect::WriteStatus(status))
        if status.operator.as_ref().is_some_and(|holder| holder.lease == view.operators.ours))
}

/// Whether it changes nothing but the holder: then the rest is what was said before.
fn only_holds(view: &View, status: &WorkspaceStatus) -> bool {
    let before = WorkspaceStatus {
        operator: status.operator.clone(),
        ..view.stored.clone()
    };
    *status == before
}

/// Every law about one effect, on the view that it was decided on.
fn lawful(view: &View, effect: &Effect) -> Result<(), TestCaseError> {
    prop_assert!(
        !holding::is_left_to_another(view),
        "what another operator holds is left alone"
    );
    let begun = view.recorded_id().is_some() || view.intent().is_some();
    prop_assert!(
        holding::is_told(view) || !begun || names_us(view, effect) || effect.is_read(),
        "nothing is done for what is not ours yet"
    );
    if matches!(effect, Effect::Engine(_)) {
        prop_assert!(
            view.verified().is_some(),
            "nothing is asked of an organization that is not verified"
        );
        let bound = view.record().map(|record| record.organization_id);
        let bound = bound.or_else(|| view.intent().map(|intent| intent.organization_id.clone()));
        prop_assert!(
            bound.is_none() || bound.as_ref() == view.verified(),
            "nor of another one"
        );
    }
    if let Effect::Engine(call) = effect {
        let live = view
            .progress
            .live_at
            .is_some_and(|at| elapsed(at, view.now) < MINUTE);
        prop_assert!(live || !call.is_final(), "decided on a store: {:?}", call);
    }
    match effect {
        Effect::Engine(EngineCall::Issue { name, .. }) => {
            prop_assert!(
                issue_is_lawful(view, name),
                "an issue under a name that was not just seen"
            );
            prop_assert!(usable(view, name), "an issue for a name that is not granted");
            prop_assert_eq!(view.object.deletion, Deletion::NotRequested);
            prop_assert!(
                view.recorded_id().is_some() || !crate::tenancy::is_default(name),
                "default is never created"
            );
            prop_assert!(
                view.recorded_id().is_some() || !view.declared.is_suspended(),
                "nothing is created while suspended"
            );
        }
        Effect::Engine(EngineCall::Update { id, change }) => {
            prop_assert!(view.recorded_id().is_some_and(|recorded| recorded == id));
            prop_assert!(view.declared.suspend != Some(true));
            prop_assert!(view.present(id).is_some(), "an update of what was not just read");
            if let WorkspaceChange::Rename(name) = change {
                prop_assert_eq!(name, &view.declared.name);
                prop_assert!(usable(view, name), "a rename to what is not granted");
                prop_assert!(!crate::tenancy::is_default(name));
                let now = view.present(id).map(|row| &row.name);
                let lifts =
                    now.is_some_and(|now| may_not_be_deleted(view, now)) && !may_not_be_deleted(view, name);
                prop_assert!(!lifts, "a rename of {:?} to {:?} lifts a ceiling", now, name);
            }
        }
        Effect::Engine(EngineCall::Delete(id)) => {
            prop_assert!(delete_is_lawful(view, id), "a deletion without a request");
            let recorded = view.record().filter(|record| record.id == *id);
            prop_assert!(
                recorded.is_none_or(
                    |record| granted(view, &record.name) && !may_not_be_deleted(view, &record.name)
                ),
                "a deletion against the ceiling"
            );
            prop_assert!(
                view.record().is_none_or(|record| record.id != *id) || old_secret(view) == OldSecret::None,
                "a token outlives its workspace"
            );
        }
        Effect::Cluster(ClusterEffect::WriteSecret(draft)) => {
            prop_assert_eq!(
                Some(&draft.content.workspace_id),
                view.progress
                    .token
                    .verified()
                    .map(|(_, scope)| &scope.workspace_id)
            );
            prop_assert!(
                view.record()
                    .is_none_or(|record| record.id == draft.content.workspace_id)
            );
            prop_assert!(view.declared.token_enabled());
            prop_assert!(view.declared.status != Some(WorkspaceState::Inactive));
            prop_assert!(!foreign(view, &draft.name));
            prop_assert!(
                granted(view, &draft.content.workspace_name),
                "a token for a name that is not granted"
            );
        }
        Effect::Cluster(ClusterEffect::DecorateSecret(decorated)) => {
            prop_assert!(!foreign(view, &decorated.name));
            prop_assert!(view.declared.token_enabled());
        }
        Effect::Cluster(ClusterEffect::DeleteSecret { name, .. }) => prop_assert!(!foreign(view, name)),
        Effect::Cluster(ClusterEffect::WriteStatus(status)) => {
            if only_holds(view, status) {
                return Ok(());
            }
            reads_well(status, view.object.generation)?;
            let before = view.record().map(|record| record.id);
            let recreated =
                before.is_some() && view.object.recreate == before && status.workspace_id.is_none();
            let after = status
                .workspace_id
                .clone()
                .filter(|_| status.uid.as_ref() == Some(&view.object.uid));
            prop_assert!(
                before.is_none() || before == after || recreated,
                "the recorded id is the identity"
            );
            let found_gone = before
                .as_ref()
                .is_some_and(|id| view.observed(id).is_some_and(|seen| seen.remote == Remote::Gone));
            prop_assert!(
                !recreated
                    || (found_gone
                        && view
                            .stored
                            .missing
                            .as_ref()
                            .is_some_and(|missing| missing.confirmed)),
                "a loss that is not confirmed is replaced"
            );
            let allowed = match old_secret(view) {
                OldSecret::None => true,
                OldSecret::Ours => status.token_secret_name.is_some(),
                OldSecret::MayBeThere => status.token_secret_name == view.stored.token_secret_name,
            };
            prop_assert!(allowed, "a token is forgotten");
            prop_assert!(
                before.is_some() || after.is_none() || view.object.finalizer == Finalizer::Present,
                "a record without a finalizer"
            );
            let begins = status.creation.is_some() && status.creation.as_ref() != view.intent();
            prop_assert!(
                !begins || !view.declared.is_suspended(),
                "a creation begins while suspended"
            );
        }
        Effect::Cluster(ClusterEffect::ReadObject)
        | Effect::Cluster(ClusterEffect::AddFinalizer)
        | Effect::Cluster(ClusterEffect::RemoveFinalizer)
        | Effect::Cluster(ClusterEffect::ReadSecret { .. })
        | Effect::Cluster(ClusterEffect::TrySecret { .. })
        | Effect::Cluster(ClusterEffect::ReadCrd)
        | Effect::Engine(EngineCall::Search(_))
        | Effect::Engine(EngineCall::Get(_))
        | Effect::Engine(EngineCall::Verify(_)) => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::domain::testing::cases(2_000))]

    /// Promise: I1: A token enters a Secret only after it was verified to open the recorded workspace.
    /// Promise: I3: The recorded id is the identity; tokens are issued under the name last read for it; nothing is deleted by name.
    /// Promise: rule.waiting: Waiting is not failing: `Reconciling` and `Stalled` never together, and only beside a Ready that is False
    #[test]
    fn every_effect_is_lawful_and_every_reconcile_ends(numbers in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut dice = Dice::new(numbers);
        let view = dice.view();
        let mut effects = Vec::new();
        let (_, settled) = play(view, &mut dice, Claims::default(), |view, effect| {
            effects.push(effect.kind());
            lawful(view, effect)
        })?;
        prop_assert!(effects.len() < 32, "a loop: {:?}", effects);
        prop_assert!(settled.reason.is_none_or(|reason| Reason::ALL.contains(&reason)));
    }

    /// Promise: rule.true-while-waiting
    #[test]
    fn no_end_leaves_true_beside_an_ended_token(numbers in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut dice = Dice::new(numbers);
        let (reconcile, settled) = play(dice.view(), &mut dice, Claims::default(), |_, _| Ok(()))?;
        let view = reconcile.view();
        let readable = view.progress.object == ObjectProgress::Current && !holding::is_left_to_another(view);
        if !readable || view.object.deletion == Deletion::Requested {
            return Ok(());
        }
        let find = |kind| conditions::find(&settled.stored.conditions, kind).filter(|c| c.status == "True");
        prop_assert!(find(TOKEN_READY).is_none() || token_life::lasts(view), "TokenReady beside an ended token");
        let token = conditions::find(&settled.stored.conditions, TOKEN_READY);
        let good = token.and_then(|c| Reason::parse(&c.reason)).is_none_or(|r| r.kstatus() == Kstatus::Ready);
        prop_assert!(find(READY).is_none() || good, "Ready beside {:?}", token);
    }

    /// Promise: rule.true-while-waiting
    #[test]
    fn no_reconcile_comes_later_than_a_token_changes(numbers in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut dice = Dice::new(numbers);
        let (reconcile, settled) = play(dice.view(), &mut dice, Claims::default(), |_, _| Ok(()))?;
        let view = reconcile.view();
        if view.progress.object == ObjectProgress::Gone || holding::is_left_to_another(view) {
            return Ok(());
        }
        let changes = token_life::changes_at(view);
        prop_assert!(changes.is_none_or(|at| settled.requeue.at <= at), "{:?} {:?}", settled.requeue, changes);
        let said = conditions::find(&settled.stored.conditions, READY).is_some();
        let soon = elapsed(view.now, settled.requeue.at) <= MINUTE;
        prop_assert!(said || soon, "nothing is said: {:?}", settled.requeue);
    }

    #[test]
    fn what_failed_is_not_tried_again_at_once(numbers in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut dice = Dice::new(numbers);
        let (reconcile, settled) = play(dice.view(), &mut dice, Claims::default(), |_, _| Ok(()))?;
        let failed = failure::problem(reconcile.view()).is_some() && settled.calls > 0;
        let again = settled.reason.is_some_and(|reason| reason.kstatus() != Kstatus::Ready);
        if !(failed && again && reconcile.view().object.deletion == Deletion::NotRequested) {
            return Ok(());
        }
        let mut next = reconcile.view().clone();
        next.progress = crate::lifecycle::progress::Progress::default();
        next.memory = settled.memory;
        let aspect = failure::problem(reconcile.view()).map(|problem| problem.aspect);
        let deferred = aspect.and_then(|aspect| next.not_before(aspect));
        prop_assert!(deferred.is_some_and(|at| at > next.now), "a failure without a rest");
    }
}

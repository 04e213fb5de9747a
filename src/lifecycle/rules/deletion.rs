//! I7: what happens to the workspace when its object goes. Nothing is deleted by name, nothing on a mere suspicion.

use crate::crd::organization::Permission;
use crate::crd::workspace::{Creation, DeletionPolicy, Origin};
use crate::domain::finding::Finding;
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::Reason;
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::creation_window::ServerClock;
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall};
use crate::lifecycle::plan::{Step, sync};
use crate::lifecycle::report;
use crate::lifecycle::rules::attribution::{Attribution, attribute};
use crate::lifecycle::rules::orphan::{self, Orphans};
use crate::lifecycle::rules::{creation_findings, naming, preconditions, state};
use crate::lifecycle::verdict::Aspect;
use crate::lifecycle::view::{CrdState, OrganizationFacts, Record, Remote, Removal, View};
use crate::tenancy::is_default;

/// Deals with an object that was asked to go; it says nothing of others.
pub fn let_it_go(view: &View) -> Option<Step> {
    match (view.object.deletion, view.object.finalizer) {
        (Deletion::NotRequested, _) => None,
        (Deletion::Requested, Finalizer::Absent) => Some(Step::Leave),
        (Deletion::Requested, Finalizer::Present) => Some(match (fate(view), view.record(), view.intent()) {
            (_, None, None) | (Fate::Retain, _, _) => release(view),
            (Fate::Delete, Some(record), _) => delete(view, &record),
            (Fate::Delete, None, Some(intent)) => settle_creation(view, intent),
        }),
    }
}

fn act(effect: Effect) -> Step {
    Step::Act(Aspect::Sync, effect)
}

/// Where the finalizer could not be taken off, the next reconcile tries again.
fn release(view: &View) -> Step {
    match &view.progress.problem {
        Some(problem) if problem.finding.reason == Reason::KubernetesApiError => {
            Step::Settle(report::failed(view, problem))
        }
        Some(_) | None => act(Effect::Cluster(ClusterEffect::RemoveFinalizer)),
    }
}

/// What becomes of the workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    Delete,
    Retain,
}

/// The effective policy: spec, the Organization's default, the recorded one, then by origin.
pub fn policy(view: &View) -> DeletionPolicy {
    let default = view
        .readable()
        .and_then(|organization| organization.defaults.deletion_policy);
    let bound = view.stored.uid.as_ref() == Some(&view.object.uid);
    let recorded = view.stored.deletion_policy.filter(|_| bound);
    let by_origin = match view.record().map(|record| record.origin) {
        Some(Origin::Adopted) => DeletionPolicy::Retain,
        Some(Origin::Created) | None => DeletionPolicy::Delete,
    };
    view.declared
        .deletion_policy
        .or(default)
        .or(recorded)
        .unwrap_or(by_origin)
}

/// What tenants cannot lift, the fallback workspace and a CRD that goes all retain, whatever the policy.
fn fate(view: &View) -> Fate {
    let name = view
        .record()
        .map(|record| record.name)
        .or_else(|| view.intent().map(|intent| intent.name.clone()));
    let forbidden = view.readable().is_some()
        && name.as_ref().is_some_and(|name| {
            naming::granted(view, name).map_or(Permission::Forbidden, |grant| grant.deletion)
                == Permission::Forbidden
        });
    let fallback = name.as_ref().is_some_and(is_default);
    let crd_goes = view.progress.crd == Some(CrdState::Going);
    match policy(view) {
        DeletionPolicy::Delete if !forbidden && !fallback && !crd_goes => Fate::Delete,
        DeletionPolicy::Delete | DeletionPolicy::Retain => Fate::Retain,
    }
}

/// What to say of a workspace that stays behind, once its object goes.
pub fn retained_event(view: &View) -> Option<Finding> {
    let message = match (fate(view), view.record(), view.intent()) {
        (Fate::Retain, Some(record), _) => {
            format!(
                "the workspace {} ({:?}) was left at Agent Engine",
                record.id,
                record.name.as_str()
            )
        }
        (Fate::Retain, None, Some(intent)) => format!(
            "a creation of {:?} was in flight; if it took effect, the workspace was left at Agent Engine",
            intent.name.as_str()
        ),
        (Fate::Delete, _, _) | (Fate::Retain, None, None) => return None,
    };
    Some(Finding::new(Reason::Retained, message))
}

fn delete(view: &View, record: &Record) -> Step {
    let is_gone = view
        .observed(&record.id)
        .is_some_and(|seen| seen.remote == Remote::Gone);
    match view.progress.removal {
        Removal::Done => return release(view),
        // Whatever a DELETE is answered: what is read to be gone is gone.
        Removal::Unclear => return act(Effect::Engine(EngineCall::Get(record.id.clone()))),
        Removal::Failed if is_gone => return release(view),
        Removal::Failed | Removal::NotTried => {}
    }
    if let Some(step) = unable(view).or_else(|| may_be_the_crd(view)) {
        return step;
    }
    if let Some(step) = preconditions::remove_secrets(view) {
        return step;
    }
    match orphan::settle_issues(view, record) {
        Orphans::Act(effect) => act(effect),
        Orphans::Wait => Step::Settle(report::blocked(
            view,
            Finding::new(
                Reason::Deleting,
                "the answer to the issue of a token was lost; what it may have made is looked for before the workspace is \
                 deleted",
            ),
        )),
        Orphans::Nothing => act(Effect::Engine(EngineCall::Delete(record.id.clone()))),
    }
}

/// A creation in flight is found by the intent's name and window, recorded, and then deleted by id.
fn settle_creation(view: &View, intent: &Creation) -> Step {
    if let Some(step) = unable(view) {
        return step;
    }
    let Some(search) = view.search(&intent.name) else {
        return act(Effect::Engine(EngineCall::Search(intent.name.clone())));
    };
    match attribute(search, ServerClock::window_of(intent)) {
        Attribution::Ours(row) => match view.observed(&row.id).map(|seen| &seen.remote) {
            None => act(Effect::Engine(EngineCall::Get(row.id))),
            Some(Remote::Gone) => release(view),
            Some(Remote::Present(row)) => {
                let record = Record {
                    id: row.id.clone(),
                    organization_id: intent.organization_id.clone(),
                    name: row.name.clone(),
                    state: state::known(row),
                    origin: Origin::Created,
                };
                if let Some(claimed) = naming::id_claimed_by_other(view, &record.organization_id, &row.id) {
                    return Step::Settle(blocked(view, &claimed.message));
                }
                act(Effect::Cluster(ClusterEffect::WriteStatus(Box::new(
                    report::recorded(view, &record),
                ))))
            }
        },
        Attribution::Theirs => release(view),
        Attribution::Ambiguous(row) => Step::Settle(blocked(view, &creation_findings::cannot_be_told(&row))),
        Attribution::NotFound if view.now < view.progress.clock.resolved_at(intent) => {
            Step::Settle(report::blocked(
                view,
                Finding::new(Reason::Deleting, creation_findings::in_flight(intent).message),
            ))
        }
        Attribution::NotFound => release(view),
    }
}

/// The finalizer stays, with the reason and the way out.
fn blocked(view: &View, why: &str) -> crate::lifecycle::verdict::Verdict {
    let message = format!(
        "the workspace was not deleted: {why}. It is tried again; to let the object go and leave the workspace, set \
         spec.deletionPolicy: Retain"
    );
    report::blocked(view, Finding::new(Reason::DeletionBlocked, message))
}

/// Why nothing can be asked of the organization now.
fn unable(view: &View) -> Option<Step> {
    let stop = |why: &str| Some(Step::Settle(blocked(view, why)));
    if let Some(problem) = &view.progress.problem {
        return stop(&problem.finding.message);
    }
    let organization = match &view.organization {
        OrganizationFacts::NotFound { name, searched } => {
            return stop(&format!(
                "there is no Organization {name:?} in namespace {searched:?}"
            ));
        }
        OrganizationFacts::Unreadable { name } => {
            return stop(&format!("the Organization {name:?} cannot be decoded"));
        }
        OrganizationFacts::Readable(organization) => organization,
    };
    match &organization.verification {
        Verification::Pending { why } => {
            return stop(&format!(
                "the Organization {:?} is not ready ({why})",
                organization.name
            ));
        }
        Verification::Changed { pinned, found } => return stop(&preconditions::changed(pinned, found)),
        Verification::Verified(_) => {}
    }
    if let Some(mismatch) = preconditions::mismatch(view) {
        return stop(&mismatch.message);
    }
    if let Some(claimed) = view
        .record()
        .and_then(|record| naming::id_claimed_by_other(view, &record.organization_id, &record.id))
    {
        return stop(&claimed.message);
    }
    match organization.vanishing {
        Missing::Many => {
            return stop(
                "many workspaces of the organization vanished at once, and nothing is believed of it",
            );
        }
        Missing::Few => {}
    }
    view.rests(Aspect::Sync).then_some(Step::Leave)
}

/// Objects of a CRD that goes are swept away with it: that is nobody's wish to delete workspaces.
fn may_be_the_crd(view: &View) -> Option<Step> {
    match &view.progress.crd {
        None => sync(Effect::Cluster(ClusterEffect::ReadCrd)),
        Some(CrdState::Serving | CrdState::Going) => None,
        Some(CrdState::Unreadable { why }) => Some(Step::Settle(blocked(
            view,
            &format!(
                "it cannot be told whether the CustomResourceDefinition itself is being deleted ({why})"
            ),
        ))),
    }
}

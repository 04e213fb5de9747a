//! What is said of an Organization: to reconciles over Workspaces, and in its status.

use crate::domain::reason::Kstatus;
use crate::domain::verification::{Missing, Verification};
use crate::organization::effect::{Effect, Publication, Wake};
use crate::organization::judge::Judgement;
use crate::organization::plan::Step;
use crate::organization::view::{Attempt, Published, View};

/// Reconciles over Workspaces see client and judgement together, once a reconcile at least, and again whenever something changed.
/// All are woken where something changed for those who wait, or healed; else those who differ from a new list. Only a change
/// of what an attempt depends on begins the budgets of those who fail anew: lists that fail and work in turn do not.
pub fn publish(view: &View) -> Option<Step> {
    let judgement = view.judgement();
    let before = &view.published;
    let changed = !is_as_before(before, &judgement)
        || before.vanishing != judgement.vanishing
        || view.memory.generation != Some(view.object.generation);
    let healed = has_healed(before, &judgement);
    let seen = view.progress.publication == Attempt::Done
        && !changed
        && before.reason == Some(judgement.reason)
        && view.progress.unpublished.is_none();
    if seen {
        return None;
    }
    let wake = if changed || healed {
        Wake::Everybody
    } else if view.progress.differing.is_empty() || judgement.vanishing == Missing::Many {
        // Mass vanishing is judged on the whole before any object is woken.
        Wake::Nobody
    } else {
        Wake::These(view.progress.differing.clone())
    };
    let publication = Publication {
        published: Published {
            verification: judgement.verification,
            vanishing: judgement.vanishing,
            revision: before.revision + u64::from(changed),
            reason: Some(judgement.reason),
            endpoint: view.memory.made_of.as_ref().map(|made| made.endpoint.clone()),
        },
        snapshot: view.progress.unpublished.clone(),
        wake,
    };
    Some(Step::Act(Effect::Publish(Box::new(publication))))
}

/// The status is written last, and only where it differs.
pub fn write_status(view: &View) -> Option<Step> {
    let status = view.judgement().status;
    (view.progress.status == Attempt::NotMade && status != view.stored)
        .then(|| Step::Act(Effect::WriteStatus(Box::new(status))))
}

/// What is pending for the same reason in other words wakes nobody: an outage has many words.
fn is_as_before(before: &Published, judgement: &Judgement) -> bool {
    match (&before.verification, &judgement.verification) {
        (Verification::Pending { .. }, Verification::Pending { .. }) => {
            before.reason == Some(judgement.reason)
        }
        (before, now) => before == now,
    }
}

fn has_healed(before: &Published, judgement: &Judgement) -> bool {
    judgement.reason.kstatus() == Kstatus::Ready
        && before
            .reason
            .is_some_and(|reason| reason.kstatus() != Kstatus::Ready)
}

//! Preconditions: object, permit, grant, Organization, claim. No call to Agent Engine is made here.

use crate::domain::remote::WorkspaceState;
use crate::lifecycle::effect::{ClusterEffect, EngineCall};
use crate::lifecycle::findings;
use crate::lifecycle::judge::organization::Unusable;
use crate::lifecycle::judge::{failure, holding, identity, names, organization, token_secret};
use crate::lifecycle::progress::{ObjectProgress, PermitProgress, Remote, Removal};
use crate::lifecycle::step::{Ending, Step};
use crate::lifecycle::view::{Record, View};

/// What another operator holds is left alone, whatever becomes of it: no write, no event, no call.
pub fn leave_to_its_holder(view: &View) -> Option<Step> {
    holding::is_left_to_another(view).then_some(Step::Leave)
}

/// After a conflict, reads the object again and decides again.
pub fn read_what_changed(view: &View) -> Option<Step> {
    match view.progress.object {
        ObjectProgress::Current | ObjectProgress::Unwritable | ObjectProgress::Gone => None,
        ObjectProgress::Changed => Some(Step::sync(ClusterEffect::ReadObject)),
        // The next reconcile tries again.
        ObjectProgress::Unreadable => {
            failure::problem(view).map(|problem| Step::Settle(Ending::Failed(problem)))
        }
    }
}

/// Without a permit of the rate limiter, the object waits, unless a failure is still to be reported.
pub fn give_way(view: &View) -> Option<Step> {
    let denied = view.progress.permit != PermitProgress::Open;
    let unclear = view
        .progress
        .removals
        .values()
        .any(|removal| *removal == Removal::Unclear);
    let waits = || Step::Settle(Ending::Waits(findings::no_permit(view.progress.scarcity)));
    (denied && !unclear && failure::problem(view).is_none()).then(waits)
}

/// A failed effect ends the reconcile; back-off decides when the next begins.
pub fn end_with_the_problem(view: &View) -> Option<Step> {
    failure::problem(view).map(|problem| Step::Settle(Ending::Failed(problem)))
}

/// Deletes the Secret that an ungranted creation wrote before it was cut off. Other rules finish the creation.
pub fn withdraw_what_an_ungranted_creation_wrote(view: &View) -> Option<Step> {
    view.readable()?;
    let intent = view.intent()?;
    match names::grant(view, &intent.name) {
        Some(_) => None,
        None => token_secret::next_to_delete(view).map(Step::token),
    }
}

/// A decoded Organization without the grant withdraws it: the Secrets are deleted, whether or not its credential works.
pub fn withdraw_what_is_not_granted(view: &View, record: &Record) -> Option<Step> {
    view.readable()?;
    if names::grant(view, &record.name).is_some() {
        return None;
    }
    // Another client renamed the workspace to a granted name: that name counts.
    let listed = || identity::listed(view).and_then(|listed| listed.row.as_ref());
    let seen = view.row(&record.id).or_else(listed);
    if seen.is_some_and(|row| names::grant(view, &row.name).is_some()) {
        return None;
    }
    let withdrawal = token_secret::next_to_delete(view).map(Step::token);
    let finding = || findings::bears_what_is_not_granted(view, &record.name);
    Some(withdrawal.unwrap_or_else(|| Step::blocked(finding())))
}

/// Deletes a Secret that spec no longer wants, whatever is known of the Organization.
pub fn withdraw_what_is_declared_away(view: &View, _: &Record) -> Option<Step> {
    withdraw_if_declared_away(view)
}

/// The same for the Secret of a creation that was cut off.
pub fn withdraw_what_a_creation_declared_away(view: &View) -> Option<Step> {
    view.intent()?;
    withdraw_if_declared_away(view)
}

fn withdraw_if_declared_away(view: &View) -> Option<Step> {
    let inactive = view.declared.status == Some(WorkspaceState::Inactive);
    if view.declared.token_enabled() && !inactive {
        return None;
    }
    token_secret::next_to_delete(view).map(Step::token)
}

/// No call is made without a verified Organization. I9: while its credential is being verified, as after a restart, the
/// stored status stands as long as it is true.
pub fn know_the_organization(view: &View) -> Option<Step> {
    let unusable = organization::usable(view).err()?;
    let stands = match (unusable, view.readable()) {
        (Unusable::Pending { .. }, Some(organization)) => {
            organization::was_ready(view) || organization::is_untold(view, organization)
        }
        (_, _) => false,
    };
    Some(if stands {
        Step::Settle(Ending::Waits(unusable.finding()))
    } else {
        Step::blocked(unusable.finding())
    })
}

/// A swapped credential must not read as "every workspace is missing": no call is made for a workspace of another
/// organization.
pub fn keep_to_the_recorded_organization(view: &View, record: &Record) -> Option<Step> {
    organization::mismatch(view, &record.organization_id).map(Step::blocked)
}

/// The same for a creation that was begun in another organization.
pub fn keep_to_the_intended_organization(view: &View) -> Option<Step> {
    organization::mismatch(view, &view.intent()?.organization_id).map(Step::blocked)
}

/// I2: an older object holds the recorded workspace, so this record was forged or copied. It obtains no token.
pub fn keep_off_what_others_hold(view: &View, record: &Record) -> Option<Step> {
    names::id_claimed_by_other(view, &record.organization_id, &record.id).map(Step::blocked)
}

/// Many workspaces missing at once is the trouble of their organization: a list that lacks one of them is no more than a
/// reason for a GET by id. One that the GET shows is served as any other; for the rest no step follows.
pub fn doubt_many_missing(view: &View, record: &Record) -> Option<Step> {
    let organization = view.readable()?;
    match view.observed(&record.id).map(|seen| &seen.remote) {
        Some(Remote::Gone) if identity::are_many_missing(view) => {}
        Some(Remote::Present(_) | Remote::Gone) => return None,
        None if !identity::is_one_of_many(view) => return None,
        None if identity::may_read(view) => return Some(Step::call(EngineCall::Get(record.id.clone()))),
        None => {}
    }
    Some(Step::blocked(findings::many_missing(record, &organization.name)))
}

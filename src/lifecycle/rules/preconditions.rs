//! Who may, and whether anything can be said at all. No call to Agent Engine is made here.

use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::domain::reason::Reason;
use crate::domain::remote::WorkspaceState;
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::effect::{ClusterEffect, Effect};
use crate::lifecycle::plan::{Step, sync, token};
use crate::lifecycle::report;
use crate::lifecycle::rules::{identity, naming, token_secret};
use crate::lifecycle::view::{OrganizationFacts, Ownership, ReadableOrganization, SecretFacts, View};

/// A replica that does not lead searches on.
pub fn only_the_leader_acts(view: &View) -> Option<Step> {
    (!view.leader).then_some(Step::Leave)
}

/// After a conflict everything is decided anew, on the object as it is.
pub fn read_what_changed(view: &View) -> Option<Step> {
    match (&view.progress.problem, view.progress.stale) {
        (_, false) => None,
        // It could not be read: the next reconcile tries again.
        (Some(problem), true) if view.progress.status_failed => {
            Some(Step::Settle(report::failed(view, problem)))
        }
        (_, true) => sync(Effect::Cluster(ClusterEffect::ReadObject)),
    }
}

/// A failed effect ends the reconcile; back-off decides when the next begins.
pub fn end_with_the_problem(view: &View) -> Option<Step> {
    let problem = view.progress.problem.as_ref()?;
    Some(Step::Settle(report::failed(view, problem)))
}

/// Withdrawal is the statement of a readable Organization: the Secrets go, whether or not its credential works.
pub fn withdraw_what_is_not_granted(view: &View) -> Option<Step> {
    view.readable()?;
    let Some(record) = view.record() else {
        // A creation that was cut off may have written its Secret; how it goes on is for other rules.
        let intent = view.intent()?;
        naming::granted(view, &intent.name).err()?;
        return remove_secrets(view);
    };
    naming::granted(view, &record.name).err()?;
    // Renamed behind our back to what is granted, it is judged by its name of now.
    let seen = view.progress.row.as_ref().filter(|row| row.id == record.id);
    let seen = seen.or(identity::listed(view).and_then(|listed| listed.row.as_ref()));
    if seen.is_some_and(|row| naming::granted(view, &row.name).is_ok()) {
        return None;
    }
    Some(remove_secrets(view).unwrap_or_else(|| {
        Step::Settle(report::blocked(
            view,
            naming::has_what_is_not_granted(view, &record.name),
        ))
    }))
}

/// What its owner declares away goes, whatever is known of the Organization.
pub fn withdraw_what_is_declared_away(view: &View) -> Option<Step> {
    if view.record().is_none() && view.intent().is_none() {
        return None;
    }
    let declared_away =
        !view.declared.token_enabled() || view.declared.status == Some(WorkspaceState::Inactive);
    declared_away.then(|| remove_secrets(view)).flatten()
}

/// Nothing is asked of an organization that is not known and verified. I9: while its credential is being verified, as
/// after a restart, what was said stands.
pub fn know_the_organization(view: &View) -> Option<Step> {
    let waiting = match &view.organization {
        OrganizationFacts::NotFound { name, searched } => Finding::new(
            Reason::OrganizationNotFound,
            format!(
                "no Organization {name:?} in namespace {searched:?}, the only one that Organizations are read from; create it \
                 there, or delete this object and create it anew with the right spec.organization, which cannot be changed"
            ),
        ),
        OrganizationFacts::Unreadable { name } => Finding::new(
            Reason::OrganizationNotReady,
            format!("the Organization {name:?} cannot be decoded; see its events, and correct it"),
        ),
        OrganizationFacts::Readable(organization) => match &organization.verification {
            Verification::Verified(_) => return None,
            Verification::Pending { .. } if report::stands(view) || is_new(view, organization) => {
                return Some(Step::Leave);
            }
            Verification::Pending { why } => Finding::new(
                Reason::OrganizationNotReady,
                format!("the Organization {:?} is not ready: {why}", organization.name),
            ),
            Verification::Changed { pinned, found } => {
                Finding::new(Reason::OrganizationMismatch, changed(pinned, found))
            }
        },
    };
    Some(Step::Settle(report::blocked(view, waiting)))
}

/// Whether this process has said nothing of the Organization yet: all that was said for the spec of now stands.
fn is_new(view: &View, organization: &ReadableOrganization) -> bool {
    let said_before = !view.progress.said && view.stored.observed_generation == Some(view.object.generation);
    organization.revision == 0 && said_before
}

/// What is said when a credential was swapped for another organization's.
pub fn changed(pinned: &OrganizationId, found: &OrganizationId) -> String {
    format!(
        "the Organization's credential belongs to organization {found}, but it stands for {pinned}; nothing was asked of \
         {found}. Restore the credential of {pinned}, or, where spec.organizationId is wrong, create the Organization anew"
    )
}

/// Swapped credentials must not read as "all gone": no call is made for a workspace of another organization.
pub fn keep_to_the_recorded_organization(view: &View) -> Option<Step> {
    mismatch(view).map(|finding| Step::Settle(report::blocked(view, finding)))
}

/// I2: a record that names what another object holds by an older right was forged, or copied: it opens nothing.
pub fn keep_off_what_others_hold(view: &View) -> Option<Step> {
    let record = view.record()?;
    let claimed = naming::id_claimed_by_other(view, &record.organization_id, &record.id)?;
    Some(Step::Settle(report::blocked(view, claimed)))
}

/// The finding where the verified organization is not the recorded, or the intended, one.
pub fn mismatch(view: &View) -> Option<Finding> {
    let verified = view.verified()?;
    let recorded = view
        .record()
        .map(|record| record.organization_id)
        .or_else(|| view.intent().map(|i| i.organization_id.clone()))?;
    (recorded != *verified).then(|| Finding::new(Reason::OrganizationMismatch, changed(&recorded, verified)))
}

/// Many gone at once is the organization's condition first, and nothing follows for its workspaces.
pub fn believe_no_mass_vanishing(view: &View) -> Option<Step> {
    let organization = view.readable()?;
    let record = view.record()?;
    let suspicious = match organization.vanishing {
        Missing::Few => false,
        Missing::Many => view.listed.as_ref().is_none_or(|listed| listed.row.is_none()),
    };
    suspicious.then(|| {
        Step::Settle(report::blocked(
            view,
            Finding::new(
                Reason::ManyWorkspacesMissing,
                format!(
                    "many workspaces of organization {} vanished at once, this one ({}) perhaps among them; nothing is done \
                     until that is cleared up. See the Organization {:?}",
                    record.organization_id, record.id, organization.name
                ),
            ),
        ))
    })
}

/// A Secret that our uid controls, where nothing is recorded that it could be of.
pub fn remove_left_over(view: &View) -> Option<Step> {
    let mut known = view.secrets.target.iter().chain(&view.secrets.others);
    token(delete(known.find(|facts| facts.ownership == Ownership::Ours)?))
}

fn delete(facts: &SecretFacts) -> Effect {
    Effect::Cluster(ClusterEffect::DeleteSecret {
        name: facts.name.clone(),
        resource_version: facts.resource_version.clone(),
    })
}

/// One Secret of ours to delete, if any is left; first to be read, where that is not known.
pub fn remove_secrets(view: &View) -> Option<Step> {
    let target = view
        .secrets
        .target
        .as_ref()
        .filter(|facts| facts.ownership != Ownership::Foreign);
    target
        .or(view.secrets.others.first())
        .map(delete)
        .or_else(|| token_secret::unwatched_recorded_secret(view))
        .and_then(token)
}

/// Our finalizer, before anything that would have to be cleaned up.
pub fn add_finalizer() -> Option<Step> {
    sync(Effect::Cluster(ClusterEffect::AddFinalizer))
}

//! I7: what becomes of the workspace when its object goes. No workspace is deleted by name, or without attribution.

use crate::crd::organization::Permission;
use crate::crd::workspace::{DeletionPolicy, Origin};
use crate::domain::finding::Finding;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::verification::Missing;
use crate::lifecycle::effect::CrdState;
use crate::lifecycle::findings;
use crate::lifecycle::judge::organization::Unusable;
use crate::lifecycle::judge::{failure, names, organization};
use crate::lifecycle::view::View;
use crate::tenancy::is_default;

/// What becomes of the workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WorkspaceFate {
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

/// Whatever the policy, the workspace is retained if the Organization forbids deletion, if it is the fallback workspace, or
/// if the CRD is terminating.
pub fn fate(view: &View) -> WorkspaceFate {
    let name = view
        .recorded_name()
        .or_else(|| view.intent().map(|intent| &intent.name));
    let forbidden = name.is_some_and(|name| is_forbidden(view, name));
    let fallback = name.is_some_and(is_default);
    let crd_goes = view.progress.crd == Some(CrdState::Going);
    match policy(view) {
        DeletionPolicy::Delete if !forbidden && !fallback && !crd_goes => WorkspaceFate::Delete,
        DeletionPolicy::Delete | DeletionPolicy::Retain => WorkspaceFate::Retain,
    }
}

/// Whether the object itself says so, whatever its Organization does.
pub fn is_declared_to_stay(view: &View) -> bool {
    view.declared.deletion_policy == Some(DeletionPolicy::Retain)
}

/// Whether a decoded Organization forbids deletion, or no longer grants the name.
fn is_forbidden(view: &View, name: &WorkspaceName) -> bool {
    let ceiling = || names::grant(view, name).map_or(Permission::Forbidden, |grant| grant.deletion);
    view.readable().is_some() && ceiling() == Permission::Forbidden
}

/// The workspace that is gone once our finalizer may go: only then is it taken off where the fate is to delete.
pub fn removed(view: &View) -> Option<WorkspaceId> {
    let recorded = view.recorded_id()?;
    (fate(view) == WorkspaceFate::Delete).then(|| recorded.clone())
}

/// The event that names a retained workspace when its object goes.
pub fn retained_event(view: &View) -> Option<Finding> {
    match (fate(view), view.record(), view.intent()) {
        (WorkspaceFate::Retain, Some(record), _) if view.memory.removed.as_ref() != Some(&record.id) => {
            Some(findings::left_at_agent_engine(&record.id, &record.name))
        }
        (WorkspaceFate::Retain, None, Some(intent)) => Some(findings::left_after_creation(intent)),
        (WorkspaceFate::Delete, _, _)
        | (WorkspaceFate::Retain, Some(_), _)
        | (WorkspaceFate::Retain, None, None) => None,
    }
}

/// Why Agent Engine cannot be asked to delete now, in words for people.
pub fn obstacle(view: &View) -> Option<String> {
    if let Some(problem) = failure::problem(view) {
        return Some(problem.finding.message);
    }
    let organization = match organization::usable(view) {
        Ok((organization, _)) => organization,
        Err(unusable) => return Some(why_not_deleted(unusable)),
    };
    let record = view.record();
    let bound = record
        .as_ref()
        .map(|record| &record.organization_id)
        .or_else(|| view.intent().map(|intent| &intent.organization_id));
    if let Some(mismatch) = bound.and_then(|bound| organization::mismatch(view, bound)) {
        return Some(mismatch.message);
    }
    let claimed = record
        .as_ref()
        .and_then(|record| names::id_claimed_by_other(view, &record.organization_id, &record.id));
    if let Some(claimed) = claimed {
        return Some(claimed.message);
    }
    match organization.missing {
        // A recorded workspace is read by its id first; see [`crate::lifecycle::rules::deletion`].
        Missing::Many if record.is_none() => Some(findings::many_missing_while_deleting().to_owned()),
        Missing::Many | Missing::Few => None,
    }
}

fn why_not_deleted(unusable: Unusable<'_>) -> String {
    match unusable {
        Unusable::NotFound { name, searched } => findings::no_organization(name, searched),
        Unusable::NotDecodable { name } => findings::undecodable_organization(name),
        Unusable::Pending { name, why } => findings::unready_organization(name, why),
        Unusable::Changed { pinned, found } => findings::changed(pinned, found),
    }
}

//! Creations and adoptions that do not go on.

use crate::crd::organization::Permission;
use crate::crd::workspace::Creation;
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::RemoteWorkspace;

pub(in crate::lifecycle) fn being_created() -> Finding {
    Finding::new(Reason::Creating, "the workspace is being created")
}

pub(in crate::lifecycle) fn waits_for_the_next_attempt() -> Finding {
    Finding::new(Reason::Creating, "waiting for the next attempt")
}

pub(in crate::lifecycle) fn suspended_creation() -> Finding {
    Finding::new(
        Reason::Suspended,
        "spec.suspend is set: nothing is created. Remove it to go on",
    )
}

/// The answer to the issue of this reconcile was lost.
pub(in crate::lifecycle) fn answer_lost(name: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::CreationInFlight,
        format!(
            "the answer to the creation of {:?} was lost; the operator searches for it until a search must show it, then tries again",
            name.as_str()
        ),
    )
}

/// The issue of an earlier reconcile is unresolved.
pub(in crate::lifecycle) fn creation_in_flight(intent: &Creation) -> Finding {
    Finding::new(
        Reason::CreationInFlight,
        format!(
            "a creation of {:?} was begun, and its outcome is not known; the operator searches for it until a search must show \
             it, then tries again",
            intent.name.as_str()
        ),
    )
}

/// The workspace cannot be attributed.
pub(in crate::lifecycle) fn nothing_tells_whose(row: &RemoteWorkspace) -> String {
    format!(
        "a workspace named {:?} ({}) appeared while its creation was in flight, and nothing can tell whether it is ours; it \
         was left alone",
        row.name.as_str(),
        row.id
    )
}

/// What leads out, within a sentence.
fn adopt_or_remove(adoption: Permission) -> &'static str {
    match adoption {
        Permission::Allowed => "adopt it with spec.adoptionPolicy: ByName, or remove it at Agent Engine",
        Permission::Forbidden => {
            "remove it at Agent Engine; or, to adopt it, set spec.adoptionPolicy: ByName and ask the administrator for \
             `adoption: Allowed` in the access entry"
        }
    }
}

/// The same where it could be adopted, or removed.
pub(in crate::lifecycle) fn uncertain(row: &RemoteWorkspace, adoption: Permission) -> Finding {
    let (first, rest) = adopt_or_remove(adoption).split_at(1);
    Finding::new(
        Reason::CreationUncertain,
        format!("{}. {}{rest}", nothing_tells_whose(row), first.to_uppercase()),
    )
}

/// The same of one whose name differs from the intended one in form alone.
pub(in crate::lifecycle) fn uncertain_in_another_form(
    wanted: &WorkspaceName,
    row: &RemoteWorkspace,
    adoption: Permission,
) -> Finding {
    let remedy = adopt_or_remove(adoption);
    Finding::new(
        Reason::CreationUncertain,
        format!(
            "{}. Agent Engine may keep the name {:?} in that form: declare {:?}, then {remedy}",
            nothing_tells_whose(row),
            wanted.as_str(),
            row.name.as_str()
        ),
    )
}

/// Adoption by name is declared and allowed, and there is more than the one to adopt.
pub(in crate::lifecycle) fn uncertain_among_others(row: &RemoteWorkspace) -> Finding {
    let message = format!(
        "{}. No other workspace may bear this name or a near-equal one: rename or remove at Agent Engine what is not meant",
        nothing_tells_whose(row)
    );
    Finding::new(Reason::CreationUncertain, message)
}

/// A search found it, a GET did not.
pub(in crate::lifecycle) fn just_gone(id: &WorkspaceId) -> Finding {
    Finding::new(
        Reason::Creating,
        format!("the workspace {id}, just found, has gone; the operator searches for it again"),
    )
}

pub(in crate::lifecycle) fn name_held_for_a_moment(name: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::Creating,
        format!(
            "a workspace that was not made for this object had the name {:?} for a moment; the token was dropped, and the \
             operator searches for the name again",
            name.as_str()
        ),
    )
}

/// Of several workspaces with one name, none is adopted by that name.
pub(in crate::lifecycle) fn several(name: &WorkspaceName, count: usize) -> Finding {
    Finding::new(
        Reason::AlreadyExists,
        format!(
            "{count} workspaces are named {:?}; none was touched. Rename the others at Agent Engine; or, to adopt one of them by \
             its id, delete this object and create it again with spec.workspaceId, which cannot be added later, and a spec.name \
             that no other workspace has",
            name.as_str()
        ),
    )
}

pub(in crate::lifecycle) fn never_create_default() -> Finding {
    Finding::new(
        Reason::Rejected,
        "\"default\" is every organization's fallback workspace: it may be adopted, never created; nothing was done",
    )
}

pub(in crate::lifecycle) fn token_of_another_organization(name: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::IdentityMismatch,
        format!(
            "the token issued for {:?} opens a workspace of another organization; it was dropped",
            name.as_str()
        ),
    )
}

pub(in crate::lifecycle) fn declared_id_not_found(
    id: &WorkspaceId,
    organization: &OrganizationId,
) -> Finding {
    Finding::new(
        Reason::WorkspaceNotFound,
        format!(
            "spec.workspaceId names {id}, which is not in organization {organization}; nothing was created. Delete this \
             object and create another with the right id"
        ),
    )
}

/// A restored or copied status names a workspace of another organization.
pub(in crate::lifecycle) fn foreign_status(
    id: &WorkspaceId,
    its: &OrganizationId,
    organization: &OrganizationId,
) -> Finding {
    Finding::new(
        Reason::OrganizationMismatch,
        format!(
            "the status that this object came with names the workspace {id} of organization {its}, but the Organization's \
             credential belongs to {organization}; nothing was created. Restore the credential of {its}; or, for a new \
             workspace in {organization}, delete this object and create it again without that status"
        ),
    )
}

pub(in crate::lifecycle) fn belongs_elsewhere(
    id: &WorkspaceId,
    other: &OrganizationId,
    organization: &OrganizationId,
) -> Finding {
    Finding::new(
        Reason::IdentityMismatch,
        format!(
            "the workspace {id} belongs to organization {other}, not to {organization}; it was left alone"
        ),
    )
}

pub(in crate::lifecycle) fn replacing(id: &WorkspaceId) -> Finding {
    Finding::new(
        Reason::Creating,
        format!("the lost workspace {id} is being replaced, as allowed"),
    )
}

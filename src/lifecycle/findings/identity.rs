//! Workspaces that are missing, or are not the recorded ones.

use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::view::{Record, View};

/// A GET by id did not find it; the list decides.
pub(in crate::lifecycle) fn unconfirmed(record: &Record) -> Finding {
    Finding::new(
        Reason::NotFoundUnconfirmed,
        format!(
            "Agent Engine returned \"not found\" for workspace {} ({:?}); waiting for the next list to confirm",
            record.id,
            record.name.as_str()
        ),
    )
}

/// The workspace that a restored or copied status names; one answer is not enough.
pub(in crate::lifecycle) fn wish_unconfirmed(id: &WorkspaceId) -> Finding {
    Finding::new(
        Reason::NotFoundUnconfirmed,
        format!(
            "the status that this object came with names the workspace {id}, and Agent Engine returned \"not found\"; waiting \
             for the next list to confirm before a new one is created"
        ),
    )
}

/// The organization shows nothing of any workspace.
pub(in crate::lifecycle) fn wish_hidden(id: &WorkspaceId) -> Finding {
    Finding::new(
        Reason::NotFoundUnconfirmed,
        format!(
            "the status that this object came with names the workspace {id}. {}; nothing was created",
            super::nothing_listed()
        ),
    )
}

/// The same while many are missing.
pub(in crate::lifecycle) fn wish_among_many(
    id: &WorkspaceId,
    organization: &OrganizationId,
    name: &str,
) -> Finding {
    Finding::new(
        Reason::ManyWorkspacesMissing,
        format!(
            "many workspaces of organization {organization} are missing at once, among them {id}, which the status that this \
             object came with names; no other is created until that is cleared up. See the Organization {name:?}"
        ),
    )
}

pub(in crate::lifecycle) fn not_found(view: &View, record: &Record) -> Finding {
    let held_back = if view.declared.is_suspended() {
        ", which waits while spec.suspend is set"
    } else {
        ""
    };
    Finding::new(
        Reason::WorkspaceNotFound,
        format!(
            "the workspace {} ({:?}) is no longer found in organization {}: it was deleted, or is no longer enabled for Agents. \
             It is not created again, for a new one would be empty. If it still exists, enable it for Agents again. Delete this \
             object, or annotate it with agentengine.airbyte.com/recreate={} to have an empty one made\
             {held_back}",
            record.id,
            record.name.as_str(),
            record.organization_id,
            record.id
        ),
    )
}

/// The user allowed it to be replaced.
pub(in crate::lifecycle) fn not_replaced(record: &Record, suspect: &RemoteWorkspace) -> Finding {
    Finding::new(
        Reason::WorkspaceNotFound,
        format!(
            "the workspace {} ({:?}) is no longer found in organization {}, and is not replaced yet: {}",
            record.id,
            record.name.as_str(),
            record.organization_id,
            super::may_be_of_an_issue(suspect)
        ),
    )
}

/// Many are missing at once, which is the organization's trouble first.
pub(in crate::lifecycle) fn many_missing(record: &Record, organization: &str) -> Finding {
    Finding::new(
        Reason::ManyWorkspacesMissing,
        format!(
            "many workspaces of organization {} are missing at once, this one ({}) perhaps among them; nothing is done \
             until that is cleared up. See the Organization {organization:?}",
            record.organization_id, record.id
        ),
    )
}

pub(in crate::lifecycle) fn many_missing_while_deleting() -> &'static str {
    "many workspaces of the organization are missing at once, and nothing that it says is trusted"
}

pub(in crate::lifecycle) fn another_organization(record: &Record, other: &OrganizationId) -> Finding {
    Finding::new(
        Reason::IdentityMismatch,
        format!(
            "the workspace {} is said to belong to organization {other}, recorded is {}; nothing was done",
            record.id, record.organization_id
        ),
    )
}

pub(in crate::lifecycle) fn token_opens_another(
    record: &Record,
    issued_for: &WorkspaceName,
    opened: &WorkspaceId,
) -> Finding {
    Finding::new(
        Reason::IdentityMismatch,
        format!(
            "a token issued for {:?} opens the workspace {opened}, recorded is {}; the token was dropped and nothing handed \
             out. Find out who renamed or replaced the workspace; if another one has the same name, rename that one at Agent \
             Engine, or declare another spec.name",
            issued_for.as_str(),
            record.id
        ),
    )
}

pub(in crate::lifecycle) fn orphan_removed(orphan: &WorkspaceId, recorded: &WorkspaceId) -> Finding {
    Finding::new(
        Reason::OrphanRemoved,
        format!(
            "an issue under a name that had just moved created the empty workspace {orphan} beside {recorded}; it was deleted"
        ),
    )
}

//! Deletions, and workspaces that stay behind.

use crate::crd::workspace::Creation;
use crate::domain::finding::Finding;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::findings::creation_in_flight;

/// The finalizer stays, with the reason and the way out.
pub(in crate::lifecycle) fn blocked(why: &str) -> Finding {
    Finding::new(
        Reason::DeletionBlocked,
        format!(
            "the workspace was not deleted: {why}. It is tried again; to let the object go and leave the workspace, set \
             spec.deletionPolicy: Retain"
        ),
    )
}

pub(in crate::lifecycle) fn still_listed(id: &WorkspaceId) -> String {
    format!("Agent Engine lists the workspace {id}, but does not find it when asked to delete it")
}

/// It says that the workspace is not there, and shows no other one.
pub(in crate::lifecycle) fn nothing_listed() -> &'static str {
    "Agent Engine does not find it, but shows no other workspace of the organization either, not even \"default\": it may hide \
     them all from the operator's credential. Check the rights of the credential, and whether the organization is enabled for \
     Agents"
}

pub(in crate::lifecycle) fn crd_unreadable(why: &str) -> String {
    format!("it cannot be told whether the CustomResourceDefinition itself is being deleted ({why})")
}

/// Our finalizer is off.
pub(in crate::lifecycle) fn released() -> Finding {
    Finding::new(
        Reason::Deleting,
        "the operator has let the object go, and holds neither workspace nor name for it; finalizers of others keep it",
    )
}

pub(in crate::lifecycle) fn waits() -> Finding {
    Finding::new(Reason::Deleting, "the deletion is waiting for its next attempt")
}

pub(in crate::lifecycle) fn unanswered() -> Finding {
    Finding::new(
        Reason::Deleting,
        "Agent Engine was asked to delete the workspace, and its answer was lost; the operator reads whether it is gone",
    )
}

pub(in crate::lifecycle) fn waits_for(organization: &str) -> Finding {
    Finding::new(
        Reason::Deleting,
        format!("the deletion waits until the credential of the Organization {organization:?} is verified"),
    )
}

pub(in crate::lifecycle) fn deleting_after_issue() -> Finding {
    Finding::new(
        Reason::Deleting,
        "a token was requested and its answer was lost, or may have been when the operator restarted; the operator searches for \
         a workspace that the request may have made, before it deletes the recorded one",
    )
}

pub(in crate::lifecycle) fn may_be_of_an_issue(row: &RemoteWorkspace) -> String {
    format!(
        "a workspace named {:?} ({}) appeared while a token request of the operator may have been in flight, and nothing can \
         tell whether that made it; it was left alone. Rename or remove it at Agent Engine",
        row.name.as_str(),
        row.id
    )
}

pub(in crate::lifecycle) fn deleting_after_creation(intent: &Creation) -> Finding {
    Finding::new(Reason::Deleting, creation_in_flight(intent).message)
}

pub(in crate::lifecycle) fn left_at_agent_engine(id: &WorkspaceId, name: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::Retained,
        format!(
            "the workspace {id} ({:?}) was left at Agent Engine",
            name.as_str()
        ),
    )
}

pub(in crate::lifecycle) fn left_after_creation(intent: &Creation) -> Finding {
    Finding::new(
        Reason::Retained,
        format!(
            "a creation of {:?} was in flight; if it took effect, the workspace was left at Agent Engine",
            intent.name.as_str()
        ),
    )
}

pub(in crate::lifecycle) fn no_organization(name: &str, searched: &str) -> String {
    format!("there is no Organization {name:?} in namespace {searched:?}")
}

pub(in crate::lifecycle) fn undecodable_organization(name: &str) -> String {
    format!("the Organization {name:?} cannot be decoded")
}

pub(in crate::lifecycle) fn unready_organization(name: &str, why: &str) -> String {
    format!("the Organization {name:?} is not ready ({why})")
}

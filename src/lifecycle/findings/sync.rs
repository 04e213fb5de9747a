//! Name and state beside what is declared.

use crate::domain::finding::Finding;
use crate::domain::ids::WorkspaceName;
use crate::domain::reason::Reason;

pub(in crate::lifecycle) fn as_declared() -> Finding {
    Finding::new(Reason::AsDeclared, "the workspace is as declared")
}

pub(in crate::lifecycle) fn updating() -> Finding {
    Finding::new(
        Reason::Updating,
        "the workspace is being brought to what is declared",
    )
}

/// The list shows a difference, or a user has asked for a read.
pub(in crate::lifecycle) fn unread() -> Finding {
    Finding::new(
        Reason::ApiUnavailable,
        "the workspace has to be read by its id, and Agent Engine has not answered yet; the operator tries again",
    )
}

pub(in crate::lifecycle) fn suspended() -> Finding {
    Finding::new(
        Reason::Suspended,
        "spec.suspend is set: name and status are left alone",
    )
}

pub(in crate::lifecycle) fn rename_waits() -> Finding {
    Finding::new(Reason::Updating, "the rename is waiting for its next attempt")
}

pub(in crate::lifecycle) fn switch_waits() -> Finding {
    Finding::new(
        Reason::Updating,
        "the change of status is waiting for its next attempt",
    )
}

pub(in crate::lifecycle) fn rename_waits_for_tokens() -> Finding {
    Finding::new(
        Reason::Updating,
        "rename delayed for up to a minute: a token request is still unresolved",
    )
}

pub(in crate::lifecycle) fn default_not_renamed(current: &WorkspaceName, wanted: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::Rejected,
        format!(
            "the workspace {:?} was not renamed to {:?}: \"default\" is every organization's fallback workspace, and is \
             neither renamed nor given as a name",
            current.as_str(),
            wanted.as_str()
        ),
    )
}

pub(in crate::lifecycle) fn default_not_deactivated() -> Finding {
    Finding::new(
        Reason::Rejected,
        "the workspace \"default\" was not deactivated: it is every organization's fallback",
    )
}

pub(in crate::lifecycle) fn name_taken(current: &WorkspaceName, wanted: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::AlreadyExists,
        format!(
            "the workspace keeps the name {:?}: another workspace is named {:?} already. Choose another name, or remove that \
             workspace",
            current.as_str(),
            wanted.as_str()
        ),
    )
}

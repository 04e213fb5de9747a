//! What is said of a creation or an adoption that does not go on: what is wrong, what was not done, what to do.

use crate::crd::organization::Permission;
use crate::crd::workspace::Creation;
use crate::domain::finding::Finding;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::view::View;

/// What a creation came to may still come to light.
pub fn in_flight(intent: &Creation) -> Finding {
    Finding::new(
        Reason::CreationInFlight,
        format!(
            "a creation of {:?} was begun, and what came of it is not known; it is looked for until it must have come to light, \
             then tried anew",
            intent.name.as_str()
        ),
    )
}

/// Nothing can decide whose it is.
pub fn cannot_be_told(row: &RemoteWorkspace) -> String {
    format!(
        "a workspace named {:?} ({}) appeared while its creation was in flight, and nothing can tell whether it is ours; it \
         was left alone",
        row.name.as_str(),
        row.id
    )
}

/// The same where it could be adopted, or removed.
pub fn uncertain(row: &RemoteWorkspace, adoption: Permission) -> Finding {
    let remedy = match adoption {
        Permission::Allowed => "Adopt it with spec.adoptionPolicy: ByName, or remove it at Agent Engine",
        Permission::Forbidden => {
            "Remove it at Agent Engine; or, to adopt it, set spec.adoptionPolicy: ByName and ask the administrator for \
             `adoption: Allowed` in the access entry"
        }
    };
    let message = format!("{}. {remedy}", cannot_be_told(row));
    Finding::new(Reason::CreationUncertain, message)
}

/// It was there a moment ago.
pub fn just_gone(id: &WorkspaceId) -> Finding {
    Finding::new(
        Reason::Creating,
        format!("the workspace {id}, just found, has gone; it is looked for again"),
    )
}

/// Another one had the name for a moment.
pub fn moved(name: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::Creating,
        format!(
            "a workspace that was not made for this object had the name {:?} for a moment; the token was dropped, and the name \
             is looked for again",
            name.as_str()
        ),
    )
}

/// None of those that share a name is taken by it.
pub fn several(view: &View, count: usize) -> Finding {
    Finding::new(
        Reason::AlreadyExists,
        format!(
            "{count} workspaces are named {:?}; none was touched. Rename the others at Agent Engine; or, to adopt one of them by \
             its id, delete this object and create it anew with spec.workspaceId, which cannot be added later",
            view.declared.name.as_str()
        ),
    )
}

/// The fallback workspace is not made.
pub fn never_default() -> Finding {
    Finding::new(
        Reason::Rejected,
        "\"default\" is every organization's fallback workspace: it may be adopted, never created; nothing was done",
    )
}

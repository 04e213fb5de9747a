//! Names that a Workspace may not use, that another object claims, or that exist already.

use crate::crd::organization::Permission;
use crate::domain::finding::Finding;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::view::View;
use crate::tenancy::entry_to_ask_for;

/// The declared name, or one to adopt, is not granted.
pub(in crate::lifecycle) fn not_granted(view: &View, name: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::NameNotGranted,
        format!(
            "namespace {:?} may not use the workspace name {:?}: no token is handed out, and nothing is changed at Agent \
             Engine. Choose a name that is granted, or ask the administrator for this entry in the \
             Organization {:?}, spec.access: {}",
            view.object.namespace,
            name.as_str(),
            view.declared.organization_name(),
            entry_to_ask_for(&view.object.namespace, name)
        ),
    )
}

/// The workspace to adopt by its id has a name that is not granted, and that this namespace does not learn.
pub(in crate::lifecycle) fn id_not_granted(view: &View, id: &WorkspaceId) -> Finding {
    Finding::new(
        Reason::NameNotGranted,
        format!(
            "namespace {:?} may not use the name that the workspace {id} has; it was left alone. Ask the administrator for an \
             entry in the Organization {:?}, spec.access, that grants the name of that workspace; or, if the id is wrong, \
             delete this object and create it again with the right one",
            view.object.namespace,
            view.declared.organization_name(),
        ),
    )
}

/// The workspace bears a name that is not granted. Another name in spec would not help it.
pub(in crate::lifecycle) fn bears_what_is_not_granted(view: &View, name: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::NameNotGranted,
        format!(
            "namespace {:?} may not use the name {:?} that the workspace has: no token is handed out, and nothing is changed \
             at Agent Engine, whatever name is declared. Have the workspace renamed there to a name that is granted, or ask \
             the administrator for this entry in the Organization {:?}, spec.access: {}",
            view.object.namespace,
            name.as_str(),
            view.declared.organization_name(),
            entry_to_ask_for(&view.object.namespace, name)
        ),
    )
}

/// The workspace may not be deleted as it is named, and could be under the wanted name.
pub(in crate::lifecycle) fn rename_lifts_the_ceiling(
    view: &View,
    current: &WorkspaceName,
    wanted: &WorkspaceName,
) -> Finding {
    Finding::new(
        Reason::NameNotGranted,
        format!(
            "the workspace keeps the name {:?}: the Organization {:?} forbids its deletion under that name and would allow it \
             under {:?}. Choose a name for which deletion is forbidden too, or ask the administrator to allow it for both",
            current.as_str(),
            view.declared.organization_name(),
            wanted.as_str()
        ),
    )
}

pub(in crate::lifecycle) fn name_claimed(name: &WorkspaceName, holder: &str) -> Finding {
    Finding::new(
        Reason::NameClaimed,
        format!(
            "the workspace name {:?} is claimed by {holder}; nothing was done. Choose another name (names that differ only \
             in case, blanks or Unicode form count as one), or have the other object give the name up: another spec.name there, \
             or its deletion",
            name.as_str()
        ),
    )
}

/// Two objects want each other's name.
pub(in crate::lifecycle) fn name_exchanged(name: &WorkspaceName, holder: &str) -> Finding {
    Finding::new(
        Reason::NameClaimed,
        format!(
            "the workspace name {:?} is claimed by {holder}, which wants the name of this one in turn; nothing was done. Names \
             are exchanged by way of a third: set another spec.name here, which frees the name for the other object, and the \
             wanted one once the other is Ready",
            name.as_str()
        ),
    )
}

pub(in crate::lifecycle) fn id_claimed(id: &WorkspaceId, holder: &str) -> Finding {
    Finding::new(
        Reason::NameClaimed,
        format!(
            "the workspace {id} is claimed by {holder}; nothing was done. Delete one of the two objects: this one, if it was \
             not meant"
        ),
    )
}

/// A near-equal name stops, too.
pub(in crate::lifecycle) fn similar(wanted: &WorkspaceName, row: &RemoteWorkspace) -> Finding {
    Finding::new(
        Reason::SimilarNameExists,
        format!(
            "a workspace named {:?} exists ({}), which differs from {:?} only in case, blanks or Unicode form; nothing was \
             done. Declare that very name to mean it, or choose one that cannot be confused",
            row.name.as_str(),
            row.id,
            wanted.as_str()
        ),
    )
}

/// Adoption is not declared, not allowed, or neither.
pub(in crate::lifecycle) fn already_exists(
    row: &RemoteWorkspace,
    declared: Permission,
    allowed: Permission,
) -> Finding {
    let why = match (declared, allowed) {
        (_, Permission::Allowed) => {
            "to take it over, set spec.adoptionPolicy: ByName; else choose another name"
        }
        (Permission::Allowed, Permission::Forbidden) => {
            "adoption is declared, but the Organization does not allow it to this namespace; ask the administrator for \
             `adoption: Allowed` in the access entry"
        }
        (Permission::Forbidden, Permission::Forbidden) => {
            "choose another name; or, to take it over, set spec.adoptionPolicy: ByName and ask the administrator for \
             `adoption: Allowed` in the access entry"
        }
    };
    Finding::new(
        Reason::AlreadyExists,
        format!(
            "a workspace named {:?} already exists ({}) and is left alone: {why}",
            row.name.as_str(),
            row.id
        ),
    )
}

//! I2, for every door by which a name can be reached: granted to the namespace, claimed by nobody else, and not taken.

use crate::crd::organization::Permission;
use crate::crd::workspace::AdoptionPolicy;
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::view::{NameSearch, View};
use crate::tenancy::{ClaimKey, Grant, canonical, entry_to_ask_for};

/// The grant for `name`, or why there is none.
pub fn granted(view: &View, name: &WorkspaceName) -> Result<Grant, Finding> {
    let grant = view
        .readable()
        .and_then(|organization| organization.access.grant(name));
    grant.ok_or_else(|| {
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
    })
}

/// What is said of a workspace that bears a name which its namespace may not use: another name in spec would not help it.
pub fn has_what_is_not_granted(view: &View, name: &WorkspaceName) -> Finding {
    let message = format!(
        "namespace {:?} may not use the name {:?} that the workspace has: no token is handed out, and nothing is changed at Agent \
         Engine, whatever name is declared. Have the workspace renamed there to a name that is granted, or ask the administrator \
         for this entry in the Organization {:?}, spec.access: {}",
        view.object.namespace,
        name.as_str(),
        view.declared.organization_name(),
        entry_to_ask_for(&view.object.namespace, name)
    );
    Finding::new(Reason::NameNotGranted, message)
}

/// Who holds a key, as far as a tenant may know: what is in other namespaces is not named.
fn holder(view: &View, key: &ClaimKey) -> Option<String> {
    let winner = view.claim_result.lost.get(key)?;
    Some(if winner.namespace == view.object.namespace {
        format!("the Workspace object {:?}", winner.name)
    } else {
        "a Workspace object in another namespace".to_owned()
    })
}

/// Nothing where nobody else claims `name`.
pub fn claimed_by_other(view: &View, organization: &OrganizationId, name: &WorkspaceName) -> Option<Finding> {
    let key = ClaimKey::Name(organization.clone(), canonical(name));
    holder(view, &key).map(|holder| {
        Finding::new(
            Reason::NameClaimed,
            format!(
                "the workspace name {:?} is claimed by {holder}; nothing was done. Choose another name (names that differ only \
                 in case, blanks or Unicode form count as one), or have the other object deleted",
                name.as_str()
            ),
        )
    })
}

/// Nothing where nobody else claims the workspace of that id.
pub fn id_claimed_by_other(view: &View, organization: &OrganizationId, id: &WorkspaceId) -> Option<Finding> {
    let key = ClaimKey::Id(organization.clone(), id.clone());
    holder(view, &key).map(|holder| {
        let message = format!(
            "the workspace {id} is claimed by {holder}; nothing was done. Delete one of the two objects: this one, if it was \
             not meant"
        );
        Finding::new(Reason::NameClaimed, message)
    })
}

/// Grant and claim in one.
pub fn may_use(view: &View, organization: &OrganizationId, name: &WorkspaceName) -> Result<Grant, Finding> {
    let grant = granted(view, name)?;
    claimed_by_other(view, organization, name).map_or(Ok(grant), Err)
}

/// What a look says about a name that somebody wants to be free.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Taken {
    Free,
    /// Exactly this name, by one or more.
    Exactly(Vec<RemoteWorkspace>),
    /// A name that people, or the API, may take for it.
    Nearly(RemoteWorkspace),
}

/// Reads a search, leaving out the workspace `except`, whose name it is anyway.
pub fn taken(search: &NameSearch, except: Option<&WorkspaceId>) -> Taken {
    let wanted = canonical(&search.name);
    let near: Vec<&RemoteWorkspace> = search
        .rows
        .iter()
        .filter(|row| !row.tombstone && except != Some(&row.id) && canonical(&row.name) == wanted)
        .collect();
    let exact: Vec<RemoteWorkspace> = near
        .iter()
        .filter(|row| row.name == search.name)
        .map(|row| (*row).clone())
        .collect();
    match (exact.is_empty(), near.first()) {
        (false, _) => Taken::Exactly(exact),
        (true, Some(row)) => Taken::Nearly((*row).clone()),
        (true, None) => Taken::Free,
    }
}

/// Why a near-equal name stops.
pub fn similar(wanted: &WorkspaceName, row: &RemoteWorkspace) -> Finding {
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

/// Whether adoption is both declared and allowed, or why not.
pub fn may_adopt(view: &View, grant: &Grant, row: &RemoteWorkspace) -> Result<(), Finding> {
    let exists = format!(
        "a workspace named {:?} already exists ({}) and is left alone",
        row.name.as_str(),
        row.id
    );
    let refuse = |why: &str| Err(Finding::new(Reason::AlreadyExists, format!("{exists}: {why}")));
    let declared = view.declared.workspace_id.is_some() || adoption_policy(view) == AdoptionPolicy::ByName;
    match (declared, grant.adoption) {
        (true, Permission::Allowed) => Ok(()),
        (false, Permission::Allowed) => {
            refuse("to take it over, set spec.adoptionPolicy: ByName; else choose another name")
        }
        (true, Permission::Forbidden) => refuse(
            "adoption is declared, but the Organization does not allow it to this namespace; ask the administrator for \
             `adoption: Allowed` in the access entry",
        ),
        (false, Permission::Forbidden) => refuse(
            "choose another name; or, to take it over, set spec.adoptionPolicy: ByName and ask the administrator for \
             `adoption: Allowed` in the access entry",
        ),
    }
}

/// The effective adoption policy: spec, else the Organization's default, else never.
pub fn adoption_policy(view: &View) -> AdoptionPolicy {
    view.declared
        .adoption_policy
        .or_else(|| {
            view.readable()
                .and_then(|organization| organization.defaults.adoption_policy)
        })
        .unwrap_or(AdoptionPolicy::Never)
}

//! I2, for every door by which a name can be reached: granted to the namespace, claimed by nobody else, and not taken.

use crate::api::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use crate::api::organization::Ceiling;
use crate::api::remote::RemoteWorkspace;
use crate::api::workspace::AdoptionPolicy;
use crate::lifecycle::reason::Reason;
use crate::lifecycle::verdict::Finding;
use crate::lifecycle::view::{Look, View};
use crate::tenancy::{ClaimKey, Grant, canonical, entry_to_ask_for};

/// The grant for `name`, or why there is none.
pub fn granted(view: &View, name: &WorkspaceName) -> Result<Grant, Finding> {
    view.readable().and_then(|organization| organization.access.grant(name)).ok_or_else(|| {
        Finding::new(
            Reason::NameNotGranted,
            format!(
                "namespace {:?} may not use the workspace name {:?}; nothing was done. Ask the administrator for this entry in \
                 the Organization's spec.access: {}",
                view.object.namespace,
                name.as_str(),
                entry_to_ask_for(&view.object.namespace, name)
            ),
        )
    })
}

/// Nothing where nobody else claims `name`.
pub fn claimed_by_other(view: &View, organization: &OrganizationId, name: &WorkspaceName) -> Option<Finding> {
    let key = ClaimKey::Name(organization.clone(), canonical(name));
    view.standing.lost.contains_key(&key).then(|| {
        Finding::new(
            Reason::NameClaimed,
            format!(
                "the workspace name {:?} is claimed by another Workspace object; nothing was done. Choose another name, or \
                 have the other object deleted",
                name.as_str()
            ),
        )
    })
}

/// Nothing where nobody else claims the workspace of that id.
pub fn id_claimed_by_other(view: &View, organization: &OrganizationId, id: &WorkspaceId) -> Option<Finding> {
    let key = ClaimKey::Id(organization.clone(), id.clone());
    view.standing.lost.contains_key(&key).then(|| {
        Finding::new(
            Reason::NameClaimed,
            format!("the workspace {id} is claimed by another Workspace object; nothing was done"),
        )
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

/// Reads a look, leaving out the workspace `except`, whose name it is anyway.
pub fn taken(look: &Look, except: Option<&WorkspaceId>) -> Taken {
    let wanted = canonical(&look.name);
    let near: Vec<&RemoteWorkspace> = look
        .rows
        .iter()
        .filter(|row| !row.tombstone && except != Some(&row.id) && canonical(&row.name) == wanted)
        .collect();
    let exact: Vec<RemoteWorkspace> = near
        .iter()
        .filter(|row| row.name == look.name)
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
        (true, Ceiling::Allowed) => Ok(()),
        (false, Ceiling::Allowed) => {
            refuse("to take it over, set spec.adoptionPolicy: ByName; else choose another name")
        }
        (true, Ceiling::Forbidden) => refuse(
            "adoption is declared, but the Organization does not allow it to this namespace; ask the administrator for \
             `adoption: Allowed` in the access entry",
        ),
        (false, Ceiling::Forbidden) => {
            refuse("choose another name (adoption is neither declared here nor allowed by the Organization)")
        }
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

//! I2, for every door by which a name can be reached: granted to the namespace, claimed by no other object, and not taken.

use crate::crd::organization::Permission;
use crate::crd::workspace::AdoptionPolicy;
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::findings;
use crate::lifecycle::progress::NameSearch;
use crate::lifecycle::view::View;
use crate::tenancy::{ClaimKey, Claimant, Grant, canonical};

/// The grant for `name`.
pub fn grant(view: &View, name: &WorkspaceName) -> Option<Grant> {
    view.readable()?.access.grant(name)
}

/// The grant for `name`, or why there is none.
pub fn granted(view: &View, name: &WorkspaceName) -> Result<Grant, Finding> {
    grant(view, name).ok_or_else(|| findings::not_granted(view, name))
}

/// Whether a tenant may know of the object: it is in its own namespace.
fn is_in_sight(view: &View, winner: &Claimant) -> bool {
    winner.namespace == view.object.namespace
}

/// The holder of a key, as far as a tenant may know: objects in other namespaces are not named.
fn holder(view: &View, key: &ClaimKey) -> Option<String> {
    let winner = view.claim_result.lost.get(key)?;
    Some(if is_in_sight(view, winner) {
        format!("the Workspace object {:?}", winner.name)
    } else {
        "a Workspace object in another namespace".to_owned()
    })
}

/// The finding if another object claims `name`.
pub fn claimed_by_other(view: &View, organization: &OrganizationId, name: &WorkspaceName) -> Option<Finding> {
    let key = ClaimKey::Name(organization.clone(), canonical(name));
    let winner = view.claim_result.lost.get(&key);
    let exchanged =
        view.claim_result.exchanged.contains(&key) && winner.is_some_and(|winner| is_in_sight(view, winner));
    holder(view, &key).map(|holder| {
        if exchanged {
            findings::name_exchanged(name, &holder)
        } else {
            findings::name_claimed(name, &holder)
        }
    })
}

/// The finding if another object claims the workspace of that id.
pub fn id_claimed_by_other(view: &View, organization: &OrganizationId, id: &WorkspaceId) -> Option<Finding> {
    let key = ClaimKey::Id(organization.clone(), id.clone());
    holder(view, &key).map(|holder| findings::id_claimed(id, &holder))
}

/// The same of an object in the same namespace. Who knows an id learns nothing of another namespace by it.
pub fn id_claimed_in_sight(view: &View, organization: &OrganizationId, id: &WorkspaceId) -> Option<Finding> {
    let key = ClaimKey::Id(organization.clone(), id.clone());
    let winner = view.claim_result.lost.get(&key);
    winner.filter(|winner| is_in_sight(view, winner))?;
    id_claimed_by_other(view, organization, id)
}

/// Grant and claim in one.
pub fn may_use(view: &View, organization: &OrganizationId, name: &WorkspaceName) -> Result<Grant, Finding> {
    let grant = granted(view, name)?;
    claimed_by_other(view, organization, name).map_or(Ok(grant), Err)
}

/// A limit that tenants cannot lift: a workspace that may not be deleted is not renamed to a name under which it might be.
pub fn keeps_the_ceiling(
    view: &View,
    names: [&WorkspaceName; 2],
    wanted: &WorkspaceName,
    to: &Grant,
) -> Result<(), Finding> {
    let is_held = |name: &&WorkspaceName| {
        grant(view, name).is_some_and(|grant| grant.deletion == Permission::Forbidden)
    };
    match names.into_iter().find(is_held) {
        Some(name) if to.deletion == Permission::Allowed => {
            Err(findings::rename_lifts_the_ceiling(view, name, wanted))
        }
        Some(_) | None => Ok(()),
    }
}

/// What a search says about a wanted name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Taken {
    Free,
    /// Exactly this name, by one or more.
    Exactly(Vec<RemoteWorkspace>),
    /// A name that people, or the API, may take for it.
    Nearly(RemoteWorkspace),
}

/// Reads a search, without the workspace `except`, which has the name itself.
pub fn taken(search: &NameSearch, except: Option<&WorkspaceId>) -> Taken {
    let near = near(search, except);
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

/// The live workspaces that a search shows under its name or a near-equal one.
pub fn near<'a>(search: &'a NameSearch, except: Option<&WorkspaceId>) -> Vec<&'a RemoteWorkspace> {
    let wanted = canonical(&search.name);
    let rows = search.rows.iter();
    rows.filter(|row| !row.tombstone && except != Some(&row.id) && canonical(&row.name) == wanted)
        .collect()
}

/// Whether adoption is both declared and allowed, or why not.
pub fn may_adopt(view: &View, grant: &Grant, row: &RemoteWorkspace) -> Result<(), Finding> {
    let declared = view.declared.workspace_id.is_some() || adoption_policy(view) == AdoptionPolicy::ByName;
    let declared = if declared {
        Permission::Allowed
    } else {
        Permission::Forbidden
    };
    match (declared, grant.adoption) {
        (Permission::Allowed, Permission::Allowed) => Ok(()),
        (declared, allowed) => Err(findings::already_exists(row, declared, allowed)),
    }
}

/// The effective adoption policy: spec, else the Organization's default, else never.
pub fn adoption_policy(view: &View) -> AdoptionPolicy {
    let default = view
        .readable()
        .and_then(|organization| organization.defaults.adoption_policy);
    view.declared
        .adoption_policy
        .or(default)
        .unwrap_or(AdoptionPolicy::Never)
}

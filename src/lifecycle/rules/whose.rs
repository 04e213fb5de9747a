//! I4: whose a workspace is that bears the name of a creation of which only the intent is left. It decides what was found;
//! what follows from it is for others.

use crate::api::remote::RemoteWorkspace;
use crate::lifecycle::clock::Window;
use crate::lifecycle::view::Look;
use crate::tenancy::canonical;

/// Whose the workspaces are that bear the intent's name.
#[derive(Clone, Debug, PartialEq)]
pub enum Whose {
    Ours(RemoteWorkspace),
    NotOurs,
    Uncertain(RemoteWorkspace),
    Nobodys,
}

/// After a crash only the window decides: created within it, ours; without a time, nothing can tell.
pub fn whose(look: &Look, window: Window) -> Whose {
    let wanted = canonical(&look.name);
    let rows: Vec<&RemoteWorkspace> = look
        .rows
        .iter()
        .filter(|row| !row.tombstone && canonical(&row.name) == wanted)
        .collect();
    let ours: Vec<&RemoteWorkspace> = rows
        .iter()
        .copied()
        .filter(|row| row.created_at.is_some_and(|at| window.contains(at)))
        .collect();
    let timeless = rows.iter().copied().find(|row| row.created_at.is_none());
    match (ours.as_slice(), timeless, rows.first()) {
        ([row], None, _) => Whose::Ours((*row).clone()),
        ([row, ..], _, _) => Whose::Uncertain((*row).clone()),
        ([], Some(row), _) => Whose::Uncertain(row.clone()),
        ([], None, Some(_)) => Whose::NotOurs,
        ([], None, None) => Whose::Nobodys,
    }
}

//! I4: whether a workspace that bears the name of a creation in flight is ours, when only the intent is left.

use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::creation_window::Window;
use crate::lifecycle::progress::NameSearch;
use crate::tenancy::canonical;

/// Whose the workspaces with the intent's name are.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribution {
    Ours(RemoteWorkspace),
    Theirs,
    Ambiguous(RemoteWorkspace),
    NotFound,
}

/// After a crash the window decides: a workspace created within it is ours. Without a creation time it is ambiguous.
pub fn attribute(search: &NameSearch, window: Window) -> Attribution {
    let wanted = canonical(&search.name);
    let rows: Vec<&RemoteWorkspace> = search
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
        ([row], None, _) => Attribution::Ours((*row).clone()),
        ([row, ..], _, _) => Attribution::Ambiguous((*row).clone()),
        ([], Some(row), _) => Attribution::Ambiguous(row.clone()),
        ([], None, Some(_)) => Attribution::Theirs,
        ([], None, None) => Attribution::NotFound,
    }
}

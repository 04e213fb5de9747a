//! I4: whether a workspace that bears the name of a creation in flight is ours, when only the intent is left.

use jiff::Timestamp;

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
    /// The search was asked before it had to show what our issue made.
    Unresolved,
    NotFound,
}

/// After a crash the window decides: a workspace of exactly this name that was created within it is ours. Without a creation
/// time it is ambiguous. A near-equal one is never ours: at most it is what the API made of our name, once nothing else can
/// appear.
pub fn attribute(search: &NameSearch, window: Window, resolved_at: Timestamp) -> Attribution {
    let live = || search.rows.iter().filter(|row| !row.tombstone);
    let within = |row: &RemoteWorkspace| row.created_at.is_some_and(|at| window.contains(at));
    let exact: Vec<&RemoteWorkspace> = live().filter(|row| row.name == search.name).collect();
    let ours: Vec<&RemoteWorkspace> = exact.iter().copied().filter(|row| within(row)).collect();
    let timeless = exact.iter().copied().find(|row| row.created_at.is_none());
    match (ours.as_slice(), timeless, exact.is_empty()) {
        ([row], None, _) => return Attribution::Ours((*row).clone()),
        ([row, ..], _, _) => return Attribution::Ambiguous((*row).clone()),
        ([], Some(row), _) => return Attribution::Ambiguous(row.clone()),
        ([], None, false) => return Attribution::Theirs,
        ([], None, true) => {}
    }
    if search.asked_at < resolved_at {
        return Attribution::Unresolved;
    }
    let wanted = canonical(&search.name);
    let near: Vec<&RemoteWorkspace> = live().filter(|row| canonical(&row.name) == wanted).collect();
    let doubtful = near.iter().find(|row| row.created_at.is_none() || within(row));
    match (doubtful, near.is_empty()) {
        (Some(row), _) => Attribution::Ambiguous((*row).clone()),
        (None, false) => Attribution::Theirs,
        (None, true) => Attribution::NotFound,
    }
}

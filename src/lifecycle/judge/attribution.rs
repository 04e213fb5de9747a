//! I4: whether a workspace that bears the name of a creation in flight is ours, when only the intent is left.

use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::creation_window::UnresolvedIssue;
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

/// After a crash the window decides: a workspace of exactly this name that was created within it is ours. It is ambiguous
/// without a creation time; and where the server's time is not known, unless our token was seen to open it. A near-equal one is
/// never ours: at most it is what the API made of our name, once nothing else can appear.
pub fn attribute(search: &NameSearch, issue: &UnresolvedIssue) -> Attribution {
    let live = || search.rows.iter().filter(|row| !row.tombstone);
    let exact: Vec<&RemoteWorkspace> = live().filter(|row| row.name == search.name).collect();
    let may_open = || exact.iter().copied().filter(|row| issue.may_open(row));
    let ours: Vec<&RemoteWorkspace> = may_open().filter(|row| issue.is_of_its_time(row)).collect();
    let is_told = issue.is_in_the_servers_time();
    let undecided = may_open().find(|row| match row.created_at {
        None => true,
        Some(_) => !is_told && (issue.opened.is_none() || !issue.is_of_its_time(row)),
    });
    match (ours.as_slice(), undecided, exact.is_empty()) {
        ([row], None, _) => return Attribution::Ours((*row).clone()),
        ([row, ..], _, _) => return Attribution::Ambiguous((*row).clone()),
        ([], Some(row), _) => return Attribution::Ambiguous(row.clone()),
        ([], None, _) if !issue.is_shown_by(search.asked_at) => return Attribution::Unresolved,
        ([], None, false) => return Attribution::Theirs,
        ([], None, true) => {}
    }
    let wanted = canonical(&search.name);
    let near: Vec<&RemoteWorkspace> = live().filter(|row| canonical(&row.name) == wanted).collect();
    let doubtful = near
        .iter()
        .find(|row| row.created_at.is_none() || !is_told || issue.is_of_its_time(row));
    match (doubtful, near.is_empty()) {
        (Some(row), _) => Attribution::Ambiguous((*row).clone()),
        (None, false) => Attribution::Theirs,
        (None, true) => Attribution::NotFound,
    }
}

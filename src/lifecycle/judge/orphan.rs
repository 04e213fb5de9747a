//! An orphan of ours: a workspace that our issue created under a name that had just moved. Empty, ours, and deleted by its
//! id. A workspace that cannot be attributed to our issue is named and left alone.

use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::creation_window::UnresolvedIssue;
use crate::lifecycle::effect::EngineCall;
use crate::lifecycle::judge::{drift, names};
use crate::lifecycle::progress::Remote;
use crate::lifecycle::view::{Record, View};

/// What is to be done about orphans before the recorded workspace is deleted.
#[derive(Clone, Debug, PartialEq)]
pub enum Orphans {
    None,
    Next(EngineCall),
    /// An unresolved issue may still create one.
    Wait,
}

/// The next call about orphans under a name that the recorded workspace does not bear. An issue, or its verification, was
/// not answered; an orphan bears the name of its issue.
pub fn suspected(view: &View, record: &Record) -> Option<EngineCall> {
    let mut suspects = view
        .memory
        .unresolved
        .iter()
        .filter(|issue| !bears(view, record, &issue.name));
    suspects.find_map(|issue| search_or_remove(view, record, issue))
}

/// Delete the orphan first; a late issue must still find the recorded workspace, or it would create another.
pub fn before_deletion(view: &View, record: &Record) -> Orphans {
    let mut issues = view.memory.unresolved.iter();
    match issues.find_map(|issue| search_or_remove(view, record, issue)) {
        Some(call) => Orphans::Next(call),
        None if view.memory.unresolved_until(view.now).is_some() => Orphans::Wait,
        None => Orphans::None,
    }
}

/// Nothing, once a search under the name of the issue shows no orphan of ours.
fn search_or_remove(view: &View, record: &Record, issue: &UnresolvedIssue) -> Option<EngineCall> {
    let Some(search) = view.search(&issue.name) else {
        return Some(EngineCall::Search(issue.name.clone()));
    };
    let mut rows = search.rows.iter();
    let row = rows.find(|row| row.name == issue.name && is_ours(view, record, row))?;
    match other(view, &row.id) {
        None => Some(EngineCall::Get(row.id.clone())),
        Some(Remote::Present(row)) if is_ours(view, record, row) => Some(EngineCall::Delete(row.id.clone())),
        Some(Remote::Present(_) | Remote::Gone) => None,
    }
}

/// Whether the recorded workspace is there and has that name, as far as this reconcile knows.
fn bears(view: &View, record: &Record, name: &WorkspaceName) -> bool {
    let gone = view
        .observed(&record.id)
        .is_some_and(|seen| seen.remote == Remote::Gone);
    !gone && drift::current(view, record).name == *name
}

/// Another workspace than the recorded one, as this reconcile's GET by id showed it.
pub fn other<'a>(view: &'a View, id: &WorkspaceId) -> Option<&'a Remote> {
    Some(&view.observed(id)?.remote)
}

/// Created within an issue of ours, and claimed by no other object.
pub fn is_ours(view: &View, record: &Record, row: &RemoteWorkspace) -> bool {
    let within = |at| {
        view.memory
            .unresolved
            .iter()
            .any(|issue| issue.window.contains(at))
    };
    row.id != record.id
        && !row.tombstone
        && row.created_at.is_some_and(within)
        && names::id_claimed_by_other(view, &record.organization_id, &row.id).is_none()
}

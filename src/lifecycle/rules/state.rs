//! Name and state as declared: drift is corrected, what is not declared is left alone.

use crate::crd::conditions::SYNCED;
use crate::domain::finding::Finding;
use crate::domain::ids::WorkspaceName;
use crate::domain::reason::Reason;
use crate::domain::remote::{RemoteState, RemoteWorkspace, WorkspaceState};
use crate::lifecycle::effect::{Effect, EngineCall, WorkspaceChange};
use crate::lifecycle::plan::{Step, sync};
use crate::lifecycle::rules::naming::{self, Taken};
use crate::lifecycle::verdict::Aspect;
use crate::lifecycle::view::{Record, View};
use crate::tenancy::is_default;

/// What the workspace is called and whether it works, as last seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Current {
    pub name: WorkspaceName,
    pub state: Option<WorkspaceState>,
}

/// The recorded workspace as this reconcile saw it, else as recorded.
pub fn current(view: &View, record: &Record) -> Current {
    match view.progress.row.as_ref().filter(|row| row.id == record.id) {
        Some(row) => Current {
            name: row.name.clone(),
            state: known(row),
        },
        None => Current {
            name: record.name.clone(),
            state: record.state,
        },
    }
}

/// The state, where it is one that we know.
pub fn known(row: &RemoteWorkspace) -> Option<WorkspaceState> {
    match row.state {
        RemoteState::Known(state) => Some(state),
        RemoteState::Unknown => None,
    }
}

/// How the workspace stands against what is declared.
#[derive(Clone, Debug, PartialEq)]
pub enum Drift {
    AsDeclared,
    /// Not as declared, and this is the next thing to do.
    Next(Effect),
    /// Not as declared, and nothing can be done now; the rest goes on.
    Blocked(Finding),
}

/// Renames, then switches; a refused one does not stop the other.
pub fn bring_to_what_is_declared(view: &View) -> Option<Step> {
    let record = view.record()?;
    match drift(view, &record) {
        Drift::Next(effect) => sync(effect),
        Drift::AsDeclared | Drift::Blocked(_) => None,
    }
}

/// The one judgement on name and state; rules and report both ask it.
pub fn drift(view: &View, record: &Record) -> Drift {
    if view.declared.is_suspended() {
        return Drift::AsDeclared;
    }
    if let Some(finding) = &view.progress.sync_problem {
        return match (rename(view, record), switch(view, record)) {
            (Drift::AsDeclared, Drift::AsDeclared) if view.progress.row.is_some() => Drift::AsDeclared,
            _ => Drift::Blocked(finding.clone()),
        };
    }
    match (rename(view, record), switch(view, record)) {
        (Drift::AsDeclared, switch) => switch,
        (Drift::Blocked(finding), Drift::AsDeclared | Drift::Blocked(_)) => Drift::Blocked(finding),
        (Drift::Blocked(_), next @ Drift::Next(_)) | (next @ Drift::Next(_), _) => next,
    }
}

fn rename(view: &View, record: &Record) -> Drift {
    let current = current(view, record);
    let wanted = &view.declared.name;
    if current.name == *wanted {
        return Drift::AsDeclared;
    }
    if is_default(&current.name) || is_default(wanted) {
        return Drift::Blocked(Finding::new(
            Reason::Rejected,
            format!(
                "the workspace {:?} was not renamed to {:?}: \"default\" is every organization's fallback workspace, and is \
                 neither renamed nor given as a name",
                current.name.as_str(),
                wanted.as_str()
            ),
        ));
    }
    if let Err(finding) = naming::may_use(view, &record.organization_id, wanted) {
        return Drift::Blocked(finding);
    }
    let change = WorkspaceChange::Rename(wanted.clone());
    if let Some(refused) = refused(view, &change) {
        return Drift::Blocked(refused);
    }
    if view.rests(Aspect::Sync) {
        return Drift::Blocked(before(view, "the rename is waiting for its next attempt"));
    }
    // What an issue makes under this name, or made under the wanted one, may still come to light.
    if view.memory.unresolved_at(view.now).is_some() {
        return Drift::Blocked(Finding::new(
            Reason::Updating,
            "the rename waits, a minute at most, until the last issue of a token is known to have made nothing",
        ));
    }
    // I3: what is renamed, and from what, is what this very reconcile has read.
    if view.present(&record.id).is_none() {
        return Drift::Next(Effect::Engine(EngineCall::Get(record.id.clone())));
    }
    match view
        .search(wanted)
        .map(|search| naming::taken(search, Some(&record.id)))
    {
        None => Drift::Next(Effect::Engine(EngineCall::Search(wanted.clone()))),
        Some(Taken::Free) => Drift::Next(Effect::Engine(EngineCall::Update {
            id: record.id.clone(),
            change,
        })),
        Some(Taken::Nearly(row)) => Drift::Blocked(naming::similar(wanted, &row)),
        Some(Taken::Exactly(_)) => Drift::Blocked(Finding::new(
            Reason::AlreadyExists,
            format!(
                "the workspace keeps the name {:?}: another workspace is named {:?} already. Choose another name, or remove \
                 that workspace",
                current.name.as_str(),
                wanted.as_str()
            ),
        )),
    }
}

fn switch(view: &View, record: &Record) -> Drift {
    let current = current(view, record);
    let Some(wanted) = view
        .declared
        .status
        .filter(|wanted| current.state != Some(*wanted))
    else {
        return Drift::AsDeclared;
    };
    if is_default(&current.name) && wanted == WorkspaceState::Inactive {
        return Drift::Blocked(Finding::new(
            Reason::Rejected,
            "the workspace \"default\" was not deactivated: it is every organization's fallback",
        ));
    }
    let change = WorkspaceChange::State(wanted);
    if let Some(refused) = refused(view, &change) {
        return Drift::Blocked(refused);
    }
    if view.rests(Aspect::Sync) {
        return Drift::Blocked(before(
            view,
            "the change of status is waiting for its next attempt",
        ));
    }
    if view.present(&record.id).is_none() {
        return Drift::Next(Effect::Engine(EngineCall::Get(record.id.clone())));
    }
    Drift::Next(Effect::Engine(EngineCall::Update {
        id: record.id.clone(),
        change,
    }))
}

/// Why the API refused this very change in this reconcile.
fn refused(view: &View, change: &WorkspaceChange) -> Option<Finding> {
    let mut refused = view.progress.refused.iter();
    refused
        .find(|(of, _)| of == change)
        .map(|(_, finding)| finding.clone())
}

/// What was said of this aspect when it last failed.
fn before(view: &View, otherwise: &str) -> Finding {
    view.stored_finding(SYNCED)
        .filter(|finding| !finding.is_ready())
        .unwrap_or_else(|| Finding::new(Reason::Updating, otherwise))
}

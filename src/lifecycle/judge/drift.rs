//! How name and state differ from spec, and which call is next.

use crate::crd::conditions::SYNCED;
use crate::domain::finding::Finding;
use crate::domain::ids::WorkspaceName;
use crate::domain::remote::WorkspaceState;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::effect::{EngineCall, WorkspaceChange};
use crate::lifecycle::findings;
use crate::lifecycle::judge::names::{self, Taken};
use crate::lifecycle::judge::{doubt, failure};
use crate::lifecycle::view::{Record, View};
use crate::tenancy::is_default;

/// The workspace's name and state, as last seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Current {
    pub name: WorkspaceName,
    pub state: Option<WorkspaceState>,
}

/// The recorded workspace as this reconcile saw it, else as recorded.
pub fn current(view: &View, record: &Record) -> Current {
    match view.row(&record.id) {
        Some(row) => Current {
            name: row.name.clone(),
            state: row.known_state(),
        },
        None => Current {
            name: record.name.clone(),
            state: record.state,
        },
    }
}

/// The difference between the workspace and what is declared.
#[derive(Clone, Debug, PartialEq)]
pub enum Drift {
    None,
    /// The next call.
    Next(EngineCall),
    /// No call can be sent now; the token goes on.
    Blocked(Finding),
    /// The same, until something else changes. Nothing failed.
    Waits(Finding),
}

/// Renames, then switches the state; a refused call does not stop the other.
pub fn drift(view: &View, record: &Record) -> Drift {
    let (rename, switch) = if view.declared.is_suspended() {
        (Drift::None, Drift::None)
    } else {
        (rename(view, record), switch(view, record))
    };
    if let Some(finding) = failure::of_sync(view) {
        return match (rename, switch) {
            (Drift::None, Drift::None) if view.row(&record.id).is_some() => Drift::None,
            _ => Drift::Blocked(finding),
        };
    }
    match (rename, switch) {
        (Drift::None, switch) => switch,
        (Drift::Blocked(_) | Drift::Waits(_), next @ Drift::Next(_)) | (next @ Drift::Next(_), _) => next,
        (Drift::Waits(_), blocked @ Drift::Blocked(_)) => blocked,
        (stopped, Drift::None | Drift::Blocked(_) | Drift::Waits(_)) => stopped,
    }
}

/// What stops a rename, in this order, beside suspension and a failed call.
fn rename(view: &View, record: &Record) -> Drift {
    let current = current(view, record).name;
    let wanted = &view.declared.name;
    if current == *wanted {
        return Drift::None;
    }
    if is_default(&current) || is_default(wanted) {
        return Drift::Waits(findings::default_not_renamed(&current, wanted));
    }
    let may = names::may_use(view, &record.organization_id, wanted);
    let may = may.and_then(|grant| names::keeps_the_ceiling(view, [&record.name, &current], wanted, &grant));
    if let Err(finding) = may {
        return Drift::Waits(finding);
    }
    let change = WorkspaceChange::Rename(wanted.clone());
    if let Some(refused) = view.progress.failures.refused(&change) {
        return Drift::Blocked(refused.clone());
    }
    let search = view.search(wanted);
    match search.map(|search| names::taken(search, Some(&record.id))) {
        Some(Taken::Nearly(row)) => return Drift::Blocked(findings::similar(wanted, &row)),
        Some(Taken::Exactly(_)) => return Drift::Blocked(findings::name_taken(&current, wanted)),
        Some(Taken::Free) | None => {}
    }
    if view.rests(Aspect::Sync) {
        return Drift::Blocked(view.last_word(SYNCED, findings::rename_waits));
    }
    // An unresolved issue may still make a workspace under either name.
    if doubt::unresolved_until(view, record).is_some() {
        return Drift::Waits(findings::rename_waits_for_tokens());
    }
    // I3: only a workspace that this reconcile read by id is renamed.
    if view.present(&record.id).is_none() {
        return Drift::Next(EngineCall::Get(record.id.clone()));
    }
    Drift::Next(match search {
        None => EngineCall::Search(wanted.clone()),
        Some(_) => EngineCall::Update {
            id: record.id.clone(),
            change,
        },
    })
}

fn switch(view: &View, record: &Record) -> Drift {
    let current = current(view, record);
    let declared = view.declared.status;
    let Some(wanted) = declared.filter(|wanted| current.state != Some(*wanted)) else {
        return Drift::None;
    };
    if is_default(&current.name) && wanted == WorkspaceState::Inactive {
        return Drift::Waits(findings::default_not_deactivated());
    }
    let change = WorkspaceChange::State(wanted);
    if let Some(refused) = view.progress.failures.refused(&change) {
        return Drift::Blocked(refused.clone());
    }
    if view.rests(Aspect::Sync) {
        return Drift::Blocked(view.last_word(SYNCED, findings::switch_waits));
    }
    if view.present(&record.id).is_none() {
        return Drift::Next(EngineCall::Get(record.id.clone()));
    }
    Drift::Next(EngineCall::Update {
        id: record.id.clone(),
        change,
    })
}

//! Agent Engine as far as the core can see it: workspaces by id, get-or-create by name, and a clock of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use crate::domain::remote::{
    Deleted, Failure, FailureClass, RemoteState, RemoteWorkspace, TokenScope, WorkspaceState,
};
use crate::domain::time::shifted;
use crate::lifecycle::effect::{TokenSlot, WorkspaceChange};
use crate::lifecycle::tests::harness::world::org;
use crate::tenancy::canonical;

/// What the model's server tells of times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::lifecycle::tests) enum Told {
    Yes,
    No,
}

/// Whether lists and searches show workspaces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::lifecycle::tests) enum Shows {
    All,
    /// The fallback workspace is gone.
    WithoutFallback,
    /// As to a credential that may see none.
    Nothing,
}

/// The server. Its answers are honest; faults are the world's business.
pub(in crate::lifecycle::tests) struct Engine {
    pub(in crate::lifecycle::tests) rows: Vec<Row>,
    pub(in crate::lifecycle::tests) ahead: SignedDuration,
    pub(in crate::lifecycle::tests) date: Told,
    pub(in crate::lifecycle::tests) created_at: Told,
    /// How long a new workspace stays out of the list.
    pub(in crate::lifecycle::tests) list_lag: Duration,
    pub(in crate::lifecycle::tests) shows: Shows,
    pub(in crate::lifecycle::tests) token_life: Duration,
    /// The organization that scopes name.
    pub(in crate::lifecycle::tests) verifies_for: OrganizationId,
    /// What it makes of a name that it is given at a creation.
    pub(in crate::lifecycle::tests) kept_as: fn(&str) -> String,
    /// What it makes of a change that it took.
    pub(in crate::lifecycle::tests) after_update: fn(&mut RemoteWorkspace),
    tokens: BTreeMap<u64, WorkspaceId>,
    made: usize,
}

pub(in crate::lifecycle::tests) struct Row {
    pub(in crate::lifecycle::tests) workspace: RemoteWorkspace,
    listed_from: Timestamp,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            ahead: SignedDuration::ZERO,
            date: Told::Yes,
            created_at: Told::Yes,
            list_lag: Duration::ZERO,
            shows: Shows::All,
            token_life: Duration::from_secs(1200),
            verifies_for: org(),
            kept_as: str::to_owned,
            after_update: |_| {},
            tokens: BTreeMap::new(),
            made: 0,
        }
    }
}

impl Engine {
    /// Makes a workspace behind the operator's back.
    pub(in crate::lifecycle::tests) fn make(&mut self, now: Timestamp, name: &str) -> WorkspaceId {
        self.made += 1;
        let id = WorkspaceId::new(format!("ws-{}", self.made));
        self.rows.push(Row {
            workspace: RemoteWorkspace {
                id: id.clone(),
                name: WorkspaceName::from(name),
                organization_id: Some(org()),
                state: RemoteState::Known(WorkspaceState::Active),
                tombstone: false,
                created_at: (self.created_at == Told::Yes).then(|| self.clock(now)),
            },
            listed_from: now.checked_add(self.list_lag).unwrap(),
        });
        id
    }

    pub(in crate::lifecycle::tests) fn clock(&self, now: Timestamp) -> Timestamp {
        shifted(now, self.ahead)
    }

    /// The clock that the world goes by was set; this one was not.
    pub(in crate::lifecycle::tests) fn another_clock_was_set(&mut self, by: SignedDuration) {
        self.ahead -= by;
        for row in &mut self.rows {
            row.listed_from = shifted(row.listed_from, by);
        }
    }

    /// The `Date` header: whole seconds, cut off.
    pub(in crate::lifecycle::tests) fn date(&self, now: Timestamp) -> Option<Timestamp> {
        (self.date == Told::Yes).then(|| Timestamp::from_second(self.clock(now).as_second()).unwrap())
    }

    pub(in crate::lifecycle::tests) fn row(&mut self, id: &WorkspaceId) -> Option<&mut RemoteWorkspace> {
        self.rows
            .iter_mut()
            .map(|row| &mut row.workspace)
            .find(|row| row.id == *id)
    }

    pub(in crate::lifecycle::tests) fn names(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.workspace.name.as_str()).collect()
    }

    /// The list shows everything from now on.
    pub(in crate::lifecycle::tests) fn show_all(&mut self) {
        for row in &mut self.rows {
            row.listed_from = Timestamp::MIN;
        }
    }

    /// The list lacks that workspace until then.
    pub(in crate::lifecycle::tests) fn hide_until(&mut self, id: &WorkspaceId, until: Timestamp) {
        for row in self.rows.iter_mut().filter(|row| row.workspace.id == *id) {
            row.listed_from = until;
        }
    }

    /// With the fallback workspace that each organization has.
    pub(in crate::lifecycle::tests) fn list(&self, now: Timestamp) -> Vec<RemoteWorkspace> {
        if self.shows == Shows::Nothing {
            return Vec::new();
        }
        let seen = self.rows.iter().filter(|row| row.listed_from <= now);
        let mut rows: Vec<_> = seen.map(|row| row.workspace.clone()).collect();
        if self.shows == Shows::All && !rows.iter().any(|row| row.name == fallback().name) {
            rows.push(fallback());
        }
        rows
    }

    pub(in crate::lifecycle::tests) fn search(
        &self,
        now: Timestamp,
        name: &WorkspaceName,
    ) -> Vec<RemoteWorkspace> {
        let needle = name.as_str().trim().to_lowercase();
        let mut rows = self.list(now);
        // As the client does: it searches for each form in which the API may keep the name.
        let reads_as = |row: &RemoteWorkspace| canonical(&row.name) == canonical(name);
        rows.retain(|row| row.name.as_str().to_lowercase().contains(&needle) || reads_as(row));
        rows
    }

    pub(in crate::lifecycle::tests) fn issue(&mut self, now: Timestamp, name: &WorkspaceName) -> TokenSlot {
        let kept = (self.kept_as)(name.as_str());
        let known = self
            .rows
            .iter()
            .find(|row| row.workspace.name.as_str() == kept && !row.workspace.tombstone);
        let id = match known.map(|row| row.workspace.id.clone()) {
            Some(id) => id,
            None => self.make(now, &kept),
        };
        let slot = self.tokens.len() as u64;
        self.tokens.insert(slot, id);
        TokenSlot(slot)
    }

    pub(in crate::lifecycle::tests) fn verify(&self, slot: TokenSlot) -> TokenScope {
        let id = &self.tokens[&slot.0];
        let row = self.rows.iter().find(|row| row.workspace.id == *id);
        TokenScope {
            workspace_id: id.clone(),
            organization_id: Some(self.verifies_for.clone()),
            workspace_name: row.map(|row| row.workspace.name.clone()),
        }
    }

    pub(in crate::lifecycle::tests) fn update(
        &mut self,
        id: &WorkspaceId,
        change: &WorkspaceChange,
    ) -> Result<RemoteWorkspace, Failure> {
        if let WorkspaceChange::Rename(name) = change
            && self
                .rows
                .iter()
                .any(|row| row.workspace.name == *name && row.workspace.id != *id)
        {
            return Err(failure(FailureClass::Conflict, 409));
        }
        let after_update = self.after_update;
        let row = self.row(id).ok_or_else(|| failure(FailureClass::Missing, 404))?;
        match change {
            WorkspaceChange::Rename(name) => row.name = name.clone(),
            WorkspaceChange::State(state) => row.state = RemoteState::Known(*state),
        }
        after_update(row);
        Ok(row.clone())
    }

    pub(in crate::lifecycle::tests) fn delete(&mut self, id: &WorkspaceId) -> Deleted {
        let before = self.rows.len();
        self.rows.retain(|row| row.workspace.id != *id);
        if self.rows.len() < before {
            Deleted::Removed
        } else {
            Deleted::AlreadyGone
        }
    }
}

pub(in crate::lifecycle::tests) fn fallback() -> RemoteWorkspace {
    RemoteWorkspace {
        id: WorkspaceId::from("ws-0"),
        name: WorkspaceName::from("default"),
        organization_id: Some(org()),
        state: RemoteState::Known(WorkspaceState::Active),
        tombstone: false,
        created_at: None,
    }
}

pub(in crate::lifecycle::tests) fn failure(class: FailureClass, status: u16) -> Failure {
    Failure {
        class,
        status: Some(status),
        detail: format!("it answered {status}"),
    }
}

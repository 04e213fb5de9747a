//! What an organization holds: workspaces with what the API shows of them and what only the emulator knows.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Every organization has one of this name.
pub const DEFAULT_WORKSPACE: &str = "default";

/// The two states of the API.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Active,
    Inactive,
}

/// What others can see of a workspace, at one instant.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Row {
    pub id: String,
    pub name: String,
    pub organization_id: String,
    pub status: Status,
    pub cache_enabled: Option<bool>,
    pub tombstone: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whether the emulated credentials can see it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    #[default]
    Visible,
    /// Others' only, as membership makes it.
    Hidden,
    /// Known to Airbyte Cloud, not to the Agents side.
    CloudOnly,
}

/// A connector, as little of it as matters here.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Connector {
    pub id: String,
    pub name: String,
    pub enabled: bool,
}

/// A workspace with all that the emulator knows of it.
#[derive(Clone, Debug, Serialize)]
pub struct Workspace {
    #[serde(flatten)]
    pub row: Row,
    pub reach: Reach,
    pub region_id: Option<String>,
    pub connectors: Vec<Connector>,
    /// When it came to be, whatever `created_at` says.
    pub appeared_at: Timestamp,
    pub renamed_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    /// The row before its last change, for readers that lag.
    #[serde(skip)]
    before: Option<(Timestamp, Row)>,
}

impl Workspace {
    pub fn new(row: Row, appeared_at: Timestamp) -> Self {
        Self {
            row,
            reach: Reach::Visible,
            region_id: None,
            connectors: Vec::new(),
            appeared_at,
            renamed_at: None,
            deleted_at: None,
            before: None,
        }
    }

    /// One that appeared long enough ago for every lag.
    pub fn settled(row: Row, now: Timestamp) -> Self {
        Self::new(
            row,
            now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now),
        )
    }

    /// Neither deleted nor unknown to the Agents side.
    pub fn is_live(&self) -> bool {
        !self.row.tombstone && self.reach != Reach::CloudOnly
    }

    /// Changes the row, remembering it as it was.
    pub fn change(&mut self, now: Timestamp, change: impl FnOnce(&mut Row)) {
        let before = self.row.clone();
        change(&mut self.row);
        if self.row.name != before.name {
            self.renamed_at = Some(now);
        }
        self.row.updated_at = now;
        self.before = Some((now, before));
    }

    pub fn delete(&mut self, now: Timestamp) {
        if !self.row.tombstone {
            self.change(now, |row| row.tombstone = true);
            self.deleted_at = Some(now);
            self.connectors.clear();
        }
    }

    /// The row as a reader sees it that lags by so much; none if it had not appeared yet.
    pub fn seen(&self, now: Timestamp, lag_ms: u64) -> Option<&Row> {
        let lag = SignedDuration::from_millis(i64::try_from(lag_ms).unwrap_or(i64::MAX));
        let fresh = |instant: Timestamp| lag_ms > 0 && now.duration_since(instant) < lag;
        if fresh(self.appeared_at) {
            return None;
        }
        match &self.before {
            Some((changed_at, row)) if fresh(*changed_at) => Some(row),
            Some(_) | None => Some(&self.row),
        }
    }

    pub fn set_status(&mut self, now: Timestamp, status: Status, restored: Restored) {
        self.change(now, |row| row.status = status);
        for connector in &mut self.connectors {
            match (status, restored) {
                (Status::Inactive, _) => connector.enabled = false,
                (Status::Active, Restored::Yes) => connector.enabled = true,
                (Status::Active, Restored::No) => {}
            }
        }
    }
}

/// Whether connectors come back with their workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Restored {
    Yes,
    No,
}

/// An organization; workspaces stand in the order in which they appeared.
#[derive(Clone, Debug)]
pub struct Organization {
    pub id: String,
    pub workspaces: Vec<Workspace>,
    index: HashMap<String, usize>,
}

impl Organization {
    pub fn new(id: String) -> Self {
        Self {
            id,
            workspaces: Vec::new(),
            index: HashMap::new(),
        }
    }

    /// Adds one; an id that is there already is replaced.
    pub fn add(&mut self, workspace: Workspace) {
        match self
            .index
            .get(&workspace.row.id)
            .and_then(|at| self.workspaces.get_mut(*at))
        {
            Some(place) => *place = workspace,
            None => {
                self.index.insert(workspace.row.id.clone(), self.workspaces.len());
                self.workspaces.push(workspace);
            }
        }
    }

    pub fn find(&self, id: &str) -> Option<&Workspace> {
        self.index.get(id).and_then(|at| self.workspaces.get(*at))
    }

    pub fn find_mut(&mut self, id: &str) -> Option<&mut Workspace> {
        self.index.get(id).and_then(|at| self.workspaces.get_mut(*at))
    }

    /// Removes one without a tombstone.
    pub fn purge(&mut self, id: &str) {
        self.workspaces.retain(|workspace| workspace.row.id != id);
        self.index = self
            .workspaces
            .iter()
            .enumerate()
            .map(|(at, w)| (w.row.id.clone(), at))
            .collect();
    }
}

//! The model of Agent Engine: workspaces, each with its maker, and lists that lag behind them. Its answers are honest; how they
//! come is the weather's.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::weather::{Weather, failure};
use super::{Millis, wall};
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::remote::{
    Deleted, Failure, FailureClass, RemoteState, RemoteWorkspace, TokenScope, WorkspaceState,
};
use crate::lifecycle::effect::WorkspaceChange;

/// How this Agent Engine decides what its contract leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Knobs {
    pub tells_created_at: bool,
    pub tells_date: bool,
    /// Names that differ only in case or surrounding blanks are one name.
    pub folds_names: bool,
    /// The form in which it keeps names.
    pub keeps_names: KeptNames,
    /// A deleted workspace is answered as a tombstone instead of a 404.
    pub shows_tombstones: bool,
    /// Lists and searches show tombstones.
    pub lists_tombstones: bool,
    /// The exchange of a credential names its organization.
    pub names_organization: bool,
    /// Lists show the newest workspace first, so that pages shift.
    pub newest_first: bool,
    /// How long a list may lack a change, at most.
    pub list_lag: Millis,
    pub page_size: usize,
    pub token_life: Millis,
    /// How far its clock is ahead.
    pub ahead: Millis,
}

/// What becomes of a name that a request brings. What people see is that form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeptNames {
    AsGiven,
    /// Without blanks around them.
    Trimmed,
    /// In small letters, too.
    Lowercased,
}

impl KeptNames {
    pub fn form(self, name: &WorkspaceName) -> WorkspaceName {
        match self {
            Self::AsGiven => name.clone(),
            Self::Trimmed => WorkspaceName::from(name.as_str().trim()),
            Self::Lowercased => WorkspaceName::new(name.as_str().trim().to_lowercase()),
        }
    }
}

/// One organization there.
#[derive(Debug)]
pub struct Remote {
    pub id: OrganizationId,
    pub rows: BTreeMap<WorkspaceId, Row>,
    pub weather: Weather,
    /// Requests that came in, by object and instant.
    pub calls: Vec<(Millis, Uid, &'static str)>,
}

/// A workspace, and what only the model knows of it.
#[derive(Debug)]
pub struct Row {
    pub workspace: RemoteWorkspace,
    /// The object whose issue made it. None: others made it.
    pub maker: Option<Uid>,
    /// Objects whose stored status ever recorded it.
    pub recorded_by: BTreeSet<Uid>,
    /// When others last renamed, restored or otherwise changed it.
    pub touched: Option<Millis>,
    /// When it was made.
    pub made: Millis,
    /// Since when it is deleted.
    pub deleted: Option<Millis>,
    /// What lists show from an instant on.
    shown: Vec<(Millis, Option<RemoteWorkspace>)>,
}

impl Row {
    /// Every name that it has borne, from the one that it was made with on.
    pub fn names(&self) -> impl Iterator<Item = &WorkspaceName> {
        let shown = self.shown.iter().filter_map(|(_, workspace)| workspace.as_ref());
        shown.map(|workspace| &workspace.name)
    }

    /// Whether lists show it otherwise since then, or only since then, or no more.
    pub fn changed_since(&self, from: Millis) -> bool {
        self.shown.last().is_some_and(|(at, _)| *at > from)
    }

    /// Whether it stands as the object's issue made it: changed by no others, and adopted by no other object.
    pub fn stands_as_made_by(&self, uid: &Uid) -> bool {
        let adopted = self.recorded_by.iter().any(|of| of != uid);
        self.deleted.is_none() && self.touched.is_none() && self.maker.as_ref() == Some(uid) && !adopted
    }
}

/// A token that was issued.
#[derive(Clone, Debug)]
pub struct Token {
    pub workspace: WorkspaceId,
    pub ends: Millis,
}

/// What an issue did.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token's number.
    pub token: u64,
    /// The workspace, if there was none of that name.
    pub made: Option<WorkspaceId>,
}

#[derive(Debug)]
pub struct AgentEngine {
    pub knobs: Knobs,
    pub organizations: Vec<Remote>,
    pub tokens: Vec<Token>,
    made: usize,
    dice: Rng,
}

impl AgentEngine {
    pub fn new(knobs: Knobs, organizations: usize, dice: Rng) -> Self {
        let remote = |n| Remote {
            id: OrganizationId::new(format!("org-{n}")),
            rows: BTreeMap::new(),
            weather: Weather::Calm,
            calls: Vec::new(),
        };
        Self {
            knobs,
            organizations: (0..organizations).map(remote).collect(),
            tokens: Vec::new(),
            made: 0,
            dice,
        }
    }

    /// The `Date` header of an answer that is sent now: whole seconds.
    pub fn date(&self, now: Millis) -> Option<jiff::Timestamp> {
        let millis = now + self.knobs.ahead;
        self.knobs
            .tells_date
            .then(|| wall(millis - millis.rem_euclid(1000)))
    }

    /// Makes a workspace.
    pub fn make(
        &mut self,
        now: Millis,
        organization: usize,
        name: &WorkspaceName,
        maker: Option<Uid>,
    ) -> WorkspaceId {
        self.made += 1;
        let name = self.knobs.keeps_names.form(name);
        let id = WorkspaceId::new(format!("ws-{:04}", self.made));
        let workspace = RemoteWorkspace {
            id: id.clone(),
            name,
            organization_id: Some(self.organizations[organization].id.clone()),
            state: RemoteState::Known(WorkspaceState::Active),
            tombstone: false,
            created_at: self.knobs.tells_created_at.then(|| wall(now + self.knobs.ahead)),
        };
        let row = Row {
            shown: vec![(self.lags(now), Some(workspace.clone()))],
            made: now,
            workspace,
            maker,
            recorded_by: BTreeSet::new(),
            touched: None,
            deleted: None,
        };
        self.organizations[organization].rows.insert(id.clone(), row);
        id
    }

    fn lags(&mut self, now: Millis) -> Millis {
        now + self.dice.i64(0..=self.knobs.list_lag)
    }

    /// Changes a workspace, whoever does; lists show it later.
    pub fn change(&mut self, now: Millis, organization: usize, id: &WorkspaceId, how: impl FnOnce(&mut Row)) {
        let shown_from = self.lags(now);
        let Knobs {
            lists_tombstones,
            keeps_names,
            ..
        } = self.knobs;
        if let Some(row) = self.organizations[organization].rows.get_mut(id) {
            how(row);
            row.workspace.name = keeps_names.form(&row.workspace.name);
            let tombstone = row.deleted.is_some();
            let now_shown = (!tombstone || lists_tombstones).then(|| RemoteWorkspace {
                tombstone,
                ..row.workspace.clone()
            });
            let after = row
                .shown
                .last()
                .map_or(shown_from, |(from, _)| shown_from.max(*from));
            row.shown.push((after, now_shown));
        }
    }

    /// Whether another live workspace has that name.
    pub fn is_taken(
        &self,
        organization: usize,
        name: &WorkspaceName,
        by_other_than: Option<&WorkspaceId>,
    ) -> bool {
        let mut rows = self.organizations[organization].rows.values();
        rows.any(|row| {
            row.deleted.is_none()
                && by_other_than != Some(&row.workspace.id)
                && self.same(&row.workspace.name, name)
        })
    }

    fn same(&self, a: &WorkspaceName, b: &WorkspaceName) -> bool {
        let compared = match self.knobs.folds_names {
            true => KeptNames::Lowercased,
            false => self.knobs.keeps_names,
        };
        compared.form(a) == compared.form(b)
    }

    /// The live workspace of that name, the oldest of several.
    pub fn named(&self, organization: usize, name: &WorkspaceName) -> Option<&Row> {
        let mut rows = self.organizations[organization].rows.values();
        rows.find(|row| row.deleted.is_none() && self.same(&row.workspace.name, name))
    }

    /// What a list shows now.
    pub fn list(&self, now: Millis, organization: usize) -> Vec<RemoteWorkspace> {
        let seen = |row: &Row| {
            let shown = row.shown.iter().rev().find(|(from, _)| *from <= now)?;
            shown.1.clone()
        };
        let mut rows: Vec<_> = self.organizations[organization]
            .rows
            .values()
            .filter_map(seen)
            .collect();
        if self.knobs.newest_first {
            rows.reverse();
        }
        rows
    }

    pub fn search(&self, now: Millis, organization: usize, name: &WorkspaceName) -> Vec<RemoteWorkspace> {
        let needle = name.as_str().trim().to_lowercase();
        let mut rows = self.list(now, organization);
        rows.retain(|row| row.name.as_str().to_lowercase().contains(&needle));
        rows
    }

    pub fn get(&self, organization: usize, id: &WorkspaceId) -> Option<RemoteWorkspace> {
        let row = self.organizations[organization].rows.get(id)?;
        match row.deleted {
            None => Some(row.workspace.clone()),
            Some(_) if self.knobs.shows_tombstones => Some(RemoteWorkspace {
                tombstone: true,
                ..row.workspace.clone()
            }),
            Some(_) => None,
        }
    }

    /// Issues a token for a name, and makes a workspace where there is none.
    pub fn issue(&mut self, now: Millis, organization: usize, name: &WorkspaceName, who: &Uid) -> Issued {
        let known = self.named(organization, name).map(|row| row.workspace.id.clone());
        let made = known
            .is_none()
            .then(|| self.make(now, organization, name, Some(who.clone())));
        self.tokens
            .extend(known.or_else(|| made.clone()).map(|workspace| Token {
                workspace,
                ends: now + self.knobs.token_life,
            }));
        Issued {
            token: self.tokens.len() as u64 - 1,
            made,
        }
    }

    /// A token of a deleted or inactive workspace, or one that has ended, is refused.
    pub fn verify(&self, now: Millis, organization: usize, token: u64) -> Result<TokenScope, Failure> {
        let token = &self.tokens[usize::try_from(token).expect("a small number")];
        let row = self.organizations[organization].rows.get(&token.workspace);
        let opens = row.filter(|row| row.deleted.is_none() && now < token.ends);
        let row = opens.ok_or_else(|| failure(FailureClass::Denied, Some(401)))?;
        Ok(TokenScope {
            workspace_id: row.workspace.id.clone(),
            organization_id: row.workspace.organization_id.clone(),
            workspace_name: Some(row.workspace.name.clone()),
        })
    }

    pub fn update(
        &mut self,
        now: Millis,
        organization: usize,
        id: &WorkspaceId,
        change: &WorkspaceChange,
    ) -> Result<RemoteWorkspace, Failure> {
        if let WorkspaceChange::Rename(name) = change
            && self.is_taken(organization, name, Some(id))
        {
            return Err(failure(FailureClass::Conflict, Some(409)));
        }
        if self.live(organization, id).is_none() {
            return Err(failure(FailureClass::Missing, Some(404)));
        }
        self.change(now, organization, id, |row| match change {
            WorkspaceChange::Rename(name) => row.workspace.name = name.clone(),
            WorkspaceChange::State(state) => row.workspace.state = RemoteState::Known(*state),
        });
        self.get(organization, id)
            .ok_or_else(|| failure(FailureClass::Missing, Some(404)))
    }

    pub fn delete(&mut self, now: Millis, organization: usize, id: &WorkspaceId) -> Deleted {
        if self.live(organization, id).is_none() {
            return Deleted::AlreadyGone;
        }
        self.change(now, organization, id, |row| row.deleted = Some(now));
        Deleted::Removed
    }

    /// The workspace, unless it is deleted.
    pub fn live(&self, organization: usize, id: &WorkspaceId) -> Option<&Row> {
        self.organizations[organization]
            .rows
            .get(id)
            .filter(|row| row.deleted.is_none())
    }
}

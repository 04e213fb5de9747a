//! A world in which ordeals come to the Workspace `acme`, and can be ended.

use std::time::Duration;

use jiff::SignedDuration;

use crate::crd::metadata_keys;
use crate::crd::workspace::TokenSecret;
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::remote::RemoteWorkspace;
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::effect::CrdState;
use crate::lifecycle::facts::{OrganizationFacts, ReadableOrganization};
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::ordeals::{Ordeal, Server, Trouble};
use crate::lifecycle::tests::harness::world::World;

/// Longer than any window in which a creation counts as ours: within one, two workspaces cannot be told apart.
const BEYOND_ANY_WINDOW: u64 = 120;

fn move_away(world: &mut World) {
    let recorded = world
        .objects
        .get("acme")
        .and_then(|object| object.status.workspace_id.clone());
    if let Some(row) = recorded.and_then(|id| world.engine.row(&id)) {
        row.name = WorkspaceName::from("moved");
    }
}

/// A world in which ordeals come to `acme`, and can be ended.
pub(in crate::lifecycle::tests) struct Tried {
    pub(in crate::lifecycle::tests) world: World,
    /// The workspaces of others, as their owners left them.
    pub(in crate::lifecycle::tests) others: Vec<RemoteWorkspace>,
    /// Whether another client made a workspace of a near-equal name.
    pub(in crate::lifecycle::tests) is_nearly_named: bool,
    healthy: ReadableOrganization,
    organization_is_well: bool,
}

impl Tried {
    pub(in crate::lifecycle::tests) fn new(server: Server) -> Self {
        let mut world = World::new();
        world.engine.ahead = SignedDuration::from_secs(server.ahead);
        world.engine.created_at = server.created_at;
        world.engine.date = server.date;
        world.engine.list_lag = Duration::from_secs(server.list_lag);
        let healthy = world.readable().clone();
        Self {
            world,
            others: Vec::new(),
            is_nearly_named: false,
            healthy,
            organization_is_well: true,
        }
    }

    /// Only what can befall an object that is still there befalls one that is not.
    pub(in crate::lifecycle::tests) fn befall(&mut self, ordeal: Ordeal) {
        let there = self.world.objects.contains_key("acme");
        match ordeal {
            Ordeal::Organization(trouble) => self.trouble(trouble),
            Ordeal::OrganizationWell => self.organization_well(),
            Ordeal::MadeByAnother(name) => self.made_by_another(name),
            Ordeal::NearlyMadeByAnother(name) => self.nearly_made_by_another(name),
            Ordeal::Slow(kind, done, answered) => self.world.slow(kind, done, answered),
            Ordeal::Date(told) => self.world.engine.date = told,
            Ordeal::TokenLife(seconds) => self.world.engine.token_life = Duration::from_secs(seconds),
            Ordeal::CrdUnreadable => self.world.crd = CrdState::Unreadable { why: "?".to_owned() },
            Ordeal::MovedBefore(kind) => self.world.meanwhile(kind, move_away),
            Ordeal::Fault(kind, fault) => self.world.fault(kind, fault, 1),
            Ordeal::Crash(n, fault) => self.world.crash_at(n, fault),
            Ordeal::Restart => self.world.restart(),
            Ordeal::List => self.world.list(),
            Ordeal::Idle(seconds) => self.world.advance(seconds),
            Ordeal::LoseSecrets => self.world.secrets.clear(),
            Ordeal::Live(seconds) => self.world.live("acme", Duration::from_secs(seconds)),
            Ordeal::Rename(_)
            | Ordeal::State(_)
            | Ordeal::Suspend(_)
            | Ordeal::TokenEnabled(_)
            | Ordeal::NameSecret(_)
            | Ordeal::RequestReconcile(_)
            | Ordeal::RenamedRemotely(_)
            | Ordeal::SwitchedRemotely(_)
            | Ordeal::RecordedByAnother
            | Ordeal::LoseLabel
            | Ordeal::SecretTaken
                if there =>
            {
                self.befall_the_object(ordeal);
            }
            _ => {}
        }
    }

    fn befall_the_object(&mut self, ordeal: Ordeal) {
        let world = &mut self.world;
        let recorded = world.id("acme");
        match ordeal {
            Ordeal::Rename(name) => world.edit("acme", |o| o.spec.name = WorkspaceName::from(name)),
            Ordeal::State(state) => world.edit("acme", |o| o.spec.status = state),
            Ordeal::Suspend(suspend) => world.edit("acme", |o| o.spec.suspend = suspend),
            Ordeal::TokenEnabled(enabled) => world.edit("acme", |o| {
                o.spec.token_secret = Some(TokenSecret {
                    enabled,
                    ..o.spec.token_secret.clone().unwrap_or_default()
                });
            }),
            Ordeal::NameSecret(name) => world.edit("acme", |o| {
                o.spec.token_secret = Some(TokenSecret {
                    name: Some(name.to_owned()),
                    ..o.spec.token_secret.clone().unwrap_or_default()
                });
            }),
            Ordeal::RequestReconcile(mark) => {
                world.edit("acme", |o| o.facts.reconcile_at = Some(mark.to_owned()));
            }
            // Before it is recorded, a renamed workspace cannot be attributed.
            Ordeal::RenamedRemotely(name) => {
                // Two workspaces of ours may come to share a name; one of others' keeps its own.
                let theirs: Vec<&WorkspaceId> = self.others.iter().map(|row| &row.id).collect();
                let taken =
                    world.engine.rows.iter().any(|row| {
                        row.workspace.name.as_str() == name && theirs.contains(&&row.workspace.id)
                    });
                if let Some(row) = recorded.and_then(|id| world.engine.row(&id)).filter(|_| !taken) {
                    row.name = WorkspaceName::from(name);
                }
            }
            Ordeal::SwitchedRemotely(state) => {
                if let Some(row) = recorded.and_then(|id| world.engine.row(&id)) {
                    row.state = state;
                }
            }
            Ordeal::RecordedByAnother => {
                if let Some(id) = recorded {
                    world.claimed_elsewhere(id.as_str());
                }
            }
            Ordeal::LoseLabel => {
                let named = world.status("acme").token_secret_name.clone();
                if let Some(secret) = named.and_then(|name| world.secrets.get_mut(&name)) {
                    secret.facts.labels.remove(metadata_keys::WORKSPACE_LABEL);
                }
            }
            Ordeal::SecretTaken => {
                for secret in world.secrets.values_mut() {
                    secret.controller = Some(Uid::from("uid-of-another-owner"));
                }
            }
            _ => {}
        }
    }

    fn trouble(&mut self, trouble: Trouble) {
        let name = "default".to_owned();
        self.organization_well();
        self.organization_is_well = false;
        let other = OrganizationId::from("org-2");
        let pinned = crate::lifecycle::tests::harness::world::org();
        match trouble {
            Trouble::NotFound => {
                let searched = "operator".to_owned();
                self.world.organization = OrganizationFacts::NotFound { name, searched };
            }
            Trouble::Unreadable => self.world.organization = OrganizationFacts::Unreadable { name },
            Trouble::Pending => {
                let why = "its credential is refused".to_owned();
                self.world.readable().verification = Verification::Pending { why };
            }
            Trouble::Changed => {
                let found = other;
                self.world.readable().verification = Verification::Changed { pinned, found };
            }
            // Without a bound organization the creation would belong to the other one.
            Trouble::Swapped if self.is_bound() => {
                self.world.readable().verification = Verification::Verified(other);
            }
            Trouble::Swapped => {}
            Trouble::Missing => self.world.readable().missing = Missing::Many,
            Trouble::NotGranted => {
                self.world
                    .grant("[{namespaces: {names: [team]}, workspaceNames: [other]}]");
                self.healthy.revision += 1;
            }
        }
    }

    /// Its record or its intent names an organization.
    fn is_bound(&self) -> bool {
        let object = self.world.objects.get("acme");
        object.is_some_and(|o| o.status.organization_id.is_some() || o.status.creation.is_some())
    }

    fn organization_well(&mut self) {
        self.healthy.revision += 1;
        self.organization_is_well = true;
        self.world.organization = OrganizationFacts::Readable(self.healthy.clone());
    }

    fn made_by_another(&mut self, name: &str) {
        let taken = self.world.engine.names().contains(&name);
        let recorded = self
            .world
            .objects
            .get("acme")
            .is_none_or(|object| object.status.workspace_id.is_some());
        if taken || !recorded {
            return;
        }
        self.world.advance(BEYOND_ANY_WINDOW);
        let id = self.world.engine.make(self.world.now, name);
        self.others.extend(self.world.engine.row(&id).cloned());
        self.world.advance(BEYOND_ANY_WINDOW);
    }

    /// At any time: no window makes a near-equal name ours.
    fn nearly_made_by_another(&mut self, name: &str) {
        if self.world.engine.names().contains(&name) {
            return;
        }
        let id = self.world.engine.make(self.world.now, name);
        self.others.extend(self.world.engine.row(&id).cloned());
        self.is_nearly_named = true;
    }

    /// All is well again. An Organization that was well is left as it is: its change would end every back-off.
    pub(in crate::lifecycle::tests) fn end(&mut self) {
        if !self.organization_is_well {
            self.organization_well();
        }
        let world = &mut self.world;
        world.heal();
        world.meanwhile.clear();
        world.slow.clear();
        world.crd = CrdState::Serving;
        world.claims.forget(&Uid::from("uid-older"));
        world.engine.token_life = Duration::from_secs(1200);
        let theirs = Uid::from("uid-of-another-owner");
        world
            .secrets
            .retain(|_, secret| secret.controller.as_ref() != Some(&theirs));
    }

    /// Half a day, with a list now and then.
    pub(in crate::lifecycle::tests) fn live_on(&mut self) {
        for _ in 0..8 {
            self.world.live("acme", Duration::from_secs(1800));
            // Without a creation time, an orphan cannot be attributed to our issue.
            if self.world.engine.created_at == Told::No {
                let untold = std::mem::take(&mut self.world.orphans);
                self.world.orphans_of_crashes.extend(untold);
            }
            self.world.remove_orphans_of_crashes();
            self.world.list();
        }
        self.world.live("acme", Duration::from_secs(1800));
    }

    /// The workspaces that others did not make.
    pub(in crate::lifecycle::tests) fn left(&self) -> Vec<&RemoteWorkspace> {
        let theirs: Vec<&WorkspaceId> = self.others.iter().map(|row| &row.id).collect();
        let rows = self.world.engine.rows.iter().map(|row| &row.workspace);
        rows.filter(|row| !theirs.contains(&&row.id)).collect()
    }

    /// The workspaces of others, as they are now.
    pub(in crate::lifecycle::tests) fn of_others(&mut self) -> Vec<RemoteWorkspace> {
        let ids: Vec<WorkspaceId> = self.others.iter().map(|row| row.id.clone()).collect();
        ids.iter()
            .filter_map(|id| self.world.engine.row(id).cloned())
            .collect()
    }
}

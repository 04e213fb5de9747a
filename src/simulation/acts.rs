//! Carries out acts: what users, other people, administrators, Agent Engine, Kubernetes and the machine do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::agent_engine::Row;
use super::cluster::{DECLARED_ANNOTATION, DECLARED_LABEL, Key, OrganizationObject, WorkspaceObject};
use super::history::organization;
use super::history::{Act, Admission, Adopt, Grants, Held, Kind, NAMES, ODD_NAMES, PATTERNS, Siege};
use super::process::another_operator;
use super::replicas::blow::CrashAt;
use super::weather::Weather;
use super::world::{Event, World};
use super::{Millis, NAMESPACES};
use crate::crd::holder::{Hold, Holder};
use crate::crd::metadata_keys;
use crate::crd::organization::{AccessEntry, Defaults, OrganizationSpec, OrganizationStatus};
use crate::crd::workspace::{AdoptionPolicy, DeletionPolicy, TokenSecret, WorkspaceSpec, WorkspaceStatus};
use crate::domain::ids::{Uid, WorkspaceId, WorkspaceName};
use crate::domain::remote::{RemoteState, WorkspaceState};
use crate::tenancy::is_default;

fn state(active: bool) -> WorkspaceState {
    if active {
        WorkspaceState::Active
    } else {
        WorkspaceState::Inactive
    }
}

impl World {
    /// What is there at the beginning: the Organizations, their credentials, and the first objects.
    pub(super) fn furnish(&mut self) {
        for n in 0..self.setup.organizations {
            self.cluster.put_credential(0, &credential(n), n);
            let organization = self.organization(n);
            self.cluster.put_organization(0, organization);
            let name = WorkspaceName::from("default");
            self.engine.make(-100_000_000, n, &name, None);
        }
        for n in 0..self.setup.objects {
            let declared = self.setup.declared_at_first(n);
            let name = declared.map_or_else(|| format!("tenant-{n}"), str::to_owned);
            let besieged = self.setup.siege.is_some() && n % 5 != 0;
            let of = if besieged { 0 } else { n % self.setup.organizations };
            self.create(n, &name, of, Adopt::Never);
        }
    }

    fn organization(&mut self, n: usize) -> OrganizationObject {
        let spec = json!({
            "credentialsSecretRef": {"name": credential(n)},
            "access": access(Grants::All, true, true),
            "requestsPerSecond": self.setup.requests_per_second,
        });
        let spec: OrganizationSpec = serde_json::from_value(spec).expect("a spec");
        OrganizationObject {
            name: organization(n).to_owned(),
            metadata: self.cluster.metadata(self.now),
            confirm_missing: None,
            spec,
            status: OrganizationStatus::default(),
        }
    }

    fn key_of(&self, object: usize) -> Key {
        {
            let namespace = NAMESPACES[object % self.setup.namespaces];
            (namespace.into(), format!("o{object}").into())
        }
    }

    fn create(&mut self, object: usize, name: &str, of: usize, adopt: Adopt) {
        let key = self.key_of(object);
        if self.cluster.workspaces.contains_key(&key) {
            return;
        }
        let mut spec: WorkspaceSpec = serde_json::from_value(json!({"name": name})).expect("a spec");
        spec.organization = Some(organization(of).to_owned());
        match adopt {
            Adopt::Never => {}
            Adopt::ByName => spec.adoption_policy = Some(AdoptionPolicy::ByName),
            Adopt::ById(row) => spec.workspace_id = self.row_id(of, row),
        }
        self.put_new(
            key,
            spec,
            WorkspaceStatus {
                observed_generation: Some(-1),
                ..WorkspaceStatus::default()
            },
        );
    }

    fn put_new(&mut self, key: Key, spec: WorkspaceSpec, status: WorkspaceStatus) {
        let metadata = self.cluster.metadata(self.now);
        let object = WorkspaceObject::new(key, metadata, spec, status);
        self.touch(&object.key);
        self.cluster.put_workspace(self.now, object);
    }

    fn edit(&mut self, object: usize, how: impl FnOnce(&mut WorkspaceObject)) {
        let key = self.key_of(object);
        self.touch(&key);
        self.cluster.edit_workspace(self.now, &key, how);
    }

    fn edit_spec(&mut self, object: usize, how: impl FnOnce(&mut WorkspaceSpec)) {
        self.edit(object, |o| how(&mut o.spec));
    }

    /// Replaces what an Organization grants.
    fn grant(&mut self, n: usize, entries: Vec<AccessEntry>) {
        self.touch_all();
        self.cluster
            .edit_organization(self.now, organization(n), |o| o.spec.access = entries);
    }

    fn row_id(&self, organization: usize, row: usize) -> Option<WorkspaceId> {
        let rows = &self.engine.organizations[organization].rows;
        let mut live = rows
            .values()
            .filter(|row| row.deleted.is_none() && row.workspace.name.as_str() != "default");
        let count = live.clone().count();
        live.nth(row.checked_rem(count)?)
            .map(|row| row.workspace.id.clone())
    }

    /// Others change a row.
    fn meddle(&mut self, organization: usize, row: usize, how: impl FnOnce(&mut Row)) {
        if let Some(id) = self.row_id(organization, row) {
            self.meddle_with(organization, &id, how);
        }
    }

    /// Others change the fallback workspace of every organization.
    fn meddle_with_default(&mut self, organization: usize, how: impl FnOnce(&mut Row)) {
        let rows = self.engine.organizations[organization].rows.values();
        let mut defaults =
            rows.filter(|row| row.names().next().is_some_and(is_default) && row.maker.is_none());
        if let Some(id) = defaults.next().map(|row| row.workspace.id.clone()) {
            self.meddle_with(organization, &id, how);
        }
    }

    /// The status names the operator of another release as the one that holds it.
    fn give_to_another(&mut self, what: Held, firmly: bool, until: Millis) {
        let holder = Holder {
            lease: another_operator(),
            hold: if firmly { Hold::Firm } else { Hold::Provisional },
        };
        self.touch_all();
        self.another_until = self.another_until.max(until);
        self.at(self.another_until, Event::AnotherGoes);
        match what {
            Held::Object(object) => self.edit(object, |o| o.status.operator = Some(holder)),
            Held::Organization(n) => self
                .cluster
                .edit_organization(self.now, organization(n), |o| o.status.operator = Some(holder)),
        }
    }

    fn meddle_with(&mut self, organization: usize, id: &WorkspaceId, how: impl FnOnce(&mut Row)) {
        let now = self.now;
        self.engine.change(now, organization, id, |row| {
            how(row);
            row.touched = Some(now);
        });
    }

    /// A server that folds names has none of them twice; another one has most of them once.
    fn refuses(&self, organization: usize, name: &WorkspaceName, of: Option<&WorkspaceId>) -> bool {
        self.engine.knobs.folds_names && self.engine.is_taken(organization, name, of)
    }

    pub(super) fn act(&mut self, act: Act) {
        let now = self.now;
        match act {
            Act::Wait => {}
            Act::Create {
                object,
                name,
                organization,
                adopt,
            } => self.create(object, NAMES[name], organization, adopt),
            Act::Declare { object, name } => {
                self.edit_spec(object, |spec| spec.name = WorkspaceName::from(NAMES[name]));
            }
            Act::SwapNames { object, with } => self.swap_names(object, with),
            Act::State { object, active } => self.edit_spec(object, |spec| {
                spec.status = active.map(state);
            }),
            Act::Suspend { object, suspend } => self.edit_spec(object, |spec| spec.suspend = Some(suspend)),
            Act::Token { object, enabled } => {
                self.edit_spec(object, |spec| token_secret(spec).enabled = Some(enabled));
            }
            Act::SecretName { object, name } => self.edit_spec(object, |spec| {
                token_secret(spec).name =
                    [None, Some("fresh".to_owned()), Some("other".to_owned())][name].clone();
            }),
            Act::Policy { object, retain } => {
                self.edit_spec(object, |spec| spec.deletion_policy = retain.map(policy));
            }
            Act::Delete { object } => self.delete(object),
            Act::DeleteMany { held } => {
                for object in (0..self.setup.objects).step_by(2) {
                    self.edit(object, |o| {
                        o.metadata.held_by_others |= held && o.metadata.deletion.is_none();
                    });
                    self.delete(object);
                }
            }
            Act::RetainUnseen { object, during } => {
                let going = self.cluster.workspaces.get(&self.key_of(object));
                if going.is_some_and(|going| going.metadata.deletion.is_some()) {
                    self.kill_watch(Kind::Workspaces, now + during);
                    self.edit_spec(object, |spec| spec.deletion_policy = Some(DeletionPolicy::Retain));
                }
            }
            Act::Recreate { object } => self.recreate(object),
            Act::RestoreFromBackup { object } => self.restore(object),
            Act::RequestReconcile { object } => {
                self.edit(object, |o| o.metadata.reconcile_at = Some(now.to_string()));
            }
            Act::AllowReplacement { object } => {
                self.edit(object, |o| o.recreate = o.status.workspace_id.clone());
            }
            Act::HoldByOthers { object, held } => self.edit(object, |o| {
                if o.metadata.deletion.is_none() || !held {
                    o.metadata.held_by_others = held;
                }
            }),
            Act::TakeOffFinalizer { object } => {
                let key = self.key_of(object);
                if let Some(o) = self.cluster.workspaces.get(&key) {
                    self.laws.let_go_by_hand.insert(o.metadata.uid.clone());
                }
                self.edit(object, |o| o.metadata.held = false);
            }
            Act::DeleteSecret { object } => {
                if let Some(secret) = self.secret_of(object) {
                    self.cluster.remove_secret(now, &secret);
                }
            }
            Act::UnlabelSecret { object } => self.meddle_with_secret(object, |secret| {
                secret.labels.remove(metadata_keys::WORKSPACE_LABEL);
            }),
            Act::TakeSecret { object } => self.meddle_with_secret(object, |secret| {
                secret.controller = Some(Uid::from("uid-of-another-controller"));
            }),
            Act::Make { organization, name } => {
                let name = WorkspaceName::from(NAMES[name]);
                if !self.refuses(organization, &name, None) {
                    self.engine.make(now, organization, &name, None);
                }
            }
            Act::Rename {
                organization,
                row,
                name,
            } => {
                let name = WorkspaceName::from(NAMES[name]);
                let id = self.row_id(organization, row);
                if !self.refuses(organization, &name, id.as_ref()) {
                    self.meddle(organization, row, |row| row.workspace.name = name);
                }
            }
            Act::SwapRows {
                organization,
                row,
                with,
            } => self.swap_rows(organization, row, with),
            Act::Switch {
                organization,
                row,
                active,
            } => self.meddle(organization, row, |row| {
                row.workspace.state = RemoteState::Known(state(active));
            }),
            Act::Remove { organization, row } => {
                self.meddle(organization, row, |row| row.deleted = Some(now));
            }
            Act::RemoveMany { organization } => self.remove_many(organization),
            Act::Restore { organization, row } => self.restore_row(organization, row),
            Act::Grant {
                organization: n,
                names,
                adoption,
                deletion,
            } => {
                self.grant(n, access(names, adoption, deletion));
            }
            Act::DefaultPolicy {
                organization: n,
                retain,
            } => {
                self.touch_all();
                self.cluster.edit_organization(now, organization(n), |o| {
                    o.spec.defaults = retain.map(|retain| Defaults {
                        deletion_policy: Some(policy(retain)),
                        adoption_policy: None,
                    });
                });
            }
            Act::Credential {
                organization: n,
                opens,
            } => {
                self.touch_all();
                self.cluster.put_credential(now, &credential(n), opens);
            }
            Act::TouchCredential { organization: n } => {
                let opens = self
                    .cluster
                    .credentials
                    .get(&credential(n))
                    .map_or(n, |secret| secret.opens);
                self.cluster.put_credential(now, &credential(n), opens);
            }
            Act::ReplaceOrganization { organization: n } => self.replace_organization(n),
            Act::RequestList { organization: n } => {
                self.cluster.edit_organization(now, organization(n), |o| {
                    o.metadata.reconcile_at = Some(now.to_string());
                });
            }
            Act::GrantPattern {
                organization: n,
                pattern,
            } => {
                let team = json!({"names": NAMESPACES});
                self.grant(n, granted(team, json!([PATTERNS[pattern]]), true, true));
            }
            Act::GrantByLabel {
                organization: n,
                selector: which,
            } => {
                let labelled = json!({"selector": selector(which)});
                self.grant(n, granted(labelled, json!(["*"]), true, true));
            }
            Act::DeclareDefault { object } => {
                self.edit_spec(object, |spec| spec.name = WorkspaceName::from("default"));
            }
            Act::DeclareOdd { object, name } => {
                self.edit_spec(object, |spec| spec.name = WorkspaceName::from(ODD_NAMES[name]));
            }
            Act::AdoptDefault { object } => self.edit_spec(object, |spec| {
                spec.name = WorkspaceName::from("default");
                spec.adoption_policy = Some(AdoptionPolicy::ByName);
            }),
            Act::LoseCredential { organization: n } => {
                self.touch_all();
                self.cluster.remove_credential(now, &credential(n));
            }
            Act::RenameLong { organization, row } => {
                self.meddle(organization, row, |row| {
                    row.workspace.name = "n".repeat(5000).into();
                });
            }
            Act::SwitchDefault { organization, active } => self.meddle_with_default(organization, |row| {
                row.workspace.state = RemoteState::Known(state(active));
            }),
            Act::LoseDefault { organization } => {
                self.meddle_with_default(organization, |row| row.deleted = Some(now));
            }
            Act::AnotherHolds { what, firmly, during } => self.give_to_another(what, firmly, now + during),
            Act::DeclareId { organization: n, of } => {
                self.touch_all();
                let id = self.engine.organizations[of].id.clone();
                self.cluster.edit_organization(now, organization(n), |o| {
                    o.spec.organization_id.get_or_insert(id);
                });
            }
            Act::DefinitionGoes(goes) => self.cluster.definition_goes = goes,
            Act::DeleteOrganization { organization: n } => {
                self.touch_all();
                self.cluster.edit_organization(now, organization(n), |o| {
                    o.metadata.deletion.get_or_insert(now);
                });
            }
            Act::ConfirmMissing {
                organization: n,
                count,
            } => {
                self.cluster
                    .edit_organization(now, organization(n), |o| o.confirm_missing = Some(count));
            }
            Act::Rate {
                organization: n,
                requests_per_second,
            } => {
                self.cluster.edit_organization(now, organization(n), |o| {
                    o.spec.requests_per_second = requests_per_second;
                });
            }
            Act::DecorateSecret { object, value } => self.edit_spec(object, |spec| {
                let declared = |key: &str, value| BTreeMap::from([(key.to_owned(), value)]);
                let text = value.to_string();
                let secret = token_secret(spec);
                secret.labels = declared(DECLARED_LABEL, text.clone());
                let long = if value < 3 { 1 } else { 100 };
                secret.annotations = declared(DECLARED_ANNOTATION, text.repeat(long));
            }),
            Act::Admission(admission) => {
                self.touch_all();
                self.cluster.admission = admission;
            }
            Act::Weather {
                organization,
                weather,
            } => self.set_weather(organization, weather),
            Act::StoreLag { kind, lag } => self.set_lag(kind, lag),
            Act::WatchDies { kind, during } => self.kill_watch(kind, now + during),
            Act::WritesRefused { during } => self.writes_refused_until = now + during,
            Act::Crash { down } => self.crash(down),
            Act::CrashAtEffect {
                after,
                carried_out,
                down,
            } => {
                self.crash_at = Some(CrashAt {
                    after,
                    carried_out,
                    down,
                });
            }
            Act::Pause { during } => self.paused_until = self.paused_until.max(now + during),
            Act::Strike { process, blow } => self.strike(process, blow),
            Act::LeaseGoes => {
                if let Some(replicas) = &mut self.replicas {
                    replicas.lease = None;
                }
            }
            Act::ClockJumps { by } => {
                self.jumped += by;
                self.clock_was_set(by);
                self.furthest_ahead = self.furthest_ahead.max(self.jumped);
                // Its timers were set by the clock before: they end within this.
                self.laws.able_since = now + 300_000;
            }
        }
    }

    /// What lasts as long as the history goes on; returns when to go on with it.
    pub(super) fn besiege(&mut self) -> Option<Millis> {
        match self.setup.siege? {
            Siege::Weather(weather) => {
                self.set_weather(0, weather);
                None
            }
            Siege::TouchedEvery(interval) => {
                self.act(Act::TouchCredential { organization: 0 });
                Some(self.now + interval)
            }
        }
    }

    pub(super) fn set_weather(&mut self, organization: usize, weather: Weather) {
        self.engine.organizations[organization].weather = weather;
        self.laws.weather_since.insert(organization, self.now);
    }

    fn swap_names(&mut self, object: usize, with: usize) {
        let name = |world: &Self, n: usize| {
            let object = world.cluster.workspaces.get(&world.key_of(n))?;
            Some(object.spec.name.clone())
        };
        if let (Some(one), Some(other)) = (name(self, object), name(self, with)) {
            self.edit_spec(object, |spec| spec.name = other);
            self.edit_spec(with, |spec| spec.name = one);
        }
    }

    fn delete(&mut self, object: usize) {
        let (now, key) = (self.now, self.key_of(object));
        if let Some(stored) = self.cluster.workspaces.get(&key) {
            self.backup
                .insert(key, (stored.spec.clone(), stored.status.clone()));
        }
        self.edit(object, |o| {
            o.metadata.deletion = o.metadata.deletion.or(Some(now));
        });
    }

    /// Deletes the object and creates one of the same name as soon as it is gone.
    fn recreate(&mut self, object: usize) {
        let key = self.key_of(object);
        if let Some(spec) = self
            .cluster
            .workspaces
            .get(&key)
            .map(|stored| stored.spec.clone())
        {
            self.delete(object);
            if !self.cluster.workspaces.contains_key(&key) {
                self.put_new(key, spec, WorkspaceStatus::default());
            }
        }
    }

    fn restore(&mut self, object: usize) {
        let key = self.key_of(object);
        if !self.cluster.workspaces.contains_key(&key)
            && let Some((spec, status)) = self.backup.get(&key).cloned()
        {
            self.put_new(key, spec, status);
        }
    }

    fn secret_of(&self, object: usize) -> Option<Key> {
        let stored = self.cluster.workspaces.get(&self.key_of(object))?;
        let key = stored.secret_key();
        self.cluster.secrets.contains_key(key).then(|| key.clone())
    }

    fn meddle_with_secret(&mut self, object: usize, how: impl FnOnce(&mut super::cluster::SecretObject)) {
        let key = self.key_of(object);
        self.touch(&key);
        if let Some(secret) = self
            .secret_of(object)
            .and_then(|key| self.cluster.secrets.get(&key))
        {
            let mut secret = (**secret).clone();
            how(&mut secret);
            self.cluster.put_secret(self.now, secret);
        }
    }

    fn swap_rows(&mut self, organization: usize, row: usize, with: usize) {
        let (Some(one), Some(other)) = (self.row_id(organization, row), self.row_id(organization, with))
        else {
            return;
        };
        let rows = &self.engine.organizations[organization].rows;
        let (one_name, other_name) = (
            rows[&one].workspace.name.clone(),
            rows[&other].workspace.name.clone(),
        );
        self.meddle_with(organization, &one, |row| row.workspace.name = other_name);
        self.meddle_with(organization, &other, |row| row.workspace.name = one_name);
    }

    fn remove_many(&mut self, organization: usize) {
        let now = self.now;
        let rows = &self.engine.organizations[organization].rows;
        let recorded = rows
            .values()
            .filter(|row| row.deleted.is_none() && !row.recorded_by.is_empty())
            .filter(|row| !is_default(&row.workspace.name));
        let ids: Vec<WorkspaceId> = recorded.map(|row| row.workspace.id.clone()).collect();
        for id in ids {
            self.meddle_with(organization, &id, |row| row.deleted = Some(now));
        }
    }

    fn restore_row(&mut self, organization: usize, row: usize) {
        let rows = &self.engine.organizations[organization].rows;
        let gone: Vec<WorkspaceId> = rows
            .values()
            .filter(|row| row.deleted.is_some())
            .map(|row| row.workspace.id.clone())
            .collect();
        let gone: Vec<WorkspaceId> = gone
            .into_iter()
            .filter(|id| {
                !self.refuses(
                    organization,
                    &self.engine.organizations[organization].rows[id].workspace.name,
                    Some(id),
                )
            })
            .collect();
        if let Some(id) = row.checked_rem(gone.len()).and_then(|n| gone.get(n)) {
            self.meddle_with(organization, id, |row| row.deleted = None);
        }
    }

    fn replace_organization(&mut self, n: usize) {
        self.touch_all();
        let now = self.now;
        let Some(stored) = self.cluster.organizations.get(organization(n)).cloned() else {
            return;
        };
        // As `kubectl replace --force`: its finalizers are taken off first.
        let gone = OrganizationObject {
            metadata: super::cluster::Metadata {
                deletion: Some(now),
                held: false,
                ..stored.metadata.clone()
            },
            ..(*stored).clone()
        };
        self.cluster.put_organization(now, gone);
        let fresh = OrganizationObject {
            metadata: self.cluster.metadata(now),
            status: OrganizationStatus::default(),
            ..(*stored).clone()
        };
        self.cluster.put_organization(now, fresh);
    }

    fn set_lag(&mut self, kind: Kind, lag: Millis) {
        match kind {
            Kind::Workspaces => self.cluster.workspace_feed.lag = lag,
            Kind::Secrets => self.cluster.secret_feed.lag = lag,
            Kind::Organizations => self.cluster.organization_feed.lag = lag,
            Kind::Credentials => self.cluster.credential_feed.lag = lag,
        }
    }

    fn kill_watch(&mut self, kind: Kind, until: Millis) {
        let look = match kind {
            Kind::Workspaces => self.cluster.workspace_feed.die(until),
            Kind::Secrets => self.cluster.secret_feed.die(until),
            Kind::Organizations => self.cluster.organization_feed.die(until),
            Kind::Credentials => self.cluster.credential_feed.die(until),
        };
        self.cluster.look_at.push(look);
    }

    /// All faults end, and what stands in the way of every object is taken away.
    pub(super) fn calm(&mut self) {
        self.is_calm = true;
        let now = self.now;
        for n in 0..self.setup.organizations {
            self.set_weather(n, Weather::Calm);
            self.cluster.put_credential(now, &credential(n), n);
            self.meddle_with_default(n, |row| {
                row.deleted = None;
                row.workspace.state = RemoteState::Known(WorkspaceState::Active);
            });
            let own = self.engine.organizations[n].id.clone();
            let stored = self.cluster.organizations.get(organization(n)).cloned();
            let is_misnamed = stored
                .as_ref()
                .is_some_and(|stored| stored.spec.organization_id.as_ref().is_some_and(|id| *id != own));
            // No one can change a declared id.
            if is_misnamed {
                self.cluster
                    .edit_organization(now, organization(n), |o| o.spec.organization_id = None);
                self.replace_organization(n);
            }
            match stored.map(|stored| stored.metadata.deletion) {
                Some(None) => {}
                Some(Some(_)) => self.replace_organization(n),
                None => {
                    let again = self.organization(n);
                    self.cluster.put_organization(now, again);
                }
            }
            self.grant(n, access(Grants::All, true, true));
        }
        self.each_replica(|world| {
            for kind in [
                Kind::Workspaces,
                Kind::Secrets,
                Kind::Organizations,
                Kind::Credentials,
            ] {
                world.set_lag(kind, 5);
                world.kill_watch(kind, now + 1_000);
            }
            world.crash_at = None;
            world.freezes_no_more();
        });
        self.writes_refused_until = now;
        self.another_until = now;
        self.at(now, Event::AnotherGoes);
        (self.cluster.admission, self.cluster.definition_goes) = (Admission::Nothing, false);
        let keys: Vec<Key> = self.cluster.workspaces.keys().cloned().collect();
        for key in keys {
            self.touch(&key);
            self.cluster
                .edit_workspace(now, &key, |o| o.metadata.held_by_others = false);
        }
        let theirs = Uid::from("uid-of-another-controller");
        let taken = self
            .cluster
            .secrets
            .values()
            .filter(|secret| secret.controller.as_ref() == Some(&theirs));
        let taken: Vec<Key> = taken.map(|secret| secret.key.clone()).collect();
        for key in taken {
            self.cluster.remove_secret(now, &key);
        }
    }
}

fn credential(n: usize) -> String {
    format!("credential-{n}")
}

fn policy(retain: bool) -> DeletionPolicy {
    if retain {
        DeletionPolicy::Retain
    } else {
        DeletionPolicy::Delete
    }
}

fn token_secret(spec: &mut WorkspaceSpec) -> &mut TokenSecret {
    spec.token_secret.get_or_insert_with(TokenSecret::default)
}

fn access(names: Grants, adoption: bool, deletion: bool) -> Vec<AccessEntry> {
    let names = match names {
        Grants::All => json!(["*"]),
        Grants::Some => json!(["acme*", "tenant-*"]),
        Grants::None => json!([]),
    };
    granted(json!({"names": NAMESPACES}), names, adoption, deletion)
}

/// Each namespace has one label: see [`super::namespace_labels`].
fn selector(which: usize) -> Value {
    let expression = |operator: &str, values: &[&str]| {
        let one = json!({"key": "tier", "operator": operator, "values": values});
        json!({"matchExpressions": [one]})
    };
    match which {
        0 => json!({"matchLabels": {"tier": "gold"}}),
        1 => json!({"matchLabels": {"tier": "none"}}),
        2 => expression("In", &["gold", "silver"]),
        3 => expression("NotIn", &["silver"]),
        4 => expression("Exists", &[]),
        5 => expression("DoesNotExist", &[]),
        // Stored before the schema refused them.
        6 => expression("NotIn", &[]),
        7 => expression("Exists", &["gold"]),
        9 => expression("DoesNotExist", &["gold"]),
        _ => expression("Like", &["gold"]),
    }
}

fn granted(namespaces: Value, names: Value, adoption: bool, deletion: bool) -> Vec<AccessEntry> {
    let permission = |allowed: bool| if allowed { "Allowed" } else { "Forbidden" };
    let entries = json!([{
        "namespaces": namespaces,
        "workspaceNames": names,
        "adoption": permission(adoption),
        "deletion": permission(deletion),
    }]);
    serde_json::from_value(entries).expect("access entries")
}

//! The model of the operator's process: what the controller holds and does between watches and reconciles. The values that
//! reconciles share are the real ones.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Millis;
use super::cluster::{CredentialObject, Key, OrganizationObject, SecretObject, WorkspaceObject};
use super::feed::Change;
use crate::controller::own_writes::OwnWrites;
use crate::domain::ids::{OperatorId, OrganizationId, Uid};
use crate::domain::operators::Operators;
use crate::domain::time::{Uptime, earlier};
use crate::lifecycle;
use crate::lifecycle::facts::{ListEntry, OrganizationFacts, ReadableOrganization, Secrets};
use crate::limits::{Priority, Queue, RateLimiter};
use crate::organization::effect::Records;
use crate::organization::snapshot::KnownGone;
use crate::organization::{self, Managed, Published, Snapshot};
use crate::tenancy::{Access, ClaimResult, Claimant, Claims, holding};

/// The namespace that Organizations are read from.
pub(super) const HOME: &str = "operator";

/// How often rate limiters are asked whom they call, while someone waits for one.
const CALL_INTERVAL: Millis = 100;

/// How often while no one does.
pub(super) const SELDOM: Millis = 10 * CALL_INTERVAL;

/// Until so long before the end of a pause, or before a probe, nobody is called. Twice `SELDOM`, so that neither is missed.
const CALLED_BEFORE: Duration = Duration::from_secs(2);

/// What is reconciled.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Subject {
    Organization(String),
    Workspace(Key),
}

/// A client of Agent Engine.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// The organization that its credential opens.
    pub(super) opens: usize,
    /// The organization that it names with every call.
    pub(super) names: Option<OrganizationId>,
}

/// What the process knows of one incarnation of an Organization.
pub(super) struct OrganizationState {
    pub(super) uid: Uid,
    pub(super) client: Option<Client>,
    pub(super) published: Published,
    pub(super) limiter: RateLimiter,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) list_wanted_at: Option<Uptime>,
    pub(super) memory: organization::Memory,
}

impl OrganizationState {
    fn of(uid: Uid) -> Self {
        Self {
            uid,
            client: None,
            published: Published::default(),
            limiter: RateLimiter::default(),
            snapshot: Arc::default(),
            list_wanted_at: None,
            memory: organization::Memory::default(),
        }
    }
}

/// A reconcile that runs.
pub(super) struct Running {
    pub(super) number: u64,
    pub(super) status_writes: u32,
    /// Whether it began with the intent of a former reconcile.
    pub(super) found_intent: bool,
    /// Whether it began with an object that was held provisionally.
    pub(super) found_provisional: bool,
    /// Whether another object claimed a name of it at one of its writes.
    pub(super) contested: bool,
    pub(super) what: Reconciling,
}

#[expect(
    clippy::large_enum_variant,
    reason = "one is moved for each reconcile; a box would only be in the way"
)]
pub(super) enum Reconciling {
    Workspace {
        reconcile: lifecycle::Reconcile,
        object: Arc<WorkspaceObject>,
        client: Option<Client>,
        /// The incarnation of the Organization whose client it is.
        organization_uid: Option<Uid>,
        tokens: Vec<u64>,
    },
    Organization {
        reconcile: organization::Reconcile,
        object: Arc<OrganizationObject>,
        client: Option<Client>,
        /// How many rows were read.
        cursor: usize,
        recorded: BTreeMap<Uid, Key>,
    },
}

/// The operator of another release, which watches the same objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Another {
    Lives,
    IsGone,
}

impl Another {
    pub(super) fn until(until: Millis, now: Millis) -> Self {
        if now < until { Self::Lives } else { Self::IsGone }
    }
}

pub(super) struct Process {
    pub(super) workspaces: BTreeMap<Key, Arc<WorkspaceObject>>,
    pub(super) secrets: BTreeMap<Key, Arc<SecretObject>>,
    pub(super) organizations: BTreeMap<String, Arc<OrganizationObject>>,
    pub(super) credentials: BTreeMap<String, Arc<CredentialObject>>,
    pub(super) claims: Claims,
    pub(super) memories: BTreeMap<Uid, lifecycle::Memory>,
    pub(super) written: OwnWrites,
    pub(super) states: BTreeMap<String, OrganizationState>,
    pub(super) workspace_queue: Queue<Subject>,
    pub(super) organization_queue: Queue<Subject>,
    /// The Workspaces whose reconcile gave way until a permit is near.
    pub(super) waits_for_permit: BTreeMap<Uid, Key>,
    operator: OperatorId,
    pub(super) another: Another,
    another_operator: Arc<BTreeSet<OperatorId>>,
    /// How long it runs.
    pub(super) age: Millis,
    pub(super) running: BTreeMap<Subject, Box<Running>>,
    /// When rate limiters are asked next whom they call.
    pub(super) permits_at: Millis,
    /// Who is to be reconciled at once, since this was taken last.
    pub(super) woken: Vec<Subject>,
}

impl Process {
    pub(super) fn new(concurrency: NonZeroUsize) -> Self {
        Self {
            workspaces: BTreeMap::new(),
            secrets: BTreeMap::new(),
            organizations: BTreeMap::new(),
            credentials: BTreeMap::new(),
            claims: Claims::default(),
            memories: BTreeMap::new(),
            written: OwnWrites::default(),
            states: BTreeMap::new(),
            workspace_queue: Queue::new(concurrency),
            organization_queue: Queue::new(NonZeroUsize::MAX),
            waits_for_permit: BTreeMap::new(),
            operator: OperatorId::of(HOME, "operator"),
            another: Another::IsGone,
            another_operator: Arc::new(BTreeSet::from([another_operator()])),
            age: 0,
            running: BTreeMap::new(),
            permits_at: 0,
            woken: Vec::new(),
        }
    }

    fn wake(&mut self, key: &Key) {
        self.woken.push(Subject::Workspace(key.clone()));
    }

    /// All processes are of one release.
    fn operators(&self) -> Operators {
        let gone = match self.another {
            Another::Lives => Arc::default(),
            Another::IsGone => self.another_operator.clone(),
        };
        Operators {
            ours: self.operator.clone(),
            gone,
        }
    }

    /// What it held may be anyone's now.
    pub(super) fn another_goes(&mut self) {
        let held = |object: &&Arc<WorkspaceObject>| {
            let holder = object.status.operator.as_ref();
            holder.is_some_and(|holder| holder.lease == another_operator())
        };
        let keys: Vec<Key> = self
            .workspaces
            .values()
            .filter(held)
            .map(|o| o.key.clone())
            .collect();
        keys.iter().for_each(|key| self.wake(key));
        let names: Vec<String> = self.organizations.keys().cloned().collect();
        names.iter().for_each(|name| self.wake_organization(name));
    }

    pub(super) fn wake_all(&mut self, claimants: &[Claimant]) {
        for claimant in claimants {
            self.wake(&(claimant.namespace.as_str().into(), claimant.name.as_str().into()));
        }
    }

    fn wake_organization(&mut self, name: &str) {
        self.woken.push(Subject::Organization(name.to_owned()));
    }

    pub(super) fn want_list(&mut self, name: &str) {
        let now = self.uptime();
        if let Some(state) = self.states.get_mut(name) {
            state.list_wanted_at = Some(now);
        }
        self.wake_organization(name);
    }

    fn users_of(&self, name: &str) -> Vec<Arc<WorkspaceObject>> {
        let uses = |object: &&Arc<WorkspaceObject>| object.spec.organization_name() == name;
        self.workspaces.values().filter(uses).cloned().collect()
    }

    /// The state of this incarnation, empty at first. None if the store has another one by now.
    pub(super) fn state_of(&mut self, name: &str, uid: &Uid) -> Option<&mut OrganizationState> {
        if self.organizations.get(name)?.metadata.uid != *uid {
            return None;
        }
        let state = self
            .states
            .entry(name.to_owned())
            .or_insert_with(|| OrganizationState::of(uid.clone()));
        if state.uid != *uid {
            *state = OrganizationState::of(uid.clone());
        }
        Some(state)
    }

    pub(super) fn forget(&mut self, uid: &Uid) -> Vec<Claimant> {
        self.memories.remove(uid);
        self.waits_for_permit.remove(uid);
        self.written.forget(uid);
        for state in self.states.values_mut() {
            state.limiter.forget(uid);
        }
        self.claims.forget(uid)
    }

    pub(super) fn is_stored(&self, object: &WorkspaceObject) -> bool {
        let stored = self.workspaces.get(&object.key);
        stored.is_some_and(|stored| stored.metadata.uid == object.metadata.uid)
    }

    // Events of watches.

    pub(super) fn workspace_event(&mut self, now: Timestamp, change: Change<Key, WorkspaceObject>) {
        match change {
            Change::Apply(key, object) => {
                let before = self.workspaces.insert(key, object.clone());
                if let Some(before) = before {
                    self.workspace_replaced(&before, Some(&object));
                }
                self.workspace_changed(now, &object);
            }
            Change::Delete(key, _) => {
                if let Some(before) = self.workspaces.remove(&key) {
                    self.workspace_replaced(&before, None);
                }
            }
        }
    }

    pub(super) fn workspace_list(&mut self, now: Timestamp, all: &BTreeMap<Key, Arc<WorkspaceObject>>) {
        let before = std::mem::replace(&mut self.workspaces, all.clone());
        for old in before.values() {
            let stored = self.workspaces.get(&old.key).cloned();
            self.workspace_replaced(old, stored.as_deref());
        }
        for object in all.values() {
            self.workspace_changed(now, object);
        }
    }

    fn workspace_changed(&mut self, now: Timestamp, object: &WorkspaceObject) {
        self.observe_claims(now, object);
        self.wake(&object.key);
    }

    fn workspace_replaced(&mut self, before: &WorkspaceObject, after: Option<&WorkspaceObject>) {
        if after.is_none_or(|after| after.metadata.uid != before.metadata.uid) {
            let winners = self.forget(&before.metadata.uid);
            self.wake_all(&winners);
        }
        let names = before.spec.organization_name();
        let gone = after.is_none_or(|after| after.spec.organization_name() != names);
        let waits = self
            .organizations
            .get(names)
            .is_some_and(|o| o.metadata.deletion.is_some());
        if gone && waits {
            self.wake_organization(names);
        }
    }

    pub(super) fn secret_event(&mut self, change: Change<Key, SecretObject>) {
        match change {
            Change::Apply(key, secret) => {
                let known = self.secrets.get(&key);
                if known.is_none_or(|known| known.version <= secret.version) {
                    self.secret_changed(&secret);
                }
            }
            Change::Delete(key, version) => {
                let known = self.secrets.get(&key);
                if known.is_none_or(|known| known.version <= version) {
                    self.secret_gone(&key);
                }
            }
        }
    }

    pub(super) fn secret_list(&mut self, all: &BTreeMap<Key, Arc<SecretObject>>) {
        let known: Vec<Key> = self.secrets.keys().cloned().collect();
        let listed: BTreeMap<_, _> = all.iter().filter(|(_, secret)| secret.is_labelled()).collect();
        for secret in listed.values() {
            self.secret_changed(secret);
        }
        for key in known.iter().filter(|key| !listed.contains_key(*key)) {
            self.secret_gone(key);
        }
    }

    fn secret_changed(&mut self, secret: &Arc<SecretObject>) {
        let label = |secret: &SecretObject| {
            secret
                .labels
                .get(crate::crd::metadata_keys::WORKSPACE_LABEL)
                .cloned()
        };
        let named = label(secret);
        let before = self.secrets.insert(secret.key.clone(), secret.clone());
        let lost = before
            .and_then(|old| label(&old))
            .filter(|old| named.as_ref() != Some(old));
        for workspace in named.into_iter().chain(lost) {
            self.wake(&(secret.key.0.clone(), workspace.into()));
        }
    }

    fn secret_gone(&mut self, key: &Key) {
        let gone = self.secrets.remove(key);
        let label = gone.and_then(|old| {
            old.labels
                .get(crate::crd::metadata_keys::WORKSPACE_LABEL)
                .cloned()
        });
        if let Some(workspace) = label {
            self.wake(&(key.0.clone(), workspace.into()));
        }
    }

    pub(super) fn organization_event(&mut self, change: Change<String, OrganizationObject>) {
        match change {
            Change::Apply(name, object) => {
                let before = self.organizations.insert(name.clone(), object.clone());
                if let Some(before) = before.filter(|before| before.metadata.uid != object.metadata.uid) {
                    self.organization_gone(&before);
                }
                self.wake_organization(&name);
            }
            Change::Delete(name, _) => {
                if let Some(before) = self.organizations.remove(&name) {
                    self.organization_gone(&before);
                }
            }
        }
    }

    pub(super) fn organization_list(&mut self, all: &BTreeMap<String, Arc<OrganizationObject>>) {
        let before = std::mem::replace(&mut self.organizations, all.clone());
        for old in before.values() {
            let stays = self
                .organizations
                .get(&old.name)
                .is_some_and(|now| now.metadata.uid == old.metadata.uid);
            if !stays {
                self.organization_gone(old);
            }
        }
        for name in all.keys() {
            self.wake_organization(name);
        }
    }

    fn organization_gone(&mut self, gone: &OrganizationObject) {
        self.states.remove(&gone.name);
        self.written.forget(&gone.metadata.uid);
        for user in self.users_of(&gone.name) {
            self.wake(&user.key);
        }
    }

    pub(super) fn credential_event(&mut self, change: Change<String, CredentialObject>) {
        let name = match change {
            Change::Apply(name, object) => {
                self.credentials.insert(name.clone(), object);
                name
            }
            Change::Delete(name, _) => {
                self.credentials.remove(&name);
                name
            }
        };
        self.wake_credential_users(Some(&name));
    }

    pub(super) fn credential_list(&mut self, all: &BTreeMap<String, Arc<CredentialObject>>) {
        self.credentials = all.clone();
        self.wake_credential_users(None);
    }

    fn wake_credential_users(&mut self, changed: Option<&str>) {
        let uses = |object: &&Arc<OrganizationObject>| {
            changed.is_none_or(|name| object.spec.credentials_secret_ref.name == name)
        };
        let names: Vec<String> = self
            .organizations
            .values()
            .filter(uses)
            .map(|o| o.name.clone())
            .collect();
        for name in names {
            self.wake_organization(&name);
        }
    }

    // Claims.

    /// Enters the claims of a stored object, and wakes the Workspaces that win by it.
    pub(super) fn observe_claims(&mut self, now: Timestamp, object: &WorkspaceObject) {
        let version = object.metadata.version.to_string();
        let behind = self.written.is_newer_than(&object.metadata.uid, Some(&version));
        let newest = self.workspaces.get(&object.key).is_some_and(|stored| {
            stored.metadata.uid == object.metadata.uid && stored.metadata.version == object.metadata.version
        });
        if !behind && newest {
            let view = self.view(now, object);
            let winners = self
                .claims
                .observe(&view.object.claimant(), view.standing_claims());
            self.wake_all(&winners);
        }
    }

    pub(super) fn wake_users(&mut self, now: Timestamp, name: &str) {
        let users = self.users_of(name);
        for user in &users {
            self.observe_claims(now, user);
        }
        for user in &users {
            self.wake(&user.key);
        }
    }

    /// The time of the process, which no one sets back.
    pub(super) fn time(&self) -> Duration {
        Duration::from_millis(self.age.unsigned_abs())
    }

    pub(super) fn uptime(&self) -> Uptime {
        Uptime::new(self.time())
    }

    /// When it began, by its wall clock of now.
    pub(super) fn began(&self, now: Timestamp) -> Timestamp {
        earlier(now, self.time())
    }

    // The queue.

    /// Enters a due object into its queue.
    pub(super) fn enqueue(&mut self, now: Timestamp, subject: Subject) {
        let age = self.time();
        match &subject {
            Subject::Workspace(key) => {
                let Some(object) = self.workspaces.get(key) else {
                    return;
                };
                let (uid, deletion) = (&object.metadata.uid, object.metadata.deletion());
                let times = self
                    .secrets
                    .get(object.secret_key())
                    .and_then(|secret| secret.times);
                let known = self.states.get(object.spec.organization_name());
                let server_time = known.and_then(|state| state.published.server_time);
                let ahead = server_time.map(|known| known.ahead(earlier(now, age)));
                let times = times.map(|times| times.by_a_clock(ahead));
                let priority = lifecycle::priority::priority(now, uid, deletion, times);
                let organization = object.spec.organization_name().to_owned();
                self.workspace_queue.wake(subject, &organization, priority, age);
            }
            Subject::Organization(name) => {
                let name = name.clone();
                if self.organizations.contains_key(&name) {
                    self.organization_queue.wake(subject, &name, Priority::Other, age);
                }
            }
        }
    }

    /// The next object that may run.
    pub(super) fn take(&mut self) -> Option<Subject> {
        self.organization_queue
            .take()
            .or_else(|| self.workspace_queue.take())
    }

    pub(super) fn done(&mut self, subject: &Subject) {
        match subject {
            Subject::Workspace(_) => self.workspace_queue.done(subject),
            Subject::Organization(_) => self.organization_queue.done(subject),
        }
    }

    /// Wakes those whom their rate limiter calls.
    pub(super) fn call(&mut self, now: Timestamp) {
        let uptime = self.uptime();
        let mut woken = Vec::new();
        let mut back = Vec::new();
        for (name, state) in self.states.iter_mut() {
            if state.limiter.has_come_back() {
                back.push(name.clone());
            }
            if state.limiter.has_paused() {
                woken.push(Subject::Organization(name.clone()));
            }
            let mut called = state.limiter.called(uptime);
            // In the same order each time, as the story is to be.
            called.sort_unstable();
            for uid in called {
                if let Some(key) = self.waits_for_permit.remove(&uid) {
                    state.limiter.woken(&uid);
                    woken.push(Subject::Workspace(key));
                } else if uid == state.uid {
                    state.limiter.woken(&uid);
                    woken.push(Subject::Organization(name.clone()));
                }
            }
        }
        self.woken.extend(woken);
        for name in back {
            self.wake_users(now, &name);
            self.want_list(&name);
        }
    }

    /// How long rate limiters may go unasked. None: no one waits for a permit or a slot.
    pub(super) fn permits_within(&mut self) -> Option<Millis> {
        let now = self.uptime();
        let limiters = self.states.values_mut().map(|state| &mut state.limiter);
        let (mut waits, mut calls) = (false, false);
        for limiter in limiters.filter(|limiter| limiter.waiting() > 0) {
            let held_until = limiter.paused_until(now).or_else(|| limiter.away_until(now));
            waits = true;
            calls |= held_until.is_none_or(|until| until.since(now) <= CALLED_BEFORE);
        }
        if calls {
            return Some(CALL_INTERVAL);
        }
        let due = self.workspace_queue.waiting() + self.organization_queue.waiting();
        (waits || due > 0).then_some(SELDOM)
    }

    // Views.

    pub(super) fn view(&self, now: Timestamp, object: &WorkspaceObject) -> lifecycle::View {
        let facts = object.facts();
        let known = self.organizations.get(object.spec.organization_name());
        let organization = self.organization_facts(object, known);
        let listed = self.listed(object, &organization);
        lifecycle::View {
            now,
            process_began: self.began(now),
            operators: self.operators(),
            declared: object.spec.clone(),
            stored: object.status.clone(),
            claim_result: ClaimResult::default(),
            secrets: self.secrets_around(object),
            listed,
            memory: self.memories.get(&facts.uid).cloned().unwrap_or_default(),
            progress: Default::default(),
            organization,
            object: facts,
        }
        .by_our_clock()
    }

    fn secrets_around(&self, object: &WorkspaceObject) -> Secrets {
        let (uid, target) = (&object.metadata.uid, object.secret_key());
        let facts = |secret: &Arc<SecretObject>| secret.facts(uid, &object.key.1);
        let others = self.secrets.values().filter(|secret| {
            secret.key != *target && secret.key.0 == target.0 && secret.controller.as_ref() == Some(uid)
        });
        Secrets {
            target: self.secrets.get(target).map(facts),
            others: others.map(facts).collect(),
        }
    }

    /// Facts about the Organization of an object, as stored here or read live.
    pub(super) fn organization_facts(
        &self,
        object: &WorkspaceObject,
        stored: Option<&Arc<OrganizationObject>>,
    ) -> OrganizationFacts {
        let name = object.spec.organization_name().to_owned();
        let Some(stored) = stored else {
            return OrganizationFacts::NotFound {
                name,
                searched: HOME.to_owned(),
            };
        };
        let state = self
            .states
            .get(&name)
            .filter(|state| state.uid == stored.metadata.uid);
        let published = state.map_or_else(Published::default, |state| state.published.clone());
        let back_at = state.and_then(|state| state.limiter.back_at());
        OrganizationFacts::Readable(ReadableOrganization {
            access: Access::resolve(
                &stored.spec.access,
                &object.key.0,
                super::namespace_labels(&object.key.0),
            ),
            defaults: stored.spec.defaults.clone().unwrap_or_default(),
            api_url: published
                .endpoint
                .unwrap_or_else(|| stored.spec.endpoint().to_owned()),
            verification: published.verification,
            missing: published.missing,
            revision: published.revision,
            recovered_at: published.recovered_at.max(back_at),
            server_time: published.server_time,
            uid: stored.metadata.uid.clone(),
            name,
        })
    }

    fn listed(&self, object: &WorkspaceObject, organization: &OrganizationFacts) -> Option<ListEntry> {
        let OrganizationFacts::Readable(organization) = organization else {
            return None;
        };
        let id = object.status.workspace_id.as_ref()?;
        let snapshot = &self.states.get(&organization.name)?.snapshot;
        snapshot.on(id).map(ListEntry::from)
    }

    pub(super) fn organization_view(
        &mut self,
        now: Timestamp,
        object: &OrganizationObject,
    ) -> Option<organization::View> {
        let operators = self.operators();
        let users = self.users_of(&object.name);
        let ours = users
            .iter()
            .filter(|user| holding::uses_our_organizations(user.status.operator.as_ref(), &operators));
        let users = ours.count();
        let secret = self.credentials.get(&object.spec.credentials_secret_ref.name);
        let secret_version = secret.map(|secret| secret.version.to_string());
        let process_began = self.began(now);
        let state = self.state_of(&object.name, &object.metadata.uid)?;
        Some(organization::View {
            now,
            process_began,
            operators,
            object: organization::facts::ObjectFacts {
                uid: object.metadata.uid.clone(),
                generation: object.metadata.generation,
                deletion: object.metadata.deletion(),
                finalizer: object.metadata.finalizer(),
                reconcile_at: object.metadata.reconcile_at.clone(),
                confirm_missing: object.confirm_missing,
            },
            declared: object.spec.clone(),
            stored: object.status.clone(),
            secret_version,
            users,
            list_wanted_at: state.list_wanted_at,
            published: state.published.clone(),
            memory: state.memory.clone(),
            progress: Default::default(),
        })
    }

    /// What the objects of an Organization record, each with the object to wake for it.
    pub(super) fn records(&self, now: Timestamp, name: &str) -> (Records, BTreeMap<Uid, Key>) {
        let users = self.users_of(name);
        let is_behind = |user: &&Arc<WorkspaceObject>| {
            let version = user.metadata.version.to_string();
            self.written.is_newer_than(&user.metadata.uid, Some(&version))
        };
        let behind = users.iter().filter(is_behind).count();
        let mut managed = Vec::new();
        let mut keys = BTreeMap::new();
        for user in &users {
            let (Some(id), Some(remote_name)) = (user.recorded(), &user.status.name) else {
                continue;
            };
            if user.is_let_go() {
                continue;
            }
            let uid = user.metadata.uid.clone();
            let confirmed = user.reports_its_loss();
            let memory = self.memories.get(&uid);
            managed.push(Managed {
                id: id.clone(),
                organization_id: user.status.organization_id.clone(),
                name: remote_name.clone(),
                state: user.status.state,
                gone: KnownGone::of(user.metadata.deletion(), confirmed),
                known_at: memory.and_then(|memory| memory.seen_at(now)),
                uid: uid.clone(),
            });
            keys.insert(uid, user.key.clone());
        }
        (Records { managed, behind }, keys)
    }

    pub(super) fn wake_these(&mut self, uids: &BTreeSet<Uid>, recorded: &BTreeMap<Uid, Key>) {
        for key in uids.iter().filter_map(|uid| recorded.get(uid)) {
            self.wake(key);
        }
    }
}

/// That of another release.
pub(super) fn another_operator() -> OperatorId {
    OperatorId::of("elsewhere", "operator")
}

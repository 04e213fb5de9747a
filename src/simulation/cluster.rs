//! The model of Kubernetes: objects as stored, with versions, finalizers and owners. What it stores goes to the watches.

use std::collections::BTreeMap;
use std::mem::swap;
use std::sync::Arc;

use jiff::Timestamp;

use super::feed::{Change, Feed};
use super::history::Admission;
use super::{Millis, wall};
use crate::crd::metadata_keys::WORKSPACE_LABEL;
use crate::crd::organization::{OrganizationSpec, OrganizationStatus};
use crate::crd::workspace::{WorkspaceSpec, WorkspaceStatus};
use crate::domain::ids::{Uid, WorkspaceId};
use crate::domain::object::{Deletion, Finalizer};
use crate::lifecycle::effect::ObjectState;
use crate::lifecycle::facts::{Content, Kept, ObjectFacts, Ownership, Patchable, SecretFacts};
use crate::lifecycle::schedule::TokenTimes;

/// Namespace and name.
pub(super) type Key = (Arc<str>, Arc<str>);

/// What both kinds have.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    pub(super) uid: Uid,
    pub(super) version: u64,
    pub(super) generation: i64,
    pub(super) created: Timestamp,
    pub(super) deletion: Option<Millis>,
    /// Our finalizer.
    pub(super) held: bool,
    /// A finalizer of others.
    pub(super) held_by_others: bool,
    pub(super) reconcile_at: Option<String>,
}

impl Metadata {
    pub(super) fn finalizer(&self) -> Finalizer {
        if self.held {
            Finalizer::Present
        } else {
            Finalizer::Absent
        }
    }

    pub(super) fn deletion(&self) -> Deletion {
        match self.deletion {
            Some(_) => Deletion::Requested,
            None => Deletion::NotRequested,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct WorkspaceObject {
    pub(super) key: Key,
    pub(super) metadata: Metadata,
    pub(super) recreate: Option<WorkspaceId>,
    pub(super) spec: WorkspaceSpec,
    pub(super) status: WorkspaceStatus,
    /// The declared token Secret, as of the last write. It is asked for at every instant.
    secret: Key,
}

impl WorkspaceObject {
    pub(super) fn new(key: Key, metadata: Metadata, spec: WorkspaceSpec, status: WorkspaceStatus) -> Self {
        let secret = secret_of(&key, &spec);
        Self {
            key,
            metadata,
            recreate: None,
            spec,
            status,
            secret,
        }
    }

    pub(super) fn facts(&self) -> ObjectFacts {
        ObjectFacts {
            uid: self.metadata.uid.clone(),
            namespace: self.key.0.to_string(),
            name: self.key.1.to_string(),
            created: self.metadata.created,
            generation: self.metadata.generation,
            deletion: self.metadata.deletion(),
            finalizer: self.metadata.finalizer(),
            reconcile_at: self.metadata.reconcile_at.clone(),
            recreate: self.recreate.clone(),
        }
    }

    pub(super) fn state(&self) -> ObjectState {
        ObjectState {
            object: self.facts(),
            declared: self.spec.clone(),
            stored: self.status.clone(),
            organization: None,
        }
    }

    /// The recorded workspace, if the record was made for this object.
    pub(super) fn recorded(&self) -> Option<&WorkspaceId> {
        let bound = self.status.uid.as_ref() == Some(&self.metadata.uid);
        self.status.workspace_id.as_ref().filter(|_| bound)
    }

    /// Nothing is done any more for an object without our finalizer.
    pub(super) fn is_let_go(&self) -> bool {
        self.metadata.deletion.is_some() && !self.metadata.held
    }

    pub(super) fn reports_its_loss(&self) -> bool {
        let missing = self.status.missing.as_ref();
        missing.is_some_and(|missing| missing.confirmed)
    }

    pub(super) fn secret_key(&self) -> &Key {
        &self.secret
    }
}

fn secret_of(key: &Key, spec: &WorkspaceSpec) -> Key {
    (key.0.clone(), spec.token_secret_name(&key.1).into())
}

/// A token Secret. The token is known by its number.
#[derive(Clone, Debug)]
pub(super) struct SecretObject {
    pub(super) key: Key,
    pub(super) version: u64,
    pub(super) controller: Option<Uid>,
    pub(super) content: Content,
    pub(super) times: Option<TokenTimes>,
    pub(super) token: Option<u64>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) decoration_mark: Option<u64>,
    pub(super) immutable: bool,
}

/// The label and the annotation that objects declare for their Secrets.
pub(super) const DECLARED_LABEL: &str = "tier";
pub(super) const DECLARED_ANNOTATION: &str = "note";

impl SecretObject {
    /// As an admission policy lets it through.
    fn admitted(&mut self, admission: Admission) {
        match admission {
            Admission::Nothing => {}
            Admission::Annotates => {
                self.annotations.insert("policy".to_owned(), "on".to_owned());
            }
            Admission::Overrides => {
                self.labels.insert(DECLARED_LABEL.to_owned(), "policy".to_owned());
            }
            Admission::Drops => {
                self.annotations.remove(DECLARED_ANNOTATION);
            }
            Admission::Freezes => self.immutable = true,
            Admission::Rewrites => {
                if let Content::Whole(content) = &mut self.content {
                    content.workspace_name = "rewritten".into();
                }
            }
        }
    }

    /// As one Workspace sees it.
    pub(super) fn facts(&self, uid: &Uid, workspace: &str) -> SecretFacts {
        let labelled_for = self.labels.get(WORKSPACE_LABEL).map(String::as_str);
        SecretFacts {
            name: self.key.1.to_string(),
            resource_version: self.version.to_string(),
            ownership: match &self.controller {
                Some(owner) if owner == uid => Ownership::Ours,
                None if labelled_for == Some(workspace) => Ownership::Orphaned,
                Some(_) | None => Ownership::Foreign,
            },
            content: self.content.clone(),
            times: self.times,
            patchable: if self.immutable {
                Patchable::No
            } else {
                Patchable::Yes
            },
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
            kept: Kept::All,
            decoration_mark: self.decoration_mark,
        }
    }

    /// Whether the watch of our label shows it.
    pub(super) fn is_labelled(&self) -> bool {
        self.labels.contains_key(WORKSPACE_LABEL)
    }
}

#[derive(Clone, Debug)]
pub(super) struct OrganizationObject {
    pub(super) name: String,
    pub(super) metadata: Metadata,
    pub(super) confirm_missing: Option<usize>,
    pub(super) spec: OrganizationSpec,
    pub(super) status: OrganizationStatus,
}

/// A credential Secret, and the organization that its content opens.
#[derive(Clone, Debug)]
pub(super) struct CredentialObject {
    pub(super) version: u64,
    pub(super) opens: usize,
}

/// How a write ended.
#[derive(Debug)]
pub(super) enum Write<T> {
    Stored(Arc<T>),
    /// The write let the object go.
    Removed,
    Conflict,
    NotFound,
}

/// The watches of one process.
#[derive(Debug)]
pub(super) struct Feeds {
    workspaces: Feed<Key, WorkspaceObject>,
    secrets: Feed<Key, SecretObject>,
    organizations: Feed<String, OrganizationObject>,
    credentials: Feed<String, CredentialObject>,
    /// Somebody watches.
    pub(super) listens: bool,
    look_at: Vec<Millis>,
}

impl Feeds {
    pub(super) fn new(lag: Millis) -> Self {
        Self {
            workspaces: Feed::new(lag),
            secrets: Feed::new(lag),
            organizations: Feed::new(lag),
            credentials: Feed::new(lag),
            listens: false,
            look_at: Vec::new(),
        }
    }
}

/// What is stored, and the watches of it.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) workspaces: BTreeMap<Key, Arc<WorkspaceObject>>,
    pub(super) secrets: BTreeMap<Key, Arc<SecretObject>>,
    pub(super) organizations: BTreeMap<String, Arc<OrganizationObject>>,
    pub(super) credentials: BTreeMap<String, Arc<CredentialObject>>,
    pub(super) workspace_feed: Feed<Key, WorkspaceObject>,
    pub(super) secret_feed: Feed<Key, SecretObject>,
    pub(super) organization_feed: Feed<String, OrganizationObject>,
    pub(super) credential_feed: Feed<String, CredentialObject>,
    /// The watches of other processes, by their number.
    pub(super) elsewhere: Vec<Feeds>,
    pub(super) definition_goes: bool,
    /// What a policy does to Secrets that are written.
    pub(super) admission: Admission,
    /// When to look at the feeds, since this was taken last.
    pub(super) look_at: Vec<Millis>,
    versions: u64,
    uids: usize,
}

impl Cluster {
    pub(super) fn new(lag: Millis) -> Self {
        Self {
            workspaces: BTreeMap::new(),
            secrets: BTreeMap::new(),
            organizations: BTreeMap::new(),
            credentials: BTreeMap::new(),
            workspace_feed: Feed::new(lag),
            secret_feed: Feed::new(lag),
            organization_feed: Feed::new(lag),
            credential_feed: Feed::new(lag),
            elsewhere: Vec::new(),
            definition_goes: false,
            admission: Admission::default(),
            look_at: Vec::new(),
            versions: 0,
            uids: 0,
        }
    }

    fn show_workspace(&mut self, now: Millis, change: Change<Key, WorkspaceObject>) {
        for feeds in self.elsewhere.iter_mut().filter(|feeds| feeds.listens) {
            feeds.look_at.push(feeds.workspaces.send(now, change.clone()));
        }
        self.look_at.push(self.workspace_feed.send(now, change));
    }

    fn show_secret(&mut self, now: Millis, change: Change<Key, SecretObject>) {
        for feeds in self.elsewhere.iter_mut().filter(|feeds| feeds.listens) {
            feeds.look_at.push(feeds.secrets.send(now, change.clone()));
        }
        self.look_at.push(self.secret_feed.send(now, change));
    }

    fn show_organization(&mut self, now: Millis, change: Change<String, OrganizationObject>) {
        for feeds in self.elsewhere.iter_mut().filter(|feeds| feeds.listens) {
            feeds.look_at.push(feeds.organizations.send(now, change.clone()));
        }
        self.look_at.push(self.organization_feed.send(now, change));
    }

    fn show_credential(&mut self, now: Millis, change: Change<String, CredentialObject>) {
        for feeds in self.elsewhere.iter_mut().filter(|feeds| feeds.listens) {
            feeds.look_at.push(feeds.credentials.send(now, change.clone()));
        }
        self.look_at.push(self.credential_feed.send(now, change));
    }

    /// The watches of another process take the place of those here, and the other way round.
    pub(super) fn exchange_feeds(&mut self, which: usize) {
        let Some(feeds) = self.elsewhere.get_mut(which) else {
            return;
        };
        swap(&mut self.workspace_feed, &mut feeds.workspaces);
        swap(&mut self.secret_feed, &mut feeds.secrets);
        swap(&mut self.organization_feed, &mut feeds.organizations);
        swap(&mut self.credential_feed, &mut feeds.credentials);
    }

    /// When to look at the watches of other processes, since this was taken last.
    pub(super) fn look_elsewhere(&mut self) -> Vec<(usize, Millis)> {
        let feeds = self.elsewhere.iter_mut().enumerate();
        feeds
            .flat_map(|(which, feeds)| feeds.look_at.drain(..).map(move |at| (which, at)))
            .collect()
    }

    /// All watches begin with a list then.
    pub(super) fn list_at(&mut self, at: Millis) {
        self.workspace_feed.dead_until = Some(at);
        self.secret_feed.dead_until = Some(at);
        self.organization_feed.dead_until = Some(at);
        self.credential_feed.dead_until = Some(at);
    }

    /// All have begun.
    pub(super) fn is_listed(&self) -> bool {
        self.workspace_feed.dead_until.is_none()
            && self.secret_feed.dead_until.is_none()
            && self.organization_feed.dead_until.is_none()
            && self.credential_feed.dead_until.is_none()
    }

    pub(super) fn version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    pub(super) fn metadata(&mut self, now: Millis) -> Metadata {
        self.uids += 1;
        Metadata {
            uid: Uid::new(format!("uid-{}", self.uids)),
            version: self.version(),
            generation: 1,
            created: wall(now - now.rem_euclid(1000)),
            deletion: None,
            held: false,
            held_by_others: false,
            reconcile_at: None,
        }
    }

    /// Stores a Workspace, or removes it where nothing holds it.
    pub(super) fn put_workspace(
        &mut self,
        now: Millis,
        mut object: WorkspaceObject,
    ) -> Write<WorkspaceObject> {
        object.metadata.version = self.version();
        object.secret = secret_of(&object.key, &object.spec);
        let key = object.key.clone();
        let metadata = &object.metadata;
        if metadata.deletion.is_some() && !metadata.held && !metadata.held_by_others {
            self.workspaces.remove(&key);
            self.show_workspace(now, Change::Delete(key, object.metadata.version));
            self.collect_garbage(now, &object.metadata.uid);
            return Write::Removed;
        }
        let object = Arc::new(object);
        self.workspaces.insert(key.clone(), object.clone());
        self.show_workspace(now, Change::Apply(key, object.clone()));
        Write::Stored(object)
    }

    /// A patch with the version that it was decided on.
    pub(super) fn patch_workspace(
        &mut self,
        now: Millis,
        key: &Key,
        version: u64,
        how: impl FnOnce(&mut WorkspaceObject),
    ) -> Write<WorkspaceObject> {
        let Some(stored) = self.workspaces.get(key) else {
            return Write::NotFound;
        };
        if stored.metadata.version != version {
            return Write::Conflict;
        }
        let mut object = (**stored).clone();
        how(&mut object);
        self.put_workspace(now, object)
    }

    /// As users do: a change of the spec is a new generation.
    pub(super) fn edit_workspace(&mut self, now: Millis, key: &Key, how: impl FnOnce(&mut WorkspaceObject)) {
        if let Some(stored) = self.workspaces.get(key) {
            let mut object = (**stored).clone();
            how(&mut object);
            let deleted = object.metadata.deletion != stored.metadata.deletion;
            if object.spec != stored.spec || deleted {
                object.metadata.generation += 1;
            }
            self.put_workspace(now, object);
        }
    }

    pub(super) fn put_secret(&mut self, now: Millis, mut secret: SecretObject) -> Arc<SecretObject> {
        secret.version = self.version();
        secret.admitted(self.admission);
        let secret = Arc::new(secret);
        let key = secret.key.clone();
        self.secrets.insert(key.clone(), secret.clone());
        // The watch is one of our label: a Secret without it is as good as deleted.
        let change = if secret.is_labelled() {
            Change::Apply(key, secret.clone())
        } else {
            Change::Delete(key, secret.version)
        };
        self.show_secret(now, change);
        secret
    }

    pub(super) fn remove_secret(&mut self, now: Millis, key: &Key) {
        if self.secrets.remove(key).is_some() {
            let version = self.version();
            self.show_secret(now, Change::Delete(key.clone(), version));
        }
    }

    /// Secrets go with their owner.
    fn collect_garbage(&mut self, now: Millis, owner: &Uid) {
        let owned = self
            .secrets
            .values()
            .filter(|secret| secret.controller.as_ref() == Some(owner));
        let keys: Vec<Key> = owned.map(|secret| secret.key.clone()).collect();
        for key in keys {
            self.remove_secret(now, &key);
        }
    }

    pub(super) fn put_organization(
        &mut self,
        now: Millis,
        mut object: OrganizationObject,
    ) -> Write<OrganizationObject> {
        object.metadata.version = self.version();
        let name = object.name.clone();
        if object.metadata.deletion.is_some() && !object.metadata.held {
            self.organizations.remove(&name);
            self.show_organization(now, Change::Delete(name, object.metadata.version));
            return Write::Removed;
        }
        let object = Arc::new(object);
        self.organizations.insert(name.clone(), object.clone());
        self.show_organization(now, Change::Apply(name, object.clone()));
        Write::Stored(object)
    }

    pub(super) fn patch_organization(
        &mut self,
        now: Millis,
        name: &str,
        version: u64,
        how: impl FnOnce(&mut OrganizationObject),
    ) -> Write<OrganizationObject> {
        let Some(stored) = self.organizations.get(name) else {
            return Write::NotFound;
        };
        if stored.metadata.version != version {
            return Write::Conflict;
        }
        let mut object = (**stored).clone();
        how(&mut object);
        self.put_organization(now, object)
    }

    /// As administrators do.
    pub(super) fn edit_organization(
        &mut self,
        now: Millis,
        name: &str,
        how: impl FnOnce(&mut OrganizationObject),
    ) {
        if let Some(stored) = self.organizations.get(name) {
            let mut object = (**stored).clone();
            how(&mut object);
            if object.spec != stored.spec || object.metadata.deletion != stored.metadata.deletion {
                object.metadata.generation += 1;
            }
            self.put_organization(now, object);
        }
    }

    pub(super) fn remove_credential(&mut self, now: Millis, name: &str) {
        if self.credentials.remove(name).is_some() {
            let change = Change::Delete(name.to_owned(), self.version());
            self.show_credential(now, change);
        }
    }

    pub(super) fn put_credential(&mut self, now: Millis, name: &str, opens: usize) {
        let object = Arc::new(CredentialObject {
            version: self.version(),
            opens,
        });
        self.credentials.insert(name.to_owned(), object.clone());
        self.show_credential(now, Change::Apply(name.to_owned(), object));
    }
}

//! What all reconciles share: stores, queues, and the plain values that they race for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::channel::mpsc;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::ResourceExt;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store, store::Writer};

use tokio::time::Instant;

use super::others::Others;
use super::own_writes::OwnWrites;
use super::secret_index::SecretIndex;
use super::watch::ears::Ears;
use crate::admin::AdminState;
use crate::clock::Clock;
use crate::crd::{AnyOrganization, AnyWorkspace, Organization, Workspace};
use crate::domain::ids::{OperatorId, Uid};
use crate::domain::operators::Operators;
use crate::domain::time::{Uptime, earlier};
use crate::engine;
use crate::leadership::Fence;
use crate::lifecycle::Memory;
use crate::limits::RateLimiter;
use crate::organization::{self, Published, Snapshot};
use crate::settings::Settings;
use crate::tenancy::{Claimant, Claims, holding};

/// Shared by all reconciles.
pub struct Context {
    pub(super) client: kube::Client,
    pub(super) settings: Settings,
    pub(super) admin: AdminState,
    pub(super) clock: Clock,
    began: Instant,
    /// This operator, as others know it.
    ours: OperatorId,
    /// Until when this process may act.
    pub(super) fence: Fence,
    pub(super) workspaces: Store<AnyWorkspace>,
    pub(super) organizations: Store<AnyOrganization>,
    pub(super) namespaces: Store<PartialObjectMeta<Namespace>>,
    pub(super) credentials: Store<PartialObjectMeta<Secret>>,
    wake_workspace: mpsc::UnboundedSender<ObjectRef<AnyWorkspace>>,
    wake_organization: mpsc::UnboundedSender<ObjectRef<AnyOrganization>>,
    shared: Mutex<Shared>,
}

/// Plain values under one lock, which is never held across an await.
pub(super) struct Shared {
    pub(super) claims: Claims,
    pub(super) secrets: SecretIndex,
    pub(super) memories: HashMap<Uid, Memory>,
    pub(super) written: OwnWrites,
    pub(super) ears: Ears,
    pub(super) others: Others,
    /// The Workspaces whose reconcile gave way until a permit is near.
    pub(super) waits_for_permit: HashMap<Uid, ObjectRef<AnyWorkspace>>,
    pub(super) organizations: HashMap<String, OrganizationState>,
}

/// What the process knows of one incarnation of an Organization.
pub(super) struct OrganizationState {
    pub(super) uid: Uid,
    /// Changes together with `published`.
    pub(super) engine: Option<engine::Client>,
    pub(super) published: Published,
    pub(super) limiter: RateLimiter,
    pub(super) snapshot: Arc<Snapshot>,
    /// When a Workspace's reconcile last asked for a list before its time.
    pub(super) list_wanted_at: Option<Uptime>,
    pub(super) memory: organization::Memory,
}

impl OrganizationState {
    pub(super) fn of(uid: Uid) -> Self {
        Self {
            uid,
            engine: None,
            published: Published::default(),
            limiter: RateLimiter::default(),
            snapshot: Arc::default(),
            list_wanted_at: None,
            memory: organization::Memory::default(),
        }
    }
}

/// The objects that wait for a reconcile.
pub(super) struct Queues {
    pub(super) workspaces: mpsc::UnboundedReceiver<ObjectRef<AnyWorkspace>>,
    pub(super) organizations: mpsc::UnboundedReceiver<ObjectRef<AnyOrganization>>,
}

/// The writing ends of the stores.
pub(super) struct Writers {
    pub(super) workspaces: Writer<AnyWorkspace>,
    pub(super) organizations: Writer<AnyOrganization>,
    pub(super) namespaces: Writer<PartialObjectMeta<Namespace>>,
    pub(super) credentials: Writer<PartialObjectMeta<Secret>>,
}

impl Context {
    pub(super) fn new(
        client: kube::Client,
        settings: Settings,
        admin: AdminState,
    ) -> (Self, Queues, Writers) {
        let writers = Writers {
            workspaces: Writer::default(),
            organizations: Writer::default(),
            namespaces: Writer::default(),
            credentials: Writer::default(),
        };
        let (wake_workspace, workspaces) = mpsc::unbounded();
        let (wake_organization, organizations) = mpsc::unbounded();
        let context = Self {
            ours: OperatorId::of(&settings.operator_namespace, &settings.lease.name),
            client,
            settings,
            admin,
            clock: Clock::system(),
            began: Instant::now(),
            fence: Fence::unfenced(),
            workspaces: writers.workspaces.as_reader(),
            organizations: writers.organizations.as_reader(),
            namespaces: writers.namespaces.as_reader(),
            credentials: writers.credentials.as_reader(),
            wake_workspace,
            wake_organization,
            shared: Mutex::new(Shared::new()),
        };
        (
            context,
            Queues {
                workspaces,
                organizations,
            },
            writers,
        )
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// For how long this process runs, by its own monotonic time.
    pub(super) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Now, by the time of the process.
    pub(super) fn uptime(&self) -> Uptime {
        Uptime::new(self.age())
    }

    /// This operator, and which others are gone.
    pub(super) fn operators(&self) -> Operators {
        Operators {
            ours: self.ours.clone(),
            gone: self.shared().others.gone(),
        }
    }

    /// Now, and when this process began, both as the wall clock is set now. It is read once: it may be set at any time.
    pub(super) fn now_and_beginning(&self) -> (Timestamp, Timestamp) {
        let now = self.now();
        (now, earlier(now, self.age()))
    }

    /// Nothing under this lock panics half way, so a poisoned lock still holds sound values.
    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a reconcile of a Workspace. A closed queue belongs to a process that ends.
    pub(super) fn wake(&self, workspace: ObjectRef<AnyWorkspace>) {
        let _ = self.wake_workspace.unbounded_send(workspace);
    }

    pub(super) fn wake_all(&self, claimants: &[Claimant]) {
        for claimant in claimants {
            self.wake(ObjectRef::new(&claimant.name).within(&claimant.namespace));
        }
    }

    pub(super) fn wake_organization(&self, name: &str) {
        let _ = self
            .wake_organization
            .unbounded_send(ObjectRef::new(name).within(&self.settings.operator_namespace));
    }

    /// Asks for another list of an Organization's workspaces, before its time.
    pub(super) fn want_list(&self, organization: &str) {
        if let Some(state) = self.shared().organizations.get_mut(organization) {
            state.list_wanted_at = Some(self.uptime());
        }
        self.wake_organization(organization);
    }

    /// The Organization of that name, in the one namespace that Organizations are read from.
    pub(super) fn organization(&self, name: &str) -> Option<Arc<AnyOrganization>> {
        self.organizations
            .get(&ObjectRef::new(name).within(&self.settings.operator_namespace))
    }

    /// The state of this incarnation, empty at first. None if the store has another incarnation by now.
    pub(super) fn state_of<'a>(
        &self,
        shared: &'a mut Shared,
        organization: &Organization,
    ) -> Option<&'a mut OrganizationState> {
        let name = organization.name_any();
        let uid = organization.uid()?;
        if self.organization(&name)?.uid().as_ref() != Some(&uid) {
            return None;
        }
        let uid = Uid::new(uid);
        let state = shared
            .organizations
            .entry(name)
            .or_insert_with(|| OrganizationState::of(uid.clone()));
        // The handler that forgets the incarnation before may not have run yet.
        if state.uid != uid {
            *state = OrganizationState::of(uid);
        }
        Some(state)
    }

    /// Whether the store still has this incarnation. Asked under the lock of the shared values, the answer holds until the
    /// lock is released: an object leaves the store first, and is forgotten under that lock afterwards.
    pub(super) fn is_stored(&self, workspace: &Workspace) -> bool {
        self.stored(workspace)
            .is_some_and(|stored| stored.uid() == workspace.uid())
    }

    /// As [`Context::is_stored`], in this version.
    pub(super) fn is_newest(&self, workspace: &Workspace) -> bool {
        self.stored(workspace).is_some_and(|stored| {
            stored.uid() == workspace.uid() && stored.resource_version() == workspace.resource_version()
        })
    }

    fn stored(&self, workspace: &Workspace) -> Option<Arc<AnyWorkspace>> {
        let namespace = workspace.namespace().unwrap_or_default();
        self.workspaces
            .get(&ObjectRef::new(&workspace.name_any()).within(&namespace))
    }

    /// How many Workspaces hold an Organization: those that name it, or may, and that no operator serves with one of its own.
    pub(super) fn count_users(&self, organization: &str) -> usize {
        let operators = self.operators();
        let uses =
            |workspace: &&Arc<AnyWorkspace>| holding::uses_our_organizations(workspace.holder(), &operators);
        self.users_of(organization).iter().filter(uses).count()
    }

    /// The Workspaces that name an Organization, or may: of some that cannot be decoded, not even that is known. Walks all
    /// Workspaces: for changes of the Organization only.
    pub(super) fn users_of(&self, organization: &str) -> Vec<Arc<AnyWorkspace>> {
        self.workspaces
            .state_filter(|workspace| workspace.may_use(organization))
    }
}

impl Shared {
    fn new() -> Self {
        Self {
            claims: Claims::default(),
            secrets: SecretIndex::default(),
            memories: HashMap::new(),
            written: OwnWrites::default(),
            ears: Ears::default(),
            others: Others::default(),
            waits_for_permit: HashMap::new(),
            organizations: HashMap::new(),
        }
    }

    pub(super) fn forget(&mut self, uid: &Uid) -> Vec<Claimant> {
        self.memories.remove(uid);
        self.written.forget(uid);
        self.waits_for_permit.remove(uid);
        for organization in self.organizations.values_mut() {
            organization.limiter.forget(uid);
        }
        self.claims.forget(uid)
    }
}

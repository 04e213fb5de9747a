//! Handles the events of each watch: feeds the store or index, and wakes the objects that the change concerns.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store, store::Writer};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use crate::controller::context::Context;
use crate::controller::reduced_secret::ReducedSecret;
use crate::controller::workspaces::claims::observe_claims;
use crate::crd::{AnyOrganization, AnyWorkspace};
use crate::domain::ids::Uid;

/// Handles the events of one kind.
pub(super) trait EventHandler<K>: Send + 'static {
    fn handle(&mut self, context: &Context, event: Event<K>);
}

pub(super) struct Workspaces(pub(super) Writer<AnyWorkspace>);

impl EventHandler<AnyWorkspace> for Workspaces {
    fn handle(&mut self, context: &Context, event: Event<AnyWorkspace>) {
        let store = self.0.as_reader();
        match &event {
            Event::Init | Event::InitApply(_) => self.0.apply_watcher_event(&event),
            Event::InitDone => {
                let before = store.state();
                self.0.apply_watcher_event(&event);
                for old in &before {
                    workspace_replaced(context, old, store.get(&ObjectRef::from_obj(&**old)).as_deref());
                }
                for workspace in store.state() {
                    workspace_changed(context, &workspace);
                }
            }
            Event::Apply(workspace) => {
                let before = store.get(&ObjectRef::from_obj(workspace));
                self.0.apply_watcher_event(&event);
                if let Some(before) = before {
                    workspace_replaced(context, &before, Some(workspace));
                }
                workspace_changed(context, workspace);
            }
            Event::Delete(workspace) => {
                self.0.apply_watcher_event(&event);
                workspace_replaced(context, workspace, None);
            }
        }
    }
}

fn workspace_changed(context: &Context, workspace: &AnyWorkspace) {
    observe_claims(context, workspace);
    context.wake(ObjectRef::from_obj(workspace));
}

/// The object under this name is gone, has changed, or is another incarnation.
fn workspace_replaced(context: &Context, before: &AnyWorkspace, now: Option<&AnyWorkspace>) {
    let stays = now.is_some_and(|now| now.uid() == before.uid());
    if let Some(uid) = before.uid().filter(|_| !stays) {
        let winners = context.shared().forget(&Uid::new(uid));
        context.wake_all(&winners);
    }
    // An object that could not be decoded may have named any Organization.
    let may_go = |organization: &AnyOrganization| {
        let name = organization.name_any();
        organization.meta().deletion_timestamp.is_some()
            && before.may_use(&name)
            && now.is_none_or(|now| !now.may_use(&name))
    };
    for organization in context.organizations.state_filter(may_go) {
        context.wake_organization(&organization.name_any());
    }
}

/// Token Secrets come reduced, so no token stays in memory.
#[derive(Default)]
pub(super) struct Secrets {
    listing: Option<BTreeSet<(String, String)>>,
}

impl EventHandler<ReducedSecret> for Secrets {
    fn handle(&mut self, context: &Context, event: Event<ReducedSecret>) {
        match event {
            Event::Init => self.listing = Some(BTreeSet::new()),
            Event::InitApply(kept) => {
                self.listing
                    .get_or_insert_default()
                    .insert((kept.namespace.clone(), kept.name.clone()));
                secret_changed(context, kept);
            }
            Event::InitDone => {
                let listed = self.listing.take().unwrap_or_default();
                let known = context.shared().secrets.keys(None);
                for key in known.difference(&listed) {
                    secret_gone(context, key);
                }
            }
            // Our own last write is known already.
            Event::Apply(kept) | Event::Delete(kept) if context.shared().secrets.is_ahead_of(&kept) => {}
            Event::Apply(kept) => secret_changed(context, kept),
            Event::Delete(kept) => secret_gone(context, &(kept.namespace, kept.name)),
        }
    }
}

fn secret_changed(context: &Context, kept: ReducedSecret) {
    let named = kept.labelled_for.clone();
    let namespace = kept.namespace.clone();
    let named_before = context
        .shared()
        .secrets
        .put(kept)
        .and_then(|old| old.labelled_for);
    // A Workspace that the label named before puts the label back.
    let lost = named_before.filter(|before| named.as_ref() != Some(before));
    for workspace in named.into_iter().chain(lost) {
        context.wake(ObjectRef::new(&workspace).within(&namespace));
    }
}

fn secret_gone(context: &Context, key: &(String, String)) {
    let gone = context.shared().secrets.remove(key);
    if let Some(workspace) = gone.and_then(|kept| kept.labelled_for) {
        context.wake(ObjectRef::new(&workspace).within(&key.0));
    }
}

pub(super) struct Organizations(pub(super) Writer<AnyOrganization>);

impl EventHandler<AnyOrganization> for Organizations {
    fn handle(&mut self, context: &Context, event: Event<AnyOrganization>) {
        let store = self.0.as_reader();
        let before: Vec<_> = match &event {
            Event::InitDone => store.state(),
            Event::Apply(now) => store.get(&ObjectRef::from_obj(now)).into_iter().collect(),
            Event::Init | Event::InitApply(_) | Event::Delete(_) => Vec::new(),
        };
        self.0.apply_watcher_event(&event);
        // Another incarnation under the same name is another Organization.
        for gone in before.iter().filter(|old| !is_in(&store, old)) {
            organization_gone(context, gone);
        }
        match event {
            Event::Init | Event::InitApply(_) => {}
            Event::InitDone => {
                for organization in store.state() {
                    context.wake_organization(&organization.name_any());
                }
            }
            Event::Apply(organization) => context.wake_organization(&organization.name_any()),
            Event::Delete(organization) => organization_gone(context, &organization),
        }
    }
}

/// Whether this incarnation is still stored.
fn is_in(store: &Store<AnyOrganization>, organization: &AnyOrganization) -> bool {
    store
        .get(&ObjectRef::from_obj(organization))
        .is_some_and(|now| now.uid() == organization.uid())
}

fn organization_gone(context: &Context, gone: &AnyOrganization) {
    let name = gone.name_any();
    {
        let mut shared = context.shared();
        shared.organizations.remove(&name);
        shared.written.forget(&Uid::new(gone.uid().unwrap_or_default()));
    }
    for workspace in context.users_of(&name) {
        context.wake(ObjectRef::from_obj(&*workspace));
    }
}

/// Sees only that a Secret changed; its content is read when a client is made.
pub(super) struct Credentials(pub(super) Writer<PartialObjectMeta<Secret>>);

impl EventHandler<PartialObjectMeta<Secret>> for Credentials {
    fn handle(&mut self, context: &Context, event: Event<PartialObjectMeta<Secret>>) {
        self.0.apply_watcher_event(&event);
        let changed = match &event {
            Event::Apply(secret) | Event::Delete(secret) => Some(secret.name_any()),
            // A list does not tell which Secrets changed while the watch was down.
            Event::InitDone => None,
            Event::Init | Event::InitApply(_) => return,
        };
        let concerned = |organization: &AnyOrganization| {
            organization.whole().is_some_and(|o| {
                changed
                    .as_ref()
                    .is_none_or(|name| o.spec.credentials_secret_ref.name == *name)
            })
        };
        for organization in context.organizations.state_filter(concerned) {
            context.wake_organization(&organization.name_any());
        }
    }
}

pub(super) struct Namespaces(pub(super) Writer<PartialObjectMeta<Namespace>>);

impl EventHandler<PartialObjectMeta<Namespace>> for Namespaces {
    fn handle(&mut self, context: &Context, event: Event<PartialObjectMeta<Namespace>>) {
        let store = self.0.as_reader();
        let changed = match &event {
            Event::Init | Event::InitApply(_) | Event::Delete(_) => {
                self.0.apply_watcher_event(&event);
                return;
            }
            Event::Apply(namespace) => {
                let before = store.get(&ObjectRef::from_obj(namespace));
                self.0.apply_watcher_event(&event);
                relabelled(before.as_deref(), namespace)
            }
            Event::InitDone => {
                let before = store.state();
                self.0.apply_watcher_event(&event);
                let known: HashMap<_, _> = before.iter().map(|old| (old.name_any(), old)).collect();
                store
                    .state()
                    .iter()
                    .flat_map(|now| relabelled(known.get(&now.name_any()).map(|old| &***old), now))
                    .collect()
            }
        };
        let concerned = |workspace: &AnyWorkspace| {
            workspace
                .namespace()
                .is_some_and(|namespace| changed.contains(&namespace))
        };
        if !changed.is_empty() {
            for workspace in context.workspaces.state_filter(concerned) {
                workspace_changed(context, &workspace);
            }
        }
    }
}

/// The namespace's name, if its labels changed. A namespace that was not known had none: its Workspaces may have been seen
/// before it.
fn relabelled(
    before: Option<&PartialObjectMeta<Namespace>>,
    now: &PartialObjectMeta<Namespace>,
) -> BTreeSet<String> {
    let none = BTreeMap::new();
    let labels = before.map_or(&none, |namespace| namespace.labels());
    (labels != now.labels())
        .then(|| now.name_any())
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests;

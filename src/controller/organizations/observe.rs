//! From stores to a view: gathers the facts about one Organization. Judges nothing.

use std::collections::HashMap;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::controller::context::Context;
use crate::controller::metadata::{deletion, finalizer, reconcile_request};
use crate::crd::{AnyWorkspace, Organization, metadata_keys};
use crate::domain::ids::Uid;
use crate::domain::object::{Deletion, Finalizer};
use crate::organization::effect::Records;
use crate::organization::facts::ObjectFacts;
use crate::organization::snapshot::KnownGone;
use crate::organization::{Managed, View};

/// All facts about an Organization that stores and memory hold. None if the store has another incarnation by now.
pub(super) fn view(context: &Context, organization: &Organization) -> Option<View> {
    let users = context.count_users(&organization.name_any());
    let operators = context.operators();
    let (now, process_began) = context.now_and_beginning();
    let mut shared = context.shared();
    let state = context.state_of(&mut shared, organization)?;
    Some(View {
        now,
        process_began,
        operators,
        object: object(organization),
        declared: organization.spec.clone(),
        stored: organization.status.clone().unwrap_or_default(),
        secret_version: secret_version(context, organization),
        users,
        list_wanted_at: state.list_wanted_at,
        published: state.published.clone(),
        memory: state.memory.clone(),
        progress: Default::default(),
    })
}

/// What the objects that name an Organization record of their workspaces, each with the object to wake for it.
pub(super) fn records(
    context: &Context,
    organization: &Organization,
) -> (Records, HashMap<Uid, ObjectRef<AnyWorkspace>>) {
    let users = context.users_of(&organization.name_any());
    let now = context.now();
    let shared = context.shared();
    let behind = users.iter().filter(|user| {
        let uid = Uid::new(user.uid().unwrap_or_default());
        shared
            .written
            .is_newer_than(&uid, user.resource_version().as_deref())
    });
    let behind = behind.count();
    let recorded = |workspace: &AnyWorkspace| {
        let workspace = workspace.object();
        let status = workspace.status.as_ref()?;
        let uid = Uid::new(workspace.uid()?);
        let bound = status.uid.as_ref() == Some(&uid);
        // Nothing is done any more for an object without our finalizer.
        let (deletion, finalizer) = (deletion(workspace), finalizer(workspace));
        if (deletion, finalizer) == (Deletion::Requested, Finalizer::Absent) {
            return None;
        }
        let confirmed = status.missing.as_ref().is_some_and(|missing| missing.confirmed);
        let managed = Managed {
            id: status.workspace_id.clone().filter(|_| bound)?,
            organization_id: status.organization_id.clone(),
            name: status.name.clone()?,
            state: status.state,
            gone: KnownGone::of(deletion, confirmed),
            known_at: shared.memories.get(&uid).and_then(|memory| memory.seen_at(now)),
            uid,
        };
        let reference = ObjectRef::new(&workspace.name_any()).within(&workspace.namespace()?);
        Some((managed, reference))
    };
    let (managed, references): (Vec<_>, Vec<_>) = users.iter().filter_map(|user| recorded(user)).unzip();
    let uids = managed.iter().map(|one: &Managed| one.uid.clone());
    let references = uids.zip(references).collect();
    (Records { managed, behind }, references)
}

fn object(organization: &Organization) -> ObjectFacts {
    let annotation = |key: &str| organization.annotations().get(key);
    ObjectFacts {
        uid: Uid::new(organization.uid().unwrap_or_default()),
        generation: organization.metadata.generation.unwrap_or_default(),
        deletion: deletion(organization),
        finalizer: finalizer(organization),
        reconcile_at: reconcile_request(organization),
        confirm_missing: annotation(metadata_keys::CONFIRM_MISSING)
            .and_then(|count| count.trim().parse().ok()),
    }
}

fn secret_version(context: &Context, organization: &Organization) -> Option<String> {
    let name = &organization.spec.credentials_secret_ref.name;
    let reference = ObjectRef::new(name).within(&context.settings.operator_namespace);
    context.credentials.get(&reference)?.resource_version()
}

//! From stores to a view: gathers the facts about one Workspace. Judges nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::controller::context::{Context, Shared};
use crate::controller::metadata::{deletion, finalizer, reconcile_request};
use crate::crd::any_workspace::SalvagedWorkspace;
use crate::crd::{AnyOrganization, Workspace, metadata_keys};
use crate::domain::ids::{Uid, WorkspaceId};
use crate::lifecycle::View;
use crate::lifecycle::facts::{ListEntry, ObjectFacts, OrganizationFacts, ReadableOrganization, Secrets};
use crate::lifecycle::progress::Progress;
use crate::lifecycle::undecodable::{self, Undecodable};
use crate::organization::Published;
use crate::organization::snapshot::Listed;
use crate::tenancy::{Access, ClaimResult};

/// All facts about a Workspace that stores and memory hold.
pub(in crate::controller) fn view(context: &Context, workspace: &Workspace) -> View {
    let object = object(workspace);
    let known = context.organization(workspace.spec.organization_name());
    let organization = organization(context, workspace, known.as_deref());
    let target = workspace.spec.token_secret_name(&object.name);
    let operators = context.operators();
    let (now, process_began) = context.now_and_beginning();
    let shared = context.shared();
    View {
        now,
        process_began,
        operators,
        declared: workspace.spec.clone(),
        stored: workspace.status.clone().unwrap_or_default(),
        claim_result: ClaimResult::default(),
        secrets: secrets(&shared, &object, &target),
        listed: listed(&shared, workspace, &organization),
        memory: shared.memories.get(&object.uid).cloned().unwrap_or_default(),
        progress: Progress::default(),
        organization,
        object,
    }
    .by_our_clock()
}

/// What follows for a Workspace that cannot be decoded.
pub(super) fn undecodable(salvaged: &SalvagedWorkspace) -> Undecodable {
    undecodable::undecodable(
        &salvaged.error,
        deletion(&salvaged.left),
        &salvaged.lost,
        salvaged.deletion_policy(),
    )
}

/// The object apart from spec and status.
pub(super) fn object(workspace: &Workspace) -> ObjectFacts {
    let annotation = |key: &str| workspace.annotations().get(key);
    ObjectFacts {
        uid: Uid::new(workspace.uid().unwrap_or_default()),
        namespace: workspace.namespace().unwrap_or_default(),
        name: workspace.name_any(),
        created: workspace
            .creation_timestamp()
            .map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        generation: workspace.metadata.generation.unwrap_or_default(),
        deletion: deletion(workspace),
        finalizer: finalizer(workspace),
        reconcile_at: reconcile_request(workspace),
        recreate: annotation(metadata_keys::RECREATE).map(WorkspaceId::new),
    }
}

fn secrets(shared: &Shared, object: &ObjectFacts, target: &str) -> Secrets {
    shared
        .secrets
        .around(&object.uid, &object.namespace, &object.name, target)
}

/// Facts about the Workspace's Organization, as it is in the store or was read live.
pub(super) fn organization(
    context: &Context,
    workspace: &Workspace,
    stored: Option<&AnyOrganization>,
) -> OrganizationFacts {
    let name = workspace.spec.organization_name().to_owned();
    let Some(stored) = stored else {
        return OrganizationFacts::NotFound {
            name,
            searched: context.settings.operator_namespace.clone(),
        };
    };
    let uid = stored.uid();
    let Some(stored) = stored.whole() else {
        return OrganizationFacts::Unreadable { name };
    };
    let namespace = workspace.namespace().unwrap_or_default();
    let labels = context
        .namespaces
        .get(&ObjectRef::new(&namespace))
        .map_or_else(BTreeMap::new, |namespace| namespace.labels().clone());
    let shared = context.shared();
    // Facts about another incarnation do not count for this one.
    let state = shared
        .organizations
        .get(&name)
        .filter(|state| uid.as_deref() == Some(state.uid.as_str()));
    let published = state.map_or_else(Published::default, |state| state.published.clone());
    let back_at = state.and_then(|state| state.limiter.back_at());
    OrganizationFacts::Readable(ReadableOrganization {
        access: Access::resolve(&stored.spec.access, &namespace, &labels),
        defaults: stored.spec.defaults.clone().unwrap_or_default(),
        api_url: published
            .endpoint
            .unwrap_or_else(|| stored.spec.endpoint().to_owned()),
        verification: published.verification,
        missing: published.missing,
        revision: published.revision,
        recovered_at: published.recovered_at.max(back_at),
        server_time: published.server_time,
        uid: Uid::new(uid.unwrap_or_default()),
        name,
    })
}

fn listed(shared: &Shared, workspace: &Workspace, organization: &OrganizationFacts) -> Option<ListEntry> {
    let OrganizationFacts::Readable(organization) = organization else {
        return None;
    };
    let id = workspace.status.as_ref()?.workspace_id.as_ref()?;
    let snapshot = &shared.organizations.get(&organization.name)?.snapshot;
    snapshot.on(id).map(ListEntry::from)
}

/// Here, because neither kind's core knows the other.
impl From<Listed<'_>> for ListEntry {
    fn from(listed: Listed<'_>) -> Self {
        Self {
            requested_at: listed.requested_at,
            row: listed.row.cloned(),
            begun_at: listed.begun_at,
            name_is_shared: listed.name_is_shared,
            length: listed.length,
        }
    }
}

//! The shared list: takes it, has it held against what is recorded, and wakes whom it concerns.

use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::Held;
use crate::api::Organization;
use crate::api::ids::{OrganizationId, Uid, WorkspaceId};
use crate::api::marks;
use crate::api::organization::WorkspaceCounts;
use crate::api::reason::Reason;
use crate::controller::context::{AnyWorkspace, Context};
use crate::engine::{Engine, ListFilter};
use crate::lifecycle::SharedList;
use crate::lifecycle::view::Vanishing;
use crate::organization::snapshot::KnownGone;
use crate::organization::{Comparison, Listing, Managed, Snapshot, Whole};

/// Takes the shared list, holds it against what is recorded, and wakes whom it concerns.
pub(super) async fn list(
    object: &Organization,
    context: &Arc<Context>,
    held: &mut Held,
    engine: &Engine,
) -> bool {
    let began = context.now();
    if let Some(state) = context.shared().organizations.get_mut(&object.name_any()) {
        state.list = SharedList::Enough;
    }
    let answer = engine.list(ListFilter::default()).await;
    held.listed_at = Some(began);
    let rows = match answer.result {
        Ok(rows) => rows,
        Err(failure) => {
            held.listing.failure = Some(failure);
            return false;
        }
    };
    let snapshot = Snapshot::new(began, rows);
    let recorded = recorded(object, context);
    let comparison = snapshot.compare(recorded.iter().map(|(managed, _)| managed));
    let believed = object.annotations().get(marks::BELIEVE_VANISHED) == Some(&comparison.missing.to_string());
    let vanishing = if comparison.is_mass() && !believed {
        Vanishing::Mass
    } else {
        Vanishing::Calm
    };
    held.listing = Listing {
        whole: Some(Whole {
            organization_id: owner(&snapshot),
            vanishing,
            missing: comparison.missing,
        }),
        failure: None,
    };
    count(object, context, &comparison);
    if let Some(state) = context.shared().organizations.get_mut(&object.name_any()) {
        state.snapshot = Arc::new(snapshot);
        state.vanishing = vanishing;
    }
    // Mass vanishing is judged on the whole before any object is woken.
    if vanishing == Vanishing::Calm {
        for (managed, reference) in recorded {
            if comparison.differing.contains(&managed.uid) {
                context.wake(reference);
            }
        }
    }
    true
}

/// The organisation that all rows name.
fn owner(snapshot: &Snapshot) -> Option<OrganizationId> {
    let mut ids = snapshot.rows().map(|row| row.organization_id.as_ref());
    let first = ids.next()??;
    ids.all(|id| id == Some(first)).then(|| first.clone())
}

fn recorded(object: &Organization, context: &Context) -> Vec<(Managed, ObjectRef<AnyWorkspace>)> {
    let known_at = |uid: &Uid| {
        context
            .shared()
            .memories
            .get(uid)
            .and_then(|memory| memory.known_at)
    };
    let verified = context.verified(&object.name_any());
    let managed = |workspace: &AnyWorkspace| {
        let workspace = workspace.0.as_ref().ok()?;
        let status = workspace.status.as_ref()?;
        let uid = Uid::new(workspace.uid()?);
        let id: WorkspaceId = status
            .workspace_id
            .clone()
            .filter(|_| status.uid.as_ref() == Some(&uid))?;
        // What is recorded in another organisation is not missing from this one.
        if verified.is_some() && status.organization_id != verified {
            return None;
        }
        let gone = status
            .conditions
            .iter()
            .any(|condition| condition.reason == Reason::RemoteGone.as_str());
        let managed = Managed {
            known_at: known_at(&uid),
            uid,
            id,
            name: status.name.clone()?,
            state: status.state,
            gone: if gone { KnownGone::Yes } else { KnownGone::No },
        };
        Some((
            managed,
            ObjectRef::new(&workspace.name_any()).within(&workspace.namespace()?),
        ))
    };
    context
        .users_of(&object.name_any())
        .iter()
        .filter_map(|workspace| managed(workspace))
        .collect()
}

fn count(object: &Organization, context: &Context, comparison: &Comparison) {
    let verified = context.verified(&object.name_any());
    let mut shared = context.shared();
    let in_conflict = verified.map_or(0, |id| shared.claims.losers(&id));
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    if let Some(state) = shared.organizations.get_mut(&object.name_any()) {
        state.counts = Some(WorkspaceCounts {
            managed: number(comparison.managed),
            unmanaged: number(comparison.unmanaged),
            in_conflict: number(in_conflict),
        });
    }
}

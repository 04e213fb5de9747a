//! Objects that no reconcile can be made over: those that cannot be decoded, and those whose reconcile crashed. They are reported;
//! a deletion of theirs is honoured all the same.

use std::time::Duration;

use kube::api::{PartialObjectMetaExt, Patch};
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::{Api, Resource, ResourceExt};
use tokio::time::timeout;

use super::announce::announce;
use super::context::Context;
use super::write::{self, Hold, PATIENCE};
use super::{observe, perform};
use crate::crd::any_organization::SalvagedOrganization;
use crate::crd::conditions::{ConditionDraft, ConditionStatus, READY, RECONCILING, STALLED, set_conditions};
use crate::crd::{Organization, WithoutManagedFields};
use crate::domain::finding::Finding;
use crate::domain::reason::{Kstatus, Reason};
use crate::organization::undecodable::{Undecodable, undecodable};

/// A change of the object, or of who names it, comes as an event: this is for one that was missed.
const LOOKS_AGAIN: Duration = Duration::from_secs(30 * 60);

/// A finalizer that could not be taken off is tried again then: six times an hour. A conflict comes with an event of its
/// own, and the end of an outage with a new list.
const TRIES_AGAIN: Duration = Duration::from_secs(10 * 60);

/// Does what follows for an Organization that cannot be decoded, and says when to look again.
pub(super) async fn organization(context: &Context, salvaged: &SalvagedOrganization) -> Duration {
    let object: PartialObjectMeta<Organization> = salvaged.metadata.clone().into_response_partial();
    let name = object.name_any();
    let users = context.users_of(&name).len();
    let (deletion, finalizer) = (observe::deletion(&object), observe::finalizer(&object));
    match undecodable(&salvaged.error, deletion, finalizer, users) {
        Undecodable::Report(finding) => {
            report(context, &object, finding).await;
            LOOKS_AGAIN
        }
        Undecodable::Released => LOOKS_AGAIN,
        Undecodable::Release => {
            let namespace = &context.settings.operator_namespace;
            let api: Api<WithoutManagedFields<PartialObjectMeta<Organization>>> =
                Api::namespaced(context.client.clone(), namespace);
            let written = write::finalizer(&api, &object, Hold::Remove);
            let error = match timeout(PATIENCE, written).await {
                Ok(Ok(_)) => return LOOKS_AGAIN,
                Ok(Err(error)) => perform::detail(&error),
                Err(late) => late.to_string(),
            };
            tracing::warn!(organization = name, error, "an Organization could not be let go");
            TRIES_AGAIN
        }
    }
}

/// Reports in the conditions what a reconcile would have reported.
pub(super) async fn report<K: Resource<DynamicType = ()>>(context: &Context, object: &K, finding: Finding) {
    match timeout(PATIENCE, write_conditions(context, object, &finding)).await {
        Ok(Written::Anew) => announce(context, object, &finding).await,
        Ok(Written::Not) => {}
        Err(late) => {
            let (namespace, name) = (object.namespace(), object.name_any());
            tracing::warn!(error = %late, namespace, name, "the conditions could not be written");
        }
    }
}

enum Written {
    Anew,
    Not,
}

async fn write_conditions<K: Resource<DynamicType = ()>>(
    context: &Context,
    object: &K,
    finding: &Finding,
) -> Written {
    let resource = ApiResource::erase::<K>(&());
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<WithoutManagedFields<DynamicObject>> =
        Api::namespaced_with(context.client.clone(), &namespace, &resource);
    let name = object.name_any();
    let Ok(Some(WithoutManagedFields(live))) = api.get_opt(&name).await else {
        return Written::Not;
    };
    let old: Vec<_> = live
        .data
        .pointer("/status/conditions")
        .and_then(|conditions| serde_json::from_value(conditions.clone()).ok())
        .unwrap_or_default();
    let generation = live.metadata.generation.unwrap_or_default();
    let draft = |kind, status| ConditionDraft {
        kind,
        status,
        reason: finding.reason.as_str(),
        message: finding.message.clone(),
    };
    let abnormal = match finding.reason.kstatus() {
        Kstatus::Stalled => STALLED,
        Kstatus::Reconciling | Kstatus::Ready => RECONCILING,
    };
    let new = set_conditions(
        &old,
        &[
            draft(READY, ConditionStatus::False),
            draft(abnormal, ConditionStatus::True),
        ],
        generation,
        context.now(),
    );
    if new == old {
        return Written::Not;
    }
    let patch = Patch::Merge(write::conditions_patch(generation, &new));
    match api.patch_status(&name, &write::params(), &patch).await {
        Ok(_) => Written::Anew,
        Err(error) => {
            let error = perform::detail(&error);
            tracing::warn!(error, namespace, name, "the conditions could not be written");
            Written::Not
        }
    }
}

/// What is said of an object whose reconcile crashed.
pub(super) fn panicked() -> Finding {
    Finding::new(
        Reason::InternalError,
        "the reconcile over this object crashed; it is tried again later. Report it with the log",
    )
}

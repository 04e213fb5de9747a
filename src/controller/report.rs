//! Reports in an object's conditions what no reconcile can report: that it cannot be decoded, or that its reconcile crashed.

use kube::api::Patch;
use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Resource, ResourceExt};
use tokio::time::timeout;

use super::context::Context;
use super::error_text::error_text;
use super::events::publish;
use super::patch::{self, WRITE_TIMEOUT};
use super::subject::Subject;
use crate::crd::WithoutManagedFields;
use crate::crd::conditions::{
    self, ConditionDraft, ConditionStatus, READY, RECONCILING, STALLED, set_conditions,
};
use crate::crd::holder::{Hold, Holder};
use crate::domain::finding::Finding;
use crate::domain::reason::{Kstatus, Reason};
use crate::tenancy::holding;

/// What a report may take the place of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Over {
    Anything,
    /// Not of Ready=True: what was true goes on to be.
    NotReady,
}

/// Writes the finding into the conditions, and publishes an event if that changed them.
pub(super) async fn report<K: Resource<DynamicType = ()>>(context: &Context, object: &K, finding: Finding) {
    report_over(context, object, finding, Over::Anything).await;
}

/// Says that the reconcile timed out, unless the object is Ready.
pub(super) async fn report_timeout<K: Resource<DynamicType = ()>>(context: &Context, object: &K) {
    report_over(context, object, timed_out(), Over::NotReady).await;
}

async fn report_over<K: Resource<DynamicType = ()>>(
    context: &Context,
    object: &K,
    finding: Finding,
    over: Over,
) {
    match timeout(WRITE_TIMEOUT, write_conditions(context, object, &finding, over)).await {
        Ok(Written::Changed) => publish(context, object, &finding).await,
        Ok(Written::Not) => {}
        Err(late) => unwritten(object, &late.to_string()),
    }
}

enum Written {
    Changed,
    Not,
}

async fn write_conditions<K: Resource<DynamicType = ()>>(
    context: &Context,
    object: &K,
    finding: &Finding,
    over: Over,
) -> Written {
    let resource = ApiResource::erase::<K>(&());
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<WithoutManagedFields<DynamicObject>> =
        Api::namespaced_with(context.client.clone(), &namespace, &resource);
    let name = object.name_any();
    let Ok(Some(WithoutManagedFields(live))) = api.get_opt(&name).await else {
        return Written::Not;
    };
    let stored = Holder::of_stored(&live.data);
    let operators = context.operators();
    if holding::is_left_to_another(stored.as_ref(), Hold::Provisional, &operators) {
        return Written::Not;
    }
    let old: Vec<_> = live
        .data
        .pointer("/status/conditions")
        .and_then(|conditions| serde_json::from_value(conditions.clone()).ok())
        .unwrap_or_default();
    let is_ready = conditions::is_true(&old, READY);
    if is_ready && over == Over::NotReady {
        return Written::Not;
    }
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
    // An operator that can decode it may take it over.
    let is_ours = stored.is_some_and(|holder| holder.lease == operators.ours);
    let holder = (!is_ours).then_some(Holder {
        lease: operators.ours,
        hold: Hold::Provisional,
    });
    let patch = Patch::Merge(patch::conditions_patch(
        live.metadata.resource_version.as_deref(),
        generation,
        &new,
        holder.as_ref(),
    ));
    match api.patch_status(&name, &patch::params(), &patch).await {
        Ok(_) => Written::Changed,
        Err(error) => {
            unwritten(object, &error_text(&error));
            Written::Not
        }
    }
}

fn unwritten<K: Resource<DynamicType = ()>>(object: &K, error: &str) {
    let subject = Subject::of(object);
    tracing::warn!(error, "{subject}: the conditions could not be written");
}

fn timed_out() -> Finding {
    Finding::new(
        Reason::ApiUnavailable,
        "the reconcile of this object timed out: an API that it asked did not answer. The operator tries again later",
    )
}

/// The finding about an object whose reconcile crashed.
pub(super) fn crashed() -> Finding {
    Finding::new(
        Reason::InternalError,
        "the reconcile of this object crashed; it is tried again later. Report it with the log",
    )
}

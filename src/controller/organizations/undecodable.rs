//! Reports or releases an Organization that cannot be decoded, as [`crate::organization::undecodable`] decides.

use std::time::Duration;

use kube::api::PartialObjectMetaExt;
use kube::core::PartialObjectMeta;
use kube::{Api, ResourceExt};
use tokio::time::timeout;

use crate::controller::context::Context;
use crate::controller::error_text::error_text;
use crate::controller::metadata;
use crate::controller::patch::{self, FinalizerChange, WRITE_TIMEOUT};
use crate::controller::report::report;
use crate::controller::subject::Subject;
use crate::crd::any_organization::SalvagedOrganization;
use crate::crd::{Organization, WithoutManagedFields};
use crate::organization::undecodable::{HeldBy, Undecodable, undecodable};

/// An event tells of a change of the object or of a Workspace that names it; this is for a missed one.
const MISSED_EVENT_INTERVAL: Duration = Duration::from_secs(30 * 60);

/// After a finalizer could not be removed. A conflict comes with an event of its own, and the end of an outage with a new
/// list.
const RELEASE_RETRY: Duration = Duration::from_secs(10 * 60);

/// Reports or releases it, and returns after how long it is reconciled again.
pub(super) async fn reconcile(context: &Context, salvaged: &SalvagedOrganization) -> Duration {
    let object: PartialObjectMeta<Organization> = salvaged.metadata.clone().into_response_partial();
    let name = object.name_any();
    let users = context.count_users(&name);
    let (deletion, finalizer) = (metadata::deletion(&object), metadata::finalizer(&object));
    let held_by = HeldBy::of(salvaged.holder.as_ref(), &context.operators());
    match undecodable(&salvaged.error, deletion, finalizer, users, held_by) {
        Undecodable::Report(finding) => {
            report(context, &object, finding).await;
            MISSED_EVENT_INTERVAL
        }
        Undecodable::Leave => MISSED_EVENT_INTERVAL,
        Undecodable::Release => {
            let namespace = &context.settings.operator_namespace;
            let api: Api<WithoutManagedFields<PartialObjectMeta<Organization>>> =
                Api::namespaced(context.client.clone(), namespace);
            let written = patch::finalizer(&api, &object, FinalizerChange::Remove);
            let error = match timeout(WRITE_TIMEOUT, written).await {
                Ok(Ok(_)) => return MISSED_EVENT_INTERVAL,
                Ok(Err(error)) => error_text(&error),
                Err(late) => late.to_string(),
            };
            let subject = Subject::of(&object);
            tracing::warn!(error, "{subject}: the finalizer could not be removed");
            RELEASE_RETRY
        }
    }
}

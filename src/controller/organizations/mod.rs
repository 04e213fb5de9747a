//! The loop over Organizations: reads the credential, keeps the client, verifies, and takes the shared list. What it all
//! means is judged in [`crate::organization`].

mod client;
mod credential;
mod listing;
mod publish;

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use jiff::Timestamp;
use kube::ResourceExt;
use kube::api::PartialObjectMetaExt;
use kube::core::PartialObjectMeta;
use kube::runtime::applier;
use kube::runtime::controller::{Action, Config};
use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;

use self::client::Built;
use super::context::{AnyOrganization, Context};
use super::outside;
use super::write::{self, Hold};
use crate::api::Organization;
use crate::api::ids::{OrganizationId, Uid};
use crate::api::marks;
use crate::api::reason::Reason;
use crate::api::time::{elapsed, later};
use crate::engine::Engine;
use crate::lifecycle::SharedList;
use crate::organization::{Credential, Listing};
use crate::serve::metrics::{Kind, PassResult};
use crate::stopping::Stopping;
use crate::turns::{Backoff, Urgency};

/// An Organization is looked at again after this, should nothing else wake it.
const LOOKS_AGAIN: Duration = Duration::from_secs(30 * 60);

/// However many passes want a list before its time, lists are at least this far apart.
const LISTS_APART: Duration = Duration::from_secs(15);

/// Runs until told to stop.
pub(super) async fn run(
    context: Arc<Context>,
    queue: mpsc::UnboundedReceiver<ObjectRef<AnyOrganization>>,
    mut stopping: Stopping,
) {
    let held: Arc<HeldByUid> = Arc::default();
    let queue = queue
        .map(Ok::<_, Infallible>)
        .take_until(Box::pin(async move { stopping.begun().await }));
    applier(
        move |organization, context| {
            let held = held.clone();
            Box::pin(async move { Ok::<_, Infallible>(reconcile(&organization, &context, &held).await) })
        },
        |_, never, _| match *never {},
        context.clone(),
        context.organizations.clone(),
        queue,
        Config::default(),
    )
    .for_each(|_| async {})
    .await;
}

/// What is kept of an Organization between its passes.
#[derive(Clone, Default)]
struct Held {
    /// What the client was built from.
    built_from: Option<Built>,
    engine: Option<Engine>,
    /// The organisation that the client names with every call.
    names: Option<OrganizationId>,
    credential: Option<Credential>,
    listing: Listing,
    listed_at: Option<Timestamp>,
    generation: i64,
    backoff: Backoff,
}

type HeldByUid = Mutex<HashMap<Uid, Held>>;

async fn reconcile(organization: &AnyOrganization, context: &Arc<Context>, held: &HeldByUid) -> Action {
    let object = match &organization.0 {
        Ok(object) => object,
        Err(invalid) => {
            let meta: PartialObjectMeta<Organization> = invalid.metadata.clone().into_response_partial();
            outside::report(context, &meta, outside::undecodable_organization(invalid)).await;
            publish::wake_users(context, &organization.name_any());
            return Action::requeue(LOOKS_AGAIN);
        }
    };
    let uid = Uid::new(object.uid().unwrap_or_default());
    if context
        .shared()
        .is_behind(&uid, object.resource_version().as_deref())
    {
        return Action::requeue(Duration::from_secs(5));
    }
    let take = || held.lock().unwrap_or_else(PoisonError::into_inner);
    let mut kept = take().get(&uid).cloned().unwrap_or_default();
    let began = Instant::now();
    let metrics = &context.served.metrics;
    metrics.pass_began(Kind::Organization);
    let (next, reason) = pass(object, context, &mut kept).await;
    metrics.pass_ended(
        Kind::Organization,
        PassResult::of(reason),
        reason,
        began.elapsed(),
    );
    take().insert(uid, kept);
    Action::requeue(elapsed(context.now(), next) + Duration::from_millis(20))
}

/// One pass: client, credential, judgement, list, judgement. Returns when to look again.
async fn pass(object: &Organization, context: &Arc<Context>, held: &mut Held) -> (Timestamp, Reason) {
    let name = object.name_any();
    let deleting = object.metadata.deletion_timestamp.is_some();
    let users = context.users_of(&name).len();
    if deleting && users == 0 {
        hold(context, object, Hold::Remove).await;
        return (later(context.now(), Duration::from_secs(30)), Reason::Deleting);
    }
    if !deleting
        && !object.finalizers().iter().any(|f| f == marks::FINALIZER)
        && hold(context, object, Hold::Add).await
    {
        // Its own watch event begins the next pass.
        return (later(context.now(), Duration::from_secs(5)), Reason::Updating);
    }
    let uid = Uid::new(object.uid().unwrap_or_default());
    let cause = cause(object, context);
    client::connect(object, context, held).await;
    let rests_until = held
        .backoff
        .not_before(cause)
        .max(context.paused_until(&name))
        .filter(|at| *at > context.now());
    let rests = rests_until.is_some();
    let mut failed = matches!(held.credential, Some(Credential::Unread { .. }));
    if let (Some(engine), false) = (held.engine.clone(), rests)
        && !matches!(held.credential, Some(Credential::Accepted { .. }))
    {
        let credential = credential::exchange(object, context, held, &engine).await;
        if let Credential::Refused(failure) = &credential {
            context.heed(&name, failure);
        }
        failed = matches!(credential, Credential::Refused(_));
        held.credential = Some(credential);
    }
    publish::publish(object, context, held, users, deleting);
    let accepted = matches!(held.credential, Some(Credential::Accepted { .. }));
    let interval = object.spec.poll_interval();
    let wanted = context
        .shared()
        .organizations
        .get(&name)
        .is_some_and(|state| state.list == SharedList::Wanted);
    let interval = if wanted {
        interval.min(LISTS_APART)
    } else {
        interval
    };
    let due = held
        .listed_at
        .is_none_or(|at| later(at, interval) <= context.now());
    let asked = object.annotations().get(marks::RECONCILE_AT)
        != object
            .status
            .as_ref()
            .and_then(|s| s.last_handled_reconcile_at.as_ref());
    if let (Some(engine), true, false) = (held.engine.clone(), accepted && (due || asked), rests) {
        failed |= !listing::list(object, context, held, &engine).await;
        if let Some(failure) = &held.listing.failure {
            context.heed(&name, failure);
        }
        credential::doubt(object, context, held, &engine).await;
    }
    let next = if failed {
        held.backoff
            .failed(context.now(), cause, 1, Urgency::Normal, &uid)
    } else if let Some(until) = rests_until {
        until
    } else {
        held.backoff.succeeded();
        held.listed_at
            .map_or_else(|| later(context.now(), LOOKS_AGAIN), |at| later(at, interval))
    };
    let judgement = publish::publish(object, context, held, users, deleting);
    publish::store(object, context, &judgement).await;
    (next.min(later(context.now(), LOOKS_AGAIN)), judgement.reason)
}

/// Changes of these begin back-off anew.
fn cause(object: &Organization, context: &Context) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.metadata.generation.hash(&mut hasher);
    object.annotations().get(marks::RECONCILE_AT).hash(&mut hasher);
    client::secret_version(object, context).hash(&mut hasher);
    hasher.finish()
}

/// Adds or removes our finalizer; says whether that came true.
async fn hold(context: &Context, object: &Organization, hold: Hold) -> bool {
    match write::finalizer(&publish::api(context), object, hold).await {
        Ok(written) => {
            let uid = Uid::new(object.uid().unwrap_or_default());
            context
                .shared()
                .wrote(&uid, written.resource_version().as_deref());
            true
        }
        Err(error) => {
            publish::report_failure(&object.name_any(), &error);
            false
        }
    }
}

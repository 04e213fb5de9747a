//! The loop over Organizations, and the few lines that drive a pass. What is done is decided in [`crate::organization`].

mod client;
mod observe;
mod perform;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use kube::ResourceExt;
use kube::api::PartialObjectMetaExt;
use kube::core::PartialObjectMeta;
use kube::runtime::applier;
use kube::runtime::controller::{Action, Config};
use kube::runtime::reflector::ObjectRef;
use tokio::time::{Instant, sleep};

use self::perform::Performer;
use super::announce::announce;
use super::context::{AnyOrganization, Context, Shared};
use super::outside;
use crate::api::Organization;
use crate::api::ids::Uid;
use crate::api::time::elapsed;
use crate::organization::{Next, Outcome, Pass, Settled, View};
use crate::serve::metrics::{EffectOutcome, Kind, PassResult};
use crate::stopping::Stopping;
use crate::turns::Pace;

/// An Organization that no pass can be made over is looked at again after this, should nothing else wake it.
const LOOKS_AGAIN: Duration = Duration::from_secs(30 * 60);

/// A store that lags behind our own write is asked again then, should no event come first.
const LAGS: Duration = Duration::from_secs(5);

/// Runs until told to stop.
pub(super) async fn run(
    context: Arc<Context>,
    queue: mpsc::UnboundedReceiver<ObjectRef<AnyOrganization>>,
    mut stopping: Stopping,
) {
    let queue = queue
        .map(Ok::<_, Infallible>)
        .take_until(Box::pin(async move { stopping.begun().await }));
    applier(
        |organization, context| {
            Box::pin(async move { Ok::<_, Infallible>(reconcile(&organization, &context).await) })
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

async fn reconcile(organization: &AnyOrganization, context: &Arc<Context>) -> Action {
    let object = match &organization.0 {
        Ok(object) => object,
        Err(invalid) => {
            let meta: PartialObjectMeta<Organization> = invalid.metadata.clone().into_response_partial();
            outside::report(context, &meta, outside::undecodable_organization(invalid)).await;
            wake_users(context, &organization.name_any());
            return Action::requeue(LOOKS_AGAIN);
        }
    };
    let uid = Uid::new(object.uid().unwrap_or_default());
    if context
        .shared()
        .is_behind(&uid, object.resource_version().as_deref())
    {
        return Action::requeue(LAGS);
    }
    // The client first: one that is older than the view is of no other making than the view remembers.
    let performer = Performer::new(context.clone(), object.clone());
    let Some(view) = observe::view(context, object) else {
        // Its name is another's by now, whose own event wakes it.
        return Action::await_change();
    };
    let began = Instant::now();
    let metrics = &context.served.metrics;
    metrics.pass_began(Kind::Organization);
    let settled = drive(context, object, performer, view).await;
    metrics.pass_ended(
        Kind::Organization,
        PassResult::of(settled.reason),
        settled.reason,
        began.elapsed(),
    );
    for event in &settled.events {
        announce(context, object, event).await;
    }
    if let Some(state) = context.state_of(&mut context.shared(), object) {
        state.memory = settled.memory;
    }
    // Timers end a little early against the wall clock; a pass just before its time would find nothing to do.
    Action::requeue(elapsed(context.now(), settled.look_again) + Duration::from_millis(20))
}

/// The loop without decisions.
async fn drive(
    context: &Context,
    object: &Organization,
    mut performer: Performer,
    view: View,
) -> Box<Settled> {
    let mut pass = Pass::new(view);
    let mut outcome: Option<Outcome> = None;
    loop {
        let next = {
            let Shared {
                organizations,
                claims,
                ..
            } = &mut *context.shared();
            let mut idle = Pace::default();
            let pace = organizations
                .get_mut(&object.name_any())
                .filter(|state| Some(state.uid.as_str()) == object.metadata.uid.as_deref())
                .map_or(&mut idle, |state| &mut state.pace);
            pass.next(context.now(), claims, pace, outcome.take())
        };
        match next {
            Next::Perform(effect) => {
                let kind = effect.kind();
                tracing::debug!(organization = object.name_any(), effect = kind, "performing");
                let came = performer.perform(effect).await;
                context
                    .served
                    .metrics
                    .effect_ended(Kind::Organization, kind, counted(&came));
                outcome = Some(came);
            }
            Next::Wait(at) => sleep(elapsed(context.now(), at)).await,
            Next::Settled(settled) => return settled,
        }
    }
}

/// Everybody's claims are known before anybody is woken: who comes first must not depend on who is woken first.
fn wake_users(context: &Context, name: &str) {
    let users = context.users_of(name);
    for user in users.iter().filter_map(|user| user.0.as_ref().ok()) {
        super::observe::claims_of(context, user);
    }
    for user in &users {
        context.wake(ObjectRef::from_obj(&**user));
    }
}

fn counted(outcome: &Outcome) -> EffectOutcome {
    match outcome {
        Outcome::NotDone => EffectOutcome::Refused,
        Outcome::Client(Err(_)) => EffectOutcome::Failed,
        Outcome::Done
        | Outcome::Client(Ok(()))
        | Outcome::Records(_)
        | Outcome::Exchanged(_)
        | Outcome::Listed(_) => EffectOutcome::of(outcome.answered().and_then(|answered| answered.failure)),
    }
}

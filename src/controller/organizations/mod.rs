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
use kube::runtime::applier;
use kube::runtime::controller::{Action, Config};
use kube::runtime::reflector::ObjectRef;
use tokio::time::{Instant, sleep};

use self::perform::Performer;
use super::announce::announce;
use super::context::{Context, Shared};
use super::outside;
use crate::api::ids::Uid;
use crate::api::reason::Reason;
use crate::api::time::elapsed;
use crate::api::{AnyOrganization, Organization};
use crate::organization::{Next, Outcome, Pass, Settled};
use crate::serve::metrics::{EffectOutcome, Kind, PassResult};
use crate::stopping::Stopping;
use crate::turns::Pace;

/// A store that lags behind our own write is asked again then, should no event come first.
const LAGS: Duration = Duration::from_secs(5);

/// What crashed is left alone for so long, unless it changes.
const RESTS_AFTER_A_CRASH: Duration = Duration::from_secs(5 * 60);

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
    let object = match organization {
        AnyOrganization::Whole(object) => object,
        AnyOrganization::Salvaged(salvaged) => {
            wake_users(context, &organization.name_any());
            return Action::requeue(outside::organization(context, salvaged).await);
        }
    };
    let uid = Uid::new(object.uid().unwrap_or_default());
    if context
        .shared()
        .is_behind(&uid, object.resource_version().as_deref())
    {
        return Action::requeue(LAGS);
    }
    let metrics = &context.served.metrics;
    metrics.pass_began(Kind::Organization);
    let began = Instant::now();
    let ended = tokio::spawn(drive(context.clone(), object.clone())).await;
    let (result, reason, action) = match ended {
        Ok(Some(settled)) => finish(context, object, *settled).await,
        // Its name is another's by now, whose own event wakes it.
        Ok(None) => (PassResult::Overtaken, Reason::Deleting, Action::await_change()),
        Err(error) => {
            tracing::error!(%error, organization = object.name_any(), "a pass crashed");
            outside::report(context, object, outside::panicked()).await;
            (
                PassResult::Panicked,
                Reason::Panicked,
                Action::requeue(RESTS_AFTER_A_CRASH),
            )
        }
    };
    metrics.pass_ended(Kind::Organization, result, reason, began.elapsed());
    action
}

/// The loop without decisions, in a task of its own: a panic in it ends it and nothing else. Nothing where the store has
/// another incarnation by now.
async fn drive(context: Arc<Context>, object: Organization) -> Option<Box<Settled>> {
    let mut performer = Performer::new(context.clone(), object.clone());
    let mut pass = Pass::new(observe::view(&context, &object)?);
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
            Next::Settled(settled) => return Some(settled),
        }
    }
}

async fn finish(context: &Context, object: &Organization, settled: Settled) -> (PassResult, Reason, Action) {
    if let Some(state) = context.state_of(&mut context.shared(), object) {
        state.memory = settled.memory;
    }
    for event in &settled.events {
        announce(context, object, event).await;
    }
    // Timers end a little early against the wall clock; a pass just before its time would find nothing to do.
    let wait = elapsed(context.now(), settled.look_again) + Duration::from_millis(20);
    (
        PassResult::of(settled.reason),
        settled.reason,
        Action::requeue(wait),
    )
}

/// Everybody's claims are known before anybody is woken: who comes first must not depend on who is woken first.
fn wake_users(context: &Context, name: &str) {
    let users = context.users_of(name);
    for user in &users {
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

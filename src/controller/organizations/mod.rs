//! The loop over Organizations, and the few lines that drive a reconcile. What is done is decided in [`crate::organization`].

mod client;
mod observe;
mod perform;
mod undecodable;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use kube::ResourceExt;
use kube::runtime::applier;
use kube::runtime::controller::{Action, Config};
use kube::runtime::reflector::ObjectRef;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::perform::Performer;
use super::context::{Context, Shared};
use super::events::publish;
use super::workspaces::claims;
use super::{lag, report};
use crate::admin::metrics::{EffectOutcome, Kind, ReconcileResult};
use crate::crd::{AnyOrganization, Organization};
use crate::domain::reason::Reason;
use crate::domain::time::elapsed;
use crate::limits::RateLimiter;
use crate::organization::effect::{ClusterOutcome, EngineCall};
use crate::organization::{Effect, Next, Outcome, Reconcile, Settled};

/// A store that lags behind our own write is asked again then, should no event come first.
const LAGS: Duration = Duration::from_secs(5);

/// What crashed is left alone for so long, unless it changes.
const RESTS_AFTER_A_CRASH: Duration = Duration::from_secs(5 * 60);

/// One whose step came to no end is tried again then.
const RESTS_AFTER_SILENCE: Duration = Duration::from_secs(60);

/// How a reconcile ended.
enum Ended {
    Settled(Box<Settled>),
    /// The store has another incarnation by now.
    Replaced,
    /// Told to stop while it listed or waited.
    Stopped,
    /// One of its steps took longer than a reconcile over a Workspace may. A list has as many steps as pages.
    TimedOut,
}

/// Runs until told to stop.
pub(super) async fn run(
    context: Arc<Context>,
    queue: mpsc::UnboundedReceiver<ObjectRef<AnyOrganization>>,
    cancel: CancellationToken,
) {
    let queue = queue
        .map(Ok::<_, Infallible>)
        .take_until(Box::pin(cancel.clone().cancelled_owned()));
    applier(
        move |organization, context| {
            let cancel = cancel.clone();
            Box::pin(async move { Ok::<_, Infallible>(reconcile(&organization, &context, cancel).await) })
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

async fn reconcile(
    organization: &AnyOrganization,
    context: &Arc<Context>,
    cancel: CancellationToken,
) -> Action {
    let object = match organization {
        AnyOrganization::Whole(object) => object,
        AnyOrganization::Salvaged(salvaged) => {
            claims::wake_users(context, &organization.name_any());
            return Action::requeue(undecodable::reconcile(context, salvaged).await);
        }
    };
    if lag::is_behind(context, object).await {
        return Action::requeue(LAGS);
    }
    let metrics = &context.served.metrics;
    metrics.reconcile_began(Kind::Organization);
    let began = Instant::now();
    let ended = tokio::spawn(drive(context.clone(), object.clone(), cancel)).await;
    let (result, reason, action) = match ended {
        Ok(Ended::Settled(settled)) => finish(context, object, *settled).await,
        // Its name is another's by now, whose own event wakes it.
        Ok(Ended::Replaced) => (
            ReconcileResult::Overtaken,
            Reason::Deleting,
            Action::await_change(),
        ),
        Ok(Ended::Stopped) => (
            ReconcileResult::Overtaken,
            Reason::OrganizationNotReady,
            Action::await_change(),
        ),
        Ok(Ended::TimedOut) => {
            tracing::warn!(
                organization = object.name_any(),
                "a step of a reconcile came to no end"
            );
            (
                ReconcileResult::TimedOut,
                Reason::ApiUnavailable,
                Action::requeue(RESTS_AFTER_SILENCE),
            )
        }
        Err(error) => {
            tracing::error!(%error, organization = object.name_any(), "a reconcile crashed");
            report::report(context, object, report::crashed()).await;
            (
                ReconcileResult::Panicked,
                Reason::InternalError,
                Action::requeue(RESTS_AFTER_A_CRASH),
            )
        }
    };
    metrics.reconcile_ended(Kind::Organization, result, reason, began.elapsed());
    action
}

/// The loop without decisions, in a task of its own: a panic in it ends it and nothing else.
async fn drive(context: Arc<Context>, object: Organization, cancel: CancellationToken) -> Ended {
    let mut performer = Performer::new(context.clone(), object.clone());
    let Some(view) = observe::view(&context, &object) else {
        return Ended::Replaced;
    };
    let mut reconcile = Reconcile::new(view);
    let mut outcome: Option<Outcome> = None;
    loop {
        let next = {
            let Shared {
                organizations,
                claims,
                ..
            } = &mut *context.shared();
            let mut idle = RateLimiter::default();
            let limiter = organizations
                .get_mut(&object.name_any())
                .filter(|state| Some(state.uid.as_str()) == object.metadata.uid.as_deref())
                .map_or(&mut idle, |state| &mut state.limiter);
            reconcile.next(context.now(), claims, limiter, outcome.take())
        };
        match next {
            Next::Perform { rule, effect } => {
                let kind = effect.kind();
                tracing::debug!(
                    organization = object.name_any(),
                    effect = kind,
                    rule,
                    "performing {kind} because {rule}"
                );
                // A page that is not read is asked for again; what writes is done to its end.
                let may_be_left = matches!(effect, Effect::Engine(EngineCall::List(_)));
                let came = tokio::select! {
                    biased;
                    () = cancel.cancelled(), if may_be_left => return Ended::Stopped,
                    came = timeout(context.settings.reconcile_timeout, performer.perform(effect)) => came,
                };
                let Ok(came) = came else {
                    return Ended::TimedOut;
                };
                let came_to = came.summary();
                tracing::debug!(
                    organization = object.name_any(),
                    effect = kind,
                    outcome = came_to,
                    "{kind} came to {came_to}"
                );
                context
                    .served
                    .metrics
                    .effect_ended(Kind::Organization, kind, counted(&came));
                outcome = Some(came);
            }
            Next::Wait(at) => tokio::select! {
                () = cancel.cancelled() => return Ended::Stopped,
                () = sleep(elapsed(context.now(), at)) => {}
            },
            Next::Settled(settled) => return Ended::Settled(settled),
        }
    }
}

async fn finish(
    context: &Context,
    object: &Organization,
    settled: Settled,
) -> (ReconcileResult, Reason, Action) {
    if let Some(state) = context.state_of(&mut context.shared(), object) {
        state.memory = settled.memory;
    }
    for event in &settled.events {
        tracing::info!(
            organization = object.name_any(),
            reason = event.reason.as_str(),
            "{}",
            event.message
        );
        publish(context, object, event).await;
    }
    // Timers end a little early against the wall clock; a reconcile just before its time would find nothing to do.
    let requeue_in = elapsed(context.now(), settled.requeue.at) + Duration::from_millis(20);
    let why = settled.requeue.why.as_str();
    tracing::debug!(
        organization = object.name_any(),
        rule = settled.rule,
        ?requeue_in,
        why,
        "settled by {}; next reconcile in {requeue_in:.1?} because {why}",
        settled.rule
    );
    (
        ReconcileResult::of(settled.reason),
        settled.reason,
        Action::requeue(requeue_in),
    )
}

fn counted(outcome: &Outcome) -> EffectOutcome {
    match outcome {
        Outcome::Cluster(ClusterOutcome::NotDone) => EffectOutcome::Refused,
        Outcome::Cluster(ClusterOutcome::Client(Err(_))) => EffectOutcome::Failed,
        Outcome::Cluster(
            ClusterOutcome::Done | ClusterOutcome::Client(Ok(())) | ClusterOutcome::Records(_),
        )
        | Outcome::Engine(_) => EffectOutcome::of(outcome.answered().and_then(|answered| answered.failure)),
    }
}

#[cfg(test)]
mod tests;

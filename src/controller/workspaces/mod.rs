//! The loop over Workspaces: wakes, slots, deadlines, isolation of panics, and the few lines that drive a reconcile.

pub(super) mod claims;
pub(super) mod observe;
pub(super) mod perform;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::applier;
use kube::runtime::controller::{Action, Config};
use kube::runtime::reflector::ObjectRef;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use self::perform::Performer;
use super::context::Context;
use super::events::publish;
use super::{lag, report};
use crate::admin::metrics::{EffectOutcome, Kind, ReconcileResult};
use crate::crd::{AnyWorkspace, Workspace};
use crate::domain::ids::Uid;
use crate::domain::reason::Reason;
use crate::domain::time::elapsed;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::effect::{ClusterOutcome, Effect, EngineCall};
use crate::lifecycle::undecodable::Undecodable;
use crate::lifecycle::{Next, Outcome, Reconcile, Settled, SharedList};
use crate::limits::{RateLimiter, Slot, Urgency, Work};

/// A store that lags behind our own write is asked again then, should no event come first.
const LAGS: Duration = Duration::from_secs(5);

/// An object that cannot be decoded is reported again then, should what was said of it have been lost.
const UNDECODABLE: Duration = Duration::from_secs(30 * 60);

/// Nobody counted the calls of a reconcile that came to no end: as many as a creation makes.
const CALLS_OF_A_LOST_PASS: u32 = 4;

/// Runs until told to stop.
pub(super) async fn run(
    context: Arc<Context>,
    queue: mpsc::UnboundedReceiver<ObjectRef<AnyWorkspace>>,
    cancel: CancellationToken,
) {
    let slots = u16::try_from(context.settings.concurrency.get()).unwrap_or(u16::MAX);
    let queue = queue
        .map(Ok::<_, Infallible>)
        .take_until(Box::pin(cancel.cancelled_owned()));
    applier(
        |workspace, context| Box::pin(reconcile(workspace, context)),
        |_, never, _| match *never {},
        context.clone(),
        context.workspaces.clone(),
        queue,
        Config::default().concurrency(slots),
    )
    .for_each(|result| async move {
        if let Err(error) = result {
            tracing::debug!(%error, "a wake came to nothing");
        }
    })
    .await;
}

/// One reconcile, under its deadline, in a task of its own: a panic in it ends it and nothing else.
async fn reconcile(workspace: Arc<AnyWorkspace>, context: Arc<Context>) -> Result<Action, Infallible> {
    let object = match &*workspace {
        AnyWorkspace::Whole(object) => object.clone(),
        AnyWorkspace::Salvaged(salvage) => match observe::undecodable(salvage) {
            Undecodable::Release => salvage.left.clone(),
            Undecodable::Report(finding) => {
                report::report(&context, &*workspace, finding).await;
                return Ok(Action::requeue(UNDECODABLE));
            }
        },
    };
    if lag::is_behind(&context, &object).await {
        return Ok(Action::requeue(LAGS));
    }
    let organization = object.spec.organization_name().to_owned();
    let work = match object.metadata.deletion_timestamp {
        Some(_) => Work::Deletes,
        None => Work::Serves,
    };
    let slot = context.shared().slots.take(context.now(), &organization, work);
    if let Slot::Later(later) = slot {
        return Ok(Action::requeue(later));
    }
    let span = tracing::info_span!(
        "reconcile",
        namespace = object.namespace(),
        workspace = object.name_any()
    );
    context.served.metrics.reconcile_began(Kind::Workspace);
    let began = Instant::now();
    let task = tokio::spawn(
        timeout(
            context.settings.reconcile_timeout,
            drive(context.clone(), object.clone()),
        )
        .instrument(span),
    );
    let ended = task.await;
    context
        .shared()
        .slots
        .give_back(context.now(), &organization, work);
    let (result, reason, action) = match ended {
        Ok(Ok(settled)) => finish(&context, &object, *settled).await,
        Ok(Err(_)) => (
            ReconcileResult::TimedOut,
            Reason::ApiUnavailable,
            Action::requeue(give_up(&context, &object)),
        ),
        Err(error) => {
            tracing::error!(%error, namespace = object.namespace(), workspace = object.name_any(), "a reconcile crashed");
            report::report(&context, &object, report::crashed()).await;
            (
                ReconcileResult::Panicked,
                Reason::InternalError,
                Action::requeue(give_up(&context, &object)),
            )
        }
    };
    context
        .served
        .metrics
        .reconcile_ended(Kind::Workspace, result, reason, began.elapsed());
    Ok(action)
}

/// The loop without decisions.
async fn drive(context: Arc<Context>, object: Workspace) -> Box<Settled> {
    let organization = object.spec.organization_name().to_owned();
    // The client first: one that is older than the view belongs to no other organization than the view verified.
    let mut performer = Performer::new(context.clone(), object.clone());
    let mut reconcile = Reconcile::new(observe::view(&context, &object));
    let mut outcome: Option<Outcome> = None;
    loop {
        let next = {
            let shared = &mut *context.shared();
            let mut idle = RateLimiter::default();
            let limiter = shared
                .organizations
                .get_mut(&organization)
                .map_or(&mut idle, |state| &mut state.limiter);
            let next = reconcile.next(context.now(), &mut shared.claims, limiter, outcome.take());
            if let Next::Perform {
                effect: Effect::Engine(EngineCall::Issue { .. }),
                ..
            } = &next
            {
                // That it was sent outlives a reconcile that is cut off.
                let memory = reconcile.view().memory.clone();
                shared.memories.insert(reconcile.claimant().uid, memory);
            }
            next
        };
        match next {
            Next::Perform { rule, effect } => {
                let kind = effect.kind();
                tracing::debug!(effect = kind, rule, "performing {kind} because {rule}");
                let came = performer.perform(effect).await;
                context
                    .served
                    .metrics
                    .effect_ended(Kind::Workspace, kind, counted(&came));
                outcome = Some(came);
            }
            Next::Wait(at) => sleep(elapsed(context.now(), at)).await,
            Next::Settled(settled) => {
                let winners = {
                    let mut shared = context.shared();
                    let facts = reconcile.view().claims();
                    shared.claims.release(&reconcile.claimant(), facts)
                };
                context.wake_all(&winners);
                return settled;
            }
        }
    }
}

async fn finish(
    context: &Context,
    object: &Workspace,
    settled: Settled,
) -> (ReconcileResult, Reason, Action) {
    let uid = Uid::new(object.uid().unwrap_or_default());
    let now = context.now();
    let winners = {
        let mut shared = context.shared();
        if context.is_stored(object) {
            shared.memories.insert(uid, settled.memory);
            Vec::new()
        } else {
            shared.forget(&uid)
        }
    };
    context.wake_all(&winners);
    if settled.list == SharedList::Wanted {
        context.want_list(object.spec.organization_name());
    }
    for event in &settled.events {
        tracing::info!(
            namespace = object.namespace(),
            workspace = object.name_any(),
            reason = event.reason.as_str(),
            "{}",
            event.message
        );
        publish(context, object, event).await;
    }
    let reason = settled.reason.unwrap_or(Reason::Creating);
    (
        ReconcileResult::of(reason),
        reason,
        Action::requeue(wait(now, settled.requeue.at)),
    )
}

/// Timers end a little early against the wall clock; a reconcile just before its time would find nothing to do.
fn wait(now: Timestamp, at: Timestamp) -> Duration {
    elapsed(now, at) + Duration::from_millis(20)
}

/// A reconcile that came to no end rests as a failed one; what it held of claims it holds until its next reconcile, or lets go of
/// where its object has gone meanwhile.
fn give_up(context: &Context, object: &Workspace) -> Duration {
    let view = observe::view(context, object);
    let (now, cause, uid) = (view.now, view.cause(), &view.object.uid);
    let mut shared = context.shared();
    if !context.is_stored(object) {
        let winners = shared.forget(uid);
        drop(shared);
        context.wake_all(&winners);
        return Duration::ZERO;
    }
    let memory = shared.memories.entry(uid.clone()).or_default();
    memory.lost_track(now);
    let at = memory
        .backoff_mut(Aspect::Sync)
        .failed(now, cause, CALLS_OF_A_LOST_PASS, Urgency::Normal, uid);
    wait(now, at)
}

fn counted(outcome: &Outcome) -> EffectOutcome {
    match (outcome, outcome.answered()) {
        (Outcome::Cluster(ClusterOutcome::Conflict), _) => EffectOutcome::Refused,
        (
            Outcome::Cluster(ClusterOutcome::Forbidden { .. })
            | Outcome::Cluster(ClusterOutcome::KubernetesFailed { .. }),
            _,
        ) => EffectOutcome::Failed,
        (_, answered) => EffectOutcome::of(answered.and_then(|answered| answered.failure)),
    }
}

//! Runs the reconciles of both kinds: gives each reconcile that [`mod@serve`] begins a task of its own, has its effects performed,
//! counts and logs. Decides nothing about an object; [`Reconciler`] says how the kinds differ.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Resource;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub(super) use self::serve::{Handlers, Place, Requeue, Told, serve};
use super::context::Context;
use super::events::publish;
use super::report;
use super::subject::Subject;
use crate::admin::metrics::{EffectOutcome, Kind, ReconcileResult};
use crate::domain::finding::Finding;
use crate::domain::reason::Reason;
use crate::domain::time::elapsed;

mod serve;

/// Timers end a little early against the wall clock; a reconcile just before its time would find nothing to do.
const TIMER_SLACK: Duration = Duration::from_millis(20);

/// One reconcile of one kind of object, without loop, timeout, isolation and counting.
pub(super) trait Reconciler: Send + Sized + 'static {
    const KIND: Kind;
    const TIMEOUT: Timeout;
    type Object: Resource<DynamicType = ()> + Clone + Send + Sync + 'static;
    type Effect: Send;
    type Outcome: Send;
    type Settled: Send;

    /// Takes the outcome of the last effect, and names the next step.
    fn next(&mut self, outcome: Option<Self::Outcome>) -> Next<Self::Effect, Self::Settled>;

    fn perform(&mut self, effect: Self::Effect) -> impl Future<Output = Performed<Self::Outcome>> + Send;

    /// Remembers a reconcile that settled.
    fn settle(context: &Context, object: &Self::Object, settled: Self::Settled) -> Settled;

    /// Remembers a reconcile that was lost, and returns after how long the object is reconciled again.
    fn give_up(context: &Context, object: &Self::Object, lost: Lost) -> Duration;
}

/// What `--reconcile-timeout` is the limit of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Timeout {
    WholeReconcile,
    /// Of each effect: a list has as many as it has pages.
    EachEffect,
}

/// What a reconcile does next.
pub(super) enum Next<E, S> {
    Perform {
        /// The rule that named the effect.
        rule: &'static str,
        name: &'static str,
        effect: E,
        on_cancel: OnCancel,
    },
    Wait {
        until: Timestamp,
        on_cancel: OnCancel,
    },
    Settled(S),
}

/// Whether an effect or a wait ends early when the process is told to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OnCancel {
    Finish,
    /// The reconcile ends there, and is counted with this reason.
    Leave(Reason),
}

/// An effect that was performed.
pub(super) struct Performed<O> {
    pub(super) outcome: O,
    /// A word for the log.
    pub(super) summary: &'static str,
    pub(super) counted: EffectOutcome,
}

/// The end of a reconcile, for the runner: events to publish, lines to log, the next reconcile.
pub(super) struct Settled {
    /// The rule that ended it.
    pub(super) rule: &'static str,
    pub(super) reason: Reason,
    pub(super) requeue_at: Timestamp,
    pub(super) why: &'static str,
    pub(super) events: Vec<Finding>,
}

/// How a reconcile was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lost {
    TimedOut,
    Crashed,
}

enum Ended<S> {
    Settled(S),
    /// Something else overtook it: another incarnation of the object, or the end of the process.
    Overtaken(Reason),
    TimedOut,
}

/// Runs one reconcile in a task of its own: a panic ends that task and nothing else. `begin` runs in the task too; its error
/// is the reason to count if the object is no longer there to be reconciled.
pub(super) async fn run<R: Reconciler>(
    context: &Arc<Context>,
    object: &R::Object,
    cancel: CancellationToken,
    begin: impl FnOnce() -> Result<R, Reason> + Send + 'static,
) -> Requeue {
    let subject = Subject::of(object);
    let metrics = &context.admin.metrics;
    metrics.reconcile_began(R::KIND);
    let began = Instant::now();
    let task = drive_within_limit(context.clone(), subject.clone(), cancel, begin);
    let (result, reason, action) = match tokio::spawn(task.in_current_span()).await {
        Ok(Ended::Settled(settled)) => {
            let settled = R::settle(context, object, settled);
            let action = finish(context, object, &subject, &settled).await;
            (ReconcileResult::of(settled.reason), settled.reason, action)
        }
        Ok(Ended::Overtaken(reason)) => (ReconcileResult::Overtaken, reason, Requeue::OnEvent),
        Ok(Ended::TimedOut) => {
            tracing::warn!("{subject}: the reconcile timed out");
            report::report_timeout(context, object).await;
            let retry = R::give_up(context, object, Lost::TimedOut);
            (
                ReconcileResult::TimedOut,
                Reason::ApiUnavailable,
                Requeue::After(retry),
            )
        }
        Err(error) => {
            tracing::error!(%error, "{subject}: the reconcile crashed");
            report::report(context, object, report::crashed()).await;
            let retry = R::give_up(context, object, Lost::Crashed);
            (
                ReconcileResult::Panicked,
                Reason::InternalError,
                Requeue::After(retry),
            )
        }
    };
    metrics.reconcile_ended(R::KIND, result, reason, began.elapsed());
    action
}

async fn drive_within_limit<R: Reconciler>(
    context: Arc<Context>,
    subject: Subject,
    cancel: CancellationToken,
    begin: impl FnOnce() -> Result<R, Reason>,
) -> Ended<R::Settled> {
    let limit = context.settings.reconcile_timeout;
    let driven = async {
        match begin() {
            Ok(reconciler) => drive(&context, &subject, reconciler, cancel).await,
            Err(reason) => Ended::Overtaken(reason),
        }
    };
    match R::TIMEOUT {
        Timeout::WholeReconcile => timeout(limit, driven).await.unwrap_or(Ended::TimedOut),
        Timeout::EachEffect => driven.await,
    }
}

/// The loop without decisions.
async fn drive<R: Reconciler>(
    context: &Context,
    subject: &Subject,
    mut reconciler: R,
    cancel: CancellationToken,
) -> Ended<R::Settled> {
    let limit = context.settings.reconcile_timeout;
    let mut outcome = None;
    loop {
        match reconciler.next(outcome.take()) {
            Next::Perform {
                rule,
                name,
                effect,
                on_cancel,
            } => {
                if !context.fence.is_open() {
                    return Ended::Overtaken(Reason::Queued);
                }
                tracing::debug!(effect = name, rule, "{subject}: performing {name} because {rule}");
                let performed = unless_left(&cancel, on_cancel, timeout(limit, reconciler.perform(effect)));
                let performed = match performed.await {
                    Ok(Ok(performed)) => performed,
                    Ok(Err(_)) => return Ended::TimedOut,
                    Err(reason) => return Ended::Overtaken(reason),
                };
                let summary = performed.summary;
                tracing::debug!(
                    effect = name,
                    outcome = summary,
                    "{subject}: {name} came to {summary}"
                );
                let metrics = &context.admin.metrics;
                metrics.effect_ended(R::KIND, name, performed.counted);
                outcome = Some(performed.outcome);
            }
            Next::Wait { until, on_cancel } => {
                let wait = sleep(elapsed(context.now(), until));
                if let Err(reason) = unless_left(&cancel, on_cancel, wait).await {
                    return Ended::Overtaken(reason);
                }
            }
            Next::Settled(settled) => return Ended::Settled(settled),
        }
    }
}

/// The result of `work`, or the reason if it is left when the process is told to stop.
async fn unless_left<T>(
    cancel: &CancellationToken,
    on_cancel: OnCancel,
    work: impl Future<Output = T>,
) -> Result<T, Reason> {
    match on_cancel {
        OnCancel::Finish => Ok(work.await),
        OnCancel::Leave(reason) => tokio::select! {
            biased;
            () = cancel.cancelled() => Err(reason),
            done = work => Ok(done),
        },
    }
}

/// How long a timer is set for.
pub(super) fn wait_until(now: Timestamp, at: Timestamp) -> Duration {
    elapsed(now, at) + TIMER_SLACK
}

async fn finish<K: Resource<DynamicType = ()>>(
    context: &Context,
    object: &K,
    subject: &Subject,
    settled: &Settled,
) -> Requeue {
    // Events may take long to publish, and a clock may be set meanwhile.
    let requeue_in = wait_until(context.now(), settled.requeue_at);
    let settled_at = Instant::now();
    for event in &settled.events {
        tracing::info!(reason = event.reason.as_str(), "{subject}: {}", event.message);
        publish(context, object, event).await;
    }
    let Settled { rule, why, .. } = settled;
    let reason = settled.reason.as_str();
    let requeue_in = requeue_in.saturating_sub(settled_at.elapsed()).max(TIMER_SLACK);
    let requeue_in_s = requeue_in.as_secs();
    tracing::debug!(
        rule,
        reason,
        requeue_in_s,
        why,
        "{subject}: settled by {rule}; next reconcile in {requeue_in_s}s: {why}"
    );
    Requeue::After(requeue_in)
}

#[cfg(test)]
mod tests;

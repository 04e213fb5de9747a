//! Reconciles of Organizations: reads and keeps what [`crate::organization`] needs, and decides nothing itself.
//!
//! In the order of a reconcile: [`observe`] makes the view, [`perform`] carries out each effect, with the [`client`] that it
//! connects. An Organization that cannot be decoded goes to [`undecodable`] instead.

mod client;
mod observe;
mod perform;
mod undecodable;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio_util::sync::CancellationToken;

use self::perform::Performer;
use super::context::{Context, Shared};
use super::lag::{self, LAG_RETRY};
use super::runner::{self, Handlers, Lost, OnCancel, Performed, Place, Reconciler, Requeue, Timeout, Told};
use super::workspaces::claims;
use crate::admin::metrics::{EffectOutcome, Kind};
use crate::crd::{AnyOrganization, Organization};
use crate::domain::reason::Reason;
use crate::limits::{Priority, RateLimiter};
use crate::organization::effect::{ClusterOutcome, EngineCall};
use crate::organization::{Effect, Next, Outcome, Reconcile, Settled};

/// After a crash, unless the object changes.
const CRASH_RETRY: Duration = Duration::from_secs(5 * 60);

const TIMEOUT_RETRY: Duration = Duration::from_secs(60);

/// Runs until cancelled.
pub(super) async fn run(
    context: Arc<Context>,
    queue: mpsc::UnboundedReceiver<ObjectRef<AnyOrganization>>,
    cancel: CancellationToken,
) {
    let store = context.organizations.clone();
    runner::serve(
        context,
        store,
        queue,
        cancel.clone(),
        NonZeroUsize::MAX,
        Handlers {
            place,
            reconcile: |organization, context| reconcile(organization, context, cancel.clone()),
            // None waits: there are slots for all.
            tell: |_: &Arc<Context>, _: &AnyOrganization, _| Told::Nothing(None),
        },
    )
    .await;
}

/// Each by itself: an Organization waits for nothing else, and none of them for a Workspace.
fn place(_: &Context, organization: &AnyOrganization) -> Place {
    Place {
        organization: organization.name_any(),
        priority: Priority::Other,
    }
}

async fn reconcile(
    organization: Arc<AnyOrganization>,
    context: Arc<Context>,
    cancel: CancellationToken,
) -> Requeue {
    let object = match &*organization {
        AnyOrganization::Whole(object) => object,
        AnyOrganization::Salvaged(salvaged) => {
            claims::wake_users(&context, &organization.name_any());
            return Requeue::After(undecodable::reconcile(&context, salvaged).await);
        }
    };
    if lag::is_behind(&context, object).await {
        return Requeue::After(LAG_RETRY);
    }
    let begin = {
        let (context, object) = (context.clone(), object.clone());
        move || Running::begin(context, object)
    };
    runner::run(&context, object, cancel, begin).await
}

/// One reconcile.
struct Running {
    context: Arc<Context>,
    object: Organization,
    performer: Performer,
    reconcile: Reconcile,
}

impl Running {
    /// Another incarnation in the store has an event of its own, which wakes it.
    fn begin(context: Arc<Context>, object: Organization) -> Result<Self, Reason> {
        let performer = Performer::new(context.clone(), object.clone());
        let view = observe::view(&context, &object).ok_or(Reason::Deleting)?;
        Ok(Self {
            context,
            object,
            performer,
            reconcile: Reconcile::new(view),
        })
    }
}

impl Reconciler for Running {
    const KIND: Kind = Kind::Organization;
    const TIMEOUT: Timeout = Timeout::EachEffect;
    type Object = Organization;
    type Effect = Effect;
    type Outcome = Outcome;
    type Settled = Box<Settled>;

    fn next(&mut self, outcome: Option<Outcome>) -> runner::Next<Effect, Box<Settled>> {
        let Shared {
            organizations,
            claims,
            ..
        } = &mut *self.context.shared();
        let mut idle = RateLimiter::default();
        let limiter = organizations
            .get_mut(&self.object.name_any())
            .filter(|state| Some(state.uid.as_str()) == self.object.metadata.uid.as_deref())
            .map_or(&mut idle, |state| &mut state.limiter);
        let (now, process_began) = self.context.now_and_beginning();
        self.reconcile.keep_time(process_began);
        match self.reconcile.next(now, claims, limiter, outcome) {
            Next::Perform { rule, effect } => runner::Next::Perform {
                rule,
                name: effect.kind(),
                on_cancel: on_cancel(&effect),
                effect,
            },
            Next::Wait(until) => runner::Next::Wait {
                until,
                on_cancel: OnCancel::Leave(Reason::OrganizationNotReady),
            },
            Next::Settled(settled) => runner::Next::Settled(settled),
        }
    }

    async fn perform(&mut self, effect: Effect) -> Performed<Outcome> {
        let outcome = self.performer.perform(effect).await;
        Performed {
            summary: outcome.summary(),
            counted: counted(&outcome),
            outcome,
        }
    }

    fn settle(context: &Context, object: &Organization, settled: Box<Settled>) -> runner::Settled {
        if let Some(state) = context.state_of(&mut context.shared(), object) {
            state.memory = settled.memory;
        }
        runner::Settled {
            rule: settled.rule,
            reason: settled.reason,
            requeue_at: settled.requeue.at,
            why: settled.requeue.why.as_str(),
            events: settled.events,
        }
    }

    fn give_up(_: &Context, _: &Organization, lost: Lost) -> Duration {
        match lost {
            Lost::TimedOut => TIMEOUT_RETRY,
            Lost::Crashed => CRASH_RETRY,
        }
    }
}

/// A page that is not read is asked for again; a write is finished.
fn on_cancel(effect: &Effect) -> OnCancel {
    match effect {
        Effect::Engine(EngineCall::List(_)) => OnCancel::Leave(Reason::OrganizationNotReady),
        Effect::Engine(EngineCall::Exchange | EngineCall::ExchangeUnnamed) | Effect::Cluster(_) => {
            OnCancel::Finish
        }
    }
}

fn counted(outcome: &Outcome) -> EffectOutcome {
    match outcome {
        Outcome::Cluster(ClusterOutcome::NotDone) => EffectOutcome::Refused,
        Outcome::Cluster(ClusterOutcome::Client(Err(_))) => EffectOutcome::Failed,
        Outcome::Cluster(
            ClusterOutcome::Done | ClusterOutcome::Client(Ok(_)) | ClusterOutcome::Records(_),
        ) => EffectOutcome::Done,
        Outcome::Engine(answer) => EffectOutcome::of(answer.answered().failure),
    }
}

#[cfg(test)]
mod tests;

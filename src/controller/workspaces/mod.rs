//! Reconciles of Workspaces: reads and keeps what [`crate::lifecycle`] needs, and decides nothing itself.
//!
//! In the order of a reconcile: [`observe`] makes the view, [`perform`] carries out each effect. Before it, [`without_slot`] tells
//! of an object that waits for it.

pub(super) mod claims;
pub(super) mod observe;
pub(super) mod perform;
mod without_slot;

use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio_util::sync::CancellationToken;

use self::perform::Performer;
use super::context::Context;
use super::lag::{self, LAG_RETRY};
use super::metadata::deletion;
use super::report;
use super::runner::{self, Handlers, Lost, OnCancel, Performed, Place, Reconciler, Requeue, Timeout};
use crate::admin::metrics::{EffectOutcome, Kind};
use crate::crd::{AnyWorkspace, Workspace};
use crate::domain::ids::Uid;
use crate::domain::reason::Reason;
use crate::lifecycle::effect::{ClusterOutcome, Effect};
use crate::lifecycle::judge::token_secret;
use crate::lifecycle::priority::priority;
use crate::lifecycle::progress::PermitProgress;
use crate::lifecycle::undecodable::Undecodable;
use crate::lifecycle::{Next, Outcome, Reconcile, Settled, SharedList};
use crate::limits::RateLimiter;

/// An object that cannot be decoded is reported again after this, should the report have been lost.
const REPORT_INTERVAL: Duration = Duration::from_secs(30 * 60);

/// Runs until cancelled.
pub(super) async fn run(
    context: Arc<Context>,
    queue: mpsc::UnboundedReceiver<ObjectRef<AnyWorkspace>>,
    cancel: CancellationToken,
) {
    let slots = context.settings.concurrency;
    let store = context.workspaces.clone();
    runner::serve(
        context,
        store,
        queue,
        cancel.clone(),
        slots,
        Handlers {
            place,
            reconcile: |workspace, context| reconcile(workspace, context, cancel.clone()),
            tell: without_slot::tell,
        },
    )
    .await;
}

/// By the stored object and its token Secret.
fn place(context: &Context, workspace: &AnyWorkspace) -> Place {
    let object = workspace.object();
    let uid = Uid::new(object.uid().unwrap_or_default());
    let namespace = object.namespace().unwrap_or_default();
    let target = object.spec.token_secret_name(&object.name_any());
    let organization = object.spec.organization_name();
    let (now, process_began) = context.now_and_beginning();
    let shared = context.shared();
    let known = shared.organizations.get(organization);
    let server_time = known.and_then(|state| state.published.server_time);
    let ahead = server_time.map(|known| known.ahead(process_began));
    let token = shared.secrets.times(&namespace, &target);
    let token = token.map(|times| times.by_a_clock(ahead));
    Place {
        organization: organization.to_owned(),
        priority: priority(now, &uid, deletion(object), token),
    }
}

async fn reconcile(
    workspace: Arc<AnyWorkspace>,
    context: Arc<Context>,
    cancel: CancellationToken,
) -> Requeue {
    let object = match &*workspace {
        AnyWorkspace::Whole(object) => object.clone(),
        AnyWorkspace::Salvaged(salvage) => match observe::undecodable(salvage) {
            Undecodable::Release => salvage.left.clone(),
            Undecodable::Report(finding) => {
                report::report(&context, &*workspace, finding).await;
                return Requeue::After(REPORT_INTERVAL);
            }
        },
    };
    if lag::is_behind(&context, &object).await {
        return Requeue::After(LAG_RETRY);
    }
    let begin = {
        let (context, object) = (context.clone(), object.clone());
        move || Ok(Running::begin(context, object))
    };
    runner::run(&context, &object, cancel, begin).await
}

/// One reconcile.
struct Running {
    context: Arc<Context>,
    organization: String,
    performer: Performer,
    reconcile: Reconcile,
}

impl Running {
    fn begin(context: Arc<Context>, object: Workspace) -> Self {
        // The client first: an older client belongs to no organization other than the one that the view verified.
        let performer = Performer::new(context.clone(), object.clone());
        Self {
            reconcile: Reconcile::new(observe::view(&context, &object)),
            organization: object.spec.organization_name().to_owned(),
            performer,
            context,
        }
    }

    fn release_claims(&self) {
        let facts = self.reconcile.view().standing_claims();
        let mut shared = self.context.shared();
        let winners = shared.claims.release(&self.reconcile.claimant(), facts);
        drop(shared);
        self.context.wake_all(&winners);
    }
}

impl Reconciler for Running {
    const KIND: Kind = Kind::Workspace;
    const TIMEOUT: Timeout = Timeout::WholeReconcile;
    type Object = Workspace;
    type Effect = Effect;
    type Outcome = Outcome;
    type Settled = Box<Settled>;

    fn next(&mut self, outcome: Option<Outcome>) -> runner::Next<Effect, Box<Settled>> {
        let next = {
            let shared = &mut *self.context.shared();
            let mut idle = RateLimiter::default();
            let limiter = shared
                .organizations
                .get_mut(&self.organization)
                .map_or(&mut idle, |state| &mut state.limiter);
            let (now, process_began) = self.context.now_and_beginning();
            self.reconcile.keep_time(now, process_began);
            let next = self.reconcile.next(now, &mut shared.claims, limiter, outcome);
            if let Next::Perform {
                effect: Effect::Engine(_),
                ..
            } = &next
            {
                // Kept before it is sent, because a timeout drops this reconcile with its memory.
                let memory = self.reconcile.view().memory.clone();
                shared.memories.insert(self.reconcile.claimant().uid, memory);
            }
            next
        };
        match next {
            Next::Perform { rule, effect } => runner::Next::Perform {
                rule,
                name: effect.kind(),
                effect,
                on_cancel: OnCancel::Finish,
            },
            Next::Wait(until) => runner::Next::Wait {
                until,
                on_cancel: OnCancel::Finish,
            },
            Next::Settled(settled) => {
                self.release_claims();
                runner::Next::Settled(settled)
            }
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

    fn settle(context: &Context, object: &Workspace, settled: Box<Settled>) -> runner::Settled {
        let uid = Uid::new(object.uid().unwrap_or_default());
        let winners = {
            let mut shared = context.shared();
            if context.is_stored(object) {
                if settled.permit != PermitProgress::Open {
                    let waits =
                        ObjectRef::new(&object.name_any()).within(&object.namespace().unwrap_or_default());
                    shared.waits_for_permit.insert(uid.clone(), waits);
                } else {
                    shared.waits_for_permit.remove(&uid);
                }
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
        runner::Settled {
            rule: settled.rule,
            reason: settled.reason.unwrap_or(Reason::Creating),
            requeue_at: settled.requeue.at,
            why: settled.requeue.why.as_str(),
            events: settled.events,
        }
    }

    /// A lost reconcile rests as a failed one, for what it sent. Its claims stay until the next reconcile, or go where its object has gone.
    fn give_up(context: &Context, object: &Workspace, _: Lost) -> Duration {
        let view = observe::view(context, object);
        let (now, uid) = (view.now, &view.object.uid);
        let mut shared = context.shared();
        if !context.is_stored(object) {
            let winners = shared.forget(uid);
            drop(shared);
            context.wake_all(&winners);
            return Duration::ZERO;
        }
        let urgency = token_secret::urgency(&view);
        let memory = shared.memories.entry(uid.clone()).or_default();
        memory.lost_track(now, view.recorded_id().cloned());
        let at = memory.rest_after_loss(view.uptime(), |aspect| view.cause(aspect), urgency, uid);
        runner::wait_until(now, view.by_the_wall_clock(at))
    }
}

fn counted(outcome: &Outcome) -> EffectOutcome {
    match outcome {
        Outcome::Cluster(ClusterOutcome::Conflict) => EffectOutcome::Refused,
        Outcome::Cluster(ClusterOutcome::Forbidden { .. } | ClusterOutcome::KubernetesFailed { .. }) => {
            EffectOutcome::Failed
        }
        Outcome::Cluster(_) => EffectOutcome::Done,
        Outcome::Engine(answer) => EffectOutcome::of(answer.answered().failure),
    }
}

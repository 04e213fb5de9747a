//! One reconcile over one Organization, without input or output of its own. The loop around it has no decisions.

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::organization::OrganizationSpec;
use crate::domain::finding::Finding;
use crate::domain::reason::Reason;
use crate::limits::{Fault, Permit, RateLimiter};
use crate::organization::apply::{apply, permit_is_far};
use crate::organization::budget;
use crate::organization::effect::{ClusterEffect, Effect, EngineCall, Outcome, Part};
use crate::organization::judge::pause;
use crate::organization::judge::readiness::readiness;
use crate::organization::memory::Memory;
use crate::organization::plan::{Planned, plan};
use crate::organization::status;
use crate::organization::step::Step;
use crate::organization::view::View;
use crate::organization::wakeups::{self, Wakeup};
use crate::tenancy::Claims;

/// A permit further away than this ends the reconcile. The next one begins with what is known by then.
const WAITS_AT_MOST: Duration = Duration::from_secs(1);

/// Within a list that was begun: the pages read so far would be read again. Only a pause that Agent Engine asked for is
/// longer than any permit is away.
const WAITS_WITHIN_A_LIST: Duration = Duration::from_secs(60);

/// One reconcile.
#[derive(Debug)]
pub struct Reconcile {
    view: View,
    doing: Option<Effect>,
}

/// What the loop is to do next.
#[derive(Debug)]
pub enum Next {
    /// Perform the effect, which this rule named.
    Perform {
        rule: &'static str,
        effect: Effect,
    },
    /// Come back at this instant, at most a minute away.
    Wait(Timestamp),
    Settled(Box<Settled>),
}

/// The end of a reconcile.
#[derive(Debug)]
pub struct Settled {
    /// The rule that ended it.
    pub rule: &'static str,
    pub requeue: Wakeup,
    pub memory: Memory,
    /// Events to publish.
    pub events: Vec<Finding>,
    /// The Ready reason, for metrics.
    pub reason: Reason,
}

impl Reconcile {
    pub fn new(view: View) -> Self {
        Self { view, doing: None }
    }

    /// What is known now.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Told before each step: where the process began at another instant by the wall clock of now, that clock was set meanwhile.
    pub fn keep_time(&mut self, process_began: Timestamp) {
        self.view.process_began = process_began;
    }

    /// Folds in what came of the last effect, and names the next one.
    pub fn next(
        &mut self,
        now: Timestamp,
        claims: &Claims,
        limiter: &mut RateLimiter,
        outcome: Option<Outcome>,
    ) -> Next {
        self.view.now = now;
        let uptime = self.view.uptime();
        match requests_per_second(&self.view.declared) {
            Some(declared) => limiter.set_rate(declared),
            None => limiter.find_rate(),
        }
        limiter.take_over_pause(uptime, pause::left_of_stored(&self.view));
        if let (Some(outcome), Some(effect)) = (outcome, self.doing.take()) {
            self.account(limiter, &effect, &outcome);
            apply(&mut self.view, claims, effect, outcome);
        }
        if let Some(back_at) = limiter.back_at() {
            self.view.memory.backoff.recovered(back_at, uptime);
        }
        if let Some(since) = limiter.well_since(uptime) {
            self.view.memory.backoff.relieve(since, uptime);
        }
        let paused_until = limiter.paused_until(uptime);
        self.view.progress.paused_until = paused_until.map(|at| self.view.by_the_wall_clock(at));
        self.view.progress.rate = Some(limiter.rate());
        loop {
            let Planned { rule, step } = plan(&self.view);
            let effect = match step {
                Step::Act(effect) => effect,
                Step::Publish(wake) => {
                    ClusterEffect::Publish(Box::new(status::publication(&self.view, wake))).into()
                }
                Step::Wait(at) => return Next::Wait(at),
                Step::Leave(reason, requeue) => return self.end(rule, reason, requeue),
                Step::Settle => match status::unwritten(&self.view) {
                    Some(status) => ClusterEffect::WriteStatus(Box::new(status)).into(),
                    None => return self.settle(rule),
                },
            };
            let permit = effect
                .lane()
                .map(|lane| limiter.acquire(uptime, lane, &self.view.object.uid));
            match permit {
                None | Some(Permit::Granted) => {
                    self.doing = Some(effect.clone());
                    return Next::Perform { rule, effect };
                }
                Some(Permit::RetryAt(at)) => {
                    let wait = at.since(uptime);
                    let at = self.view.by_the_wall_clock(at);
                    if wait <= patience(&effect) {
                        return Next::Wait(at);
                    }
                    permit_is_far(&mut self.view, at);
                }
            }
        }
    }

    /// The limiter learns how Agent Engine answered. One request was charged with the permit.
    fn account(&mut self, limiter: &mut RateLimiter, effect: &Effect, outcome: &Outcome) {
        let (Effect::Engine(call), Some(answered)) = (effect, outcome.answered()) else {
            return;
        };
        let now = self.view.uptime();
        limiter.answered(now, &answered);
        for _ in 1..answered.requests {
            limiter.spend(now, call.lane());
        }
        self.view.progress.calls += budget::charged(*call, answered.requests);
        let fault = answered.failure.map(|failure| Fault::of(failure.class));
        self.view.progress.fault = fault.or(self.view.progress.fault);
    }

    fn settle(&mut self, rule: &'static str) -> Next {
        budget::charge(&mut self.view);
        let reason = readiness(&self.view).reason();
        self.end(rule, reason, wakeups::next(&self.view))
    }

    fn end(&mut self, rule: &'static str, reason: Reason, requeue: Wakeup) -> Next {
        Next::Settled(Box::new(Settled {
            rule,
            requeue,
            memory: std::mem::take(&mut self.view.memory),
            events: std::mem::take(&mut self.view.progress.events),
            reason,
        }))
    }
}

fn patience(effect: &Effect) -> Duration {
    match effect {
        Effect::Engine(EngineCall::List(Part::Next)) => WAITS_WITHIN_A_LIST,
        Effect::Engine(_) | Effect::Cluster(_) => WAITS_AT_MOST,
    }
}

fn requests_per_second(spec: &OrganizationSpec) -> Option<u32> {
    spec.requests_per_second.and_then(|rate| u32::try_from(rate).ok())
}

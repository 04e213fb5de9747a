//! One reconcile over one Organization, without input or output of its own. The loop around it has no decisions.

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::organization::OrganizationSpec;
use crate::domain::finding::Finding;
use crate::domain::reason::Reason;
use crate::domain::time::{elapsed, later};
use crate::limits::rate_limiter::DEFAULT_REQUESTS_PER_SECOND;
use crate::limits::{Permit, Pressure, RateLimiter, Urgency};
use crate::organization::absorb::absorb;
use crate::organization::effect::{Effect, Outcome, Part};
use crate::organization::plan::{Step, plan};
use crate::organization::view::{Attempt, List, Memory, View};
use crate::tenancy::Claims;

/// A turn further away than this ends the reconcile, which begins anew then with what is known by then.
const WAITS_AT_MOST: Duration = Duration::from_secs(1);

/// Within a list that was begun: what was read would else be read again. Only a pause that Agent Engine asked for is
/// longer than any turn is away.
const WAITS_WITHIN_A_LIST: Duration = Duration::from_secs(60);

/// No Organization goes unlooked at for longer: a missed event heals by then.
const LOOKS_AGAIN: Duration = Duration::from_secs(30 * 60);

/// A status that could not be written is written again then, should no event come first.
const WRITES_AGAIN: Duration = Duration::from_secs(30);

/// One reconcile.
#[derive(Debug)]
pub struct Reconcile {
    view: View,
    doing: Option<Effect>,
    /// Requests to Agent Engine that back-off charges.
    calls: u32,
}

/// What the loop is to do next.
#[derive(Debug)]
pub enum Next {
    Perform(Effect),
    /// Come back at this instant, at most a minute away.
    Wait(Timestamp),
    Settled(Box<Settled>),
}

/// The end of a reconcile.
#[derive(Debug)]
pub struct Settled {
    pub requeue_at: Timestamp,
    pub memory: Memory,
    /// Events to publish.
    pub events: Vec<Finding>,
    /// The Ready reason, for metrics.
    pub reason: Reason,
}

impl Reconcile {
    pub fn new(mut view: View) -> Self {
        view.memory.tick(view.now);
        Self {
            view,
            doing: None,
            calls: 0,
        }
    }

    /// What is known now.
    pub fn view(&self) -> &View {
        &self.view
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
        limiter.set_rate(requests_per_second(&self.view.declared));
        if let (Some(outcome), Some(effect)) = (outcome, self.doing.take()) {
            if let (Some(answered), Some(lane)) = (outcome.answered(), effect.lane()) {
                if let Some(pressure) = Pressure::of(answered.failure) {
                    limiter.observe(now, pressure);
                }
                // One was charged when it was asked for.
                for _ in 1..answered.requests {
                    limiter.spend(now, lane);
                }
                // An organization that is large is no dearer for failing: back-off charges one page of a list.
                if effect != Effect::List(Part::Next) {
                    self.calls += answered.requests;
                }
            }
            absorb(&mut self.view, claims, effect, outcome);
        }
        self.view.progress.paused_until = limiter.paused_until();
        loop {
            if self.view.progress.vanished {
                return self.leave(Reason::Deleting, Duration::ZERO);
            }
            match plan(&self.view).1 {
                Step::Act(effect) => match effect
                    .lane()
                    .map(|lane| limiter.acquire(now, lane, &self.view.object.uid))
                {
                    None | Some(Permit::Granted) => {
                        self.doing = Some(effect.clone());
                        return Next::Perform(effect);
                    }
                    Some(Permit::RetryAt(at)) if elapsed(now, at) <= patience(&effect) => {
                        return Next::Wait(at);
                    }
                    Some(Permit::RetryAt(at)) => self.give_way(at),
                },
                Step::Wait(at) => return Next::Wait(at),
                Step::Leave(reason, after) => return self.leave(reason, after),
                Step::Settle => return self.settle(),
            }
        }
    }

    /// The turn is far away: the reconcile says what it knows and ends. A part of a list says nothing.
    fn give_way(&mut self, at: Timestamp) {
        self.view.progress.gives_way_until = Some(at);
        if matches!(self.view.progress.list, List::Partial { .. }) {
            self.view.progress.list = List::NotBegun;
        }
    }

    fn settle(&mut self) -> Next {
        let now = self.view.now;
        let mut requeue_at = self.back_off().min(later(now, LOOKS_AGAIN));
        if self.view.progress.status == Attempt::Failed {
            requeue_at = requeue_at.min(later(now, WRITES_AGAIN));
        }
        let reason = self.view.judgement().reason;
        self.end(requeue_at, reason)
    }

    /// What failed rests; what went well begins anew. Returns when to look again.
    fn back_off(&mut self) -> Timestamp {
        let view = &mut self.view;
        let (now, cause) = (view.now, view.cause());
        if view.progress.failed {
            view.memory
                .backoff
                .failed(now, cause, self.calls, Urgency::Normal, &view.object.uid);
        } else if view.rests_until().is_none() && !view.is_failing() {
            view.memory.backoff.succeeded();
        }
        match (view.rests_until(), view.is_listable()) {
            (Some(until), true) => until.max(view.list_due_at()),
            (Some(until), false) => until,
            (None, true) => view.list_due_at(),
            (None, false) => later(now, LOOKS_AGAIN),
        }
    }

    fn leave(&mut self, reason: Reason, after: Duration) -> Next {
        let at = later(self.view.now, after);
        self.end(at, reason)
    }

    fn end(&mut self, requeue_at: Timestamp, reason: Reason) -> Next {
        Next::Settled(Box::new(Settled {
            requeue_at,
            memory: std::mem::take(&mut self.view.memory),
            events: std::mem::take(&mut self.view.progress.events),
            reason,
        }))
    }
}

fn patience(effect: &Effect) -> Duration {
    if *effect == Effect::List(Part::Next) {
        WAITS_WITHIN_A_LIST
    } else {
        WAITS_AT_MOST
    }
}

fn requests_per_second(spec: &OrganizationSpec) -> u32 {
    spec.requests_per_second
        .and_then(|rate| u32::try_from(rate).ok())
        .unwrap_or(DEFAULT_REQUESTS_PER_SECOND)
}

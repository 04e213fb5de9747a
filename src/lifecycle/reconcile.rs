//! One reconcile over one workspace, without input or output of its own. The loop around it has no decisions.

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::conditions;
use crate::crd::workspace::WorkspaceStatus;
use crate::domain::finding::Finding;
use crate::domain::reason::Reason;
use crate::domain::time::{elapsed, later};
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall, Outcome};
use crate::lifecycle::memory::Memory;
use crate::lifecycle::plan::{Step, plan};
use crate::lifecycle::rules::{token, token_secret};
use crate::lifecycle::verdict::{Aspect, Problem, Verdict};
use crate::lifecycle::view::{Removal, View};
use crate::lifecycle::{absorb, report};
use crate::limits::{Lane, Permit, Pressure, RateLimiter, Urgency};
use crate::tenancy::{Claimant, Claims};

/// A turn further away than this ends the reconcile: a waiting reconcile would hold a slot that others need.
const WAITS_AT_MOST: Duration = Duration::from_secs(1);

/// No object goes unlooked at for longer: a missed event heals by then.
const LOOKS_AGAIN: Duration = Duration::from_secs(30 * 60);

/// What waits for something else (a grant, a claim, an Organization) is woken by it; this is for a missed event.
const WAITS_FOR_OTHERS: Duration = Duration::from_secs(5 * 60);

/// A Secret of somebody else under our Secret's name may have no label of ours, and then nobody tells that it has gone. To
/// look costs one read of Kubernetes, and no call.
const LOOKS_WHETHER_THE_NAME_IS_FREE: Duration = Duration::from_secs(60);

/// More steps than any story has; a reconcile that gets here turns in circles.
const STEPS_AT_MOST: u8 = 32;

/// One reconcile.
#[derive(Debug)]
pub struct Reconcile {
    view: View,
    steps: u8,
    sync_calls: u32,
    token_calls: u32,
    doing: Option<(Aspect, Effect)>,
    /// The Ready reason at the start: status is the memory of what was announced.
    began_with: Option<String>,
}

/// What the loop is to do next.
#[derive(Debug)]
pub enum Next {
    Perform(Effect),
    /// Come back at this instant, at most a second away.
    Wait(Timestamp),
    Settled(Box<Settled>),
}

/// The end of a reconcile.
#[derive(Debug)]
pub struct Settled {
    pub requeue_at: Timestamp,
    pub memory: Memory,
    /// The status as stored now.
    pub stored: WorkspaceStatus,
    /// Events to publish: the change of the Ready reason, and what else is worth telling.
    pub events: Vec<Finding>,
    /// The Ready reason, for metrics: of this reconcile, or as it was left.
    pub reason: Option<Reason>,
    pub list: SharedList,
    pub calls: u32,
}

/// Whether the reconcile wants the organization's shared list taken anew, before its interval is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SharedList {
    Enough,
    Wanted,
}

impl Reconcile {
    pub fn new(mut view: View) -> Self {
        view.memory.tick(view.now);
        let began_with = ready_reason(&view.stored);
        Self {
            view,
            steps: 0,
            sync_calls: 0,
            token_calls: 0,
            doing: None,
            began_with,
        }
    }

    /// The object that the reconcile is about, as the claims table knows it.
    pub fn claimant(&self) -> Claimant {
        let object = &self.view.object;
        Claimant {
            uid: object.uid.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            created: object.created,
        }
    }

    /// What is known now.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Folds in what came of the last effect, and names the next one. Claims are taken here, before anything is written.
    pub fn next(
        &mut self,
        now: Timestamp,
        claims: &mut Claims,
        limiter: &mut RateLimiter,
        outcome: Option<Outcome>,
    ) -> Next {
        self.view.now = now;
        if let (Some(outcome), Some((aspect, effect))) = (outcome, self.doing.take()) {
            if let Some(answered) = outcome.answered() {
                if let Some(pressure) = Pressure::of(answered.failure) {
                    limiter.observe(now, pressure);
                }
                // One was charged when it was asked for.
                for _ in 1..answered.requests {
                    *self.calls_mut(aspect) += 1;
                    limiter.spend(now, self.lane(aspect, &effect));
                }
            }
            absorb::absorb(&mut self.view, aspect, &effect, outcome);
        }
        self.view.claim_result = claims.take(&self.claimant(), self.view.claims());
        let asked = claims.held_by_others(&self.view.object.uid, self.view.asks());
        self.view.claim_result.lost.extend(asked);
        if self.view.progress.vanished || self.steps >= STEPS_AT_MOST {
            return self.leave();
        }
        self.decide(limiter)
    }

    fn decide(&mut self, limiter: &mut RateLimiter) -> Next {
        match plan(&self.view).1 {
            Step::Act(aspect, effect) => self.act(limiter, aspect, effect),
            Step::Settle(verdict) => self.settle(verdict),
            Step::Leave => self.leave(),
        }
    }

    fn act(&mut self, limiter: &mut RateLimiter, aspect: Aspect, effect: Effect) -> Next {
        if matches!(effect, Effect::Engine(_)) {
            match self.permit(limiter, aspect, &effect) {
                Permit::Granted => *self.calls_mut(aspect) += 1,
                Permit::RetryAt(at) if elapsed(self.view.now, at) <= WAITS_AT_MOST => return Next::Wait(at),
                Permit::RetryAt(at) => return self.give_way(limiter, at),
            }
        }
        if let Effect::Engine(EngineCall::Issue { name, .. }) = &effect
            && self.view.record().is_some()
        {
            // Noted before it is sent: a reconcile that is cut off forgets what came of it, not that it was sent.
            let sent = self.view.progress.clock.lost_issue(name, self.view.now);
            self.view.memory.unproven.push(sent);
        }
        self.steps += 1;
        self.doing = Some((aspect, effect.clone()));
        Next::Perform(effect)
    }

    /// The turn is far away. What this reconcile has found out is not forgotten over it.
    fn give_way(&mut self, limiter: &mut RateLimiter, at: Timestamp) -> Next {
        let finding = match self.view.progress.sync_problem.take() {
            Some(finding) => finding,
            None if self.view.progress.stamped => {
                self.view.progress.stamped = false;
                self.view.progress.nothing_made = true;
                Finding::new(
                    Reason::Throttled,
                    "Agent Engine asked to slow down; it is tried again when it allows",
                )
            }
            // Whether it is gone all the same is read another time.
            None if self.view.progress.removal == Removal::Unclear => {
                self.view.progress.removal = Removal::Failed;
                return self.decide(limiter);
            }
            None => return self.leave_until(at),
        };
        let aspect = Aspect::Sync;
        self.view.progress.problem = Some(Problem { aspect, finding });
        self.decide(limiter)
    }

    /// The first call of a reconcile asks for a turn. What follows from it is charged, and waits only while all must.
    fn permit(&self, limiter: &mut RateLimiter, aspect: Aspect, effect: &Effect) -> Permit {
        let lane = self.lane(aspect, effect);
        if self.sync_calls + self.token_calls == 0 {
            return limiter.acquire(self.view.now, lane, &self.view.object.uid);
        }
        if let Some(until) = limiter.paused_until().filter(|until| *until > self.view.now) {
            return Permit::RetryAt(until);
        }
        limiter.spend(self.view.now, lane);
        Permit::Granted
    }

    fn lane(&self, aspect: Aspect, effect: &Effect) -> Lane {
        match (aspect, effect) {
            (Aspect::Token, _) => Lane::Refresh,
            (Aspect::Sync, Effect::Engine(EngineCall::Delete(_))) => Lane::Delete,
            (Aspect::Sync, _) if self.view.record().is_none() => Lane::Create,
            (Aspect::Sync, _) => Lane::Other,
        }
    }

    fn calls_mut(&mut self, aspect: Aspect) -> &mut u32 {
        match aspect {
            Aspect::Sync => &mut self.sync_calls,
            Aspect::Token => &mut self.token_calls,
        }
    }

    /// The status is written last, and only where it differs.
    fn settle(&mut self, verdict: Verdict) -> Next {
        let status = report::status(&self.view, &verdict);
        if status != self.view.stored && !self.view.progress.status_failed {
            let effect = Effect::Cluster(ClusterEffect::WriteStatus(Box::new(status)));
            self.steps += 1;
            self.doing = Some((Aspect::Sync, effect.clone()));
            return Next::Perform(effect);
        }
        let at = self.back_off(&verdict);
        self.end(at, Some(verdict))
    }

    fn leave(&mut self) -> Next {
        let at = self
            .rested_until()
            .unwrap_or_else(|| later(self.view.now, WAITS_FOR_OTHERS));
        self.leave_until(at)
    }

    fn leave_until(&mut self, at: Timestamp) -> Next {
        self.end(at, None)
    }

    fn rested_until(&self) -> Option<Timestamp> {
        let cause = self.view.cause();
        let memory = &self.view.memory;
        [memory.sync.not_before(cause), memory.token.not_before(cause)]
            .into_iter()
            .flatten()
            .filter(|at| *at > self.view.now)
            .min()
    }

    /// An aspect that failed rests; one that went well starts anew. Returns when to look again.
    fn back_off(&mut self, verdict: &Verdict) -> Timestamp {
        let (now, cause, uid) = (self.view.now, self.view.cause(), self.view.object.uid.clone());
        let problem = self.view.progress.problem.as_ref().map(|problem| problem.aspect);
        let urgency = token_secret::urgency(&self.view);
        let mut requeue_at = vec![later(now, LOOKS_AGAIN)];
        let failed =
            |aspect, finding: &Finding, calls| problem == Some(aspect) || (!finding.is_ready() && calls > 0);
        // What stops the whole object stopped the renewal after its first calls.
        let in_vain = self.token_calls > 0
            && self.view.progress.published.is_none()
            && (verdict.token.reason == Reason::TokenVerified || verdict.token == verdict.synced);
        let sync_failed =
            failed(Aspect::Sync, &verdict.synced, self.sync_calls) || (in_vain && !verdict.synced.is_ready());
        let token_failed = failed(Aspect::Token, &verdict.token, self.token_calls) || in_vain;
        // One object, one budget: what fails together is charged together, and a failing sync pays for the token's
        // attempts as well, never the other way round.
        let all = self.sync_calls + self.token_calls;
        let sync_pays = token_failed && self.view.memory.sync.not_before(cause).is_some();
        for (aspect, finding, calls, urgency, failed, charge) in [
            (
                Aspect::Sync,
                &verdict.synced,
                self.sync_calls,
                Urgency::Normal,
                sync_failed || sync_pays,
                if token_failed { all } else { self.sync_calls },
            ),
            (
                Aspect::Token,
                &verdict.token,
                self.token_calls,
                urgency,
                token_failed,
                if sync_failed { all } else { self.token_calls },
            ),
        ] {
            let backoff = self.view.memory.backoff_mut(aspect);
            match backoff.not_before(cause).filter(|at| *at > now) {
                _ if failed => requeue_at.push(backoff.failed(now, cause, charge, urgency, &uid)),
                Some(rests) if calls == 0 => requeue_at.push(rests),
                // It waits for something that wakes it: nothing was spent, so nothing rests.
                _ if !finding.is_ready() => requeue_at.push(later(now, WAITS_FOR_OTHERS)),
                Some(_) | None => backoff.succeeded(),
            }
        }
        // A renewal that is due and was not made waits for what stopped it.
        requeue_at.extend(token_secret::next_change(&self.view));
        requeue_at.extend(token::waits_until(&self.view));
        requeue_at.extend(self.view.memory.unresolved_at(now));
        if [&verdict.main, &verdict.token]
            .iter()
            .any(|finding| finding.reason == Reason::SecretNotOwned)
        {
            requeue_at.push(later(now, LOOKS_WHETHER_THE_NAME_IS_FREE));
        }
        requeue_at.into_iter().min().unwrap_or(now)
    }

    fn end(&mut self, requeue_at: Timestamp, verdict: Option<Verdict>) -> Next {
        let before = || ready_reason(&self.view.stored).and_then(|name| Reason::parse(&name));
        let reason = verdict
            .as_ref()
            .map(|verdict| verdict.main.reason)
            .or_else(before);
        let mut events = std::mem::take(&mut self.view.progress.notes);
        if let Some(verdict) = verdict
            && self.began_with.as_deref() != Some(verdict.main.reason.as_str())
        {
            events.push(verdict.main);
        }
        Next::Settled(Box::new(Settled {
            requeue_at,
            memory: std::mem::take(&mut self.view.memory),
            stored: self.view.stored.clone(),
            events,
            reason,
            list: match reason {
                Some(Reason::NotFoundUnconfirmed) => SharedList::Wanted,
                Some(_) | None => SharedList::Enough,
            },
            calls: self.sync_calls + self.token_calls,
        }))
    }
}

/// The reason of the stored Ready condition.
fn ready_reason(status: &WorkspaceStatus) -> Option<String> {
    status
        .conditions
        .iter()
        .find(|c| c.type_ == conditions::READY)
        .map(|c| c.reason.clone())
}

//! One reconcile of one workspace, without input or output of its own. It drives: the rules decide, and the loop around it
//! performs.

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::conditions;
use crate::crd::workspace::WorkspaceStatus;
use crate::domain::finding::Finding;
use crate::domain::object::Deletion;
use crate::domain::reason::Reason;
use crate::domain::time::{Uptime, shifted};
use crate::lifecycle::apply::apply_outcome;
use crate::lifecycle::aspect::{Aspect, Problem};
use crate::lifecycle::budget::{self, Attempts, Ended, SyncBefore};
use crate::lifecycle::creation_window::ServerClock;
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall, Outcome};
use crate::lifecycle::findings;
use crate::lifecycle::judge::drift::{self, Drift};
use crate::lifecycle::judge::{doubt, failure, holding, identity, token_secret, waiting, wish};
use crate::lifecycle::memory::{Memory, Sent};
use crate::lifecycle::plan::{Planned, plan};
use crate::lifecycle::progress::{ObjectProgress, PermitProgress, Scarcity, StatusProgress, TokenProgress};
use crate::lifecycle::status::{self, Verdict};
use crate::lifecycle::step::{Change, Ending, Step};
use crate::lifecycle::view::View;
use crate::lifecycle::wakeups::{self, Wakeup, Why};
use crate::limits::{FailedAttempt, Fault, Lane, Permit, RateLimiter, Urgency};
use crate::tenancy::{Claimant, Claims};

/// The longest wait for a permit. A later permit ends the reconcile, which would hold a slot that others need.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// More steps than any reconcile needs. One that takes them is in a loop.
const MAX_STEPS: u8 = 32;

/// One reconcile.
#[derive(Debug)]
pub struct Reconcile {
    view: View,
    steps: u8,
    sync_calls: u32,
    token_calls: u32,
    doing: Option<Doing>,
    /// Of the last calls.
    faults: Faults,
    /// The Ready reason at the start: an event for it was published already.
    began_with: Option<String>,
    /// The causes of failures at the start, of sync and token.
    began_for: (u64, u64),
}

/// The effect that the loop performs.
#[derive(Debug)]
struct Doing {
    aspect: Aspect,
    effect: Effect,
    asked_at: Timestamp,
}

/// What the loop is to do next.
#[derive(Debug)]
pub enum Next {
    Perform {
        /// The rule that named the effect.
        rule: &'static str,
        effect: Effect,
    },
    /// Call [`Reconcile::next`] again at this instant, at most a second away.
    Wait(Timestamp),
    Settled(Box<Settled>),
}

/// The end of a reconcile.
#[derive(Debug)]
pub struct Settled {
    /// The rule that ended it.
    pub rule: &'static str,
    pub requeue: Wakeup,
    /// Not open: it gave way, and the rate limiter may call the object before its requeue.
    pub permit: PermitProgress,
    pub memory: Memory,
    /// The status as stored now.
    pub stored: WorkspaceStatus,
    /// Events to publish: the change of the Ready reason, and those of the effects.
    pub events: Vec<Finding>,
    /// The Ready reason for metrics: of this verdict, or the stored one.
    pub reason: Option<Reason>,
    pub list: SharedList,
    pub calls: u32,
}

/// Whether the reconcile wants the organization's shared list taken again, before its interval is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SharedList {
    Enough,
    Wanted,
}

impl Reconcile {
    pub fn new(mut view: View) -> Self {
        view.memory.tick(view.now, view.process_began);
        let recovered_at = view.readable().and_then(|organization| organization.recovered_at);
        if let Some(at) = recovered_at {
            let now = view.uptime();
            view.memory.sync.recovered(at, now);
            view.memory.token.recovered(at, now);
        }
        let mut unresolved = std::mem::take(&mut view.memory.unresolved);
        unresolved.retain(|issue| !doubt::is_disproved(&view, issue));
        view.memory.unresolved = unresolved;
        let server_time = view.readable().and_then(|organization| organization.server_time);
        view.progress.clock = ServerClock::known(server_time, view.process_began);
        view.progress.request = view.object.reconcile_at.clone();
        let began_with = ready_reason(&view.stored);
        let began_for = (view.cause(Aspect::Sync), view.cause(Aspect::Token));
        let faults = Faults {
            sync: view.memory.sync.fault(),
            token: view.memory.token.fault(),
        };
        Self {
            view,
            steps: 0,
            sync_calls: 0,
            token_calls: 0,
            doing: None,
            faults,
            began_with,
            began_for,
        }
    }

    /// The object that is reconciled, as the claims table knows it.
    pub fn claimant(&self) -> Claimant {
        self.view.object.claimant()
    }

    /// What is known now.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Told before each step: where the process began at another instant by the wall clock of now, that clock was set meanwhile.
    pub fn keep_time(&mut self, now: Timestamp, process_began: Timestamp) {
        self.view.process_began = process_began;
        let set_by = self.view.memory.tick(now, process_began);
        self.view.progress.follow_the_clock(set_by);
        if let Some(doing) = &mut self.doing {
            doing.asked_at = shifted(doing.asked_at, set_by);
        }
        self.view.follow_the_clock(now);
    }

    /// Applies the outcome of the last effect, and names the next one. Claims are taken here, before anything is written.
    pub fn next(
        &mut self,
        now: Timestamp,
        claims: &mut Claims,
        limiter: &mut RateLimiter,
        outcome: Option<Outcome>,
    ) -> Next {
        self.view.now = now;
        if self.steps == 0 {
            self.relieve(limiter);
        }
        if let (Some(outcome), Some(doing)) = (outcome, self.doing.take()) {
            self.pay(limiter, doing.aspect, &doing.effect, &outcome);
            apply_outcome(
                &mut self.view,
                doing.aspect,
                &doing.effect,
                doing.asked_at,
                outcome,
            );
        }
        self.view.claim_result = claims.take(&self.claimant(), self.view.claims());
        let asked = claims.held_by_others(&self.view.object.uid, self.view.asks());
        self.view.claim_result.lost.extend(asked);
        if self.view.progress.object == ObjectProgress::Gone {
            return self.leave("the_object_is_gone");
        }
        if self.steps >= MAX_STEPS {
            let ending = Ending::Failed(Problem {
                aspect: Aspect::Sync,
                finding: findings::too_many_steps(),
            });
            return self.settle("too_many_steps", &ending);
        }
        self.decide(limiter)
    }

    /// What the server failed may be tried once it is well.
    fn relieve(&mut self, limiter: &mut RateLimiter) {
        let now = self.view.uptime();
        if let Some(since) = limiter.well_since(now) {
            self.view.memory.sync.relieve(since, now);
            self.view.memory.token.relieve(since, now);
        }
    }

    fn decide(&mut self, limiter: &mut RateLimiter) -> Next {
        let Planned { rule, step } = plan(&self.view);
        match step {
            Step::Act(aspect, Effect::Engine(call)) => self.call(limiter, rule, aspect, call),
            Step::Act(aspect, effect) => self.perform(rule, aspect, effect),
            Step::Store(change) => {
                let status = Box::new(after(&self.view, &change));
                self.perform(rule, change.aspect(), ClusterEffect::WriteStatus(status).into())
            }
            Step::Settle(ending @ Ending::Waits(_)) => self.wait(rule, &ending),
            Step::Settle(ending) => self.settle(rule, &ending),
            Step::Leave => self.leave(rule),
        }
    }

    fn perform(&mut self, rule: &'static str, aspect: Aspect, effect: Effect) -> Next {
        self.steps += 1;
        self.doing = Some(Doing {
            aspect,
            effect: effect.clone(),
            asked_at: self.view.now,
        });
        Next::Perform { rule, effect }
    }

    fn call(
        &mut self,
        limiter: &mut RateLimiter,
        rule: &'static str,
        aspect: Aspect,
        call: EngineCall,
    ) -> Next {
        let denied = self.view.progress.permit != PermitProgress::Open;
        let now = self.view.uptime();
        match self.permit(limiter, now, aspect, &call) {
            Permit::Granted => self.charge_call(aspect),
            Permit::RetryAt(at) if at.since(now) <= LONGEST_WAIT => {
                return Next::Wait(self.view.by_the_wall_clock(at));
            }
            Permit::RetryAt(_) if denied => return self.leave(rule),
            Permit::RetryAt(at) => {
                self.view.progress.permit = PermitProgress::NotBefore(self.view.by_the_wall_clock(at));
                self.view.progress.scarcity = scarcity(limiter, now);
                return self.decide(limiter);
            }
        }
        if let EngineCall::Issue { name, .. } = &call
            && self.view.recorded_id().is_some()
        {
            // Noted before the issue is sent: a reconcile that is cut off loses its outcome, not the issue.
            let sent = self.view.progress.clock.lost_issue(name, self.view.now);
            self.view.memory.unresolved.push(sent);
        }
        self.perform(rule, aspect, call.into())
    }

    /// The first call of a reconcile asks for a permit. Later calls are charged, and wait only while all must.
    fn permit(&self, limiter: &mut RateLimiter, now: Uptime, aspect: Aspect, call: &EngineCall) -> Permit {
        let lane = self.lane(aspect, call);
        if self.sync_calls + self.token_calls == 0 {
            let uid = &self.view.object.uid;
            return match token_secret::times(&self.view) {
                Some(times) if lane == Lane::Refresh => {
                    limiter.acquire_before(now, lane, times.expires_at, uid)
                }
                Some(_) | None => limiter.acquire(now, lane, uid),
            };
        }
        if let Some(until) = limiter.paused_until(now).or_else(|| limiter.away_until(now)) {
            return Permit::RetryAt(until);
        }
        limiter.spend(now, lane);
        Permit::Granted
    }

    /// One request was charged when its call was permitted; repeats and further pages are charged here.
    fn pay(&mut self, limiter: &mut RateLimiter, aspect: Aspect, effect: &Effect, outcome: &Outcome) {
        let (Effect::Engine(call), Outcome::Engine(answer)) = (effect, outcome) else {
            return;
        };
        let answered = answer.answered();
        let now = self.view.uptime();
        limiter.answered(now, &answered);
        // A server that fails one call and then answers another is not away: what failed does not heal by itself.
        *self.faults.of(aspect) = match answered.failure {
            Some(failure) => Fault::of(failure.class),
            None => Fault::Refused,
        };
        for _ in 1..budget::charged(call, &answered) {
            self.charge_call(aspect);
        }
        for _ in 1..answered.requests {
            limiter.spend(now, self.lane(aspect, call));
        }
    }

    fn lane(&self, aspect: Aspect, call: &EngineCall) -> Lane {
        match (aspect, call) {
            (Aspect::Token, _) => Lane::Refresh,
            (Aspect::Sync, _) if self.view.object.deletion == Deletion::Requested => Lane::Delete,
            (Aspect::Sync, EngineCall::Delete(_)) => Lane::Delete,
            (Aspect::Sync, _) if self.view.recorded_id().is_none() => Lane::Create,
            (Aspect::Sync, _) => Lane::Other,
        }
    }

    fn charge_call(&mut self, aspect: Aspect) {
        match aspect {
            Aspect::Sync => self.sync_calls += 1,
            Aspect::Token => self.token_calls += 1,
        }
        self.view.memory.sent = Sent {
            sync: self.sync_calls,
            token: self.token_calls,
        };
    }

    /// The status is written last, and only if it differs.
    fn settle(&mut self, rule: &'static str, ending: &Ending) -> Next {
        let verdict = status::verdict(&self.view, ending);
        let status = status::status(&self.view, &verdict);
        if status::is_news(&self.view, &status) && self.view.progress.object == ObjectProgress::Current {
            return self.perform(
                rule,
                Aspect::Sync,
                ClusterEffect::WriteStatus(Box::new(status)).into(),
            );
        }
        self.view.memory.waits_since = None;
        let retries = self.charge(&verdict);
        let requeue = wakeups::next(&self.view, &verdict, retries);
        self.end(rule, requeue, Some(verdict))
    }

    /// What is stored stands while it is true; what is not is written, at most once a wait.
    fn wait(&mut self, rule: &'static str, ending: &Ending) -> Next {
        let verdict = status::verdict(&self.view, ending);
        let status = status::status(&self.view, &verdict);
        let since = waiting::since(&self.view);
        self.view.memory.waits_since = Some(since);
        let said_at = waiting::said_at(&self.view, &status, since);
        let due = said_at.is_some_and(|at| at <= self.view.now);
        if due && self.view.progress.object == ObjectProgress::Current {
            return self.perform(
                rule,
                Aspect::Sync,
                ClusterEffect::WriteStatus(Box::new(status)).into(),
            );
        }
        let requeue = wakeups::after_waiting(&self.view, said_at);
        let told = self.view.progress.status == StatusProgress::Written;
        self.end(rule, requeue, told.then_some(verdict))
    }

    fn leave(&mut self, rule: &'static str) -> Next {
        let requeue = wakeups::after_leaving(&self.view);
        self.end(rule, requeue, None)
    }

    /// Charges back-off: an aspect that failed rests, one that went well starts again. Returns when each is due.
    fn charge(&mut self, verdict: &Verdict) -> Vec<Wakeup> {
        let (now, uptime, uid) = (self.view.now, self.view.uptime(), self.view.object.uid.clone());
        let process_began = self.view.process_began;
        let cause = |aspect| self.view.cause(aspect);
        // An object that changes again and again rests for what it was: the last change is reconciled.
        let (sync_cause, token_cause) = if self.steps >= MAX_STEPS {
            self.began_for
        } else {
            (cause(Aspect::Sync), cause(Aspect::Token))
        };
        let (sync, token) = self.attempts(verdict);
        let before = match self.view.memory.sync.not_before(sync_cause) {
            Some(_) => SyncBefore::InBackoff,
            None => SyncBefore::Free,
        };
        let bill = budget::bill(sync, token, before);
        let urgency = token_secret::urgency(&self.view);
        let misleads = status::misleads(&self.view, verdict);
        let times = token_secret::times(&self.view);
        let due_at = times.map(|times| times.renew_at(&uid)).filter(|at| *at > now);
        let due_at = due_at.map(|at| Uptime::at(at, process_began));
        let faults = self.faults;
        let memory = &mut self.view.memory;
        [
            (
                &mut memory.sync,
                sync_cause,
                &verdict.synced,
                sync,
                bill.sync,
                (Urgency::Normal, faults.sync),
                Why::RetrySync,
            ),
            (
                &mut memory.token,
                token_cause,
                &verdict.token,
                token,
                bill.token,
                (urgency, faults.token),
                Why::RetryToken,
            ),
        ]
        .into_iter()
        .filter_map(
            |(backoff, cause, finding, attempts, charge, (urgency, fault), why)| {
                let rests = backoff.not_before(cause).filter(|at| *at > uptime);
                let wakeup = |at: Uptime| Wakeup::new(at.by_the_wall_clock(process_began), why);
                // A refusal of the Kubernetes API costs no call, and heals by itself: it is tried again soon.
                let urgency = match (charge, why) {
                    (Some(0), Why::RetryToken) => Urgency::Token,
                    (_, _) => urgency,
                };
                match (charge, rests) {
                    (Some(calls), rests) if attempts.ended != Ended::Failed => {
                        backoff.pay(uptime, calls);
                        let next = rests.map(wakeup);
                        Some(next.unwrap_or_else(|| Wakeup::waits_for_others(now)))
                    }
                    // Only a GET that the list called for is sent during a rest.
                    (Some(calls), Some(rests)) if attempts.calls > 0 && why == Why::RetrySync => {
                        Some(wakeup(backoff.failed_during_rest(uptime, calls).unwrap_or(rests)))
                    }
                    // The status alone is tried often: that it was refused is no attempt, and lengthens no rest.
                    (Some(0), Some(rests)) if misleads => Some(wakeup(rests)),
                    (Some(calls), _) => {
                        let attempt = FailedAttempt {
                            calls,
                            urgency,
                            fault,
                        };
                        // What Kubernetes refused beside a fresh token was no renewal, and delays none.
                        let rests = match (calls, why, due_at) {
                            (0, Why::RetryToken, Some(due_at)) => {
                                backoff.failed_beside(uptime, cause, attempt, &uid, due_at)
                            }
                            (_, _, _) => backoff.failed(uptime, cause, attempt, &uid),
                        };
                        Some(wakeup(rests))
                    }
                    (None, Some(rests)) if attempts.calls == 0 => Some(wakeup(rests)),
                    // The aspect waits for an event. It made no call, so it does not rest.
                    (None, _) if !finding.is_ready() => Some(Wakeup::waits_for_others(now)),
                    (None, _) => {
                        backoff.succeeded();
                        None
                    }
                }
            },
        )
        .collect()
    }

    /// How the calls of each aspect ended.
    fn attempts(&self, verdict: &Verdict) -> (Attempts, Attempts) {
        let problem = failure::problem(&self.view).map(|problem| problem.aspect);
        let drift = self.view.record().map(|record| drift::drift(&self.view, &record));
        let waits = |finding: &Finding| matches!(&drift, Some(Drift::Waits(until)) if until == finding);
        let ended = |aspect, finding: &Finding, calls| match finding.is_ready() {
            _ if problem == Some(aspect) => Ended::Failed,
            false if calls > 0 && !waits(finding) => Ended::Failed,
            false => Ended::Waits,
            true => Ended::Well,
        };
        // The token's calls count as failed if the whole object was blocked after they were made.
        let in_vain = self.token_calls > 0
            && self.view.progress.token.published().is_none()
            && (verdict.token.reason == Reason::TokenVerified || verdict.token == verdict.synced);
        let mut sync = ended(Aspect::Sync, &verdict.synced, self.sync_calls);
        let mut token = ended(Aspect::Token, &verdict.token, self.token_calls);
        if in_vain {
            token = Ended::Failed;
            if !verdict.synced.is_ready() && problem != Some(Aspect::Token) {
                sync = Ended::Failed;
            }
        }
        // The token was handed out, whatever else is wrong with its Secret.
        if self.view.progress.token.published().is_some() && problem != Some(Aspect::Token) {
            token = Ended::Well;
        }
        let attempts = |calls, ended| Attempts { calls, ended };
        (attempts(self.sync_calls, sync), attempts(self.token_calls, token))
    }

    fn end(&mut self, rule: &'static str, requeue: Wakeup, verdict: Option<Verdict>) -> Next {
        let before = || ready_reason(&self.view.stored).and_then(|name| Reason::parse(&name));
        let reason = verdict
            .as_ref()
            .map(|verdict| verdict.main.reason)
            .or_else(before);
        let mut events = std::mem::take(&mut self.view.progress.events);
        if let Some(verdict) = verdict
            && self.began_with.as_deref() != Some(verdict.main.reason.as_str())
        {
            events.push(verdict.main);
        }
        self.view.memory.sent = Sent::default();
        self.view.memory.unwritten_statuses = match self.view.progress.object {
            ObjectProgress::Unwritable => self.view.memory.unwritten_statuses.saturating_add(1),
            _ => 0,
        };
        if let Some(record) = self.view.record() {
            let seen = identity::last_seen(&self.view, &record);
            let told = match &seen {
                Some(seen) => identity::is_told(&self.view, &record, seen),
                None => !identity::is_unread(&self.view, &record),
            };
            self.view.memory.last_seen = seen.or(self.view.memory.last_seen.take());
            self.view.memory.unstored = (!told).then_some(record.id);
        }
        Next::Settled(Box::new(Settled {
            rule,
            requeue,
            permit: self.view.progress.permit,
            memory: std::mem::take(&mut self.view.memory),
            stored: self.view.stored.clone(),
            events,
            reason,
            list: self.shared_list(),
            calls: self.sync_calls + self.token_calls,
        }))
    }

    /// The next list confirms, or not, that a workspace is missing.
    fn shared_list(&self) -> SharedList {
        // A list that lacks many is no answer for one.
        if holding::is_left_to_another(&self.view) || identity::are_many_missing(&self.view) {
            return SharedList::Enough;
        }
        let missing = match self.view.record() {
            Some(record) => identity::missing(&self.view, &record),
            None => wish::missing(&self.view),
        };
        match missing {
            Some(missing) if !missing.confirmed => SharedList::Wanted,
            Some(_) | None => SharedList::Enough,
        }
    }
}

/// The status to store for a change. What follows without a call, where a creation is void or a record dropped, is stored with
/// it, in one write.
fn after(view: &View, change: &Change) -> WorkspaceStatus {
    let stored = status::after(view, change);
    match change {
        Change::CreationVoid | Change::Replaced(_) => {}
        Change::Recorded(_)
        | Change::CreationBegins(_)
        | Change::TokenSecret
        | Change::Held
        | Change::Deleting => {
            return stored;
        }
    }
    let mut next = view.clone();
    next.stored = stored;
    next.progress.token = TokenProgress::None;
    match plan(&next).step {
        Step::Settle(Ending::Waits(_)) | Step::Act(..) | Step::Leave => next.stored,
        Step::Settle(ending) => status::status(&next, &status::verdict(&next, &ending)),
        Step::Store(change) => status::after(&next, &change),
    }
}

/// Whose fault the last call for each aspect was, in this reconcile or in an earlier one: a reconcile that calls for one aspect
/// only tells nothing of the other.
#[derive(Clone, Copy, Debug)]
struct Faults {
    sync: Fault,
    token: Fault,
}

impl Faults {
    fn of(&mut self, aspect: Aspect) -> &mut Fault {
        match aspect {
            Aspect::Sync => &mut self.sync,
            Aspect::Token => &mut self.token,
        }
    }
}

/// Why there is no permit.
fn scarcity(limiter: &mut RateLimiter, now: Uptime) -> Scarcity {
    if limiter.paused_until(now).is_some() {
        Scarcity::Pause
    } else if limiter.away_until(now).is_some() {
        Scarcity::Away
    } else {
        Scarcity::Queue
    }
}

/// The reason of the stored Ready condition.
fn ready_reason(status: &WorkspaceStatus) -> Option<String> {
    conditions::reason(&status.conditions, conditions::READY).map(str::to_owned)
}

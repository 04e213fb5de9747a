//! One pass over one workspace, without input or output of its own. The loop around it has no decisions.

use std::time::Duration;

use jiff::Timestamp;

use super::absorb;
use super::effect::{Effect, Outcome};
use super::memory::Memory;
use super::plan::{Step, plan};
use super::reason::Reason;
use super::report;
use super::rules::{token, token_secret};
use super::verdict::{Aspect, Finding, Problem, Verdict};
use super::view::{Removal, View};
use crate::api::conditions;
use crate::api::time::{elapsed, later};
use crate::api::workspace::WorkspaceStatus;
use crate::tenancy::{Claimant, Claims};
use crate::turns::{Lane, Pace, Pressure, Turn, Urgency};

/// A turn further away than this ends the pass: a waiting pass would hold a slot that others need.
const WAITS_AT_MOST: Duration = Duration::from_secs(1);

/// No object goes unlooked at for longer: a missed event heals by then.
const LOOKS_AGAIN: Duration = Duration::from_secs(30 * 60);

/// What waits for something else (a grant, a claim, an Organization) is woken by it; this is for a missed event.
const WAITS_FOR_OTHERS: Duration = Duration::from_secs(5 * 60);

/// A Secret of somebody else under our Secret's name may have no label of ours, and then nobody tells that it has gone. To
/// look costs one read of Kubernetes, and no call.
const LOOKS_WHETHER_THE_NAME_IS_FREE: Duration = Duration::from_secs(60);

/// More steps than any story has; a pass that gets here turns in circles.
const STEPS_AT_MOST: u8 = 32;

/// One pass.
#[derive(Debug)]
pub struct Pass {
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

/// The end of a pass.
#[derive(Debug)]
pub struct Settled {
    pub look_again: Timestamp,
    pub memory: Memory,
    /// The status as stored now.
    pub stored: WorkspaceStatus,
    /// Events to publish: the change of the Ready reason, and what else is worth telling.
    pub events: Vec<Finding>,
    /// The Ready reason, for metrics: of this pass, or as it was left.
    pub reason: Option<Reason>,
    pub list: SharedList,
    pub calls: u32,
}

/// Whether the pass wants the organisation's shared list taken anew, before its interval is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SharedList {
    Enough,
    Wanted,
}

impl Pass {
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

    /// The object that the pass is about, as the claims table knows it.
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
        pace: &mut Pace,
        outcome: Option<Outcome>,
    ) -> Next {
        self.view.now = now;
        if let (Some(outcome), Some((aspect, effect))) = (outcome, self.doing.take()) {
            if let Some(answered) = outcome.answered() {
                if let Some(pressure) = Pressure::of(answered.failure) {
                    pace.felt(now, pressure);
                }
                // One was charged when it was asked for.
                for _ in 1..answered.requests {
                    *self.calls_mut(aspect) += 1;
                    pace.spend(now, self.lane(aspect, &effect));
                }
            }
            absorb::absorb(&mut self.view, aspect, &effect, outcome);
        }
        self.view.standing = claims.take(&self.claimant(), self.view.claims());
        let asked = claims.held_by_others(&self.view.object.uid, self.view.asks());
        self.view.standing.lost.extend(asked);
        if self.view.found.vanished || self.steps >= STEPS_AT_MOST {
            return self.leave();
        }
        self.decide(pace)
    }

    fn decide(&mut self, pace: &mut Pace) -> Next {
        match plan(&self.view).1 {
            Step::Act(aspect, effect) => self.act(pace, aspect, effect),
            Step::Settle(verdict) => self.settle(verdict),
            Step::Leave => self.leave(),
        }
    }

    fn act(&mut self, pace: &mut Pace, aspect: Aspect, effect: Effect) -> Next {
        if effect.is_remote() {
            match self.turn(pace, aspect, &effect) {
                Turn::Now => *self.calls_mut(aspect) += 1,
                Turn::At(at) if elapsed(self.view.now, at) <= WAITS_AT_MOST => return Next::Wait(at),
                Turn::At(at) => return self.give_way(pace, at),
            }
        }
        if let Effect::Issue { name, .. } = &effect
            && self.view.record().is_some()
        {
            // Noted before it is sent: a pass that is cut off forgets what came of it, not that it was sent.
            let sent = self.view.found.clock.lost_issue(name, self.view.now);
            self.view.memory.unproven.push(sent);
        }
        self.steps += 1;
        self.doing = Some((aspect, effect.clone()));
        Next::Perform(effect)
    }

    /// The turn is far away. What this pass has found out is not forgotten over it.
    fn give_way(&mut self, pace: &mut Pace, at: Timestamp) -> Next {
        let finding = match self.view.found.sync_problem.take() {
            Some(finding) => finding,
            None if self.view.found.stamped => {
                self.view.found.stamped = false;
                self.view.found.nothing_made = true;
                Finding::new(
                    Reason::Throttled,
                    "Agent Engine asked to slow down; it is tried again when it allows",
                )
            }
            // Whether it is gone all the same is read another time.
            None if self.view.found.removal == Removal::Unclear => {
                self.view.found.removal = Removal::Failed;
                return self.decide(pace);
            }
            None => return self.leave_until(at),
        };
        let aspect = Aspect::Sync;
        self.view.found.problem = Some(Problem { aspect, finding });
        self.decide(pace)
    }

    /// The first call of a pass asks for a turn. What follows from it is charged, and waits only while all must.
    fn turn(&self, pace: &mut Pace, aspect: Aspect, effect: &Effect) -> Turn {
        let lane = self.lane(aspect, effect);
        if self.sync_calls + self.token_calls == 0 {
            return pace.ask(self.view.now, lane, &self.view.object.uid);
        }
        if let Some(until) = pace.paused_until().filter(|until| *until > self.view.now) {
            return Turn::At(until);
        }
        pace.spend(self.view.now, lane);
        Turn::Now
    }

    fn lane(&self, aspect: Aspect, effect: &Effect) -> Lane {
        match (aspect, effect) {
            (Aspect::Token, _) => Lane::Refresh,
            (Aspect::Sync, Effect::Delete(_)) => Lane::Delete,
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
        if status != self.view.stored && !self.view.found.status_failed {
            let effect = Effect::WriteStatus(Box::new(status));
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
        let problem = self.view.found.problem.as_ref().map(|problem| problem.aspect);
        let urgency = token_secret::urgency(&self.view);
        let mut look_again = vec![later(now, LOOKS_AGAIN)];
        let failed =
            |aspect, finding: &Finding, calls| problem == Some(aspect) || (!finding.is_fine() && calls > 0);
        // What stops the whole object stopped the renewal after its first calls.
        let in_vain = self.token_calls > 0
            && self.view.found.published.is_none()
            && (verdict.token.reason == Reason::TokenProven || verdict.token == verdict.synced);
        let sync_failed =
            failed(Aspect::Sync, &verdict.synced, self.sync_calls) || (in_vain && !verdict.synced.is_fine());
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
                _ if failed => look_again.push(backoff.failed(now, cause, charge, urgency, &uid)),
                Some(rests) if calls == 0 => look_again.push(rests),
                // It waits for something that wakes it: nothing was spent, so nothing rests.
                _ if !finding.is_fine() => look_again.push(later(now, WAITS_FOR_OTHERS)),
                Some(_) | None => backoff.succeeded(),
            }
        }
        // A renewal that is due and was not made waits for what stopped it.
        look_again.extend(token_secret::next_change(&self.view));
        look_again.extend(token::waits_until(&self.view));
        look_again.extend(self.view.memory.unresolved_at(now));
        if [&verdict.main, &verdict.token]
            .iter()
            .any(|finding| finding.reason == Reason::SecretNotOwned)
        {
            look_again.push(later(now, LOOKS_WHETHER_THE_NAME_IS_FREE));
        }
        look_again.into_iter().min().unwrap_or(now)
    }

    fn end(&mut self, look_again: Timestamp, verdict: Option<Verdict>) -> Next {
        let before = || ready_reason(&self.view.stored).and_then(|name| Reason::parse(&name));
        let reason = verdict
            .as_ref()
            .map(|verdict| verdict.main.reason)
            .or_else(before);
        let mut events = std::mem::take(&mut self.view.found.notes);
        if let Some(verdict) = verdict
            && self.began_with.as_deref() != Some(verdict.main.reason.as_str())
        {
            events.push(verdict.main);
        }
        Next::Settled(Box::new(Settled {
            look_again,
            memory: std::mem::take(&mut self.view.memory),
            stored: self.view.stored.clone(),
            events,
            reason,
            list: match reason {
                Some(Reason::GoneUnconfirmed) => SharedList::Wanted,
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

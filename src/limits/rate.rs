//! How many requests a second an organization is sent, and pauses. What the API bears is found out: the rate grows while it is
//! used up and answers are quick, a 429 halves it and pauses, and it never exceeds its ceiling.

use std::time::Duration;

use super::lane::{Lane, SHARED_PERCENT};
use crate::domain::rate::{RateReason, RequestRate};
use crate::domain::remote::{Answered, FailureClass};
use crate::domain::time::Uptime;

/// Where the rate begins that is found out, in requests a second. It carries 10,000 workspaces: each one issue, one
/// verification and at most one GET every 13 minutes (38 a second), and a rest for creations and for catching up.
pub const FIRST_REQUESTS_PER_SECOND: u32 = 50;
/// The most that is found out.
pub const MOST_REQUESTS_PER_SECOND: u32 = 500;

/// The pause after a 429 that names none.
pub(super) const DEFAULT_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause; after it one request shows whether a longer one was meant.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// A pause from here on is longer than a leader that is lost is waited for, so another process may begin within it. A shorter one
/// is over by then, and for a leader that stopped it costs one request at most.
pub const LONG_PAUSE: Duration = Duration::from_secs(30);
/// Answers to requests sent together name about the same end: one less than this later is the same pause.
const SAME_PAUSE: Duration = Duration::from_secs(1);
/// How often the rate may grow.
const STEP: Duration = Duration::from_secs(1);
/// Each step adds this part of the rate: from 50 to 500 in eleven seconds.
const GROWTH: u64 = 4;
/// The same close to the rate at which the last 429 came.
const CAREFUL_GROWTH: u64 = 64;
/// The lowest rate, as a part of the first.
const LOWEST: u64 = 16;
/// A request whose answer takes longer waited at Agent Engine: it usually takes less than half a second.
const SLOW: Duration = Duration::from_secs(2);
/// While one of so many answers is slow, or none came, the rate does not grow.
const SLOW_ANSWERS: u32 = 10;

/// Rates are counted in thousandths of a request a second.
const THOUSAND: u64 = 1000;

/// What an answer of Agent Engine said about pressure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pressure {
    Relaxed,
    /// The answer took long, or the server failed.
    Slow,
    /// 429, with its `Retry-After`; zero when it named none.
    Throttled(Duration),
}

impl Pressure {
    /// A refusal says nothing about pressure, and neither does a request that was not sent.
    pub fn of(answered: &Answered<'_>) -> Option<Self> {
        let class = answered.failure.map(|failure| failure.class);
        match class {
            _ if answered.requests == 0 => None,
            Some(FailureClass::Throttled(pause)) => Some(Self::Throttled(pause)),
            None if answered.took > SLOW * answered.requests => Some(Self::Slow),
            None => Some(Self::Relaxed),
            Some(FailureClass::Transient | FailureClass::Unknown) => Some(Self::Slow),
            Some(
                FailureClass::Denied
                | FailureClass::Rejected
                | FailureClass::Conflict
                | FailureClass::Missing
                | FailureClass::Malformed,
            ) => None,
        }
    }
}

/// What an answer changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RateChange {
    Nothing,
    PausedUntil(Uptime),
    Faster,
}

/// What is known of the rate that is borne.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    ceiling: u64,
    first: u64,
    now: u64,
    /// The rate at which the last 429 came, until it is exceeded.
    too_much: Option<u64>,
    paused_until: Option<Uptime>,
    step: Step,
    reason: RateReason,
}

/// What was sent and answered since the rate was last judged.
#[derive(Clone, Copy, Debug)]
struct Step {
    began: Uptime,
    requests: u32,
    /// Of the requests, those that may use a part of the rate only.
    shared: u32,
    answers: u32,
    slow: u32,
}

impl Step {
    fn begun(began: Uptime) -> Self {
        Self {
            began,
            requests: 0,
            shared: 0,
            answers: 0,
            slow: 0,
        }
    }

    /// Whether more than three quarters were sent of what the rate allows, or of what it allows to those that may use a part.
    fn used_up(&self, now: Uptime, rate: u64) -> bool {
        let millis = u64::try_from(now.since(self.began).as_millis()).unwrap_or(u64::MAX);
        let allowed = rate.saturating_mul(millis) / THOUSAND;
        let shared = allowed.saturating_mul(u64::from(SHARED_PERCENT)) / 100;
        let exceeds = |sent: u32, allowed: u64| u64::from(sent) * THOUSAND * 4 > allowed.saturating_mul(3);
        exceeds(self.requests, allowed) || exceeds(self.shared, shared)
    }

    fn is_slow(&self) -> bool {
        self.slow * SLOW_ANSWERS >= self.answers
    }
}

impl Rate {
    /// Declared: the ceiling, from the start.
    pub(super) fn declared(requests_per_second: u32) -> Self {
        let rate = u64::from(requests_per_second.max(1)) * THOUSAND;
        Self::new(rate, rate, RateReason::AtCeiling)
    }

    /// To be found out.
    pub(super) fn unknown() -> Self {
        let (first, most) = (FIRST_REQUESTS_PER_SECOND, MOST_REQUESTS_PER_SECOND);
        Self::new(
            u64::from(first) * THOUSAND,
            u64::from(most) * THOUSAND,
            RateReason::Untried,
        )
    }

    fn new(first: u64, ceiling: u64, reason: RateReason) -> Self {
        Self {
            ceiling,
            first,
            now: first,
            too_much: None,
            paused_until: None,
            step: Step::begun(Uptime::default()),
            reason,
        }
    }

    /// Another declaration begins again, and a pause goes on. Returns whether it is another one.
    pub(super) fn declare(&mut self, declared: Self) -> bool {
        let other = (declared.first, declared.ceiling) != (self.first, self.ceiling);
        if other {
            *self = Self {
                paused_until: self.paused_until,
                ..declared
            };
        }
        other
    }

    pub(super) fn paused_until(&self) -> Option<Uptime> {
        self.paused_until
    }

    /// As it is now, and why.
    pub(super) fn reading(&self) -> RequestRate {
        RequestRate {
            per_second: u32::try_from(self.now.div_ceil(THOUSAND)).unwrap_or(u32::MAX),
            reason: self.reason,
        }
    }

    /// A pause ends by itself.
    pub(super) fn tick(&mut self, now: Uptime) {
        self.paused_until = self.paused_until.filter(|until| now < *until);
    }

    /// A request is sent.
    pub(super) fn used(&mut self, by: Lane) {
        self.step.requests = self.step.requests.saturating_add(1);
        let shared = u32::from(!by.has_reserved_share());
        self.step.shared = self.step.shared.saturating_add(shared);
    }

    pub(super) fn observe(&mut self, now: Uptime, pressure: Pressure) -> RateChange {
        if let Pressure::Throttled(pause) = pressure {
            return self.throttled(now, pause);
        }
        self.step.answers = self.step.answers.saturating_add(1);
        self.step.slow += u32::from(pressure == Pressure::Slow);
        if now < self.step.began.later(STEP) {
            return RateChange::Nothing;
        }
        let step = std::mem::replace(&mut self.step, Step::begun(now));
        self.judge(now, &step)
    }

    /// A former process was told to pause. The rate that was borne then is not known.
    pub(super) fn pause(&mut self, until: Uptime) {
        self.paused_until = Some(until);
        self.step = Step::begun(until);
    }

    fn throttled(&mut self, now: Uptime, pause: Duration) -> RateChange {
        let pause = if pause.is_zero() {
            DEFAULT_PAUSE
        } else {
            pause.min(LONGEST_PAUSE)
        };
        let until = now.later(pause);
        match self.paused_until {
            Some(known) if until <= known.later(SAME_PAUSE) => return RateChange::Nothing,
            Some(_) => {}
            // Halved once for all that were on their way together.
            None => {
                self.too_much = Some(self.now);
                self.now = (self.now / 2).max(self.first / LOWEST);
            }
        }
        self.pause(until);
        self.reason = RateReason::Throttled;
        RateChange::PausedUntil(until)
    }

    fn judge(&mut self, now: Uptime, step: &Step) -> RateChange {
        let (before, used_up) = (self.now, step.used_up(now, self.now));
        if used_up && !step.is_slow() {
            self.grow(now.since(step.began).as_secs());
        }
        self.reason = match self.too_much {
            _ if self.now == self.ceiling => RateReason::AtCeiling,
            _ if used_up && step.is_slow() => RateReason::SlowAnswers,
            Some(_) => RateReason::Throttled,
            None if self.now > before => RateReason::Growing,
            None if self.reason == RateReason::Untried => RateReason::Untried,
            None => RateReason::Sufficient,
        };
        if self.now > before {
            RateChange::Faster
        } else {
            RateChange::Nothing
        }
    }

    /// At a low rate a step takes long: then as much caution has been spent as in all the steps that it is as long as.
    fn grow(&mut self, seconds: u64) {
        let careful_from = self.too_much.map(|rate| rate - rate / 8);
        let grown = match careful_from {
            Some(careful) if self.now >= careful => {
                let steps = seconds.clamp(1, CAREFUL_GROWTH / GROWTH);
                self.now + (self.now * steps / CAREFUL_GROWTH).max(1)
            }
            Some(careful) => (self.now + self.now / GROWTH).min(careful),
            None => self.now + self.now / GROWTH,
        };
        self.now = grown.max(self.now + 1).min(self.ceiling);
        self.too_much = self.too_much.filter(|rate| self.now < *rate);
    }

    /// The time between permits of a share of the rate.
    pub(super) fn per_permit(&self, percent: u32) -> Duration {
        Duration::from_nanos(1_000_000_000 * THOUSAND * 100 / (self.now.max(1) * u64::from(percent)))
    }
}

#[cfg(test)]
mod tests;

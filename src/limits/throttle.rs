//! How much of the rate may be used, and pauses: a 429 pauses and halves it, success brings it back step by step.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::remote::{Failure, FailureClass};
use crate::domain::time::{earlier, later};

/// The pause after a 429 that names none.
pub(super) const DEFAULT_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause; after it one request shows whether a longer one was meant.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Answers to requests sent together name about the same end: one less than this later is the same pause.
const SAME_PAUSE: Duration = Duration::from_secs(1);
/// The rate is reduced and recovered in steps of a sixteenth.
const FULL: u32 = 16;
/// How long each step of recovery takes while nothing is throttled.
const RECOVERY_STEP: Duration = Duration::from_secs(1);

/// What an answer of Agent Engine said about pressure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pressure {
    Relaxed,
    /// 429, with its `Retry-After`; zero when it named none.
    Throttled(Duration),
}

impl Pressure {
    /// Other failures say nothing about pressure.
    pub fn of(failure: Option<&Failure>) -> Option<Self> {
        let Some(failure) = failure else {
            return Some(Self::Relaxed);
        };
        match failure.class {
            FailureClass::Throttled(pause) => Some(Self::Throttled(pause)),
            FailureClass::Transient
            | FailureClass::Denied
            | FailureClass::Rejected
            | FailureClass::Conflict
            | FailureClass::Missing
            | FailureClass::Malformed
            | FailureClass::Unknown => None,
        }
    }
}

/// What follows for the reservations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RateChange {
    Nothing,
    PausedUntil(Timestamp),
    Faster,
}

#[derive(Clone, Debug)]
pub(super) struct Throttle {
    /// In sixteenths.
    level: u32,
    paused_until: Option<Timestamp>,
    recovers_at: Option<Timestamp>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            level: FULL,
            paused_until: None,
            recovers_at: None,
        }
    }
}

impl Throttle {
    pub(super) fn paused_until(&self) -> Option<Timestamp> {
        self.paused_until
    }

    /// A pause ends by itself.
    pub(super) fn tick(&mut self, now: Timestamp) {
        self.paused_until = self.paused_until.filter(|until| now < *until);
    }

    pub(super) fn observe(&mut self, now: Timestamp, pressure: Pressure) -> RateChange {
        match pressure {
            Pressure::Throttled(pause) => {
                let pause = if pause.is_zero() {
                    DEFAULT_PAUSE
                } else {
                    pause.min(LONGEST_PAUSE)
                };
                let until = later(now, pause);
                match self.paused_until {
                    Some(known) if until <= later(known, SAME_PAUSE) => return RateChange::Nothing,
                    Some(_) => {}
                    // Halved once for all that were on their way together.
                    None => self.level = (self.level / 2).max(1),
                }
                self.paused_until = Some(until);
                self.recovers_at = Some(later(until, RECOVERY_STEP));
                RateChange::PausedUntil(until)
            }
            Pressure::Relaxed if self.recovers_at.is_some_and(|at| at <= now) => {
                self.level = (self.level + 1).min(FULL);
                self.recovers_at = (self.level < FULL).then(|| later(now, RECOVERY_STEP));
                RateChange::Faster
            }
            Pressure::Relaxed => RateChange::Nothing,
        }
    }

    /// The time between permits of a share of the rate.
    pub(super) fn per_permit(&self, requests_per_second: u32, percent: u32) -> Duration {
        let permits = u64::from(requests_per_second.max(1)) * u64::from(self.level) * u64::from(percent);
        Duration::from_nanos(1_000_000_000 * u64::from(FULL) * 100 / permits)
    }

    /// The clock was set back `by` this much.
    pub(super) fn set_back(&mut self, by: Duration) {
        self.paused_until = self.paused_until.map(|at| earlier(at, by));
        self.recovers_at = self.recovers_at.map(|at| earlier(at, by));
    }
}

//! When a failing object may call Agent Engine again. One value per object, kept across its reconciles.
//!
//! Calls buy time: the more a failing object has spent, the longer it waits. It spends at most 20 calls in the hour
//! that begins with its first, and 6 an hour after, whatever a reconcile costs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use jiff::Timestamp;

use super::gcra::{CLOCK_SLACK, earlier, later};
use crate::domain::ids::Uid;
use crate::domain::time::elapsed;

const HOUR: Duration = Duration::from_secs(3600);
/// Calls in an hour once the first is over.
const CALLS_PER_LATER_HOUR: u32 = 6;
/// What one call costs then.
const CALL: Duration = Duration::from_secs(600);
/// Between reconciles, doubled each time: also for those that failed without a call.
const FIRST_DELAY: Duration = Duration::from_secs(5);
/// The longest wait that is not bought with calls: such reconciles cost nothing, and what they wait for heals by itself.
const LONGEST_FREE_DELAY: Duration = Duration::from_secs(300);
/// The same while a token is about to end.
const LONGEST_FREE_DELAY_FOR_TOKEN: Duration = Duration::from_secs(30);
/// Jitter, as the divisor of a delay: up to a tenth is added, so that what failed together does not return together.
const JITTER: u32 = 10;

/// Seconds since the first call before which the next reconcile does not begin, by the calls spent so far (none is free);
/// beyond the table the first hour has nothing more to give. At the end of it one more reconcile of up to 8 calls fits
/// under the 20.
const FIRST_HOUR: [u64; 13] = [0, 5, 15, 35, 75, 155, 315, 600, 900, 1200, 1500, 1800, 2400];
/// The same calls, spent for the most part in the six minutes between a token's renewal and its last ones: an outage
/// of five minutes is outlived by a steady rhythm, not by one that doubles.
const FIRST_HOUR_FOR_TOKEN: [u64; 13] = [0, 30, 60, 90, 120, 150, 180, 210, 240, 310, 360, 720, 1200];

/// How much is at stake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Urgency {
    Normal,
    /// A token in use is about to end. Spends no more, but sooner.
    Token,
}

/// The back-off of one object.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    streak: Option<Streak>,
}

/// Failures in a row with the same cause.
#[derive(Clone, Debug)]
struct Streak {
    cause: u64,
    failed_at: Timestamp,
    /// When the calls made so far allow for more, without jitter.
    affordable: Timestamp,
    until: Timestamp,
    reconciles: u32,
    /// When the first calls were made.
    began: Option<Timestamp>,
    spent: u32,
    /// The most that one reconcile of the streak cost: what the next is expected to cost.
    dearest: u32,
}

impl Backoff {
    /// A reconcile failed, having made `calls` calls to Agent Engine. Returns when the next may be made.
    ///
    /// `cause` is a fingerprint of the inputs (generation, reconcile request, organization): a changed cause starts
    /// anew, so nothing that failing changes may be part of it.
    pub fn failed(
        &mut self,
        now: Timestamp,
        cause: u64,
        calls: u32,
        urgency: Urgency,
        who: &Uid,
    ) -> Timestamp {
        let mut streak = self
            .streak
            .take()
            .filter(|streak| streak.cause == cause)
            .unwrap_or_else(|| Streak::new(now, cause));
        let until = streak.extend(now, calls, urgency, who);
        self.streak = Some(streak);
        until
    }

    /// The object is as it should be: nothing is remembered.
    pub fn succeeded(&mut self) {
        self.streak = None;
    }

    /// Time passes. Where the clock was set back, all that lies ahead goes with it: nobody waits for the lost time.
    pub fn tick(&mut self, now: Timestamp) {
        if let Some(streak) = &mut self.streak {
            let back = elapsed(now, streak.failed_at);
            if back > CLOCK_SLACK {
                streak.set_back(back);
            }
        }
    }

    /// None: free to try. Some: not before this instant, as long as the cause is the same.
    pub fn not_before(&self, cause: u64) -> Option<Timestamp> {
        self.streak
            .as_ref()
            .filter(|streak| streak.cause == cause)
            .map(|streak| streak.until)
    }
}

impl Streak {
    fn new(now: Timestamp, cause: u64) -> Self {
        Self {
            cause,
            failed_at: now,
            affordable: now,
            until: now,
            reconciles: 0,
            began: None,
            spent: 0,
            dearest: 0,
        }
    }

    fn extend(&mut self, now: Timestamp, calls: u32, urgency: Urgency, who: &Uid) -> Timestamp {
        self.failed_at = now;
        self.reconciles = self.reconciles.saturating_add(1);
        self.spent = self.spent.saturating_add(calls);
        self.dearest = self.dearest.max(calls);
        if calls > 0 && self.began.is_none_or(|began| now < began) {
            self.began = Some(now);
        }
        if calls > 0 {
            self.affordable = self.pay(now, urgency);
        }
        let next = later(now, self.free_delay(urgency)).max(self.affordable);
        self.until = later(next, self.jitter(next.duration_since(now).unsigned_abs(), who));
        self.until
    }

    fn set_back(&mut self, by: Duration) {
        for at in [&mut self.failed_at, &mut self.affordable, &mut self.until] {
            *at = earlier(*at, by);
        }
        self.began = self.began.map(|began| earlier(began, by));
    }

    /// Doubles with each reconcile.
    fn free_delay(&self, urgency: Urgency) -> Duration {
        let doubled = FIRST_DELAY.saturating_mul(1 << (self.reconciles - 1).min(16));
        doubled.min(match urgency {
            Urgency::Normal => LONGEST_FREE_DELAY,
            Urgency::Token => LONGEST_FREE_DELAY_FOR_TOKEN,
        })
    }

    /// When the calls made so far allow for more.
    fn pay(&self, now: Timestamp, urgency: Urgency) -> Timestamp {
        let table = match urgency {
            Urgency::Normal => FIRST_HOUR,
            Urgency::Token => FIRST_HOUR_FOR_TOKEN,
        };
        let began = self.began.unwrap_or(now);
        let hour_ends = later(began, HOUR);
        let within_the_hour = usize::try_from(self.spent)
            .ok()
            .and_then(|spent| table.get(spent));
        match within_the_hour {
            Some(seconds) if now < hour_ends => later(began, Duration::from_secs(*seconds)),
            // What was made before its time is paid for as well, but never with more than an hour.
            _ => later(self.affordable.clamp(now, later(now, HOUR)), self.price()).max(hour_ends),
        }
    }

    /// So many reconciles of this cost as fit into an hour, evenly; one that fits into none has hours to itself.
    fn price(&self) -> Duration {
        match CALLS_PER_LATER_HOUR / self.dearest.max(1) {
            0 => CALL * self.dearest,
            reconciles => HOUR / reconciles,
        }
    }

    /// The same for the same object and reconcile; only ever added.
    fn jitter(&self, delay: Duration, who: &Uid) -> Duration {
        let mut hasher = DefaultHasher::new();
        (who, self.reconciles).hash(&mut hasher);
        let thousandths = u32::try_from(hasher.finish() % 1000).unwrap_or_default();
        delay / JITTER / 1000 * thousandths
    }
}

#[cfg(test)]
mod tests;

//! When a failing object may call Agent Engine again, by the time of the process. One value per aspect of an object, kept across
//! its reconciles.
//!
//! The more calls a failing object has made, the longer it waits: it makes at most 20 in the hour that begins with its
//! first, and 6 an hour after, whatever one reconcile costs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::availability::Fault;
use crate::domain::ids::Uid;
use crate::domain::time::Uptime;

const HOUR: Duration = Duration::from_secs(3600);
/// Calls in each hour after the first.
const CALLS_PER_LATER_HOUR: u32 = 6;
/// The wait for one call then.
const CALL: Duration = Duration::from_secs(600);
/// Between reconciles, doubled each time: also for those that failed without a call.
const FIRST_DELAY: Duration = Duration::from_secs(5);
/// The longest wait after reconciles without calls: they cost nothing, and what they wait for heals by itself.
const LONGEST_FREE_DELAY: Duration = Duration::from_secs(300);
/// The same while a token is about to end.
const LONGEST_FREE_DELAY_FOR_TOKEN: Duration = Duration::from_secs(30);
/// Calls in the first hour.
const CALLS_OF_FIRST_HOUR: u32 = 20;
/// What a renewal costs at most, if none has shown its cost yet.
const CALLS_OF_A_RENEWAL: u32 = 4;
/// What an exchange and a list cost.
const CALLS_OF_AN_ORGANIZATION: u32 = 2;
/// So many calls of the first hour are made at doubling distances.
const QUICK_CALLS: u32 = 6;
/// A recovery cuts no wait that ends by then, so that a service that comes and goes does not use up the calls.
const SOON: Duration = Duration::from_secs(15);
/// What fails so soon after a recovery was asked before it.
const ASKED_BEFORE: Duration = Duration::from_secs(30);
/// A server that has been well for so long may be tried once more, where the calls allow for it.
const WELL_FOR_A_WHILE: Duration = Duration::from_secs(4 * 60);
/// A server that has been well for so long is no longer one that comes and goes.
const WELL_FOR_LONG: Duration = Duration::from_secs(15 * 60);
/// Jitter, as the divisor of a delay: up to a tenth is added, so that what failed together does not return together.
const JITTER: u32 = 10;

/// As [`after_calls`], in seconds by calls, while a token is about to end: most calls fall into the six minutes between
/// its renewal and its last minutes, because a steady rhythm outlives an outage of five minutes and a doubling one does not.
const AFTER_CALLS_FOR_TOKEN: [u64; 13] = [0, 30, 60, 90, 120, 150, 180, 210, 240, 310, 360, 720, 1200];

/// How much is at stake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Urgency {
    Normal,
    /// A token in use is about to end. As many calls, but sooner.
    Token,
    /// Every object of an organization waits for this one. As many calls, but no longer apart than need be.
    Organization,
}

/// An attempt that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FailedAttempt {
    /// Calls to Agent Engine.
    pub calls: u32,
    pub urgency: Urgency,
    pub fault: Fault,
}

impl FailedAttempt {
    pub fn normal(calls: u32) -> Self {
        Self {
            calls,
            urgency: Urgency::Normal,
            fault: Fault::Refused,
        }
    }
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
    /// Of the last failure.
    fault: Fault,
    failed_at: Uptime,
    /// When the calls made so far allow for more, without jitter.
    next_affordable: Uptime,
    not_before: Uptime,
    reconciles: u32,
    /// When the first calls were made.
    began: Option<Uptime>,
    calls: u32,
    /// The most calls that one reconcile of the streak made: as many are expected of the next.
    max_calls: u32,
    /// The recovery that allowed an attempt before its time.
    recovered_at: Option<Uptime>,
    /// When an attempt was last allowed before its time because the server was well.
    relieved_at: Option<Uptime>,
}

impl Backoff {
    /// A reconcile failed. Returns when the next may be made.
    ///
    /// `cause` is a fingerprint of the inputs (generation, reconcile request, organization): a changed cause starts
    /// a new streak, so nothing that failing changes may be part of it.
    pub fn failed(&mut self, now: Uptime, cause: u64, attempt: FailedAttempt, who: &Uid) -> Uptime {
        self.extend(now, cause, attempt, who).not_before
    }

    fn extend(&mut self, now: Uptime, cause: u64, attempt: FailedAttempt, who: &Uid) -> &mut Streak {
        let mut streak = self
            .streak
            .take()
            .filter(|streak| streak.cause == cause)
            .unwrap_or_else(|| Streak::new(now, cause));
        streak.extend(now, attempt, who);
        self.streak.insert(streak)
    }

    /// Something else is due at `due_at`: the rest that begins ends by then, or as soon after as the calls so far can be
    /// afforded.
    pub fn failed_beside(
        &mut self,
        now: Uptime,
        cause: u64,
        attempt: FailedAttempt,
        who: &Uid,
        due_at: Uptime,
    ) -> Uptime {
        let streak = self.extend(now, cause, attempt, who);
        streak.not_before = streak.not_before.min(due_at.max(streak.next_affordable));
        streak.not_before
    }

    /// Calls for something else were made at its cost: its next attempt is not put off, but what follows is.
    pub fn pay(&mut self, now: Uptime, calls: u32) {
        if let Some(streak) = &mut self.streak {
            streak.charge(now, calls, Urgency::Normal);
        }
    }

    /// Something else was asked for during the rest, in vain: the rest stands, but for what its calls cost, and whose fault it is
    /// for. Returns when the next attempt may be made.
    pub fn failed_during_rest(&mut self, now: Uptime, calls: u32) -> Option<Uptime> {
        self.pay(now, calls);
        let streak = self.streak.as_mut()?;
        streak.failed_at = now;
        streak.not_before = streak.not_before.max(streak.next_affordable);
        Some(streak.not_before)
    }

    /// The aspect is as declared: its failures are forgotten.
    pub fn succeeded(&mut self) {
        self.streak = None;
    }

    /// Agent Engine answers again since `at`, after failures that were not the object's own: what failed before may be tried
    /// once, at once. Its calls are charged as any others, so that what comes after waits the longer.
    pub fn recovered(&mut self, at: Uptime, now: Uptime) {
        if let Some(streak) = &mut self.streak {
            streak.recovered(at, now);
        }
    }

    /// The server has answered every request since `since`: what it failed before may be tried once, whatever calls are used
    /// up; once an hour at most, so that one that comes and goes is not called without end; again where it has been well for
    /// a while and the calls allow for it, or for long.
    pub fn relieve(&mut self, since: Uptime, now: Uptime) {
        if let Some(streak) = &mut self.streak {
            streak.relieve(since, now);
        }
    }

    /// Whose fault the last failure was. One of the server's heals by itself, and nothing of the object tells when.
    pub fn fault(&self) -> Fault {
        self.streak
            .as_ref()
            .map_or(Fault::default(), |streak| streak.fault)
    }

    /// When the last attempt failed, whatever its cause was.
    pub fn failed_at(&self) -> Option<Uptime> {
        self.streak.as_ref().map(|streak| streak.failed_at)
    }

    /// Whether the last attempt failed, whatever its cause was.
    pub fn is_failing(&self) -> bool {
        self.streak.is_some()
    }

    /// None: free to try. Some: not before this instant, as long as the cause is the same.
    pub fn not_before(&self, cause: u64) -> Option<Uptime> {
        self.streak
            .as_ref()
            .filter(|streak| streak.cause == cause)
            .map(|streak| streak.not_before)
    }
}

impl Streak {
    fn new(now: Uptime, cause: u64) -> Self {
        Self {
            cause,
            fault: Fault::default(),
            failed_at: now,
            next_affordable: now,
            not_before: now,
            reconciles: 0,
            began: None,
            calls: 0,
            max_calls: 0,
            recovered_at: None,
            relieved_at: None,
        }
    }

    fn recovered(&mut self, at: Uptime, now: Uptime) {
        let failed_before = self.failed_at < at.later(ASKED_BEFORE) && self.recovered_at != Some(at);
        if failed_before && self.not_before > now.later(SOON) && self.can_borrow(now) {
            self.not_before = now;
            self.recovered_at = Some(at);
        }
    }

    fn relieve(&mut self, since: Uptime, now: Uptime) {
        let well_for = now.since(since);
        let stays = well_for >= WELL_FOR_LONG || (well_for >= WELL_FOR_A_WHILE && self.can_borrow(now));
        let was_relieved = !stays && self.relieved_at.is_some_and(|at| now.since(at) < HOUR);
        // A reconcile counts its failure at its end, and others may have been answered before that.
        let failed_before = self.failed_at < since.later(ASKED_BEFORE);
        if self.fault == Fault::Server && failed_before && self.not_before > now && !was_relieved {
            self.not_before = now;
            self.relieved_at = Some(now);
        }
    }

    /// Whether one more reconcile keeps to the calls of the first hour; after it, whether none is borrowed already.
    fn can_borrow(&self, now: Uptime) -> bool {
        if self.began.is_none_or(|began| now < began.later(HOUR)) {
            let cost = self.max_calls.max(CALLS_OF_A_RENEWAL);
            self.calls.saturating_add(cost) <= CALLS_OF_FIRST_HOUR
        } else {
            self.next_affordable <= now.later(self.spacing())
        }
    }

    fn extend(&mut self, now: Uptime, attempt: FailedAttempt, who: &Uid) {
        let FailedAttempt {
            calls,
            urgency,
            fault,
        } = attempt;
        self.failed_at = now;
        self.fault = fault;
        self.reconciles = self.reconciles.saturating_add(1);
        self.max_calls = self.max_calls.max(calls);
        if calls > 0 {
            self.charge(now, calls, urgency);
        }
        let next = now.later(self.free_delay(urgency)).max(self.next_affordable);
        self.not_before = next.later(self.jitter(next.since(now), who));
    }

    fn charge(&mut self, now: Uptime, calls: u32, urgency: Urgency) {
        self.calls = self.calls.saturating_add(calls);
        self.began.get_or_insert(now);
        self.next_affordable = self.next_affordable(now, urgency);
    }

    /// Doubles with each reconcile.
    fn free_delay(&self, urgency: Urgency) -> Duration {
        let doubled = FIRST_DELAY.saturating_mul(1 << (self.reconciles - 1).min(16));
        doubled.min(match urgency {
            Urgency::Normal | Urgency::Organization => LONGEST_FREE_DELAY,
            Urgency::Token => LONGEST_FREE_DELAY_FOR_TOKEN,
        })
    }

    /// When the calls made so far allow for more.
    fn next_affordable(&self, now: Uptime, urgency: Urgency) -> Uptime {
        let began = self.began.unwrap_or(now);
        let hour_ends = began.later(HOUR);
        let after = |delay| began.later(delay);
        let within_the_hour = match urgency {
            Urgency::Normal => after_calls(self.calls).map(after),
            Urgency::Token => after_calls_for_token(self.calls).map(after),
            Urgency::Organization if self.calls <= QUICK_CALLS => after_calls(self.calls).map(after),
            Urgency::Organization => self.evenly(now, hour_ends),
        };
        match within_the_hour {
            Some(at) if now < hour_ends => at,
            // They are those of the first hour: nothing is borrowed from the next.
            None if now < hour_ends && self.calls <= CALLS_OF_FIRST_HOUR => hour_ends,
            // Calls made too early delay the next one as well, but never by more than an hour.
            _ => self
                .next_affordable
                .clamp(now, now.later(HOUR))
                .later(self.spacing())
                .max(hour_ends),
        }
    }

    /// So that the calls left of the first hour are spread evenly over what is left of it. None where they pay for no reconcile.
    fn evenly(&self, now: Uptime, hour_ends: Uptime) -> Option<Uptime> {
        let left = CALLS_OF_FIRST_HOUR.saturating_sub(self.calls);
        let pays = left >= self.max_calls.max(CALLS_OF_AN_ORGANIZATION);
        let reconciles = left / self.max_calls.max(1);
        pays.then(|| now.later(hour_ends.since(now) / (reconciles + 1)))
    }

    /// Between reconciles after the first hour: as many as its calls allow, evenly; one of more than six calls has hours
    /// to itself.
    fn spacing(&self) -> Duration {
        match CALLS_PER_LATER_HOUR / self.max_calls.max(1) {
            0 => CALL * self.max_calls,
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

/// How long after its first call a failing object may begin its next reconcile, by the calls made so far. None: not within
/// the first hour. The wait doubles with each call, then grows by five minutes and once by ten; after that a
/// reconcile of up to 8 calls still fits under the 20.
fn after_calls(calls: u32) -> Option<Duration> {
    match calls {
        0..=6 => Some(FIRST_DELAY * (2_u32.pow(calls) - 1)),
        7..=11 => Some(LONGEST_FREE_DELAY * (calls - 5)),
        12 => Some(Duration::from_secs(40 * 60)),
        _ => None,
    }
}

fn after_calls_for_token(calls: u32) -> Option<Duration> {
    let calls = usize::try_from(calls).ok()?;
    AFTER_CALLS_FOR_TOKEN.get(calls).copied().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;

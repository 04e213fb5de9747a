//! When an organization's next request may go out. A plain value: it does not wait and reads no clock.
//!
//! Two GCRAs share the rate: one for refreshes and deletions alone, one for all lanes. Refreshes and deletions take the
//! earlier instant of the two, so that creations never overtake them. A third one stands before every grant, so that
//! permits reserved apart and asked for together still go out at the rate.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::CLOCK_SLACK;
use super::gcra::Gcra;
use super::throttle::{Pressure, RateChange, Throttle};
use crate::domain::ids::Uid;
use crate::domain::time::{earlier, later};

/// Carries 10,000 workspaces: each one issue, one verification and at most one GET every 13 minutes (38 a second), and a
/// rest for creations and for catching up.
pub const DEFAULT_REQUESTS_PER_SECOND: u32 = 50;

/// Of the rate, in percent, what creations and the rest may use; the other part is kept for refreshes and deletions.
const SHARED_PERCENT: u32 = 60;
/// Requests that may go out at once after quiet, in seconds of the rate.
const BURST: Duration = Duration::from_secs(1);
/// As [`BURST`], for grants: one burst, and as much for callers that come a little late.
const GRANT_BURST: Duration = Duration::from_secs(2);
/// A reservation is kept this long after its instant, so that memory stays bounded when its object does not come.
const EXPIRES_AFTER: Duration = Duration::from_secs(60);
/// No caller waits longer than twice this beyond a pause: the rate recovers, and a caller that sleeps does not see it.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a permit is for. The order is the precedence when reservations are rescheduled.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Lane {
    Refresh,
    Delete,
    Create,
    Other,
}

impl Lane {
    fn has_reserved_share(self) -> bool {
        match self {
            Lane::Refresh | Lane::Delete => true,
            Lane::Create | Lane::Other => false,
        }
    }
}

/// The answer to a caller that wants to make a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Permit {
    /// Make one request now.
    Granted,
    /// Ask again at this instant: the reserved one, unless that is more than half a minute away.
    RetryAt(Timestamp),
}

/// The rate limiter of one organization.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    requests_per_second: u32,
    throttle: Throttle,
    reserved: Gcra,
    shared: Gcra,
    overall: Gcra,
    waiting: HashMap<Uid, Reservation>,
    /// When each reservation expires.
    expiries: BTreeSet<(Timestamp, Uid)>,
    /// Reserved instants whose objects ask no more.
    abandoned: usize,
    rebalance: Rebalance,
    /// The latest `now` that was seen.
    clock: Timestamp,
}

/// A permit to come.
#[derive(Clone, Copy, Debug)]
struct Reservation {
    lane: Lane,
    due: Timestamp,
    /// When its object was told to ask again.
    retry_at: Timestamp,
}

impl Reservation {
    fn new(due: Timestamp, lane: Lane) -> Self {
        Self {
            lane,
            due,
            retry_at: due,
        }
    }

    fn expires(&self) -> Timestamp {
        later(self.retry_at.max(self.due), EXPIRES_AFTER)
    }
}

/// Whether the reservations suit the rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rebalance {
    Settled,
    Due,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::new(DEFAULT_REQUESTS_PER_SECOND)
    }
}

impl RateLimiter {
    pub fn new(requests_per_second: u32) -> Self {
        let mut limiter = Self {
            requests_per_second: requests_per_second.max(1),
            throttle: Throttle::default(),
            reserved: Gcra::default(),
            shared: Gcra::default(),
            overall: Gcra::default(),
            waiting: HashMap::new(),
            expiries: BTreeSet::new(),
            abandoned: 0,
            rebalance: Rebalance::Settled,
            clock: Timestamp::MIN,
        };
        limiter.apply_rate();
        limiter
    }

    /// The most that is ever used, in requests a second; 0 counts as 1.
    pub fn set_rate(&mut self, requests_per_second: u32) {
        if self.requests_per_second != requests_per_second.max(1) {
            self.requests_per_second = requests_per_second.max(1);
            self.apply_rate();
            self.rebalance = Rebalance::Due;
        }
    }

    /// Asks for one permit for `who`, which holds one reservation at most. Asking again before the answered instant gives
    /// the same answer, unless a 429 has moved it; asking at it or within a minute after it takes the permit, or moves it
    /// a little when many were late together.
    pub fn acquire(&mut self, now: Timestamp, lane: Lane, who: &Uid) -> Permit {
        let now = self.tick(now);
        if let Some(mine) = self.waiting.get(who).copied() {
            if lane.has_reserved_share() && !mine.lane.has_reserved_share() {
                self.forget(who);
            } else if now < mine.retry_at {
                return Permit::RetryAt(mine.retry_at);
            } else if now < mine.due {
                return self.wait(now, who, mine);
            } else {
                self.drop_reservation(who);
                return self.grant(now, lane, who);
            }
        }
        let due = self.reserve(now, lane);
        if due <= now {
            self.grant(now, lane, who)
        } else {
            self.wait(now, who, Reservation::new(due, lane))
        }
    }

    /// A request was made without a permit, by an object that had one a moment ago and could not stop half-way: later
    /// callers wait for it.
    pub fn spend(&mut self, now: Timestamp, lane: Lane) {
        let now = self.tick(now);
        self.reserve(now, lane);
        self.overall.take(now);
    }

    /// Takes in what the last answer said about pressure.
    pub fn observe(&mut self, now: Timestamp, pressure: Pressure) {
        let now = self.tick(now);
        match self.throttle.observe(now, pressure) {
            RateChange::Nothing => {}
            RateChange::Faster => {
                self.apply_rate();
                self.reschedule(now);
            }
            RateChange::PausedUntil(until) => {
                self.apply_rate();
                self.reserved.spend_burst(until);
                self.shared.spend_burst(until);
                self.reschedule(until);
                self.notify_all(now);
            }
        }
    }

    /// `who` asks no more.
    pub fn forget(&mut self, who: &Uid) {
        if self.drop_reservation(who).is_some() {
            self.abandoned += 1;
            if self.abandoned > self.waiting.len() {
                self.rebalance = Rebalance::Due;
            }
        }
    }

    /// The end of a pause, as of the last question or answer.
    pub fn paused_until(&self) -> Option<Timestamp> {
        self.throttle.paused_until()
    }

    /// Lets time pass: ends a pause, drops expired reservations, reschedules if due. Time never runs backwards inside.
    fn tick(&mut self, now: Timestamp) -> Timestamp {
        let back = self.clock.duration_since(now).unsigned_abs();
        if now < self.clock && back > CLOCK_SLACK {
            self.set_back(back);
            self.clock = now;
        }
        self.clock = self.clock.max(now);
        let now = self.clock;
        self.throttle.tick(now);
        while let Some((expiry, who)) = self.expiries.first().cloned().filter(|(expiry, _)| *expiry < now) {
            self.expiries.remove(&(expiry, who.clone()));
            self.waiting.remove(&who);
        }
        if self.rebalance == Rebalance::Due {
            self.reschedule(self.paused_until().unwrap_or(now));
        }
        now
    }

    /// The earliest instant that the lane has, not before a pause has ended.
    fn reserve(&mut self, now: Timestamp, lane: Lane) -> Timestamp {
        let from = self.paused_until().unwrap_or(now).max(now);
        if lane.has_reserved_share() && self.reserved.next(from) <= self.shared.next(from) {
            self.reserved.take(from)
        } else {
            self.shared.take(from)
        }
    }

    /// Grants a due permit if the overall rate allows it; otherwise callers that came late together are spread again.
    fn grant(&mut self, now: Timestamp, lane: Lane, who: &Uid) -> Permit {
        if self.paused_until().is_none() && self.overall.next(now) <= now {
            self.overall.take(now);
            return Permit::Granted;
        }
        let from = self.paused_until().unwrap_or_else(|| self.overall.next(now));
        self.reserved.spend_burst(from);
        self.shared.spend_burst(from);
        let due = self.reserve(from, lane);
        self.wait(now, who, Reservation::new(due, lane))
    }

    /// Keeps a reservation for `who` and says when to ask again.
    fn wait(&mut self, now: Timestamp, who: &Uid, reservation: Reservation) -> Permit {
        self.drop_reservation(who);
        let retry_at = self.retry_at(now, reservation.due);
        let reservation = Reservation {
            retry_at,
            ..reservation
        };
        self.expiries.insert((reservation.expires(), who.clone()));
        self.waiting.insert(who.clone(), reservation);
        Permit::RetryAt(retry_at)
    }

    /// The due instant when it is near; otherwise an earlier one, spread like the due instants.
    fn retry_at(&self, now: Timestamp, due: Timestamp) -> Timestamp {
        let from = self.paused_until().unwrap_or(now).max(now);
        let wait = due.duration_since(from).unsigned_abs();
        if due <= from || wait <= LONGEST_WAIT {
            return due;
        }
        let rest = Duration::new(wait.as_secs() % LONGEST_WAIT.as_secs(), wait.subsec_nanos());
        later(from, LONGEST_WAIT + rest)
    }

    fn drop_reservation(&mut self, who: &Uid) -> Option<Reservation> {
        let reservation = self.waiting.remove(who)?;
        self.expiries.remove(&(reservation.expires(), who.clone()));
        Some(reservation)
    }

    /// Gives the reservations new instants from `from` on, at the current rate: by lane, then in their order.
    fn reschedule(&mut self, from: Timestamp) {
        self.rebalance = Rebalance::Settled;
        self.abandoned = 0;
        for gcra in [&mut self.reserved, &mut self.shared] {
            gcra.restart(from);
        }
        let mut order: Vec<_> = self
            .waiting
            .iter()
            .map(|(who, mine)| (mine.lane, mine.due, who.clone(), *mine))
            .collect();
        order.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        self.expiries.clear();
        for (lane, _, who, mine) in order {
            let due = self.reserve(from, lane);
            let reservation = Reservation { due, ..mine };
            self.expiries.insert((reservation.expires(), who.clone()));
            self.waiting.insert(who, reservation);
        }
    }

    /// Callers that ask before their instant hear of the new one.
    fn notify_all(&mut self, now: Timestamp) {
        let reservations: Vec<_> = self
            .waiting
            .iter()
            .map(|(who, mine)| (who.clone(), *mine))
            .collect();
        for (who, reservation) in reservations {
            self.wait(now, &who, reservation);
        }
    }

    fn apply_rate(&mut self) {
        let per_permit = |percent| self.throttle.per_permit(self.requests_per_second, percent);
        let (reserved, shared, all) = (
            per_permit(100 - SHARED_PERCENT),
            per_permit(SHARED_PERCENT),
            per_permit(100),
        );
        self.reserved.set(reserved, BURST);
        self.shared.set(shared, BURST);
        // At the lowest rates one permit of each of the two and a late one may meet.
        self.overall.set(all, GRANT_BURST.max(all * 3));
    }

    /// The clock was set back: all instants ahead move with it, so that no wait grows.
    fn set_back(&mut self, by: Duration) {
        let earlier = |at| earlier(at, by);
        for gcra in [&mut self.reserved, &mut self.shared, &mut self.overall] {
            gcra.set_back(by);
        }
        self.throttle.set_back(by);
        for reservation in self.waiting.values_mut() {
            reservation.due = earlier(reservation.due);
            reservation.retry_at = earlier(reservation.retry_at);
        }
        self.expiries = std::mem::take(&mut self.expiries)
            .into_iter()
            .map(|(at, who)| (earlier(at), who))
            .collect();
    }
}

#[cfg(test)]
mod tests;

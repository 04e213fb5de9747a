//! Whose turn it is to call Agent Engine, per organization. A plain value: it waits for nobody and reads no clock.
//!
//! Two schedules share the rate: one that refreshes and deletions have for themselves, one that is for all. Who must
//! not be overtaken by creations takes the earlier of the two. What is granted in the end passes one more gate, so
//! that turns that were reserved apart and are asked for together still go out at the rate.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::gcra::{CLOCK_SLACK, Gcra, earlier, later};
use super::throttle::{Pressure, RateChange, Throttle};
use crate::domain::ids::Uid;

/// Carries 10,000 workspaces: each one issue, one proof and at most one GET every 13 minutes (38 a second), and a
/// rest for creations and for catching up.
pub const DEFAULT_REQUESTS_PER_SECOND: u32 = 50;

/// Of the rate, in percent, what creations and the rest may use; the other part is kept for refreshes and deletions.
const SHARED_PERCENT: u32 = 60;
/// What may go out at once after quiet, in seconds of the rate.
const BURST: Duration = Duration::from_secs(1);
/// As [`BURST`], for what is granted: one burst, and as much for those that come a little late.
const GRANT_BURST: Duration = Duration::from_secs(2);
/// A turn nobody comes for is kept this long after its instant, so that memory stays bounded.
const EXPIRES_AFTER: Duration = Duration::from_secs(60);
/// Nobody is sent away for longer than twice this beyond a pause: the rate recovers, and who sleeps does not see it.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What a turn is for. The order is the precedence when waiting turns are dealt out anew.
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

/// The answer to who asks for a turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Permit {
    /// Make one request, now.
    Granted,
    /// Ask again at this instant. It is the reserved one unless that is more than half a minute away.
    RetryAt(Timestamp),
}

/// The pace of one organization.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    requests_per_second: u32,
    throttle: Throttle,
    reserved: Gcra,
    shared: Gcra,
    gate: Gcra,
    waiting: HashMap<Uid, Reservation>,
    /// When each reservation expiries.
    expiries: BTreeSet<(Timestamp, Uid)>,
    /// Reserved turns that nobody will take.
    abandoned: usize,
    rebalance: Rebalance,
    /// The latest `now` that was seen.
    clock: Timestamp,
}

/// A turn to come.
#[derive(Clone, Copy, Debug)]
struct Reservation {
    lane: Lane,
    slot: Timestamp,
    /// When it was notified_at to ask again.
    notified_at: Timestamp,
}

impl Reservation {
    fn at(slot: Timestamp, lane: Lane) -> Self {
        Self {
            lane,
            slot,
            notified_at: slot,
        }
    }
}

/// Whether the waiting turns suit the rate.
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
        let mut pace = Self {
            requests_per_second: requests_per_second.max(1),
            throttle: Throttle::default(),
            reserved: Gcra::default(),
            shared: Gcra::default(),
            gate: Gcra::default(),
            waiting: HashMap::new(),
            expiries: BTreeSet::new(),
            abandoned: 0,
            rebalance: Rebalance::Settled,
            clock: Timestamp::MIN,
        };
        pace.apply_rate();
        pace
    }

    /// The most that is ever used, in requests a second; 0 counts as 1.
    pub fn set_rate(&mut self, requests_per_second: u32) {
        if self.requests_per_second != requests_per_second.max(1) {
            self.requests_per_second = requests_per_second.max(1);
            self.apply_rate();
            self.rebalance = Rebalance::Due;
        }
    }

    /// Asks for one turn for `who`, who waits for one at most. Asking again before the answered instant answers the
    /// same, unless a 429 has moved it; asking at it or within a minute after it consumes the turn, or moves it a
    /// little when many were late together.
    pub fn acquire(&mut self, now: Timestamp, lane: Lane, who: &Uid) -> Permit {
        let now = self.tick(now);
        if let Some(mine) = self.waiting.get(who).copied() {
            if lane.has_reserved_share() && !mine.lane.has_reserved_share() {
                self.forget(who);
            } else if now < mine.notified_at {
                return Permit::RetryAt(mine.notified_at);
            } else if now < mine.slot {
                return self.wait(now, who, mine);
            } else {
                self.drop_reservation(who);
                return self.grant(now, lane, who);
            }
        }
        let slot = self.reserve(now, lane);
        if slot <= now {
            self.grant(now, lane, who)
        } else {
            self.wait(now, who, Reservation::at(slot, lane))
        }
    }

    /// A request that was made without asking, by who had a turn a moment ago and could not stop half-way: those who
    /// come later wait for it.
    pub fn spend(&mut self, now: Timestamp, lane: Lane) {
        let now = self.tick(now);
        self.reserve(now, lane);
        self.gate.take(now);
    }

    /// What the last answer said about pressure.
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

    /// Until when nobody gets a turn, as of the last question or answer.
    pub fn paused_until(&self) -> Option<Timestamp> {
        self.throttle.paused_until()
    }

    /// Lets time pass: ends a pause, lets turns lapse, deals anew where that is due. Time never runs backwards inside.
    fn tick(&mut self, now: Timestamp) -> Timestamp {
        let back = self.clock.duration_since(now).unsigned_abs();
        if now < self.clock && back > CLOCK_SLACK {
            self.set_back(back);
            self.clock = now;
        }
        self.clock = self.clock.max(now);
        let now = self.clock;
        self.throttle.tick(now);
        while let Some((lapse, who)) = self.expiries.first().cloned().filter(|(lapse, _)| *lapse < now) {
            self.expiries.remove(&(lapse, who.clone()));
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

    /// A due turn is given out if the gate lets it; otherwise those that came late together are spread anew.
    fn grant(&mut self, now: Timestamp, lane: Lane, who: &Uid) -> Permit {
        if self.paused_until().is_none() && self.gate.next(now) <= now {
            self.gate.take(now);
            return Permit::Granted;
        }
        let from = self.paused_until().unwrap_or_else(|| self.gate.next(now));
        self.reserved.spend_burst(from);
        self.shared.spend_burst(from);
        let slot = self.reserve(from, lane);
        self.wait(now, who, Reservation::at(slot, lane))
    }

    /// Keeps a turn for `who` and says when to ask.
    fn wait(&mut self, now: Timestamp, who: &Uid, reservation: Reservation) -> Permit {
        self.drop_reservation(who);
        let notified_at = self.when_to_ask(now, reservation.slot);
        self.expiries.insert((
            later(notified_at.max(reservation.slot), EXPIRES_AFTER),
            who.clone(),
        ));
        self.waiting.insert(
            who.clone(),
            Reservation {
                notified_at,
                ..reservation
            },
        );
        Permit::RetryAt(notified_at)
    }

    /// The slot itself when it is near; else an earlier look, spread like the slots.
    fn when_to_ask(&self, now: Timestamp, slot: Timestamp) -> Timestamp {
        let from = self.paused_until().unwrap_or(now).max(now);
        let wait = slot.duration_since(from).unsigned_abs();
        if slot <= from || wait <= LONGEST_WAIT {
            return slot;
        }
        let rest = Duration::new(wait.as_secs() % LONGEST_WAIT.as_secs(), wait.subsec_nanos());
        later(from, LONGEST_WAIT + rest)
    }

    fn drop_reservation(&mut self, who: &Uid) -> Option<Reservation> {
        let reservation = self.waiting.remove(who)?;
        self.expiries.remove(&(
            later(reservation.notified_at.max(reservation.slot), EXPIRES_AFTER),
            who.clone(),
        ));
        Some(reservation)
    }

    /// Deals the waiting turns out anew from an instant on, at the rate of now: by lane, then as they stood.
    fn reschedule(&mut self, from: Timestamp) {
        self.rebalance = Rebalance::Settled;
        self.abandoned = 0;
        for schedule in [&mut self.reserved, &mut self.shared] {
            schedule.restart(from);
        }
        let mut order: Vec<_> = self
            .waiting
            .iter()
            .map(|(who, turn)| (turn.lane, turn.slot, who.clone(), *turn))
            .collect();
        order.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        self.expiries.clear();
        for (lane, _, who, turn) in order {
            let slot = self.reserve(from, lane);
            self.expiries
                .insert((later(turn.notified_at.max(slot), EXPIRES_AFTER), who.clone()));
            self.waiting.insert(who, Reservation { slot, ..turn });
        }
    }

    /// Whoever asks before its turn hears of the new one.
    fn notify_all(&mut self, now: Timestamp) {
        let turns: Vec<_> = self
            .waiting
            .iter()
            .map(|(who, turn)| (who.clone(), *turn))
            .collect();
        for (who, turn) in turns {
            self.wait(now, &who, turn);
        }
    }

    fn apply_rate(&mut self) {
        let per_turn = |percent| self.throttle.per_turn(self.requests_per_second, percent);
        let (reserved, shared, all) = (
            per_turn(100 - SHARED_PERCENT),
            per_turn(SHARED_PERCENT),
            per_turn(100),
        );
        self.reserved.set(reserved, BURST);
        self.shared.set(shared, BURST);
        // At the lowest rates one turn of each schedule and one late one may meet.
        self.gate.set(all, GRANT_BURST.max(all * 3));
    }

    /// The clock was set back: all that lies ahead goes with it, so that nobody waits for the lost time.
    fn set_back(&mut self, by: Duration) {
        let earlier = |at| earlier(at, by);
        for schedule in [&mut self.reserved, &mut self.shared, &mut self.gate] {
            schedule.set_back(by);
        }
        self.throttle.set_back(by);
        for turn in self.waiting.values_mut() {
            (turn.slot, turn.notified_at) = (earlier(turn.slot), earlier(turn.notified_at));
        }
        self.expiries = std::mem::take(&mut self.expiries)
            .into_iter()
            .map(|(at, who)| (earlier(at), who))
            .collect();
    }
}

#[cfg(test)]
mod tests;

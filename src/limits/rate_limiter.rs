//! When an organization's next request may go out. A plain value: it does not wait and reads no clock, and its time is that of
//! the process.
//!
//! Callers wait in lines, the most urgent first, and get an instant only when one is near: whoever comes later and is more
//! urgent goes before them. Two GCRAs share the rate, one for refreshes and deletions alone, one for all lanes. A third one
//! stands before every grant, so that permits given apart and asked for together still go out at the rate.

mod lines;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use self::lines::{Lines, Pool};
use super::availability::{Availability, Turn};
use super::gcra::Gcra;
use super::lane::{Lane, SHARED_PERCENT};
use super::rate::{LONG_PAUSE, LONGEST_PAUSE, Pressure, Rate, RateChange};
use crate::domain::ids::Uid;
use crate::domain::rate::RequestRate;
use crate::domain::remote::Answered;
use crate::domain::time::Uptime;

/// Requests that may go out at once after quiet, in seconds of the rate.
const BURST: Duration = Duration::from_secs(1);
/// As [`BURST`], for grants: one burst, and as much for callers that come a little late.
const GRANT_BURST: Duration = Duration::from_secs(2);
/// How far ahead an instant is given to a caller. What is given is not taken back for a more urgent one.
const GIVEN_AHEAD: Duration = Duration::from_millis(250);
/// A caller is remembered this long after the instant at which it was to ask, so that memory stays bounded when it does not.
const EXPIRES_AFTER: Duration = Duration::from_secs(60);
/// No caller is told to wait longer than twice this beyond a pause: the rate recovers, and a caller that sleeps does not see it.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The answer to a caller that wants to make a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Permit {
    /// Make one request now.
    Granted,
    /// Ask again at this instant, or when [`RateLimiter::called`] names the caller before.
    RetryAt(Uptime),
}

/// The rate limiter of one organization.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    rate: Rate,
    availability: Availability,
    /// It has come back, and no one was told.
    is_back: bool,
    /// A long pause has begun, and no one was told.
    has_paused: bool,
    knowledge: Knowledge,
    reserved: Gcra,
    shared: Gcra,
    overall: Gcra,
    lines: Lines,
    given: HashMap<Uid, Given>,
    /// Of those with an instant, who was told a later one.
    called: HashSet<Uid>,
    /// When each caller is forgotten.
    expiries: BTreeSet<(Uptime, Uid)>,
    applied: Applied,
    /// The latest `now` that was seen.
    clock: Uptime,
}

/// An instant that a caller was given.
#[derive(Clone, Copy, Debug)]
struct Given {
    lane: Lane,
    /// Its place in line, should it have to go back.
    place: lines::Place,
    due: Uptime,
    expires: Uptime,
}

/// What is known of how Agent Engine answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Knowledge {
    Nothing,
    /// A pause that a former process was told, or how a request ended.
    Something,
}

/// Whether the GCRAs go by the rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Applied {
    Yes,
    NotYet,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::of(Rate::unknown())
    }
}

impl RateLimiter {
    /// With a declared rate, which is never exceeded; 0 counts as 1.
    pub fn new(requests_per_second: u32) -> Self {
        Self::of(Rate::declared(requests_per_second))
    }

    fn of(rate: Rate) -> Self {
        let mut limiter = Self {
            rate,
            availability: Availability::default(),
            is_back: false,
            has_paused: false,
            knowledge: Knowledge::Nothing,
            reserved: Gcra::default(),
            shared: Gcra::default(),
            overall: Gcra::default(),
            lines: Lines::default(),
            given: HashMap::new(),
            called: HashSet::new(),
            expiries: BTreeSet::new(),
            applied: Applied::NotYet,
            clock: Uptime::default(),
        };
        limiter.apply_rate(Uptime::default());
        limiter
    }

    /// The most that is ever used, in requests a second; 0 counts as 1.
    pub fn set_rate(&mut self, requests_per_second: u32) {
        self.declare(Rate::declared(requests_per_second));
    }

    /// The rate is to be found out.
    pub fn find_rate(&mut self) {
        self.declare(Rate::unknown());
    }

    fn declare(&mut self, rate: Rate) {
        if self.rate.declare(rate) {
            self.applied = Applied::NotYet;
        }
    }

    /// The rate as it is now.
    pub fn rate(&self) -> RequestRate {
        self.rate.reading()
    }

    /// As [`RateLimiter::acquire_before`], for a request that nothing ends before: among refreshes it is the most urgent.
    pub fn acquire(&mut self, now: Uptime, lane: Lane, who: &Uid) -> Permit {
        self.acquire_before(now, lane, Timestamp::MIN, who)
    }

    /// Asks for one permit for `who`, which holds one place at most. Within a lane the earliest `end`, an instant of the wall
    /// clock, goes first. Asking again before the answered instant gives the same answer, unless its time has come, or a 429 has
    /// moved it; asking at it or within a minute after it takes the permit, or moves it a little when many were late together.
    pub fn acquire_before(&mut self, now: Uptime, lane: Lane, end: Timestamp, who: &Uid) -> Permit {
        let now = self.tick(now);
        if let Some(given) = self.given.get(who).copied() {
            self.called.remove(who);
            let same_pool = !lane.has_reserved_share() || given.lane.has_reserved_share();
            if same_pool && now < given.due {
                return Permit::RetryAt(given.due);
            }
            self.forget(who);
            if same_pool {
                return self.grant(now, lane, given.place, who);
            }
        }
        self.lines.put(who, lane, end);
        self.line_up(now, lane, who)
    }

    /// The caller stands in line. It may be the first.
    fn line_up(&mut self, now: Uptime, lane: Lane, who: &Uid) -> Permit {
        self.give(now);
        self.called.remove(who);
        match self.given.get(who).copied() {
            Some(given) if given.due <= now => {
                self.forget(who);
                self.grant(now, lane, given.place, who)
            }
            Some(given) => Permit::RetryAt(given.due),
            None => self.wait_in_line(now, lane, who),
        }
    }

    /// A request was made without a permit, by an object that had one a moment ago and could not stop half-way: later
    /// callers wait for it.
    pub fn spend(&mut self, now: Uptime, lane: Lane) {
        let now = self.tick(now);
        self.reserve(now, lane);
        self.overall.take(now);
        self.rate.used(lane);
        self.availability.probed(now);
    }

    /// Takes in how a request ended.
    pub fn answered(&mut self, now: Uptime, answered: &Answered<'_>) {
        if answered.requests > 0 {
            let now = self.tick(now);
            self.knowledge = Knowledge::Something;
            match self.availability.observe(now, answered) {
                Turn::None => {}
                // Whoever was given an instant would meet the same failure.
                Turn::Away => self.take_back(),
                Turn::Back => self.is_back = true,
            }
        }
        if let Some(pressure) = Pressure::of(answered) {
            self.observe(now, pressure);
        }
    }

    /// Since when the server has answered every request of the organization, if that has lasted for a while.
    pub fn well_since(&mut self, now: Uptime) -> Option<Uptime> {
        let now = self.tick(now);
        self.availability.well_since(now)
    }

    /// When Agent Engine last answered again, having been away.
    pub fn back_at(&self) -> Option<Uptime> {
        self.availability.back_at()
    }

    /// Whether it has come back since this was asked last: then whoever rests may be woken.
    pub fn has_come_back(&mut self) -> bool {
        std::mem::take(&mut self.is_back)
    }

    /// Whether a long pause has begun since this was asked last: then it is worth storing for the next process.
    pub fn has_paused(&mut self) -> bool {
        std::mem::take(&mut self.has_paused)
    }

    /// Takes over what is left of a pause that a former process was told, at most the longest: once, and only while nothing else
    /// is known.
    pub fn take_over_pause(&mut self, now: Uptime, left: Duration) {
        if self.knowledge == Knowledge::Something || left.is_zero() {
            return;
        }
        let now = self.tick(now);
        self.knowledge = Knowledge::Something;
        let until = now.later(left.min(LONGEST_PAUSE));
        self.rate.pause(until);
        self.begin_pause(until);
    }

    /// When the next caller may probe, while Agent Engine is away and that is still to come.
    pub fn away_until(&mut self, now: Uptime) -> Option<Uptime> {
        let now = self.tick(now);
        self.availability.next_probe().filter(|at| *at > now)
    }

    /// Takes in what the last answer said about pressure.
    pub fn observe(&mut self, now: Uptime, pressure: Pressure) {
        let now = self.tick(now);
        self.knowledge = Knowledge::Something;
        match self.rate.observe(now, pressure) {
            RateChange::Nothing => {}
            RateChange::Faster => self.apply_rate(now),
            RateChange::PausedUntil(until) => {
                self.apply_rate(now);
                self.begin_pause(until);
                self.has_paused |= until.since(now) >= LONG_PAUSE;
            }
        }
    }

    /// Whoever was given an instant waits in line until a pause ends, and then no one has a burst.
    fn begin_pause(&mut self, until: Uptime) {
        for gcra in [&mut self.reserved, &mut self.shared] {
            gcra.spend_burst(until);
            gcra.restart(until);
        }
        self.take_back();
    }

    /// Who may ask now, or within a moment, before the instant that it was told. To be asked several times a second while any
    /// caller waits; each is named until it asks or [`RateLimiter::woken`].
    pub fn called(&mut self, now: Uptime) -> Vec<Uid> {
        let now = self.tick(now);
        self.give(now);
        self.called.iter().cloned().collect()
    }

    /// The caller that was named comes.
    pub fn woken(&mut self, who: &Uid) {
        self.called.remove(who);
    }

    /// `who` asks no more.
    pub fn forget(&mut self, who: &Uid) {
        self.called.remove(who);
        let given = self.given.remove(who).map(|given| given.expires);
        let expires = self.lines.remove(who).or(given);
        if let Some(expires) = expires {
            self.expiries.remove(&(expires, who.clone()));
        }
    }

    /// How many callers wait.
    pub fn waiting(&self) -> usize {
        self.lines.len() + self.given.len()
    }

    /// The end of a pause that lasts.
    pub fn paused_until(&mut self, now: Uptime) -> Option<Uptime> {
        self.tick(now);
        self.rate.paused_until()
    }

    /// Lets time pass: ends a pause, drops callers that came no more. Reconciles that run side by side read the clock in no
    /// particular order.
    fn tick(&mut self, now: Uptime) -> Uptime {
        self.clock = self.clock.max(now);
        let now = self.clock;
        self.rate.tick(now);
        if self.applied == Applied::NotYet {
            self.apply_rate(now);
        }
        while let Some((_, who)) = self.expiries.first().cloned().filter(|(expiry, _)| *expiry < now) {
            self.forget(&who);
        }
        now
    }

    /// Gives the instants that are near to those first in line.
    fn give(&mut self, now: Uptime) {
        let from = self.not_before(now);
        let near = now.later(GIVEN_AHEAD);
        if self.availability.next_probe().is_some() {
            return self.give_probe(from, near);
        }
        loop {
            let (reserved, shared) = (self.reserved.next(from), self.shared.next(from));
            let pool = if reserved <= shared && self.lines.any_in(Pool::Reserved) {
                Pool::Reserved
            } else {
                Pool::Shared
            };
            let gcra = match pool {
                Pool::Reserved => &mut self.reserved,
                Pool::Shared => &mut self.shared,
            };
            if gcra.next(from) > near {
                return;
            }
            let Some((who, lane, place)) = self.lines.pop(pool) else {
                return;
            };
            let due = gcra.take(from);
            self.hand_out(who, lane, place, due);
        }
    }

    /// While Agent Engine is away, the first in line asks it, and no one else.
    fn give_probe(&mut self, from: Uptime, near: Uptime) {
        if from > near {
            return;
        }
        let pools = [Pool::Reserved, Pool::Shared];
        let Some(first) = pools.into_iter().find_map(|pool| self.lines.pop(pool)) else {
            return;
        };
        let (who, lane, place) = first;
        self.availability.probed(from);
        self.hand_out(who, lane, place, from);
    }

    /// The caller is no longer in line: it is called, and may ask from `due` on.
    fn hand_out(&mut self, who: Uid, lane: Lane, place: lines::Place, due: Uptime) {
        self.expiries.remove(&(place.expires, who.clone()));
        self.called.insert(who.clone());
        let expires = place.told.max(due).later(EXPIRES_AFTER);
        self.expiries.insert((expires, who.clone()));
        let given = Given {
            lane,
            place,
            due,
            expires,
        };
        self.given.insert(who, given);
    }

    /// Tells a caller when to ask again if it is not called before.
    fn wait_in_line(&mut self, now: Uptime, lane: Lane, who: &Uid) -> Permit {
        let from = self.not_before(now);
        let last = self.due_of_last(from, lane);
        let Some(known) = self.lines.place_mut(who).map(|place| *place) else {
            return Permit::RetryAt(last);
        };
        if known.told <= now || known.told < from {
            let due = if known.due <= now || known.due < from {
                last
            } else {
                known.due
            };
            let told = self.retry_at(from, due);
            let expires = told.later(EXPIRES_AFTER);
            self.expiries.remove(&(known.expires, who.clone()));
            self.expiries.insert((expires, who.clone()));
            if let Some(place) = self.lines.place_mut(who) {
                (place.due, place.told, place.expires) = (due, told, expires);
            }
            return Permit::RetryAt(told);
        }
        Permit::RetryAt(known.told)
    }

    /// When it is the time of the last one in this lane.
    fn due_of_last(&self, from: Uptime, lane: Lane) -> Uptime {
        let percent = match lane {
            Lane::Refresh => 100,
            Lane::Create | Lane::Other => SHARED_PERCENT,
            Lane::Delete => 100 - SHARED_PERCENT,
        };
        let ahead = u32::try_from(self.lines.ahead_of_last(lane)).unwrap_or(u32::MAX);
        let next = if lane.has_reserved_share() {
            self.reserved.next(from).min(self.shared.next(from))
        } else {
            self.shared.next(from)
        };
        next.later(self.per_permit(percent).saturating_mul(ahead))
    }

    fn not_before(&self, now: Uptime) -> Uptime {
        let probe = self.availability.next_probe();
        self.rate.paused_until().max(probe).unwrap_or(now).max(now)
    }

    /// The earliest instant that the lane has, not before a pause has ended.
    fn reserve(&mut self, now: Uptime, lane: Lane) -> Uptime {
        let from = self.not_before(now);
        if lane.has_reserved_share() && self.reserved.next(from) <= self.shared.next(from) {
            self.reserved.take(from)
        } else {
            self.shared.take(from)
        }
    }

    /// Grants a due permit if the overall rate allows it; otherwise callers that came late together go on at the rate.
    fn grant(&mut self, now: Uptime, lane: Lane, place: lines::Place, who: &Uid) -> Permit {
        if self.rate.paused_until().is_none() && self.overall.next(now) <= now {
            self.overall.take(now);
            self.rate.used(lane);
            return Permit::Granted;
        }
        let from = self.rate.paused_until().unwrap_or_else(|| self.overall.next(now));
        self.reserved.spend_burst(from);
        self.shared.spend_burst(from);
        self.lines.put_back(who.clone(), lane, place.untold());
        self.line_up(now, lane, who)
    }

    /// The due instant when it is near; otherwise an earlier one, spread like the due instants.
    fn retry_at(&self, from: Uptime, due: Uptime) -> Uptime {
        let wait = due.since(from);
        if due <= from || wait <= LONGEST_WAIT {
            return due;
        }
        let rest = Duration::new(wait.as_secs() % LONGEST_WAIT.as_secs(), wait.subsec_nanos());
        from.later(LONGEST_WAIT + rest)
    }

    /// Whoever has an instant goes back to its place in line.
    fn take_back(&mut self) {
        for (who, given) in std::mem::take(&mut self.given) {
            self.expiries.remove(&(given.expires, who.clone()));
            let mut place = given.place;
            place.expires = place.told.max(self.clock).later(EXPIRES_AFTER);
            self.expiries.insert((place.expires, who.clone()));
            self.lines.put_back(who, given.lane, place);
        }
        self.called.clear();
    }

    fn per_permit(&self, percent: u32) -> Duration {
        self.rate.per_permit(percent)
    }

    fn apply_rate(&mut self, now: Uptime) {
        self.applied = Applied::Yes;
        let all = self.per_permit(100);
        self.reserved
            .set(now, self.per_permit(100 - SHARED_PERCENT), BURST);
        self.shared.set(now, self.per_permit(SHARED_PERCENT), BURST);
        // At the lowest rates one permit of each of the two and a late one may meet.
        self.overall.set(now, all, GRANT_BURST.max(all * 3));
    }
}

#[cfg(test)]
mod tests;

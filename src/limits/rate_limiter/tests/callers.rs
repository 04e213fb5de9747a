//! Callers that come when they were told to, or a little late.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::ids::Uid;
use crate::domain::time::Uptime;
use crate::limits::{Lane, Permit, RateLimiter};

pub(super) fn at(millis: i64) -> Uptime {
    Uptime::new(Duration::from_millis(
        1_000_000_000 + u64::try_from(millis).unwrap(),
    ))
}

pub(super) fn who(index: usize) -> Uid {
    Uid::new(format!("uid-{index:05}"))
}

pub(super) fn millis_since_start(at_: Uptime) -> i64 {
    // Rounded up: a timer does not fire early.
    at_.since(at(0)).as_nanos().div_ceil(1_000_000) as i64
}

/// How often the limiter is asked whom it calls.
const CALLS: i64 = 100;

/// Callers, in a queue by the instants at which they come.
pub(super) struct Callers {
    pub(super) limiter: RateLimiter,
    wakes: BinaryHeap<Reverse<(i64, usize)>>,
    /// Who still waits, from when on, and for what.
    waits: HashMap<usize, (i64, Lane)>,
    /// Until when a caller's request is to be made.
    pub(super) ends: HashMap<usize, Timestamp>,
    pub(super) granted: Vec<(i64, Lane, usize)>,
    called_at: i64,
}

impl Callers {
    pub(super) fn new(limiter: RateLimiter) -> Self {
        Self {
            limiter,
            wakes: BinaryHeap::new(),
            waits: HashMap::new(),
            ends: HashMap::new(),
            granted: Vec::new(),
            called_at: 0,
        }
    }

    pub(super) fn come(&mut self, millis: i64, lane: Lane, callers: std::ops::Range<usize>) {
        for index in callers {
            self.wake(millis, index, lane);
        }
    }

    fn wake(&mut self, millis: i64, index: usize, lane: Lane) {
        self.waits.insert(index, (millis, lane));
        self.wakes.push(Reverse((millis, index)));
    }

    /// Nobody comes before this instant, and nobody is called.
    pub(super) fn stall(&mut self, until: i64) {
        let stalled: Vec<_> = self.waits.iter().map(|(index, wait)| (*index, *wait)).collect();
        for (index, (millis, lane)) in stalled {
            self.wake(millis.max(until), index, lane);
        }
        self.called_at = until;
    }

    /// Runs until an instant; callers come back `late` after they were told to, or called.
    pub(super) fn run(&mut self, until: i64, late: impl Fn(usize) -> i64) {
        while let Some(Reverse((millis, _))) = self.wakes.peek().copied() {
            let call = self.called_at + CALLS;
            if call.min(millis) > until {
                return;
            }
            if call <= millis {
                self.called_at = call;
                self.call(call, &late);
                continue;
            }
            let Some(Reverse((millis, index))) = self.wakes.pop() else {
                return;
            };
            match self.waits.get(&index).copied() {
                Some((at, lane)) if at == millis => self.ask(millis, index, lane, &late),
                // It was called before.
                _ => {}
            }
        }
    }

    fn call(&mut self, millis: i64, late: impl Fn(usize) -> i64) {
        for uid in self.limiter.called(at(millis)) {
            self.limiter.woken(&uid);
            let index = uid.as_str()[4..].parse().unwrap();
            let Some((at, lane)) = self.waits.get(&index).copied() else {
                continue;
            };
            let comes = millis + late(index);
            if comes < at {
                self.wake(comes, index, lane);
            }
        }
    }

    fn ask(&mut self, millis: i64, index: usize, lane: Lane, late: impl Fn(usize) -> i64) {
        let end = self.ends.get(&index).copied().unwrap_or(Timestamp::MIN);
        match self.limiter.acquire_before(at(millis), lane, end, &who(index)) {
            Permit::Granted => {
                self.waits.remove(&index);
                self.granted.push((millis, lane, index));
            }
            Permit::RetryAt(then) => {
                assert!(then > at(millis), "told to come at once");
                self.wake(millis_since_start(then) + late(index), index, lane);
            }
        }
    }

    pub(super) fn within(&self, from: i64, until: i64) -> usize {
        self.granted
            .iter()
            .filter(|(millis, ..)| (from..until).contains(millis))
            .count()
    }
}

/// No window holds more than its share and one burst.
pub(super) fn most_in_any_window(
    granted: &[(i64, Lane, usize)],
    per_second: f64,
    burst: f64,
) -> Result<(), String> {
    for (first, (start, ..)) in granted.iter().enumerate() {
        for (last, (end, ..)) in granted.iter().enumerate().skip(first) {
            let (count, seconds) = ((last - first + 1) as f64, (end - start) as f64 / 1000.0);
            if count > per_second * seconds + burst + 1e-6 {
                return Err(format!("{count} permits in {seconds} s"));
            }
        }
    }
    Ok(())
}

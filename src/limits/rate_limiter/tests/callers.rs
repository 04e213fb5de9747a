//! Callers that come when they were told to, or a little late.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use crate::domain::ids::Uid;
use crate::limits::rate_limiter::{Lane, Permit, RateLimiter};

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_000_000_000_000 + millis).unwrap()
}

pub(super) fn who(index: usize) -> Uid {
    Uid::new(format!("uid-{index:05}"))
}

pub(super) fn millis_since_start(at_: Timestamp) -> i64 {
    // Rounded up: a timer does not fire early.
    (at_.as_nanosecond() - at(0).as_nanosecond() + 999_999).div_euclid(1_000_000) as i64
}

/// Callers, in a queue by the instants at which they come.
pub(super) struct Callers {
    pub(super) limiter: RateLimiter,
    pub(super) wakes: BinaryHeap<Reverse<(i64, usize, Lane)>>,
    pub(super) granted: Vec<(i64, Lane, usize)>,
}

impl Callers {
    pub(super) fn new(limiter: RateLimiter) -> Self {
        Self {
            limiter,
            wakes: BinaryHeap::new(),
            granted: Vec::new(),
        }
    }

    pub(super) fn come(&mut self, millis: i64, lane: Lane, callers: std::ops::Range<usize>) {
        self.wakes
            .extend(callers.map(|index| Reverse((millis, index, lane))));
    }

    /// Runs until an instant; callers come back `late` after they were told to.
    pub(super) fn run(&mut self, until: i64, late: impl Fn(usize) -> i64) {
        while self
            .wakes
            .peek()
            .is_some_and(|Reverse((millis, ..))| *millis <= until)
        {
            let Reverse((millis, index, lane)) = self.wakes.pop().unwrap();
            match self.limiter.acquire(at(millis), lane, &who(index)) {
                Permit::Granted => self.granted.push((millis, lane, index)),
                Permit::RetryAt(then) => {
                    assert!(then > at(millis), "told to come at once");
                    self.wakes
                        .push(Reverse((millis_since_start(then) + late(index), index, lane)));
                }
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

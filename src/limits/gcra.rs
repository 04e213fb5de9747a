//! Permits at a rate, with a burst after quiet: the generic cell rate algorithm, in instants.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::time::{earlier, elapsed, later};

/// A sequence of instants, one each `every`, of which those within `burst` may come at once after quiet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gcra {
    every: Duration,
    burst: Duration,
    /// When the next permit would be due without the burst.
    due: Timestamp,
}

impl Default for Gcra {
    fn default() -> Self {
        Self {
            every: Duration::ZERO,
            burst: Duration::ZERO,
            due: Timestamp::MIN,
        }
    }
}

impl Gcra {
    /// The burst holds one permit at least. At a higher rate, what was taken beyond the burst is paid back sooner.
    pub(super) fn set(&mut self, from: Timestamp, every: Duration, burst: Duration) {
        let spent = later(from, burst);
        if every < self.every && self.due > spent {
            let beyond = elapsed(spent, self.due).mul_f64(every.div_duration_f64(self.every));
            self.due = later(spent, beyond);
        }
        self.every = every;
        self.burst = burst.saturating_sub(every);
    }

    /// The next instant, not before `from`.
    pub(super) fn next(&self, from: Timestamp) -> Timestamp {
        earlier(self.due, self.burst).max(from)
    }

    /// Takes the next instant.
    pub(super) fn take(&mut self, from: Timestamp) -> Timestamp {
        let at = self.next(from);
        self.due = later(self.due.max(from), self.every);
        at
    }

    /// No burst from here on: one each `every`.
    pub(super) fn spend_burst(&mut self, from: Timestamp) {
        self.due = self.due.max(later(from, self.burst));
    }

    /// Gives back what was taken ahead of `from`, but no burst.
    pub(super) fn restart(&mut self, from: Timestamp) {
        self.due = self.due.min(later(from, self.burst));
    }

    /// The clock was set back `by` this much.
    pub(super) fn set_back(&mut self, by: Duration) {
        self.due = earlier(self.due, by);
    }
}

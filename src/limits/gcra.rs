//! Turns at a rate, with a burst after quiet: the generic cell rate algorithm, in instants.

use std::time::Duration;

use jiff::Timestamp;

/// Reconciles that run side by side read the clock in no particular order; further back than this it was set back.
pub const CLOCK_SLACK: Duration = Duration::from_secs(1);

/// A sequence of instants, one each `every`, of which those within `burst` may come at once after quiet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gcra {
    every: Duration,
    burst: Duration,
    /// When the next turn would be due had there never been quiet.
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
    /// Never less than one turn fits into the burst.
    pub(super) fn set(&mut self, every: Duration, burst: Duration) {
        self.every = every;
        self.burst = burst.saturating_sub(every);
    }

    /// The next instant, not before `from`.
    pub(super) fn next(&self, from: Timestamp) -> Timestamp {
        earlier(self.due, self.burst).max(from)
    }

    /// Uses up the next instant.
    pub(super) fn take(&mut self, from: Timestamp) -> Timestamp {
        let at = self.next(from);
        self.due = later(self.due.max(from), self.every);
        at
    }

    /// Nothing comes at once: from here on, one each `every`.
    pub(super) fn spend_burst(&mut self, from: Timestamp) {
        self.due = self.due.max(later(from, self.burst));
    }

    /// Gives back what was used ahead of `from`, but no burst.
    pub(super) fn restart(&mut self, from: Timestamp) {
        self.due = self.due.min(later(from, self.burst));
    }

    /// The clock was set back.
    pub(super) fn set_back(&mut self, by: Duration) {
        self.due = earlier(self.due, by);
    }
}

/// Saturates at the end of time.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Saturates at the beginning of time.
pub(super) fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

//! Arithmetic on instants that cannot panic, because an answer may name any time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Reconciles that run side by side read the wall clock in no particular order; a step further back than this means that it was
/// set back.
pub const CLOCK_SLACK: Duration = Duration::from_secs(1);

/// An instant by the time of the process: how long it had run then. Nobody sets this clock.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Uptime(Duration);

impl Uptime {
    /// The process has run for so long.
    pub const fn new(runs_for: Duration) -> Self {
        Self(runs_for)
    }

    /// What a wall clock shows as `now`, by which the process began at `process_began`.
    pub fn at(now: Timestamp, process_began: Timestamp) -> Self {
        Self(elapsed(process_began, now))
    }

    /// What a wall clock shows then, by which the process began at `process_began`.
    pub fn by_the_wall_clock(self, process_began: Timestamp) -> Timestamp {
        later(process_began, self.0)
    }

    /// Moved forward, at most to the end of time.
    #[must_use]
    pub fn later(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// Moved back, at most to the beginning of the process.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }

    /// Time from `before` until then; zero if `before` is later.
    pub fn since(self, before: Self) -> Duration {
        self.0.saturating_sub(before.0)
    }
}

/// `at` moved forward, at most to the end of time.
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// `at` moved back, at most to the beginning of time.
pub fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// Time from `from` to `now`; zero if `now` is earlier.
pub fn elapsed(from: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(from).try_into().unwrap_or(Duration::ZERO)
}

/// How far the wall clock was set since `known` was last told: by it, the process began at another instant then.
pub fn set_since(known: &mut Option<Timestamp>, process_began: Timestamp) -> SignedDuration {
    let before = known.replace(process_began);
    before.map_or(SignedDuration::ZERO, |before| {
        process_began.duration_since(before)
    })
}

/// `at` moved by a signed difference, kept within time.
pub fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

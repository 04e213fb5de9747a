//! The emulator's one clock: `Date`, `created_at` and every expiry read it, and the control API moves it.
//! Latency and the waiting for held requests are real time and do not.

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock as Source;

/// A source's time moved by an offset, or an instant that stands still.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    offset: SignedDuration,
    frozen: Option<Timestamp>,
}

/// Whether the clock runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gait {
    Running,
    Frozen,
}

impl Clock {
    /// Shows the source's time until it is moved.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            offset: SignedDuration::ZERO,
            frozen: None,
        }
    }

    /// The emulator's time.
    pub fn now(&self) -> Timestamp {
        self.frozen
            .unwrap_or_else(|| moved(self.source.now(), self.offset))
    }

    /// Whether the clock runs.
    pub fn gait(&self) -> Gait {
        if self.frozen.is_some() {
            Gait::Frozen
        } else {
            Gait::Running
        }
    }

    /// Moves the clock, forwards or back.
    pub fn advance(&mut self, by: SignedDuration) {
        match &mut self.frozen {
            Some(instant) => *instant = moved(*instant, by),
            None => self.offset = self.offset.saturating_add(by),
        }
    }

    /// Makes it `instant` now.
    pub fn set(&mut self, instant: Timestamp) {
        self.advance(instant.duration_since(self.now()));
    }

    /// Stops the clock, or lets it run on from where it stands.
    pub fn walk(&mut self, gait: Gait) {
        let now = self.now();
        match gait {
            Gait::Frozen => self.frozen = Some(now),
            Gait::Running => {
                self.frozen = None;
                self.offset = now.duration_since(self.source.now());
            }
        }
    }
}

/// Stays where it is rather than leave the range of representable time.
fn moved(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.checked_add(by).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::{Clock, Gait, Source};
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let mut clock = Clock::new(Source::system());
        clock.walk(Gait::Frozen);
        let start = clock.now();
        assert_eq!(clock.now(), start);
        clock.advance(SignedDuration::from_secs(600));
        assert_eq!(clock.now(), start + SignedDuration::from_secs(600));
    }

    #[test]
    fn a_clock_that_was_set_runs_on_from_there() {
        let mut clock = Clock::new(Source::system());
        let instant: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        clock.set(instant);
        assert!(clock.now() >= instant);
        assert!(clock.now() < instant + SignedDuration::from_secs(60));
    }
}

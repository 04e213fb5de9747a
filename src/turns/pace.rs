//! Whose turn it is to call Agent Engine, per organisation. A plain value: it waits for nobody and reads no clock.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::ids::Uid;

/// Carries 10,000 workspaces: each one issue, one proof and at most one GET every 13 minutes, and as much again for
/// creations and for catching up.
pub const DEFAULT_REQUESTS_PER_SECOND: u32 = 50;

/// What a turn is for. The order is the precedence after a pause.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Lane {
    Refresh,
    Delete,
    Create,
    Other,
}

/// The answer to who asks for a turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Turn {
    /// Make one request, now.
    Now,
    /// Ask again at this instant.
    At(Timestamp),
}

/// What an answer of Agent Engine said about pressure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pressure {
    Relaxed,
    /// 429, with its `Retry-After`; zero when it named none.
    Throttled(Duration),
}

/// The pace of one organisation.
#[derive(Clone, Debug)]
pub struct Pace {
    requests_per_second: u32,
    paused_until: Option<Timestamp>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(DEFAULT_REQUESTS_PER_SECOND)
    }
}

impl Pace {
    pub fn new(requests_per_second: u32) -> Self {
        Self {
            requests_per_second,
            paused_until: None,
        }
    }

    /// The most that is ever used, in requests a second; 0 counts as 1.
    pub fn set_rate(&mut self, requests_per_second: u32) {
        self.requests_per_second = requests_per_second;
    }

    /// Asks for one turn for `who`. Asking again before the answered instant answers the same.
    pub fn ask(&mut self, now: Timestamp, _lane: Lane, _who: &Uid) -> Turn {
        match self.paused_until {
            Some(until) if now < until => Turn::At(until),
            _ => Turn::Now,
        }
    }

    /// What the last answer said about pressure.
    pub fn felt(&mut self, now: Timestamp, pressure: Pressure) {
        if let Pressure::Throttled(pause) = pressure {
            self.paused_until = now.checked_add(pause).ok();
        }
    }

    /// `who` asks no more.
    pub fn forget(&mut self, _who: &Uid) {}

    /// Until when nobody gets a turn.
    pub fn paused_until(&self) -> Option<Timestamp> {
        self.paused_until
    }
}

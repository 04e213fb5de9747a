//! What a client reports of each call that ended: an operation and numbers, never an address, a header or a body.

use std::fmt;
use std::time::Duration;

use super::operation::Operation;

/// A call that ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Call {
    pub operation: Operation,
    pub outcome: CallOutcome,
    /// Waiting for a slot, an exchange and a repeat included.
    pub took: Duration,
}

/// How a call ended, for counting.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum CallOutcome {
    /// An answer with this HTTP status.
    Status(u16),
    NotConnected,
    /// The answer was lost, or too large.
    Lost,
    TimedOut,
    /// Not made, for want of an application token.
    NoToken,
}

impl CallOutcome {
    /// The class that metrics count: success, or a class of failure.
    pub fn class(self) -> &'static str {
        match self {
            Self::Status(200..=299) => "Success",
            Self::Status(429) => "Throttled",
            Self::Status(401 | 403) | Self::NoToken => "Denied",
            Self::Status(404 | 410) => "Missing",
            Self::Status(409) => "Conflict",
            Self::Status(400..=499) => "Rejected",
            Self::Status(500..=599) | Self::NotConnected => "Transient",
            Self::Status(_) => "Malformed",
            Self::Lost | Self::TimedOut => "Unknown",
        }
    }
}

impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::NotConnected => f.write_str("not_connected"),
            Self::Lost => f.write_str("lost"),
            Self::TimedOut => f.write_str("timed_out"),
            Self::NoToken => f.write_str("no_token"),
        }
    }
}

/// Counts calls. Called once per call, from within it: must not block.
pub trait Observer: Send + Sync {
    fn call_ended(&self, call: &Call);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unobserved;

impl Observer for Unobserved {
    fn call_ended(&self, _: &Call) {}
}

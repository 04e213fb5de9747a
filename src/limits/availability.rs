//! Whether Agent Engine answers an organization's requests, as all its callers see it together.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::remote::FailureClass;
use crate::domain::time::{earlier, elapsed};

/// So long without a failure of the server's, it counts as well.
const COUNTS_AFTER: Duration = Duration::from_secs(60);

/// Whose fault a failed attempt was.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Fault {
    /// The request was refused for what it asked: only a person, or another object, can change that.
    #[default]
    Refused,
    /// The server failed, did not answer, or asked to wait: any other request could have failed as well.
    Server,
}

impl Fault {
    pub fn of(class: FailureClass) -> Self {
        match class {
            FailureClass::Transient
            | FailureClass::Throttled(_)
            | FailureClass::Malformed
            | FailureClass::Unknown => Self::Server,
            FailureClass::Denied
            | FailureClass::Rejected
            | FailureClass::Conflict
            | FailureClass::Missing => Self::Refused,
        }
    }
}

/// Since when the server has answered all that it was asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Availability {
    well_since: Option<Timestamp>,
}

impl Availability {
    /// A request was answered, or failed.
    pub(super) fn observe(&mut self, now: Timestamp, failure: Option<FailureClass>) {
        match failure.map(Fault::of) {
            Some(Fault::Server) => self.well_since = None,
            Some(Fault::Refused) | None => {
                self.well_since.get_or_insert(now);
            }
        }
    }

    /// Since when it is well, if that has lasted for a while.
    pub(super) fn well_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.well_since
            .filter(|since| *since <= now && elapsed(*since, now) >= COUNTS_AFTER)
    }

    pub(super) fn set_back(&mut self, by: Duration) {
        self.well_since = self.well_since.map(|at| earlier(at, by));
    }
}

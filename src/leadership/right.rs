//! Until when a process may act, over instants of its own monotonic time.

use std::time::Duration;

use super::elector::Standing;

/// What a process may begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// Everything: nobody else may act. Tools, tests, a client of its own.
    Unfenced,
    /// Nothing: it does not lead.
    Closed,
    /// It begins nothing after `begins_until`, and nothing of it goes on after `ends`.
    Leads { begins_until: Duration, ends: Duration },
}

impl Right {
    /// That of a process which stands so.
    pub fn of(standing: &Standing) -> Self {
        match standing {
            Standing::Leads { begins_until, ends } => Self::Leads {
                begins_until: *begins_until,
                ends: *ends,
            },
            Standing::Lost | Standing::StandsBy { .. } => Self::Closed,
        }
    }

    /// Whether something new may begin.
    pub fn is_open(self, now: Duration) -> bool {
        match self {
            Self::Unfenced => true,
            Self::Closed => false,
            Self::Leads { begins_until, .. } => now < begins_until,
        }
    }

    /// Whether what has begun goes on.
    pub fn goes_on(self, now: Duration) -> bool {
        match self {
            Self::Unfenced => true,
            Self::Closed => false,
            Self::Leads { ends, .. } => now < ends,
        }
    }

    /// Whether a request that takes `at_most` would end before another process can lead.
    pub fn covers(self, now: Duration, at_most: Duration) -> bool {
        match self {
            Self::Unfenced => true,
            Self::Closed => false,
            Self::Leads { begins_until, ends } => now < begins_until && now.saturating_add(at_most) <= ends,
        }
    }
}

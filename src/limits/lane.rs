//! What a request is for, and what part of the rate it may use.

/// Of the rate, in percent, what creations and the rest may use; the other part is kept for refreshes and deletions.
pub(super) const SHARED_PERCENT: u32 = 60;

/// What a permit is for. The order is the precedence.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Lane {
    Refresh,
    Create,
    Other,
    Delete,
}

impl Lane {
    pub(super) fn has_reserved_share(self) -> bool {
        match self {
            Lane::Refresh | Lane::Delete => true,
            Lane::Create | Lane::Other => false,
        }
    }
}

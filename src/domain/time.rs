//! Arithmetic on instants that cannot panic, because an answer may name any time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

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

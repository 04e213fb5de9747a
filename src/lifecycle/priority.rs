//! How urgent the reconcile of an object is, before it runs. Pure: by what the object and its token Secret show.

use jiff::Timestamp;

use crate::domain::ids::Uid;
use crate::domain::object::Deletion;
use crate::lifecycle::schedule::{Freshness, TokenTimes};
use crate::limits::Priority;

/// An object whose token is due is woken for its renewal, whatever woke it.
pub fn priority(now: Timestamp, uid: &Uid, deletion: Deletion, token: Option<TokenTimes>) -> Priority {
    match (
        deletion,
        token.map(|times| (times.freshness(uid, now), times.expires_at)),
    ) {
        (Deletion::Requested, _) => Priority::Deletion,
        (Deletion::NotRequested, None | Some((Freshness::Fresh, _))) => Priority::Other,
        (
            Deletion::NotRequested,
            Some((Freshness::Due | Freshness::Urgent | Freshness::Expired, expires_at)),
        ) => Priority::Renewal { expires_at },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::time::later;
    use crate::lifecycle::schedule::DOCUMENTED_LIFE;

    #[test]
    fn a_token_makes_its_object_urgent_once_it_is_due() {
        let (issued_at, uid) = (Timestamp::UNIX_EPOCH, Uid::from("u"));
        let times = TokenTimes::issued(issued_at, DOCUMENTED_LIFE);
        let at = |minutes: u64, deletion| {
            let now = later(issued_at, Duration::from_secs(minutes * 60));
            priority(now, &uid, deletion, Some(times))
        };
        let renewal = Priority::Renewal {
            expires_at: times.expires_at,
        };
        assert_eq!(at(10, Deletion::NotRequested), Priority::Other);
        assert_eq!(at(14, Deletion::NotRequested), renewal);
        assert_eq!(at(60, Deletion::NotRequested), renewal);
        assert_eq!(at(60, Deletion::Requested), Priority::Deletion);
        assert_eq!(
            priority(issued_at, &uid, Deletion::NotRequested, None),
            Priority::Other
        );
    }
}

//! When a token is renewed. The marks on the Secret are the whole schedule: no timer, no memory.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::domain::ids::Uid;
use crate::domain::time::{earlier, elapsed, later, shifted};

/// The documented life of a scoped token. The life that a token claims may shorten it, never lengthen it.
pub const DOCUMENTED_LIFE: Duration = Duration::from_secs(20 * 60);

/// No token is renewed sooner after its issue, whatever life it claims: a broken answer must not make a loop.
const FLOOR: Duration = Duration::from_secs(30);

/// Below this share of its life (seven of twenty minutes) a token is about to end.
const URGENT_SHARE: f64 = 0.35;

/// The times of one token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TokenTimes {
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// How far the server's clock was ahead of the one that these times are of, if that was known.
    pub server_ahead: Option<SignedDuration>,
}

/// How badly a renewal is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Freshness {
    Fresh,
    Due,
    Urgent,
    Expired,
}

impl TokenTimes {
    /// The times of a token whose issue began at `issued_at` and that states the life `claimed`.
    pub fn issued(issued_at: Timestamp, claimed: Duration) -> Self {
        Self {
            issued_at,
            expires_at: later(issued_at, claimed.min(DOCUMENTED_LIFE)),
            server_ahead: None,
        }
    }

    /// By a clock of which the server's is so far ahead, if that is known.
    #[must_use]
    pub fn told_by(self, server_ahead: Option<SignedDuration>) -> Self {
        Self { server_ahead, ..self }
    }

    /// The same times by another clock, of which the server's is so far ahead. Where that is not known of both, they are taken for
    /// one clock.
    #[must_use]
    pub fn by_a_clock(self, server_ahead: Option<SignedDuration>) -> Self {
        let (Some(then), Some(now)) = (self.server_ahead, server_ahead) else {
            return self;
        };
        Self {
            issued_at: shifted(self.issued_at, then - now),
            expires_at: shifted(self.expires_at, then - now),
            server_ahead,
        }
    }

    /// When the renewal begins: at two thirds of the life, up to a tenth of it earlier, spread by object and issue.
    pub fn renew_at(&self, uid: &Uid) -> Timestamp {
        self.renew_at_spread(spread(uid, self.issued_at))
    }

    fn renew_at_spread(&self, spread: f64) -> Timestamp {
        let life = self.life();
        let jitter = life.mul_f64(0.1 * spread);
        let planned = earlier(later(self.issued_at, life.mul_f64(2.0 / 3.0)), jitter);
        planned.max(later(self.issued_at, FLOOR))
    }

    /// Whether the renewal has begun. Most tokens are far from it, and their spread is not asked for.
    fn is_due(&self, uid: &Uid, now: Timestamp) -> bool {
        now >= self.renew_at_spread(1.0) && now >= self.renew_at(uid)
    }

    /// When the token is about to end.
    fn urgent_at(&self) -> Timestamp {
        let life = self.life();
        later(self.issued_at, life.saturating_sub(life.mul_f64(URGENT_SHARE)))
    }

    /// When it ends.
    fn end(&self) -> Timestamp {
        later(self.issued_at, self.life())
    }

    /// Whether it has ended: also one that lived too short to be due yet.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.end()
    }

    /// The next of: due, urgent, ended.
    pub fn next_change(&self, uid: &Uid, now: Timestamp) -> Option<Timestamp> {
        let renew_at = self.renew_at(uid);
        [renew_at, self.urgent_at().max(renew_at), self.end()]
            .into_iter()
            .filter(|at| *at > now)
            .min()
    }

    /// A mark from the future is no schedule: such a token is due.
    pub fn freshness(&self, uid: &Uid, now: Timestamp) -> Freshness {
        if self.issued_at > later(now, FLOOR) {
            Freshness::Due
        } else if self.has_ended(now) {
            Freshness::Expired
        } else if !self.is_due(uid, now) {
            Freshness::Fresh
        } else if now >= self.urgent_at() {
            Freshness::Urgent
        } else {
            Freshness::Due
        }
    }

    /// Bounded, for marks can be forged.
    fn life(&self) -> Duration {
        elapsed(self.issued_at, self.expires_at).min(DOCUMENTED_LIFE)
    }
}

/// A number in 0..1 that is the same for the same object and issue.
fn spread(uid: &Uid, issued_at: Timestamp) -> f64 {
    let mut hash = Sha256::new();
    hash.update(uid.as_str());
    hash.update(issued_at.as_second().to_be_bytes());
    let digest = hash.finalize();
    f64::from(u16::from_be_bytes([digest[0], digest[1]])) / 65536.0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_token_is_renewed_between_minute_eleven_and_fourteen() {
        for n in 0..200 {
            let uid = Uid::new(format!("uid-{n}"));
            let after = elapsed(at(0), TokenTimes::issued(at(0), DOCUMENTED_LIFE).renew_at(&uid));
            assert!((679..=800).contains(&after.as_secs()), "{after:?}");
        }
    }

    /// By more than clocks of two machines differ: it is no schedule.
    #[test]
    fn a_token_issued_in_the_future_is_due() {
        let uid = Uid::from("uid");
        let now = at(0);
        let issued = |issued_at| TokenTimes::issued(issued_at, DOCUMENTED_LIFE).freshness(&uid, now);
        assert_eq!(issued(at(30)), Freshness::Fresh);
        assert_eq!(issued(later(at(30), Duration::from_nanos(1))), Freshness::Due);
    }

    #[test]
    fn ten_years_are_taken_for_twenty_minutes() {
        let times = TokenTimes::issued(at(0), Duration::from_secs(10 * 365 * 86_400));
        assert_eq!(times.expires_at, at(1200));
    }

    #[test]
    fn a_mark_from_the_future_is_due_and_one_of_long_ago_expired() {
        let uid = Uid::from("u");
        assert_eq!(
            TokenTimes::issued(at(9_000), DOCUMENTED_LIFE).freshness(&uid, at(0)),
            Freshness::Due
        );
        assert_eq!(
            TokenTimes::issued(at(0), DOCUMENTED_LIFE).freshness(&uid, at(1200)),
            Freshness::Expired
        );
        let forged = TokenTimes {
            server_ahead: None,
            issued_at: at(0),
            expires_at: at(1_000_000),
        };
        assert_eq!(forged.freshness(&uid, at(1200)), Freshness::Expired);
    }

    #[test]
    fn a_thousand_tokens_issued_together_are_renewed_apart() {
        let mut per_second = BTreeMap::<i64, usize>::new();
        for n in 0..1000 {
            let due = TokenTimes::issued(at(0), DOCUMENTED_LIFE).renew_at(&Uid::new(format!("uid-{n}")));
            *per_second.entry(due.as_second()).or_default() += 1;
        }
        assert!(per_second.values().all(|n| *n <= 25), "{per_second:?}");
    }

    /// The floor bounds how often we renew, not how long a token lives.
    #[test]
    fn a_token_of_ten_seconds_has_ended_after_ten_seconds() {
        let uid = Uid::from("u");
        let times = TokenTimes::issued(at(0), Duration::from_secs(10));
        assert_eq!(times.freshness(&uid, at(9)), Freshness::Fresh);
        assert_eq!(times.freshness(&uid, at(10)), Freshness::Expired);
        assert_eq!(times.next_change(&uid, at(0)), Some(at(10)));
        assert_eq!(
            times.next_change(&uid, at(10)),
            Some(at(30)),
            "it is renewed then"
        );
        assert_eq!(times.renew_at(&uid), at(30));
    }

    proptest! {
        #[test]
        fn whatever_life_is_claimed_no_loop_is_faster_than_the_floor(
            issued in 0i64..4_000_000_000, claimed in 0u64..u64::MAX / 4, uid in "[a-f0-9]{8}",
        ) {
            let uid = Uid::new(uid);
            let times = TokenTimes::issued(at(issued), Duration::from_secs(claimed));
            let ended = if claimed == 0 { Freshness::Expired } else { Freshness::Fresh };
            prop_assert_eq!(times.freshness(&uid, at(issued)), ended);
            prop_assert!(times.renew_at(&uid) >= at(issued + 30));
            prop_assert!(times.renew_at(&uid) <= at(issued + 800));
            prop_assert!(times.freshness(&uid, times.renew_at(&uid)) != Freshness::Fresh);
        }

        /// Promise: input.marks
        #[test]
        fn forged_marks_never_panic(
            issued in -9_000_000_000i64..9_000_000_000, expires in -9_000_000_000i64..9_000_000_000, now in 0i64..9_000_000_000,
        ) {
            let times = TokenTimes { issued_at: at(issued), expires_at: at(expires), server_ahead: None };
            times.freshness(&Uid::from("u"), at(now));
            times.renew_at(&Uid::from("u"));
        }
    }
}

//! The server's clock beside ours. Processes whose clocks differ read each other's times by it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::remote::Answer;
use super::time::{earlier, shifted};

/// How far two clocks that keep time may differ, and how far off a slow answer may tell it.
const KEPT_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// The longest answer that tells the server's time.
const TELLS_WITHIN: Duration = Duration::from_secs(30);

/// The longest answer that tells it within the second of its `Date`.
pub const QUICK: Duration = Duration::from_secs(1);

/// How far two quick answers may be apart: the whole second of a `Date`, and [`QUICK`].
const OFF: SignedDuration = SignedDuration::from_secs(2);

/// The server's time as one process knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ServerTime {
    /// When this process began, by the server's clock: setting our own does not move it.
    process_began: Timestamp,
    /// The same from quick answers: at most [`QUICK`] and the whole second of a `Date` too early.
    at_least: Option<Timestamp>,
}

impl ServerTime {
    /// As known before, unless an answer tells otherwise.
    pub fn learn<T>(before: Option<Self>, answer: &Answer<T>, process_began: Timestamp) -> Option<Self> {
        let Some(told) = Self::told_by(answer, process_began) else {
            return before;
        };
        let Some(before) = before else {
            return Some(told);
        };
        let by = told.process_began.duration_since(before.process_began);
        Some(Self {
            process_began: if by.abs() > KEPT_WITHIN {
                told.process_began
            } else {
                before.process_began
            },
            at_least: told.exactly_ahead(process_began).map_or(before.at_least, |told| {
                let ahead = tightest(before.exactly_ahead(process_began), told);
                Some(shifted(process_began, ahead))
            }),
        })
    }

    /// By the middle of an answer with a `Date` that was not slow.
    fn told_by<T>(answer: &Answer<T>, process_began: Timestamp) -> Option<Self> {
        let took = answer.took;
        let date = answer.date.filter(|_| took <= TELLS_WITHIN)?;
        let ahead = date.duration_since(earlier(answer.finished, took / 2));
        let ahead = SignedDuration::from_secs(ahead.as_secs());
        let at_least = shifted(process_began, date.duration_since(answer.finished));
        Some(Self {
            process_began: shifted(process_began, ahead),
            at_least: (took <= QUICK).then_some(at_least),
        })
    }

    /// How far the server's clock is ahead of ours, by which the process began at `process_began`: so much at least, and less than
    /// two seconds more. None where no quick answer told.
    pub fn exactly_ahead(self, process_began: Timestamp) -> Option<SignedDuration> {
        Some(self.at_least?.duration_since(process_began))
    }

    /// How far the server's clock is ahead of ours, by which the process began at `process_began`; zero where both keep time.
    pub fn ahead(self, process_began: Timestamp) -> SignedDuration {
        let ahead = self.process_began.duration_since(process_began);
        if ahead.abs() > KEPT_WITHIN {
            ahead
        } else {
            SignedDuration::ZERO
        }
    }
}

/// How far the server's clock is ahead at least, by what quick answers told: the higher bound tells most. One that is lower by more
/// than an answer can be off is of a clock that was set back.
pub fn tightest(before: Option<SignedDuration>, told: SignedDuration) -> SignedDuration {
    let kept = before.filter(|before| (told..=told.saturating_add(OFF)).contains(before));
    kept.unwrap_or(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::elapsed;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn answer(started: i64, finished: i64, date: Option<i64>) -> Answer<()> {
        Answer {
            finished: at(finished),
            took: elapsed(at(started), at(finished)),
            date: date.map(at),
            requests: 1,
            result: Ok(()),
        }
    }

    fn ahead(known: Option<ServerTime>, process_began: i64) -> i64 {
        known.unwrap().ahead(at(process_began)).as_secs()
    }

    #[test]
    fn a_clock_that_keeps_time_is_as_the_servers() {
        for (date, tells) in [(1031, 0), (1032, 31), (971, 0), (970, -31)] {
            let told = ServerTime::learn(None, &answer(1000, 1002, Some(date)), at(0));
            assert_eq!(ahead(told, 0), tells, "{date}");
        }
    }

    #[test]
    fn a_clock_that_is_set_later_moves_the_difference() {
        let told = ServerTime::learn(None, &answer(1000, 1002, Some(1421)), at(0));
        assert_eq!(ahead(told, 0), 420);
        assert_eq!(ahead(told, 3600), 420 - 3600, "ours was set ahead by an hour");
        assert_eq!(ahead(told, 420), 0, "ours was set right");
    }

    /// Each answer tells a little else.
    #[test]
    fn what_is_known_moves_by_more_than_an_answer_is_off() {
        let told = ServerTime::learn(None, &answer(1000, 1002, Some(1421)), at(0));
        for (date, is) in [(1451, 420), (1452, 451)] {
            let then = ServerTime::learn(told, &answer(1000, 1002, Some(date)), at(0));
            assert_eq!(ahead(then, 0), is, "{date}");
        }
    }

    /// `Date` has whole seconds, and each answer takes another time: the latest bound holds. Set back, the server's clock tells again.
    #[test]
    fn the_exact_time_is_the_latest_bound_of_quick_answers() {
        let mut known = None;
        for (finished, date, is) in [
            (1001, 1421, Some(420)),
            (1001, 1422, Some(421)),
            (1001, 1421, Some(421)),
            (1001, 1420, Some(421)),
            (1001, 1418, Some(417)),
            (1002, 1500, Some(417)),
        ] {
            known = ServerTime::learn(known, &answer(1000, finished, Some(date)), at(0));
            let ahead = known.and_then(|known| known.exactly_ahead(at(0)));
            assert_eq!(ahead.map(|ahead| ahead.as_secs()), is, "{date}");
        }
        assert_eq!(
            known.unwrap().exactly_ahead(at(60)).unwrap().as_secs(),
            357,
            "ours was set"
        );
    }

    #[test]
    fn an_answer_without_a_date_or_a_slow_one_tells_nothing() {
        for told in [answer(1000, 1001, None), answer(1000, 1031, Some(9000))] {
            assert_eq!(ServerTime::learn(None, &told, at(0)), None);
        }
    }
}

//! The server's clock beside ours. Processes whose clocks differ read each other's times by it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::remote::Answer;
use super::time::{elapsed, later, shifted};

/// How far two clocks that keep time may differ, and how far off a slow answer may tell it.
const KEPT_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// The longest answer that tells the server's time.
const TELLS_WITHIN: Duration = Duration::from_secs(30);

/// The server's time as one process knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ServerTime {
    /// When this process began, by the server's clock: setting our own does not move it.
    process_began: Timestamp,
}

impl ServerTime {
    /// As known before, unless an answer tells otherwise.
    pub fn learn<T>(before: Option<Self>, answer: &Answer<T>, process_began: Timestamp) -> Option<Self> {
        let told = Self::told_by(answer, process_began);
        let differs = |told: &Self| {
            before.is_none_or(|before| {
                let by = told.process_began.duration_since(before.process_began);
                by.abs() > KEPT_WITHIN
            })
        };
        told.filter(differs).or(before)
    }

    /// By the middle of an answer with a `Date` that was not slow. None if the clock was set meanwhile.
    fn told_by<T>(answer: &Answer<T>, process_began: Timestamp) -> Option<Self> {
        let took = elapsed(answer.started, answer.finished);
        let tells = answer.started <= answer.finished && took <= TELLS_WITHIN;
        let date = answer.date.filter(|_| tells)?;
        let ahead = date.duration_since(later(answer.started, took / 2));
        let ahead = SignedDuration::from_secs(ahead.as_secs());
        Some(Self {
            process_began: shifted(process_began, ahead),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn answer(started: i64, finished: i64, date: Option<i64>) -> Answer<()> {
        Answer {
            started: at(started),
            finished: at(finished),
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

    #[test]
    fn an_answer_without_a_date_or_a_slow_one_tells_nothing() {
        for told in [
            answer(1000, 1001, None),
            answer(1000, 1031, Some(9000)),
            answer(1000, 999, Some(9000)),
        ] {
            assert_eq!(ServerTime::learn(None, &told, at(0)), None);
        }
    }
}

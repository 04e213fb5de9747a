//! Whether Agent Engine answers an organization's requests, as all its callers see it together: a circuit breaker. While it is
//! away, one caller after the other probes, and all others wait in line at no cost; the first answer lets them go on.

use std::time::Duration;

use crate::domain::remote::{Answered, FailureClass};
use crate::domain::time::Uptime;

/// So long without a failure of the server's, it counts as well.
const COUNTS_AFTER: Duration = Duration::from_secs(60);

/// After so many failures of the server's in a row it is away.
const AWAY_AFTER: u32 = 5;

/// Until the first probe; doubled each time.
const FIRST_PROBE: Duration = Duration::from_secs(1);

/// The longest time between two probes: so late its return is seen.
const PROBES_AT_LEAST: Duration = Duration::from_secs(5);

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

/// What an answer changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    None,
    /// Agent Engine is away from now on.
    Away,
    /// It answers again.
    Back,
}

/// Whether the server answers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Availability {
    well_since: Option<Uptime>,
    /// Failures of the server's in a row.
    failures: u32,
    /// When the last request that was answered had been sent. What was sent before and fails tells nothing new.
    answered: Option<Uptime>,
    away: Option<Away>,
    /// When it last answered again.
    back_at: Option<Uptime>,
}

#[derive(Clone, Copy, Debug)]
struct Away {
    since: Uptime,
    next_probe: Uptime,
    probes: u32,
}

impl Availability {
    /// A request was answered, or failed.
    pub(super) fn observe(&mut self, now: Uptime, answered: &Answered<'_>) -> Turn {
        let sent = now.earlier(answered.took);
        match answered.failure.map(|failure| failure.class) {
            // It has a pause of its own.
            Some(FailureClass::Throttled(_)) => {
                self.well_since = None;
                Turn::None
            }
            Some(class) if Fault::of(class) == Fault::Server => self.failed(now, sent),
            Some(_) | None => self.answered(now, sent),
        }
    }

    fn failed(&mut self, now: Uptime, sent: Uptime) -> Turn {
        self.well_since = None;
        if self.answered.is_some_and(|answered| sent < answered) {
            return Turn::None;
        }
        self.failures = self.failures.saturating_add(1);
        if self.away.is_some() || self.failures < AWAY_AFTER {
            return Turn::None;
        }
        self.away = Some(Away {
            since: now,
            next_probe: now.later(FIRST_PROBE),
            probes: 0,
        });
        Turn::Away
    }

    fn answered(&mut self, now: Uptime, sent: Uptime) -> Turn {
        self.well_since.get_or_insert(now);
        self.answered = self.answered.max(Some(sent));
        self.failures = 0;
        // What was sent before may have been carried out before, too.
        if self.away.take_if(|away| sent >= away.since).is_none() {
            return Turn::None;
        }
        self.back_at = Some(now);
        Turn::Back
    }

    /// Since when it is well, if that has lasted for a while.
    pub(super) fn well_since(&self, now: Uptime) -> Option<Uptime> {
        self.well_since.filter(|since| now.since(*since) >= COUNTS_AFTER)
    }

    /// When the next caller may probe. None while the server answers.
    pub(super) fn next_probe(&self) -> Option<Uptime> {
        self.away.map(|away| away.next_probe)
    }

    /// A caller probes at `at`.
    pub(super) fn probed(&mut self, at: Uptime) {
        if let Some(away) = &mut self.away {
            away.probes = away.probes.saturating_add(1);
            let rest = FIRST_PROBE.saturating_mul(1 << away.probes.min(8));
            away.next_probe = at.later(rest.min(PROBES_AT_LEAST));
        }
    }

    /// When it last answered again, having been away.
    pub(super) fn back_at(&self) -> Option<Uptime> {
        self.back_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::remote::Failure;
    use crate::domain::testing::{answered, unavailable};

    fn at(seconds: u64) -> Uptime {
        Uptime::new(Duration::from_secs(seconds))
    }

    /// A request that took so many seconds, and failed or not.
    fn ends(availability: &mut Availability, now: u64, took: u64, fails: bool) -> Turn {
        let failure = unavailable();
        let failure = fails.then_some(&failure);
        availability.observe(at(now), &answered(Duration::from_secs(took), failure))
    }

    fn away_since_100() -> Availability {
        let mut availability = Availability::default();
        let turns: Vec<Turn> = (96..=100)
            .map(|now| ends(&mut availability, now, 0, true))
            .collect();
        assert_eq!(
            turns,
            [Turn::None, Turn::None, Turn::None, Turn::None, Turn::Away]
        );
        availability
    }

    #[test]
    fn one_answer_among_failures_keeps_it_here() {
        let mut availability = Availability::default();
        for now in 0..100 {
            assert_eq!(ends(&mut availability, now, 0, now % 5 != 0), Turn::None);
        }
        assert_eq!(availability.next_probe(), None);
    }

    /// Who is refused was heard. A pause that was asked for is not this value's.
    #[test]
    fn a_refusal_is_an_answer_and_a_pause_is_none_of_both() {
        for (class, probes) in [
            (FailureClass::Denied, None),
            (FailureClass::Missing, None),
            (FailureClass::Throttled(Duration::ZERO), Some(at(101))),
            (FailureClass::Malformed, Some(at(101))),
        ] {
            let mut availability = away_since_100();
            let failure = Failure {
                class,
                ..unavailable()
            };
            for now in 100..110 {
                availability.observe(at(now), &answered(Duration::ZERO, Some(&failure)));
            }
            assert_eq!(availability.next_probe(), probes, "{class:?}");
        }
    }

    /// What was sent in the very instant of an answered request was not sent before it.
    #[test]
    fn failures_of_the_same_instant_count() {
        let mut availability = Availability::default();
        ends(&mut availability, 100, 0, false);
        (0..5).for_each(|_| _ = ends(&mut availability, 101, 1, true));
        assert!(availability.next_probe().is_some());
    }

    #[test]
    fn while_it_is_away_one_probe_follows_the_other_ever_more_rarely() {
        let mut availability = away_since_100();
        let mut probes = Vec::new();
        for _ in 0..6 {
            let probe = availability.next_probe().unwrap();
            probes.push(probe.since(at(0)).as_secs());
            availability.probed(probe);
        }
        assert_eq!(probes, [101, 103, 107, 112, 117, 122]);
    }

    #[test]
    fn the_first_answer_to_what_was_sent_since_ends_it() {
        let mut availability = away_since_100();
        assert_eq!(ends(&mut availability, 105, 10, false), Turn::None, "sent before");
        assert_eq!(availability.back_at(), None);
        assert_eq!(ends(&mut availability, 110, 1, false), Turn::Back);
        assert_eq!(
            (availability.next_probe(), availability.back_at()),
            (None, Some(at(110)))
        );
    }

    /// Requests that hung through the outage end after it.
    #[test]
    fn failures_of_what_was_sent_before_the_answer_tell_nothing() {
        let mut availability = away_since_100();
        ends(&mut availability, 110, 1, false);
        for now in 111..130 {
            assert_eq!(ends(&mut availability, now, 20, true), Turn::None, "{now}");
        }
        assert_eq!(availability.next_probe(), None);
    }

    #[test]
    fn it_counts_as_well_after_a_minute_without_a_failure() {
        let mut availability = Availability::default();
        ends(&mut availability, 100, 0, false);
        let well = [159, 160].map(|now| availability.well_since(at(now)));
        assert_eq!(well, [None, Some(at(100))]);
        ends(&mut availability, 161, 0, true);
        assert_eq!(availability.well_since(at(300)), None);
    }
}

//! The rate by examples against an API that bears so much, and what holds for any answers.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::remote::{Answer, Failure};
use crate::domain::testing::{answered, cases};

fn at(millis: u64) -> Uptime {
    Uptime::new(Duration::from_millis(millis))
}

fn per_second(rate: &Rate) -> u32 {
    rate.reading().per_second
}

/// Sends what the rate allows for so many seconds to an API that bears `bears` a second and else answers 429. Returns how much
/// was sent in each second.
fn driven(rate: &mut Rate, seconds: std::ops::Range<u64>, bears: u64, pressure: Pressure) -> Vec<u64> {
    let send = |second: u64| {
        let (mut sent, mut now) = (0, second * 1000);
        while now < (second + 1) * 1000 {
            rate.tick(at(now));
            if let Some(until) = rate.paused_until() {
                now += u64::try_from(until.since(at(now)).as_millis()).unwrap().max(1);
                continue;
            }
            rate.used(Lane::Refresh);
            sent += 1;
            let answer = if sent > bears {
                Pressure::Throttled(Duration::from_secs(1))
            } else {
                pressure
            };
            rate.observe(at(now), answer);
            now += u64::try_from(rate.per_permit(100).as_millis()).unwrap().max(1);
        }
        sent
    };
    seconds.map(send).collect()
}

#[test]
fn it_grows_while_it_is_used_up_and_answers_are_quick() {
    let mut rate = Rate::unknown();
    assert_eq!(per_second(&rate), 50);
    driven(&mut rate, 0..14, 10_000, Pressure::Relaxed);
    assert_eq!(
        rate.reading(),
        RequestRate {
            per_second: 500,
            reason: RateReason::AtCeiling
        }
    );
}

#[test]
fn it_does_not_grow_while_idle_or_half_used() {
    let mut rate = Rate::unknown();
    for second in 0..100 {
        for _ in 0..30 {
            rate.used(Lane::Refresh);
            rate.observe(at(second * 1000), Pressure::Relaxed);
        }
    }
    assert_eq!(
        rate.reading(),
        RequestRate {
            per_second: 50,
            reason: RateReason::Untried
        }
    );
}

#[test]
fn a_rate_that_grew_and_is_not_used_up_is_sufficient() {
    let mut rate = Rate::unknown();
    driven(&mut rate, 0..5, 10_000, Pressure::Relaxed);
    rate.observe(at(60_000), Pressure::Relaxed);
    assert!(per_second(&rate) > 100);
    assert_eq!(rate.reading().reason, RateReason::Sufficient);
}

#[test]
fn slow_answers_and_failures_of_the_server_stop_its_growth() {
    let mut rate = Rate::unknown();
    driven(&mut rate, 0..20, 10_000, Pressure::Slow);
    assert_eq!(
        rate.reading(),
        RequestRate {
            per_second: 50,
            reason: RateReason::SlowAnswers
        }
    );
}

/// Most of the time it sends three quarters of what is borne, and more.
#[test]
fn it_finds_out_what_the_api_bears() {
    for bears in [60, 200, 400] {
        let mut rate = Rate::unknown();
        let sent = driven(&mut rate, 0..300, bears, Pressure::Relaxed);
        let late: u64 = sent[30..].iter().sum();
        let share = late * 100 / (270 * bears);
        assert!(share >= 75, "{share} % of {bears} a second");
        let refused = sent[30..].iter().filter(|sent| **sent > bears).count();
        assert!(refused <= 270 / 8, "{refused} times more than {bears} a second");
    }
}

#[test]
fn the_429s_of_requests_sent_together_halve_the_rate_once() {
    let mut rate = Rate::declared(10);
    rate.observe(at(0), Pressure::Throttled(Duration::from_secs(1)));
    rate.observe(at(100), Pressure::Throttled(Duration::from_secs(5)));
    assert_eq!(
        rate.reading(),
        RequestRate {
            per_second: 5,
            reason: RateReason::Throttled
        }
    );
}

#[test]
fn what_is_declared_again_keeps_rate_and_pause() {
    let mut rate = Rate::declared(10);
    rate.observe(at(0), Pressure::Throttled(Duration::from_secs(5)));
    assert!(!rate.declare(Rate::declared(10)));
    assert_eq!(per_second(&rate), 5);
    assert!(rate.declare(Rate::unknown()));
    assert_eq!((per_second(&rate), rate.paused_until()), (50, Some(at(5000))));
}

#[test]
fn an_answer_tells_its_pressure() {
    let pressure = |took: u64, requests: u32, class: Option<FailureClass>| {
        let failure = |class| Failure {
            class,
            status: None,
            detail: String::new(),
        };
        let answer = Answer {
            finished: Timestamp::UNIX_EPOCH,
            took: Duration::from_millis(took),
            date: None,
            requests,
            result: class.map_or(Ok(()), |class| Err(failure(class))),
        };
        Pressure::of(&Answered::from(&answer))
    };
    assert_eq!(pressure(300, 1, None), Some(Pressure::Relaxed));
    assert_eq!(pressure(2500, 1, None), Some(Pressure::Slow));
    assert_eq!(pressure(2500, 2, None), Some(Pressure::Relaxed));
    assert_eq!(
        pressure(20_000, 1, Some(FailureClass::Unknown)),
        Some(Pressure::Slow)
    );
    assert_eq!(pressure(10, 0, Some(FailureClass::Transient)), None);
    assert_eq!(pressure(10, 1, Some(FailureClass::Rejected)), None);
    let pause = Duration::from_secs(3);
    assert_eq!(
        pressure(10, 1, Some(FailureClass::Throttled(pause))),
        Some(Pressure::Throttled(pause))
    );
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn it_stays_below_its_ceiling_and_a_429_halves_it(
        declared in prop::option::of(1u32..1000),
        events in prop::collection::vec((0u64..1500, 0u32..60, 0u8..12, 0u64..3000), 1..200),
    ) {
        let mut rate = declared.map_or_else(Rate::unknown, Rate::declared);
        let ceiling = declared.unwrap_or(MOST_REQUESTS_PER_SECOND);
        let first = declared.unwrap_or(FIRST_REQUESTS_PER_SECOND);
        let mut now = 0;
        for (passed, requests, kind, pause) in events {
            now += passed;
            rate.tick(at(now));
            for _ in 0..requests {
                rate.used(Lane::Refresh);
            }
            let (before, paused) = (rate.now, rate.paused_until());
            let pressure = match kind {
                0 => Pressure::Throttled(Duration::from_millis(pause)),
                1 => Pressure::Slow,
                _ => Pressure::Relaxed,
            };
            let change = rate.observe(at(now), pressure);
            prop_assert!(rate.now <= u64::from(ceiling) * THOUSAND);
            prop_assert!(rate.now >= u64::from(first) * THOUSAND / LOWEST);
            match change {
                RateChange::PausedUntil(until) => {
                    prop_assert!(rate.paused_until() == Some(until) && until > at(now));
                    prop_assert!(paused.is_some() || rate.now <= (before / 2).max(u64::from(first) * THOUSAND / LOWEST));
                }
                RateChange::Faster => prop_assert!(rate.now > before && rate.now <= before + (before / GROWTH).max(1)),
                RateChange::Nothing => prop_assert_eq!(rate.now, before),
            }
        }
        // However it was, it recovers.
        rate.tick(at(now + 20_000));
        driven(&mut rate, now / 1000 + 21..now / 1000 + 200, u64::MAX, Pressure::Relaxed);
        prop_assert_eq!(rate.now, u64::from(ceiling) * THOUSAND);
    }
}

/// At the very bounds.
#[test]
fn two_seconds_are_quick_and_three_quarters_are_not_all() {
    let quick = answered(SLOW, None);
    assert_eq!(Pressure::of(&quick), Some(Pressure::Relaxed));
    let slow = answered(SLOW + Duration::from_nanos(1), None);
    assert_eq!(Pressure::of(&slow), Some(Pressure::Slow));
    let step = |requests| Step {
        requests,
        ..Step::begun(at(0))
    };
    assert!(!step(30).used_up(at(1_000), 40 * THOUSAND));
    assert!(step(31).used_up(at(1_000), 40 * THOUSAND));
    // 24 of the 40 are for creations.
    let creations = |requests| Step {
        shared: requests,
        ..step(requests)
    };
    assert!(!creations(18).used_up(at(1_000), 40 * THOUSAND));
    assert!(creations(19).used_up(at(1_000), 40 * THOUSAND));
}

/// Those that may use a part of the rate alone never use it up.
#[test]
fn it_grows_for_creations_alone() {
    let mut rate = Rate::declared(100);
    rate.observe(at(0), Pressure::Throttled(Duration::from_secs(1)));
    for tenth in 10..600 {
        let now = at(tenth * 100);
        rate.tick(now);
        for _ in 0..per_second(&rate) * SHARED_PERCENT / 1000 {
            rate.used(Lane::Create);
            rate.observe(now, Pressure::Relaxed);
        }
    }
    assert_eq!(per_second(&rate), 100);
}

/// A step is judged when its second is over.
#[test]
fn a_step_lasts_a_second() {
    for (millis, grows) in [(999, false), (1_000, true)] {
        let mut rate = Rate::unknown();
        rate.observe(at(0), Pressure::Relaxed);
        let began = rate.step.began;
        (0..100).for_each(|_| rate.used(Lane::Refresh));
        let judged_at = began.later(Duration::from_millis(millis));
        rate.observe(judged_at, Pressure::Relaxed);
        assert_eq!(per_second(&rate) > 50, grows, "{millis}");
    }
}

/// A rate that is not used up is none that slow answers hold back.
#[test]
fn slow_answers_are_the_reason_only_where_more_was_asked() {
    for (requests, reason) in [(10, RateReason::Untried), (100, RateReason::SlowAnswers)] {
        let mut rate = Rate::unknown();
        rate.observe(at(0), Pressure::Slow);
        (0..requests).for_each(|_| rate.used(Lane::Refresh));
        let judged_at = rate.step.began.later(STEP);
        rate.observe(judged_at, Pressure::Slow);
        assert_eq!(rate.reading().reason, reason, "{requests}");
    }
}

/// A quarter a step up to seven eighths of what was too much, then a sixty-fourth, and a quarter again beyond it.
#[test]
fn the_rate_grows_carefully_where_it_was_too_much() {
    for (too_much, before, after) in [
        (None, 64_000, 80_000),
        (Some(160_000), 64_000, 80_000),
        (Some(80_000), 64_000, 70_000),
        (Some(64_000), 64_000, 65_000),
        (Some(64_000), 56_000, 56_875),
        (Some(40), 40, 41),
    ] {
        let mut rate = Rate::unknown();
        (rate.too_much, rate.now) = (too_much, before);
        rate.grow(1);
        assert_eq!(rate.now, after, "{too_much:?} {before}");
    }
    for (before, forgotten) in [(62_999, false), (63_016, true)] {
        let mut rate = Rate::unknown();
        (rate.too_much, rate.now) = (Some(64_000), before);
        rate.grow(1);
        assert_eq!(rate.too_much.is_none(), forgotten, "{before} {}", rate.now);
    }
    for (seconds, after) in [(0, 65_000), (2, 66_000), (16, 80_000), (48, 80_000)] {
        let mut rate = Rate::unknown();
        (rate.too_much, rate.now) = (Some(64_000), 64_000);
        rate.grow(seconds);
        assert_eq!(rate.now, after, "after {seconds} s");
    }
}

/// At a sixteenth of one a second, three requests together are answered every 48 seconds.
#[test]
fn a_rate_at_its_lowest_is_found_again_within_minutes() {
    let mut rate = Rate::declared(1);
    (rate.too_much, rate.now) = (Some(77), 62);
    for second in (0..=480).step_by(48) {
        rate.observe(at(second * 1000), Pressure::Relaxed);
        (0..3 * rate.now / 62).for_each(|_| rate.used(Lane::Refresh));
    }
    assert!(rate.now >= 400, "{}", rate.now);
}

//! The rate limiter by examples; its laws are in `laws`.

mod callers;
mod laws;

use super::*;
use crate::domain::testing::{answered, unavailable};
use crate::limits::rate::{DEFAULT_PAUSE, LONGEST_PAUSE};
use callers::{Callers, at, millis_since_start, most_in_any_window, who};

/// The rest goes at the rate.
#[test]
fn after_quiet_one_second_of_the_rate_goes_at_once() {
    let mut callers = Callers::new(RateLimiter::new(50));
    callers.come(0, Lane::Refresh, 0..200);
    callers.run(60_000, |_| 0);
    assert_eq!(callers.within(0, 1), 50);
    assert_eq!(callers.within(0, 2_001), 150);
    assert_eq!(callers.within(0, 3_001), 200);
}

/// Promise: rule.rate: Rate limit: refreshes and deletions keep a reserved share; 429 stops the organization
#[test]
fn creations_use_at_most_sixty_percent_however_idle_the_rest_is() {
    let mut callers = Callers::new(RateLimiter::new(50));
    callers.come(0, Lane::Create, 0..600);
    callers.come(0, Lane::Other, 600..1200);
    callers.run(10_000, |_| 0);
    most_in_any_window(&callers.granted, 30.0, 30.0).unwrap();
    assert!(callers.within(0, 10_001) >= 320, "{}", callers.within(0, 10_001));
}

#[test]
fn requests_made_without_a_permit_slow_later_callers() {
    let mut limiter = RateLimiter::new(50);
    let mut permits = 0;
    for millis in 0..10_000 {
        if limiter.acquire(at(millis), Lane::Refresh, &who(0)) == Permit::Granted {
            permits += 1;
            for _ in 0..3 {
                limiter.spend(at(millis), Lane::Refresh);
            }
        }
    }
    assert!(
        (120..=150).contains(&permits),
        "four requests a permit make 50 a second in {permits} permits of ten seconds"
    );
}

#[test]
fn a_refresh_waits_for_refreshes_alone() {
    let mut limiter = RateLimiter::new(50);
    for index in 0..5_000 {
        limiter.acquire(at(0), Lane::Create, &who(index));
    }
    for position in 0..100 {
        let wait = match limiter.acquire(at(0), Lane::Refresh, &who(5_000 + position)) {
            Permit::Granted => 0,
            Permit::RetryAt(then) => millis_since_start(then),
        };
        assert!(wait <= 50 * position as i64, "number {position} waits {wait} ms");
    }
}

/// And new ones beside them.
#[test]
fn the_default_rate_carries_ten_thousand_workspaces() {
    const TOKEN_ROUND: usize = 13 * 60 * 1000;
    let mut callers = Callers::new(RateLimiter::default());
    for index in 0..3 * 10_000 {
        let millis = (index * TOKEN_ROUND / (3 * 10_000)) as i64;
        callers.come(millis, Lane::Refresh, index..index + 1);
    }
    let creations = 30_000..30_000 + 4 * 60 * 3;
    for index in creations.clone() {
        let millis = ((index - creations.start) / 4 * 4_000) as i64;
        callers.come(millis, Lane::Create, index..index + 1);
    }
    callers.run(TOKEN_ROUND as i64, |_| 0);
    assert_eq!(callers.granted.len(), 3 * 10_000 + creations.len());
    for &(millis, lane, index) in &callers.granted {
        let came = match lane {
            Lane::Refresh => index * TOKEN_ROUND / (3 * 10_000),
            _ => (index - creations.start) / 4 * 4_000,
        };
        assert!(
            millis - (came as i64) < 1_000,
            "{lane:?} {index} waited {} ms",
            millis - came as i64
        );
    }
}

/// Nothing is granted in the pause.
/// Promise: rule.rate
#[test]
fn after_a_pause_refreshes_come_first_at_half_the_rate() {
    let mut callers = Callers::new(RateLimiter::new(32));
    callers.come(0, Lane::Create, 0..300);
    callers.come(540, Lane::Refresh, 300..340);
    callers.run(545, |_| 0);
    let before = callers.granted.len();
    callers
        .limiter
        .observe(at(550), Pressure::Throttled(Duration::from_secs(7)));
    assert_eq!(callers.limiter.paused_until(at(550)), Some(at(7_550)));
    callers
        .limiter
        .observe(at(560), Pressure::Throttled(Duration::from_secs(5)));
    assert_eq!(
        callers.limiter.paused_until(at(560)),
        Some(at(7_550)),
        "a shorter one does not end it"
    );
    callers.run(7_549, |_| 0);
    assert_eq!(callers.granted.len(), before);
    callers.run(9_950, |_| 0);
    let after = &callers.granted[before..];
    most_in_any_window(after, 16.0, 3.0).unwrap();
    let is_refresh = |(_, lane, _): &&(i64, Lane, usize)| *lane == Lane::Refresh;
    let at_first = after.iter().take_while(is_refresh).count();
    assert_eq!(at_first, after.iter().filter(is_refresh).count());
    assert!(at_first >= 28, "{at_first}");
    assert!(after.len() > at_first, "then the creations go on");
    assert_eq!(callers.limiter.paused_until(at(9_950)), None);
}

#[test]
fn success_brings_the_rate_back_and_sleeping_callers_notice() {
    let mut callers = Callers::new(RateLimiter::new(50));
    for second in 0..6 {
        callers.limiter.observe(
            at(second * 1_000),
            Pressure::Throttled(Duration::from_millis(900)),
        );
    }
    callers.come(6_000, Lane::Refresh, 0..3_000);
    for second in 6..200 {
        callers.run(second * 1_000, |_| 0);
        callers.limiter.observe(at(second * 1_000), Pressure::Relaxed);
    }
    assert!(
        callers.within(6_000, 7_000) <= 10,
        "a sixteenth of the rate at first"
    );
    assert_eq!(callers.granted.len(), 3_000, "all were granted");
    let last = callers.granted.last().unwrap().0;
    assert!(
        last < 130_000,
        "at a sixteenth this would take a quarter of an hour; it took {last} ms"
    );
}

/// An absurd time is cut.
#[test]
fn a_429_without_a_time_pauses_for_the_default_time() {
    let mut limiter = RateLimiter::new(50);
    limiter.observe(at(0), Pressure::Throttled(Duration::ZERO));
    assert_eq!(limiter.paused_until(at(0)), Some(at(0).later(DEFAULT_PAUSE)));
    limiter.observe(at(0), Pressure::Throttled(Duration::MAX));
    assert_eq!(limiter.paused_until(at(0)), Some(at(0).later(LONGEST_PAUSE)));
}

#[test]
fn callers_that_are_late_together_still_go_at_the_rate() {
    let mut callers = Callers::new(RateLimiter::new(50));
    callers.come(0, Lane::Refresh, 0..1_000);
    // All that were due within half a minute come at the end of it, as after a stall of the process.
    callers.run(0, |_| 0);
    callers.stall(30_000);
    callers.run(120_000, |_| 0);
    most_in_any_window(&callers.granted, 50.0, 100.0).unwrap();
    assert_eq!(callers.granted.len(), 1_000);
    assert!(callers.granted.last().unwrap().0 < 60_000);
}

#[test]
fn abandoned_reservations_delay_no_others() {
    let mut limiter = RateLimiter::new(50);
    for index in 0..5_000 {
        limiter.acquire(at(0), Lane::Create, &who(index));
    }
    for index in 0..4_990 {
        limiter.forget(&who(index));
    }
    let Permit::RetryAt(then) = limiter.acquire(at(1), Lane::Create, &who(9_999)) else {
        return;
    };
    assert!(then < at(1_000), "{then:?}");
}

#[test]
fn expired_reservations_are_forgotten() {
    let mut limiter = RateLimiter::new(50);
    for index in 0..1_000 {
        limiter.acquire(at(0), Lane::Create, &who(index));
    }
    assert!(limiter.waiting() > 900);
    limiter.acquire(at(200_000), Lane::Create, &who(0));
    assert!(limiter.waiting() == 0 && limiter.expiries.is_empty());
}

#[test]
fn an_object_deleted_while_it_waits_changes_lanes() {
    let mut limiter = RateLimiter::new(1);
    for index in 0..20 {
        limiter.acquire(at(0), Lane::Create, &who(index));
    }
    assert_eq!(limiter.acquire(at(1), Lane::Delete, &who(19)), Permit::Granted);
}

/// Refreshes do not.
#[test]
fn creations_wait_for_what_creations_spend_without_a_permit() {
    let mut limiter = RateLimiter::new(50);
    for _ in 0..40 {
        limiter.spend(at(0), Lane::Create);
    }
    assert_ne!(limiter.acquire(at(0), Lane::Create, &who(0)), Permit::Granted);
    assert_eq!(limiter.acquire(at(0), Lane::Refresh, &who(1)), Permit::Granted);
}

#[test]
fn reservations_wait_for_requests_made_without_a_permit() {
    let mut limiter = RateLimiter::new(10);
    let waits: Vec<_> = (0..20)
        .map(|index| limiter.acquire(at(0), Lane::Refresh, &who(index)))
        .collect();
    assert_ne!(waits[15], Permit::Granted);
    for _ in 0..20 {
        limiter.spend(at(2_000), Lane::Refresh);
    }
    let late = limiter.acquire(at(2_000), Lane::Refresh, &who(15));
    assert!(
        matches!(late, Permit::RetryAt(then) if then > at(2_000)),
        "{late:?}"
    );
}

#[test]
fn a_rate_that_is_changed_counts_from_then_on() {
    let granted = |mut limiter: RateLimiter| {
        (0..100)
            .filter(|index| limiter.acquire(at(0), Lane::Refresh, &who(*index)) == Permit::Granted)
            .count()
    };
    for (before, after) in [(1, 50), (50, 1)] {
        let mut limiter = RateLimiter::new(before);
        limiter.set_rate(after);
        assert_eq!(
            granted(limiter),
            granted(RateLimiter::new(after)),
            "{before} to {after}"
        );
    }
}

/// What an operator that was asked to delete 30,000 Workspaces does beside its renewals.
#[test]
fn thirty_thousand_deletions_make_no_renewal_wait() {
    let mut callers = Callers::new(RateLimiter::new(50));
    callers.come(0, Lane::Delete, 0..30_000);
    for second in 1..60 {
        let index = 30_000 + second as usize * 10;
        callers.come(second * 1_000, Lane::Refresh, index..index + 10);
    }
    callers.run(61_000, |_| 0);
    let renewals: Vec<_> = callers
        .granted
        .iter()
        .filter(|(_, lane, _)| *lane == Lane::Refresh)
        .collect();
    assert_eq!(renewals.len(), 590);
    for (millis, _, index) in renewals {
        let waited = millis - (*index as i64 - 30_000) / 10 * 1_000;
        assert!(waited <= 1_000, "a renewal waited {waited} ms");
    }
    assert!(callers.granted.len() > 590 + 60 * 35, "the deletions go on");
}

/// Of 10,000 tokens that ended in an outage, and came in no order.
/// Promise: rule.rate
#[test]
fn after_an_outage_the_token_that_ended_first_is_renewed_first() {
    let mut callers = Callers::new(RateLimiter::new(50));
    for index in 0..10_000 {
        let ended = (index * 7_919) % 10_000;
        callers.ends.insert(index, ended_ago(ended));
        callers.come(0, Lane::Refresh, index..index + 1);
    }
    callers.run(400_000, |_| 0);
    assert_eq!(callers.granted.len(), 10_000);
    let last = callers.granted.last().unwrap().0;
    assert!(last <= 200_500, "all at the rate: {last} ms");
    let ended = |index: usize| (index * 7_919) % 10_000;
    // The first second was given to those that came first.
    for (position, (_, _, index)) in callers.granted.iter().enumerate().skip(100) {
        let in_order = 10_000 - position;
        assert!(
            ended(*index).abs_diff(in_order) <= 120,
            "number {position} ended {} ms ago",
            ended(*index)
        );
    }
}

#[test]
fn creations_and_deletions_move_though_renewals_take_all() {
    let mut callers = Callers::new(RateLimiter::new(10));
    callers.come(0, Lane::Create, 0..2);
    callers.come(0, Lane::Delete, 2..4);
    callers.come(0, Lane::Refresh, 10..1_000);
    callers.run(30_000, |_| 0);
    let others = callers
        .granted
        .iter()
        .filter(|(_, lane, _)| *lane != Lane::Refresh);
    assert_eq!(others.count(), 4);
}

/// So many milliseconds ago, by the wall clock.
fn ended_ago(millis: usize) -> Timestamp {
    Timestamp::from_millisecond(-(millis as i64)).unwrap()
}

fn fails(limiter: &mut RateLimiter, millis: i64) {
    limiter.answered(at(millis), &answered(Duration::ZERO, Some(&unavailable())));
}

fn succeeds(limiter: &mut RateLimiter, millis: i64) {
    limiter.answered(at(millis), &answered(Duration::ZERO, None));
}

fn away() -> Callers {
    let mut callers = Callers::new(RateLimiter::new(50));
    for millis in 0..5 {
        fails(&mut callers.limiter, millis);
    }
    callers
}

/// Promise: rule.away: While Agent Engine fails every request, one object after the other probes it, and the others wait at no cost
#[test]
fn while_agent_engine_is_away_one_caller_probes_after_the_other() {
    let mut callers = away();
    callers.come(10, Lane::Refresh, 0..1_000);
    callers.run(60_000, |_| 0);
    let probes: Vec<i64> = callers
        .granted
        .iter()
        .map(|(millis, ..)| millis / 1_000)
        .collect();
    assert_eq!(probes, [1, 3, 7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57]);
}

/// Promise: rule.away
#[test]
fn when_it_answers_all_go_on_those_that_end_first_before_the_others() {
    let mut callers = away();
    for index in 0..1_000 {
        callers.ends.insert(index, ended_ago(index));
    }
    callers.come(10, Lane::Refresh, 0..1_000);
    callers.run(20_000, |_| 0);
    let probes = callers.granted.len();
    assert!(!callers.limiter.has_come_back());
    succeeds(&mut callers.limiter, 20_000);
    assert!(callers.limiter.has_come_back() && !callers.limiter.has_come_back());
    callers.run(41_000, |_| 0);
    assert_eq!(callers.granted.len(), 1_000, "all at the rate");
    let order: Vec<usize> = callers.granted.iter().map(|(_, _, index)| *index).collect();
    // But for the second that goes at once.
    let mut sorted = order[probes..].to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    for (granted, due) in order[probes..].iter().zip(sorted) {
        assert!(granted.abs_diff(due) <= 60, "{granted} instead of {due}");
    }
}

/// What was given out just before would meet the same failure.
#[test]
fn who_was_given_an_instant_waits_as_well() {
    let mut callers = Callers::new(RateLimiter::new(10));
    callers.come(0, Lane::Refresh, 0..100);
    callers.run(1_000, |_| 0);
    let before = callers.granted.len();
    for millis in 1_000..1_005 {
        fails(&mut callers.limiter, millis);
    }
    callers.run(2_000, |_| 0);
    assert_eq!(callers.granted.len(), before);
}

/// Nobody came when it was time: whoever asks next probes, and the next one waits.
#[test]
fn a_probe_that_nobody_took_is_the_next_callers() {
    let mut limiter = away().limiter;
    assert_eq!(limiter.away_until(at(500)), Some(at(1_004)));
    assert_eq!(limiter.away_until(at(30_000)), None);
    limiter.spend(at(30_000), Lane::Refresh);
    assert_eq!(limiter.away_until(at(30_000)), Some(at(32_000)));
}

/// What refreshes and deletions send without a permit is of their own share first.
#[test]
fn what_refreshes_spend_leaves_creations_their_share() {
    for lane in [Lane::Refresh, Lane::Delete] {
        let mut limiter = RateLimiter::new(10);
        (0..4).for_each(|_| limiter.spend(at(0), lane));
        let granted = |index| limiter.acquire(at(0), Lane::Create, &who(index)) == Permit::Granted;
        assert_eq!(
            (0..12).map(granted).filter(|granted| *granted).count(),
            6,
            "{lane:?}"
        );
    }
}

#[test]
fn a_rate_that_is_no_longer_declared_is_found_out() {
    let mut limiter = RateLimiter::new(10);
    limiter.find_rate();
    assert_eq!(limiter.rate(), RateLimiter::default().rate());
}

/// A call that was not sent has failed nowhere.
#[test]
fn only_what_was_sent_tells_that_agent_engine_is_away() {
    for (requests, away) in [(0, false), (1, true)] {
        let mut limiter = RateLimiter::new(50);
        let failure = unavailable();
        let failed = crate::domain::remote::Answered {
            requests,
            ..answered(Duration::ZERO, Some(&failure))
        };
        (0..5).for_each(|millis| limiter.answered(at(millis), &failed));
        assert_eq!(limiter.away_until(at(5)).is_some(), away, "{requests}");
    }
}

#[test]
fn it_is_well_after_a_minute_without_a_failure() {
    let mut limiter = RateLimiter::new(50);
    succeeds(&mut limiter, 0);
    assert_eq!(limiter.well_since(at(59_999)), None);
    assert_eq!(limiter.well_since(at(60_000)), Some(at(0)));
    fails(&mut limiter, 61_000);
    assert_eq!(limiter.well_since(at(200_000)), None);
}

#[test]
fn that_it_came_back_is_known_with_the_instant() {
    let mut limiter = away().limiter;
    assert_eq!(limiter.back_at(), None);
    assert_eq!(limiter.away_until(at(1_003)), Some(at(1_004)));
    assert_eq!(limiter.away_until(at(1_004)), None, "it is the time to probe");
    succeeds(&mut limiter, 2_000);
    assert_eq!(limiter.back_at(), Some(at(2_000)));
}

#[test]
fn who_was_called_and_comes_is_called_no_more() {
    let mut limiter = RateLimiter::new(10);
    for index in 0..40 {
        limiter.acquire(at(0), Lane::Refresh, &who(index));
    }
    let called = limiter.called(at(1_000));
    let first = called.first().unwrap().clone();
    limiter.woken(&first);
    let again = limiter.called(at(1_000));
    assert!(!again.contains(&first));
    assert_eq!(again.len(), called.len() - 1);
}

/// Reconciles that run side by side read the clock in no particular order.
#[test]
fn a_clock_that_was_read_late_ends_no_pause() {
    let mut limiter = RateLimiter::new(10);
    limiter.observe(at(5_000), Pressure::Throttled(Duration::from_secs(60)));
    assert_eq!(limiter.paused_until(at(4_000)), Some(at(65_000)));
}

/// Within half a minute at its time; else after half a minute up to a whole one, spread like the times.
#[test]
fn who_waits_long_is_told_an_instant_within_a_minute() {
    let limiter = RateLimiter::new(10);
    for (due, told) in [
        (0, 0),
        (29_999, 29_999),
        (30_000, 30_000),
        (30_001, 30_001),
        (59_999, 59_999),
        (60_000, 30_000),
        (70_500, 40_500),
        (600_250, 30_250),
    ] {
        assert_eq!(limiter.retry_at(at(0), at(due)), at(told), "{due}");
    }
    assert_eq!(limiter.retry_at(at(1_000), at(0)), at(0), "it is over");
}

/// The last one of a lane is told when the share of the lane comes to it.
#[test]
fn a_lane_is_told_of_its_own_share() {
    for (lane, seconds) in [(Lane::Refresh, 60), (Lane::Create, 100), (Lane::Delete, 150)] {
        let mut limiter = RateLimiter::new(10);
        for index in 0..600 {
            limiter.lines.put(&who(index), lane, Timestamp::MIN);
        }
        let last = limiter.due_of_last(at(0), lane);
        assert_eq!((millis_since_start(last) + 500) / 1_000, seconds, "{lane:?}");
    }
}

/// One of each share and a late one may meet: at one request a second, that is more than two seconds.
#[test]
fn at_the_lowest_rate_three_may_go_together() {
    let mut limiter = RateLimiter::new(1);
    let mut granted = 0;
    while limiter.overall.next(at(0)) <= at(0) {
        limiter.overall.take(at(0));
        granted += 1;
    }
    assert_eq!(granted, 3);
}

#[test]
fn a_pause_of_a_former_process_holds_everybody_back() {
    let mut limiter = RateLimiter::new(10);
    limiter.take_over_pause(at(0), Duration::from_secs(100));
    assert_eq!(limiter.paused_until(at(0)), Some(at(100_000)));
    let told = limiter.acquire(at(1_000), Lane::Refresh, &who(0));
    assert_eq!(told, Permit::RetryAt(at(100_000)));
    assert!(!limiter.has_paused(), "it is stored already");
    let granted = (1..50).filter(|n| limiter.acquire(at(100_000), Lane::Create, &who(*n)) == Permit::Granted);
    assert!(granted.count() <= 1, "no burst follows");
}

#[test]
fn a_pause_of_a_former_process_counts_once_and_only_at_first() {
    let secs = Duration::from_secs;
    let mut limiter = RateLimiter::new(10);
    limiter.take_over_pause(at(0), Duration::ZERO);
    limiter.take_over_pause(at(0), secs(10));
    limiter.take_over_pause(at(20_000), secs(100));
    assert_eq!(limiter.paused_until(at(20_000)), None, "it was taken over before");
    let mut limiter = RateLimiter::new(10);
    limiter.answered(at(0), &answered(secs(1), None));
    limiter.take_over_pause(at(1_000), secs(100));
    assert_eq!(limiter.paused_until(at(1_000)), None, "it was answered itself");
    let mut limiter = RateLimiter::new(10);
    limiter.take_over_pause(at(0), secs(100_000));
    assert_eq!(limiter.paused_until(at(0)), Some(at(3_600_000)));
}

#[test]
fn a_long_pause_is_told_once() {
    let mut limiter = RateLimiter::new(10);
    for (pause, is_long) in [(29, false), (60, true), (60, false)] {
        limiter.observe(at(0), Pressure::Throttled(Duration::from_secs(pause)));
        assert_eq!(limiter.has_paused(), is_long, "{pause} s");
    }
}

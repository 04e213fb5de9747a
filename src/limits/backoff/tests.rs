//! The limit on calls, run through whole days of failures.

use proptest::prelude::*;

use super::*;

const CAUSE: u64 = 7;
const MINUTE: i64 = 60;

fn at(second: i64) -> Uptime {
    Uptime::new(Duration::from_secs((1_000_000 + second).try_into().unwrap()))
}

/// A timer does not fire early.
fn second_after(until: Uptime) -> i64 {
    until.since(at(0)).as_millis().div_ceil(1_000).try_into().unwrap()
}

fn attempt(calls: u32, urgency: Urgency) -> FailedAttempt {
    FailedAttempt {
        urgency,
        ..FailedAttempt::normal(calls)
    }
}

/// A day of an object that always fails, retried as soon as it may be: when (seconds) and with how many calls.
fn a_day_of_failures(urgency: Urgency, who: &str, mut calls: impl FnMut(usize) -> u32) -> Vec<(i64, u32)> {
    let mut backoff = Backoff::default();
    let mut reconciles = Vec::new();
    let mut second = 0;
    while second < 24 * 60 * MINUTE {
        reconciles.push((second, calls(reconciles.len())));
        let until = backoff.failed(
            at(second),
            CAUSE,
            attempt(reconciles.last().unwrap().1, urgency),
            &Uid::from(who),
        );
        assert_eq!(backoff.not_before(CAUSE), Some(until));
        let next = second_after(until);
        assert!(next > second, "not at once");
        second = next;
    }
    reconciles
}

fn calls_within(reconciles: &[(i64, u32)], from: i64, seconds: i64) -> u32 {
    reconciles
        .iter()
        .filter(|(second, _)| (from..from + seconds).contains(second))
        .map(|(_, calls)| calls)
        .sum()
}

fn seconds(reconciles: &[(i64, u32)]) -> Vec<i64> {
    reconciles.iter().map(|(second, _)| *second).collect()
}

const HOUR_SECONDS: i64 = 60 * MINUTE;

#[test]
fn the_wait_doubles_with_each_call_then_grows_by_five_minutes() {
    for (calls, seconds) in [
        (0, Some(0)),
        (1, Some(5)),
        (2, Some(15)),
        (3, Some(35)),
        (4, Some(75)),
        (5, Some(155)),
        (6, Some(315)),
        (7, Some(600)),
        (8, Some(900)),
        (9, Some(1200)),
        (10, Some(1500)),
        (11, Some(1800)),
        (12, Some(2400)),
        (13, None),
        (u32::MAX, None),
    ] {
        assert_eq!(
            after_calls(calls),
            seconds.map(Duration::from_secs),
            "{calls} calls"
        );
    }
}

/// Promise: cost.failure: a failing object: at most 20 calls in its first hour, 6 in any later one
#[test]
fn a_failing_object_makes_20_calls_in_its_first_hour_then_6() {
    for urgency in [Urgency::Normal, Urgency::Token, Urgency::Organization] {
        for (calls, who) in (0..=8).flat_map(|calls| (0..20).map(move |who| (calls, format!("uid-{who}")))) {
            let reconciles = a_day_of_failures(urgency, &who, |_| calls);
            assert!(
                calls_within(&reconciles, 0, HOUR_SECONDS) <= 20,
                "{calls} a reconcile: {reconciles:?}"
            );
            for &(second, _) in reconciles.iter().filter(|(second, _)| *second >= HOUR_SECONDS) {
                // A single reconcile cannot be cut in two: one of 7 or 8 calls has hours to itself.
                assert!(
                    calls_within(&reconciles, second, HOUR_SECONDS) <= calls.max(6),
                    "{calls} a reconcile: {reconciles:?}"
                );
            }
            assert!(
                calls_within(&reconciles, HOUR_SECONDS, 20 * HOUR_SECONDS) <= 20 * 6,
                "{calls} a reconcile"
            );
        }
    }
}

#[test]
fn a_failing_object_is_tried_often_at_first_and_forever() {
    for (calls, first_hour, longest_gap) in [
        (0, 14, 6),
        (1, 13, 23),
        (2, 7, 23),
        (3, 5, 35),
        (4, 4, 70),
        (6, 3, 70),
        (8, 2, 90),
    ] {
        let reconciles = a_day_of_failures(Urgency::Normal, "uid", |_| calls);
        let in_first_hour = reconciles
            .iter()
            .filter(|(second, _)| *second < HOUR_SECONDS)
            .count();
        assert!(
            in_first_hour >= first_hour,
            "{calls} a reconcile: {:?}",
            seconds(&reconciles)
        );
        let gaps = reconciles.windows(2).map(|pair| pair[1].0 - pair[0].0);
        assert!(
            gaps.max().unwrap() <= longest_gap * MINUTE,
            "{calls} a reconcile: {:?}",
            seconds(&reconciles)
        );
    }
}

/// Its objects wait for it with tokens that live twenty minutes.
#[test]
fn an_organization_is_asked_at_least_every_ten_minutes() {
    for calls in [1, 2] {
        let reconciles = a_day_of_failures(Urgency::Organization, "uid", |_| calls);
        let first_hour = reconciles.windows(2).filter(|pair| pair[0].0 < HOUR_SECONDS);
        let longest = first_hour.map(|pair| pair[1].0 - pair[0].0).max().unwrap();
        assert!(longest <= 10 * MINUTE, "{calls}: {:?}", seconds(&reconciles));
    }
}

#[test]
fn a_token_about_to_end_outlives_an_outage_of_five_minutes() {
    for calls in 0..=3 {
        let reconciles = a_day_of_failures(Urgency::Token, "uid", |_| calls);
        let first_after = reconciles
            .iter()
            .map(|(second, _)| *second)
            .find(|second| *second >= 5 * MINUTE)
            .unwrap();
        assert!(
            first_after <= 7 * MINUTE,
            "{calls} a reconcile: {:?}",
            seconds(&reconciles)
        );
        let gaps = reconciles
            .windows(2)
            .take_while(|pair| pair[1].0 <= 5 * MINUTE)
            .map(|pair| pair[1].0 - pair[0].0);
        assert!(
            gaps.max().unwrap() <= 5 * MINUTE / 2,
            "{calls} a reconcile: {:?}",
            seconds(&reconciles)
        );
    }
}

#[test]
fn a_changed_cause_starts_afresh_and_success_forgets() {
    let who = Uid::from("uid");
    let mut backoff = Backoff::default();
    assert_eq!(backoff.not_before(CAUSE), None);
    let first = backoff.failed(at(0), CAUSE, attempt(4, Urgency::Normal), &who);
    assert_eq!(backoff.not_before(CAUSE), Some(first));
    assert_eq!(backoff.not_before(CAUSE + 1), None);
    assert_eq!(
        backoff.failed(at(0), CAUSE + 1, attempt(4, Urgency::Normal), &who),
        first
    );
    backoff.succeeded();
    assert_eq!(backoff.not_before(CAUSE + 1), None);
}

#[test]
fn a_reconcile_without_calls_shortens_no_wait_for_calls() {
    let who = Uid::from("uid");
    let mut backoff = Backoff::default();
    let bought = backoff.failed(at(0), CAUSE, attempt(12, Urgency::Normal), &who);
    assert!(bought >= at(40 * MINUTE));
    assert!(backoff.failed(at(10), CAUSE, attempt(0, Urgency::Normal), &who) >= at(40 * MINUTE));
}

#[test]
fn objects_that_failed_together_do_not_return_together() {
    let next = |who: usize| {
        let mut backoff = Backoff::default();
        backoff.failed(
            at(0),
            CAUSE,
            attempt(12, Urgency::Normal),
            &Uid::new(format!("uid-{who}")),
        )
    };
    let instants: std::collections::BTreeSet<_> = (0..1_000).map(next).collect();
    assert!(instants.len() > 600, "{}", instants.len());
    let (first, last) = (instants.first().unwrap(), instants.last().unwrap());
    assert!(last.since(*first).as_secs() > 200);
    assert!(*last <= at(44 * MINUTE));
}

proptest! {
    #[test]
    fn any_mixture_of_reconciles_keeps_to_the_limit(
        calls in prop::collection::vec(0u32..=8, 1..12),
        token in prop::collection::vec(any::<bool>(), 7),
        who in "[a-z]{4}",
    ) {
        let urgency = |reconcile: usize| if token[reconcile % token.len()] { Urgency::Token } else { Urgency::Normal };
        let mut backoff = Backoff::default();
        let (mut second, mut reconciles) = (0, Vec::new());
        while second < 30 * HOUR_SECONDS && reconciles.len() < 2_000 {
            let made = calls[reconciles.len() % calls.len()];
            reconciles.push((second, made));
            let until = backoff.failed(at(second), CAUSE, attempt(made, urgency(reconciles.len())), &Uid::from(who.as_str()));
            second = second_after(until);
        }
        let Some(&(began, _)) = reconciles.iter().find(|(_, calls)| *calls > 0) else { return Ok(()) };
        prop_assert!(calls_within(&reconciles, began, HOUR_SECONDS) <= 20, "{:?}", reconciles);
        // The cost of a reconcile is known only afterwards: over hours the limit holds but for one reconcile, and in each
        // single hour once the costliest kind of reconcile has been seen.
        let max_calls = calls.iter().copied().max().unwrap_or_default();
        let seen = reconciles.iter().find(|(_, calls)| *calls == max_calls).map_or(0, |(second, _)| *second);
        for &(from, _) in reconciles.iter().filter(|(second, _)| *second >= began + HOUR_SECONDS) {
            for hours in [1, 2, 5, 10, 20] {
                let made = calls_within(&reconciles, from, hours * HOUR_SECONDS);
                prop_assert!(made <= 6 * hours as u32 + 8, "{} in {} h: {:?}", made, hours, reconciles);
            }
            if from > seen {
                let made = calls_within(&reconciles, from, HOUR_SECONDS);
                prop_assert!(made <= max_calls.max(6), "{} from {}: {:?}", made, from, reconciles);
            }
        }
    }

    #[test]
    fn reconciles_that_begin_too_early_count_as_well(early in prop::collection::vec((0i64..600, 0u32..=8), 1..40)) {
        let mut backoff = Backoff::default();
        let (mut second, mut spent) = (0, 0);
        for (step, calls) in early {
            second += step;
            spent += calls;
            let until = backoff.failed(at(second), CAUSE, attempt(calls, Urgency::Normal), &Uid::from("uid"));
            prop_assert!(until > at(second));
            if spent > 12 {
                prop_assert!(until >= at(HOUR_SECONDS), "{} calls, next at {:?}", spent, until);
            }
            prop_assert!(until <= at(second + 90 * 2 * MINUTE), "{:?}", until);
        }
    }
}

/// An object that always fails, tried as soon as it may be, of an organization that recovers again and again.
fn hours_of_recoveries(cost: u32, every: i64) -> Vec<(i64, u32)> {
    let (mut backoff, who) = (Backoff::default(), Uid::from("uid"));
    let mut reconciles = Vec::new();
    for second in 0..12 * HOUR_SECONDS {
        if second % every == 0 {
            backoff.recovered(at(second), at(second));
        }
        if backoff.not_before(CAUSE).is_none_or(|until| until <= at(second)) {
            reconciles.push((second, cost));
            backoff.failed(at(second), CAUSE, attempt(cost, Urgency::Token), &who);
        }
    }
    reconciles
}

#[test]
fn recoveries_move_calls_forward_and_add_none() {
    for (cost, every) in [(1, 15), (1, 700), (3, 15), (3, 300), (3, 1800), (4, 60)] {
        let reconciles = hours_of_recoveries(cost, every);
        assert!(calls_within(&reconciles, 0, HOUR_SECONDS) <= 20, "{reconciles:?}");
        for hour in 1..11 {
            let (from, hours) = (hour * HOUR_SECONDS, 12 - hour);
            let made = calls_within(&reconciles, from, hours * HOUR_SECONDS);
            assert!(
                made <= 6 * u32::try_from(hours).unwrap() + cost,
                "{made} calls in {hours} h: {reconciles:?}"
            );
        }
    }
}

#[test]
fn a_recovery_allows_one_attempt_of_what_failed_before() {
    let (mut backoff, who) = (Backoff::default(), Uid::from("uid"));
    for second in [0, 90, 180, 310] {
        backoff.failed(at(second), CAUSE, attempt(3, Urgency::Token), &who);
    }
    let rests = backoff.not_before(CAUSE).unwrap();
    assert!(rests >= at(1200));
    backoff.recovered(at(200), at(400));
    assert_eq!(backoff.not_before(CAUSE), Some(rests), "it has failed since");
    backoff.recovered(at(400), at(400));
    assert_eq!(backoff.not_before(CAUSE), Some(at(400)));
    let rests = backoff.failed(at(401), CAUSE, attempt(3, Urgency::Token), &who);
    backoff.recovered(at(400), at(402));
    assert_eq!(backoff.not_before(CAUSE), Some(rests), "once");
}

fn by(fault: Fault, calls: u32) -> FailedAttempt {
    FailedAttempt {
        fault,
        ..FailedAttempt::normal(calls)
    }
}

#[test]
fn what_the_server_failed_is_tried_once_it_is_well() {
    for (fault, well_since, rests) in [
        (Fault::Server, 200, false),
        (Fault::Server, 50, true),
        (Fault::Refused, 200, true),
    ] {
        let mut backoff = Backoff::default();
        backoff.failed(at(100), CAUSE, by(fault, 12), &Uid::from("uid"));
        backoff.relieve(at(well_since), at(300));
        let until = backoff.not_before(CAUSE).filter(|until| *until > at(300));
        assert_eq!(until.is_some(), rests, "{fault:?}, well since {well_since}");
    }
}

#[test]
fn a_second_time_within_the_hour_it_has_to_be_well_for_longer() {
    let (mut backoff, who) = (Backoff::default(), Uid::from("uid"));
    backoff.failed(at(100), CAUSE, by(Fault::Server, 12), &who);
    backoff.relieve(at(200), at(300));
    backoff.failed(at(300), CAUSE, by(Fault::Server, 4), &who);
    let rests = |backoff: &Backoff, now| backoff.not_before(CAUSE).is_some_and(|until| until > at(now));
    backoff.relieve(at(400), at(500));
    assert!(rests(&backoff, 500));
    backoff.relieve(at(400), at(1300));
    assert!(!rests(&backoff, 1300));
}

/// While calls of the first hour are left.
#[test]
fn a_second_time_it_has_to_be_well_for_a_while() {
    for (calls, well_until, rests) in [(4, 639, true), (4, 640, false), (8, 640, true)] {
        let (mut backoff, who) = (Backoff::default(), Uid::from("uid"));
        backoff.failed(at(100), CAUSE, by(Fault::Server, 8), &who);
        backoff.relieve(at(200), at(300));
        backoff.failed(at(300), CAUSE, by(Fault::Server, calls), &who);
        backoff.relieve(at(400), at(well_until));
        let until = backoff.not_before(CAUSE).filter(|until| *until > at(well_until));
        assert_eq!(until.is_some(), rests, "{calls} calls, well until {well_until}");
    }
}

/// The failure counts from the end of its reconcile, and another object was answered a moment before.
#[test]
fn a_server_that_was_well_again_before_the_reconcile_ended_relieves_it_as_well() {
    let (mut backoff, who) = (Backoff::default(), Uid::from("uid"));
    backoff.failed(at(100), CAUSE, by(Fault::Server, 12), &who);
    backoff.relieve(at(99), at(200));
    assert_eq!(backoff.not_before(CAUSE), Some(at(200)));
}

/// An object that is tried as soon as it may be, while the server seems well at every instant.
#[test]
fn a_server_that_comes_and_goes_is_called_within_bounds() {
    for (fault, more) in [(Fault::Server, 1), (Fault::Refused, 0)] {
        for cost in [1, 3, 4, 8] {
            let (mut backoff, who) = (Backoff::default(), Uid::from("uid"));
            let mut reconciles = Vec::new();
            for second in 0..6 * HOUR_SECONDS {
                backoff.relieve(at(second), at(second));
                if backoff.not_before(CAUSE).is_none_or(|until| until <= at(second)) {
                    reconciles.push((second, cost));
                    backoff.failed(at(second), CAUSE, by(fault, cost), &who);
                }
            }
            let first = calls_within(&reconciles, 0, HOUR_SECONDS);
            assert!(
                first <= 20 + more * cost,
                "{first} calls of {cost} in the first hour, {fault:?}"
            );
            let later = calls_within(&reconciles, HOUR_SECONDS, 5 * HOUR_SECONDS);
            assert!(
                later <= 30 + (1 + more) * cost,
                "{later} calls of {cost} in five hours, {fault:?}"
            );
        }
    }
}

fn rests_until(backoff: &Backoff) -> i64 {
    let until = backoff.not_before(CAUSE).unwrap();
    until.since(at(0)).as_secs().try_into().unwrap()
}

/// Up to a tenth is added.
#[test]
fn failures_without_calls_double_the_wait_up_to_five_minutes() {
    let who = Uid::from("uid");
    for (urgency, waits) in [
        (Urgency::Normal, [5, 10, 20, 40, 80, 160, 300, 300]),
        (Urgency::Token, [5, 10, 20, 30, 30, 30, 30, 30]),
    ] {
        let mut backoff = Backoff::default();
        for wait in waits {
            backoff.failed(at(0), CAUSE, attempt(0, urgency), &who);
            let until = rests_until(&backoff);
            assert!((wait..=wait + wait / 10).contains(&until), "{until} for {wait}");
        }
    }
}

#[test]
fn what_was_paid_delays_the_attempt_after_the_next() {
    let who = Uid::from("uid");
    let after = |paid: u32| {
        let mut backoff = Backoff::default();
        backoff.failed(at(0), CAUSE, attempt(2, Urgency::Normal), &who);
        let until = rests_until(&backoff);
        backoff.pay(at(1), paid);
        assert_eq!(rests_until(&backoff), until, "not the next one");
        backoff.failed(at(20), CAUSE, attempt(1, Urgency::Normal), &who);
        rests_until(&backoff)
    };
    assert!(after(4) > after(0) + 200, "{} {}", after(4), after(0));
}

#[test]
fn only_a_failure_of_the_server_heals_by_itself() {
    let who = Uid::from("uid");
    let mut backoff = Backoff::default();
    assert_eq!(backoff.fault(), Fault::Refused);
    for (fault, heals) in [(Fault::Server, true), (Fault::Refused, false)] {
        backoff.failed(at(0), CAUSE, by(fault, 1), &who);
        assert_eq!(backoff.fault() == Fault::Server, heals);
    }
}

/// Each at its very edge.
#[test]
fn a_recovery_cuts_only_a_long_wait_for_what_failed_before_it() {
    let who = Uid::from("uid");
    let waits = |failed_at: i64, recovered_at: i64, now: i64| {
        let mut backoff = Backoff::default();
        // After six calls until the 315th second.
        backoff.failed(at(failed_at), CAUSE, attempt(6, Urgency::Normal), &who);
        let before = rests_until(&backoff);
        backoff.recovered(at(recovered_at), at(now));
        rests_until(&backoff) == before
    };
    assert!(!waits(129, 100, 130), "asked before");
    assert!(waits(130, 100, 130), "asked 30 s after it");
    let until = {
        let mut backoff = Backoff::default();
        backoff.failed(at(100), CAUSE, attempt(6, Urgency::Normal), &who);
        rests_until(&backoff)
    };
    assert!(!waits(100, 100, until - 16));
    assert!(waits(100, 100, until - 14), "it ends soon");
}

/// After the hour, one reconcile may be borrowed, and no second one.
#[test]
fn a_recovery_borrows_from_the_calls_of_its_hour() {
    let who = Uid::from("uid");
    let cut = |calls: u32, now: i64| {
        let mut backoff = Backoff::default();
        backoff.failed(at(0), CAUSE, attempt(calls, Urgency::Normal), &who);
        backoff.recovered(at(now), at(now));
        rests_until(&backoff) <= now
    };
    assert!(cut(8, 60), "8 and another 8 of 20");
    assert!(!cut(12, 60), "12 and another 12");
    let mut backoff = Backoff::default();
    for second in [0, 1] {
        backoff.failed(at(second), CAUSE, attempt(12, Urgency::Normal), &who);
    }
    backoff.recovered(at(HOUR_SECONDS - 1), at(HOUR_SECONDS - 1));
    assert!(
        rests_until(&backoff) > HOUR_SECONDS,
        "within its first hour the calls are used up"
    );
    backoff.recovered(at(HOUR_SECONDS), at(HOUR_SECONDS));
    assert_eq!(rests_until(&backoff), HOUR_SECONDS, "the hour after has its own");
}

/// A recovery and a server that is well cut a wait, each at its bound.
#[test]
fn a_wait_is_cut_where_it_is_long_and_was_not_cut_before() {
    let failed = || {
        let mut streak = Streak::new(at(0), 7);
        streak.fault = Fault::Server;
        streak.not_before = at(1_000);
        streak
    };
    for (now, cut) in [(984, true), (985, false)] {
        let mut streak = failed();
        streak.recovered(at(1), at(now));
        assert_eq!(streak.recovered_at.is_some(), cut, "recovered at {now}");
    }
    for (now, cut) in [(999, true), (1_000, false)] {
        let mut streak = failed();
        streak.relieve(at(1), at(now));
        assert_eq!(streak.relieved_at.is_some(), cut, "relieved at {now}");
    }
    // What failed within half a minute after it was well again had been asked before.
    for (well_since, cut) in [(-30, false), (-29, true)] {
        let mut streak = failed();
        streak.relieve(at(well_since), at(100));
        assert_eq!(streak.relieved_at.is_some(), cut, "well since {well_since}");
    }
    for (relieved_at, cut) in [(100 - 3_600, true), (101 - 3_600, false)] {
        let mut streak = failed();
        streak.relieved_at = Some(at(relieved_at));
        streak.relieve(at(1), at(100));
        assert_eq!(
            streak.not_before == at(100),
            cut,
            "relieved before at {relieved_at}"
        );
    }
}

/// However few its calls: one every half hour, for three calls each.
#[test]
fn after_the_first_hour_what_was_not_used_of_it_is_gone() {
    for (now, next) in [(3_599, 35), (3_600, 3_600 + 1_800)] {
        let mut streak = Streak::new(at(0), 7);
        streak.max_calls = 3;
        streak.charge(at(0), 2, Urgency::Normal);
        streak.charge(at(now), 1, Urgency::Normal);
        assert_eq!(streak.next_affordable, at(next), "{now}");
    }
}

/// Also those that were made before their time: a recovery, or a renewal, has called for them.
#[test]
fn the_calls_of_the_first_hour_put_off_none_beyond_it() {
    let who = Uid::from("uid");
    for (calls, rests) in [(12, 3600..=3960), (13, 8000..=12_000)] {
        let mut backoff = Backoff::default();
        backoff.failed(at(0), CAUSE, FailedAttempt::normal(8), &who);
        backoff.failed(at(100), CAUSE, FailedAttempt::normal(calls), &who);
        let until = rests_until(&backoff);
        assert!(rests.contains(&until), "{calls} calls more: until {until}");
    }
}

#[test]
fn what_fails_beside_a_rest_is_paid_for_and_changes_no_more() {
    let who = Uid::from("w");
    let mut backoff = Backoff::default();
    assert_eq!(backoff.failed_during_rest(at(0), 1), None);
    backoff.failed(at(0), CAUSE, by(Fault::Refused, 9), &who);
    let rest = rests_until(&backoff);
    backoff.failed_during_rest(at(10), 0);
    assert_eq!(rests_until(&backoff), rest);
    assert_eq!(
        (backoff.fault(), backoff.failed_at()),
        (Fault::Refused, Some(at(10)))
    );
    let later = backoff.failed_during_rest(at(20), 3);
    assert_eq!(later, backoff.not_before(CAUSE));
    assert!(
        rests_until(&backoff) > rest,
        "twelve calls rest for longer than nine"
    );
}

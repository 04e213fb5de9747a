//! What holds for any callers at any time.

use std::time::Duration;

use proptest::prelude::*;

use super::callers::{Callers, at, most_in_any_window, who};
use crate::domain::time::Uptime;
use crate::limits::rate_limiter::{
    EXPIRES_AFTER, GIVEN_AHEAD, LONGEST_WAIT, Lane, Permit, Pressure, RateLimiter,
};

fn lane() -> impl Strategy<Value = Lane> {
    prop_oneof![
        Just(Lane::Refresh),
        Just(Lane::Delete),
        Just(Lane::Create),
        Just(Lane::Other)
    ]
}

#[derive(Clone, Debug)]
enum Event {
    Ask(usize, Lane),
    Observe(Pressure),
    Forget(usize),
    Rate(u32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (0usize..40, lane()).prop_map(|(index, lane)| Event::Ask(index, lane)),
        1 => Just(Event::Observe(Pressure::Relaxed)),
        1 => (0u64..4_000).prop_map(|pause| Event::Observe(Pressure::Throttled(Duration::from_millis(pause)))),
        1 => (0usize..40).prop_map(Event::Forget),
        1 => (0u32..9).prop_map(Event::Rate),
    ]
}

proptest! {
    #[test]
    fn no_window_holds_more_than_its_rate_and_a_burst(
        rate in 1u32..20,
        arrivals in prop::collection::vec((0i64..20_000, lane()), 1..150),
        lateness in prop::collection::vec(0i64..30_000, 150),
        often_late in any::<bool>(),
    ) {
        let mut callers = Callers::new(RateLimiter::new(rate));
        for (index, (millis, lane)) in arrivals.iter().enumerate() {
            callers.come(*millis, *lane, index..index + 1);
        }
        callers.run(1_000_000, |index| if often_late { lateness[index] } else { 0 });
        let rate = f64::from(rate);
        if let Err(excess) = most_in_any_window(&callers.granted, rate, (2.0 * rate).max(3.0)) {
            prop_assert!(false, "{}", excess);
        }
        prop_assert_eq!(callers.granted.len(), arrivals.len(), "all were granted");
    }

    #[test]
    fn asking_again_puts_nothing_off_and_a_pause_grants_nothing(
        events in prop::collection::vec((0i64..400, event()), 1..200),
    ) {
        let mut limiter = RateLimiter::new(2);
        let mut now = 0;
        for (step, event) in events {
            now += step;
            match event {
                Event::Ask(index, lane) => {
                    let paused = limiter.paused_until(at(now)).is_some();
                    let answer = limiter.acquire(at(now), lane, &who(index));
                    if let Permit::RetryAt(then) = answer {
                        prop_assert!(then > at(now));
                        prop_assert!(limiter.paused_until(at(now)).is_none_or(|until| then >= until));
                        prop_assert_eq!(limiter.acquire(at(now), lane, &who(index)), answer);
                        let halfway = at(now).later(then.since(at(now)) / 2);
                        let mut eager = limiter.clone();
                        let place = |limiter: &mut RateLimiter| limiter.lines.place_mut(&who(index)).map(|place| place.untold());
                        if let Permit::RetryAt(again) = eager.acquire(halfway, lane, &who(index)) {
                            let has_instant = eager.given.contains_key(&who(index)) && again <= then.max(halfway.later(GIVEN_AHEAD));
                            let keeps_place = place(&mut eager).is_some_and(|kept| Some(kept) == place(&mut limiter));
                            prop_assert!(has_instant || keeps_place, "{again:?}");
                        }
                    } else {
                        prop_assert!(!paused, "granted in a pause");
                    }
                }
                Event::Observe(pressure) => limiter.observe(at(now), pressure),
                Event::Forget(index) => limiter.forget(&who(index)),
                Event::Rate(rate) => limiter.set_rate(rate),
            }
        }
        prop_assert_eq!(limiter.waiting(), limiter.expiries.len());
    }

    #[test]
    fn however_time_passes_no_wait_is_long(
        events in prop::collection::vec((prop_oneof![0i64..1_000_000_000, 0i64..2_000], 0i64..2_000, event()), 1..100),
    ) {
        let mut limiter = RateLimiter::new(1);
        let mut latest = 0;
        for (step, late, event) in events {
            latest += step;
            let now = latest - late.min(latest);
            match event {
                Event::Ask(index, lane) => {
                    if let Permit::RetryAt(then) = limiter.acquire(at(now), lane, &who(index)) {
                        // A minute beyond the pause.
                        let longest = limiter.paused_until(at(now)).unwrap_or(at(latest));
                        prop_assert!(then <= longest.later(2 * LONGEST_WAIT + EXPIRES_AFTER), "{:?} at {:?}", then, at(now));
                    }
                }
                Event::Observe(pressure) => limiter.observe(at(now), pressure),
                Event::Forget(index) => limiter.forget(&who(index)),
                Event::Rate(rate) => limiter.set_rate(rate),
            }
        }
        for extreme in [Duration::ZERO, Duration::MAX, Duration::ZERO].map(Uptime::new) {
            limiter.acquire(extreme, Lane::Refresh, &who(0));
            limiter.observe(extreme, Pressure::Throttled(Duration::MAX));
        }
    }
}

//! How a reconcile keeps to the rate of its organization.

use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::ids::Uid;
use crate::domain::remote::FailureClass;
use crate::domain::testing::{answered, unavailable};
use crate::domain::time::{elapsed, shifted};
use crate::lifecycle::tests::harness::world::{Fault, World, spec};
use crate::limits::{Lane, Pressure, RateLimiter};

const PAUSE: Duration = Duration::from_secs(60);

fn created() -> World {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world
}

/// Hundreds wait to create before it.
fn crowded(mut world: World) -> World {
    world.limiter = RateLimiter::new(10);
    for n in 0..600 {
        world
            .limiter
            .acquire(world.uptime(), Lane::Create, &Uid::new(format!("other-{n}")));
    }
    world
}

fn throttled(world: &mut World) {
    world.limiter.observe(world.uptime(), Pressure::Throttled(PAUSE));
}

#[test]
fn a_429_stops_every_object_of_the_organization_until_it_allows() {
    let mut world = World::with_acme();
    world.advance(900);
    world.fault("Get", Fault::Answers(FailureClass::Throttled(PAUSE), 429), 1);
    world.reconcile("acme").unwrap();
    world.apply("beta", spec("beta"));
    world.forget_journal();
    world.live("beta", PAUSE - Duration::from_secs(1));
    assert_eq!(world.calls(), 0);
    world.live("beta", Duration::from_secs(30));
    assert_eq!(world.ready("beta"), "AsDeclared");
}

#[test]
fn a_creation_waits_for_its_permit_behind_earlier_ones() {
    let mut world = crowded(created());
    world.reconcile("acme").unwrap();
    assert_eq!(world.calls(), 0);
}

#[test]
fn a_refresh_and_a_deletion_wait_for_no_creation() {
    let mut due = World::with_acme();
    due.advance(900);
    let mut due = crowded(due);
    due.reconcile("acme").unwrap();
    assert_eq!(due.kinds(), ["Get", "Issue", "Verify", "WriteSecret"]);
    let mut going = crowded(World::with_acme());
    going.delete("acme");
    going.reconcile("acme").unwrap();
    assert!(going.objects.is_empty());
}

#[test]
fn a_pause_in_the_middle_of_a_reconcile_stops_it_there() {
    let mut world = World::with_acme();
    world.advance(900);
    world.meanwhile("Get", throttled);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get"]);
}

/// It gives way before its issue.
#[test]
fn a_creation_that_gives_way_takes_its_intent_back() {
    let mut world = created();
    world.meanwhile("WriteStatus", throttled);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 0);
    assert_eq!(world.status("acme").creation, None);
    assert_eq!(world.ready("acme"), "Throttled");
}

#[test]
fn repeats_of_a_request_are_charged_like_any_other() {
    let mut world = created();
    world.requests = 3;
    let settled = world.reconcile("acme").unwrap();
    assert_eq!(settled.calls, 4 * 3);
}

/// Also after a pause.
#[test]
fn a_creation_goes_before_what_is_less_urgent_and_waits() {
    let mut world = created();
    world.limiter = RateLimiter::new(10);
    for n in 0..600 {
        world
            .limiter
            .acquire(world.uptime(), Lane::Other, &Uid::new(format!("other-{n}")));
    }
    throttled(&mut world);
    world.reconcile("acme").unwrap();
    assert_eq!(world.calls(), 0);
    world.live("acme", PAUSE + Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Agent Engine has failed the requests of others.
fn away(world: &mut World) {
    for _ in 0..5 {
        world
            .limiter
            .answered(world.uptime(), &answered(Duration::ZERO, Some(&unavailable())));
    }
}

/// Others are before it, and go on asking.
fn lives_behind_others(world: &mut World, thirds_of_a_minute: usize) {
    for _ in 0..thirds_of_a_minute {
        for n in 0..600 {
            world
                .limiter
                .acquire(world.uptime(), Lane::Refresh, &Uid::new(format!("other-{n}")));
        }
        world.live("acme", Duration::from_secs(20));
    }
}

/// And its back-off is charged for nothing.
/// Promise: rule.away
#[test]
fn while_agent_engine_is_away_an_object_waits_and_says_so() {
    let mut world = created();
    away(&mut world);
    lives_behind_others(&mut world, 5);
    assert_eq!(world.calls(), 0);
    assert_eq!(world.ready("acme"), "ApiUnavailable");
    assert!(
        world.message("acme").contains("fails every request"),
        "{}",
        world.message("acme")
    );
    world
        .limiter
        .answered(world.uptime(), &answered(Duration::ZERO, None));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// It began before Agent Engine went away: its next call is a probe like any other.
#[test]
fn a_running_reconcile_waits_for_the_next_probe() {
    let mut world = World::with_acme_due();
    world.meanwhile("Issue", away);
    world.fault("Issue", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get", "Issue"]);
    let mut world = World::with_acme_due();
    world.meanwhile("Get", away);
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        ["Get", "Issue", "Verify", "WriteSecret"],
        "its GET was answered"
    );
}

/// Its later calls are charged. At one a second, each of them would wait for seconds.
#[test]
fn a_reconcile_asks_for_one_permit() {
    let mut world = created();
    world.limiter = RateLimiter::new(1);
    let began = world.now;
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert!(elapsed(began, world.now) < Duration::from_secs(1));
}

#[test]
fn a_reconcile_waits_for_a_permit_that_is_near() {
    let mut world = World::with_acme_due();
    world.limiter = RateLimiter::new(10);
    for n in 0..12 {
        let other = Uid::new(format!("other-{n}"));
        world.limiter.acquire(world.uptime(), Lane::Refresh, &other);
    }
    let began = world.now;
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 1);
    assert!(
        elapsed(began, world.now) > Duration::from_millis(500),
        "{}",
        world.now
    );
}

/// Whether it is called within a second, before hundreds of others.
fn goes_first(world: &mut World) -> bool {
    world.reconcile("acme").unwrap();
    assert_eq!(world.calls(), 0);
    let uid = world.objects["acme"].facts.uid.clone();
    world.advance(1);
    world.limiter.called(world.uptime()).contains(&uid)
}

#[test]
fn the_token_that_ends_first_is_renewed_first() {
    for (sooner, first) in [(-1, false), (1, true)] {
        let mut world = World::with_acme_due();
        world.limiter = RateLimiter::new(10);
        let ends = world.secrets["acme-token"].facts.times.unwrap().expires_at;
        let end = shifted(ends, SignedDuration::from_secs(sooner));
        for n in 0..600 {
            let other = Uid::new(format!("other-{n}"));
            world
                .limiter
                .acquire_before(world.uptime(), Lane::Refresh, end, &other);
        }
        assert_eq!(goes_first(&mut world), first, "{sooner}");
    }
}

/// However long its token lives.
#[test]
fn a_rename_goes_before_those_that_come_later() {
    let mut world = World::with_acme();
    world.limiter = RateLimiter::new(10);
    world.edit("acme", |o| o.spec.name = "zenith".into());
    let crowd = |world: &mut World, of: &str| {
        for n in 0..12 {
            let other = Uid::new(format!("{of}-{n}"));
            world.limiter.acquire(world.uptime(), Lane::Other, &other);
        }
    };
    crowd(&mut world, "before");
    world.reconcile("acme").unwrap();
    crowd(&mut world, "after");
    assert_eq!(world.calls(), 0);
    world.advance(2);
    let uid = world.objects["acme"].facts.uid.clone();
    assert!(world.limiter.called(world.uptime()).contains(&uid));
}

/// All that a deletion asks has the share that is kept for deletions.
#[test]
fn a_deletion_that_searches_waits_for_no_creation() {
    let mut world = created();
    world.fault("Issue", Fault::CrashAfter, 1);
    assert!(world.reconcile("acme").is_none());
    world.delete("acme");
    // A search shows what the issue made.
    world.advance(70);
    let mut world = crowded(world);
    world.live("acme", Duration::from_secs(5));
    assert!(world.objects.is_empty() && world.engine.rows.is_empty());
}

/// It counts by the time of the process.
/// Promise: rule.clock-set
#[test]
fn a_pause_lasts_as_long_however_the_clock_is_set() {
    for set_by in [-2, 2].map(SignedDuration::from_hours) {
        let mut world = World::with_acme();
        let pause = Duration::from_secs(600);
        world.limiter.observe(world.uptime(), Pressure::Throttled(pause));
        world.set_clock(set_by);
        world.advance(599);
        let until = world.limiter.paused_until(world.uptime());
        let left = until.map(|at| at.since(world.uptime()));
        assert_eq!(left, Some(Duration::from_secs(1)), "set by {set_by}");
    }
}

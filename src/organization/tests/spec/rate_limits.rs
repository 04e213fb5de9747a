//! Every call for an Organization needs a permit of its rate limiter.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::Uid;
use crate::domain::remote::FailureClass;
use crate::domain::time::{elapsed, later};
use crate::limits::{Lane, Permit, Pressure};
use crate::organization::tests::harness::given::{INTERVAL, ours, record, row};
use crate::organization::tests::harness::world::World;

/// So many pages of one row.
fn large(pages: usize) -> World {
    let mut world = World::verified();
    world.page_size = 1;
    world.rows = Ok((0..pages).map(row).collect());
    world.records = (0..pages).map(record).collect();
    world.latency = Duration::from_millis(1);
    world
}

fn lists(world: &mut World) -> Vec<Timestamp> {
    let journal = world.journal_since();
    let lists = journal.iter().filter(|(_, kind)| *kind == "List");
    lists.map(|(at, _)| *at).collect()
}

/// Promise: rule.rate
#[test]
fn the_pages_of_a_list_go_out_at_the_rate() {
    let mut world = large(300);
    world.spec.requests_per_second = Some(10);
    world.advance(INTERVAL);
    world.reconcile();
    let pages = lists(&mut world);
    assert_eq!(pages.len(), 300);
    for (n, from) in pages.iter().enumerate() {
        let within = pages[n..]
            .iter()
            .take_while(|at| elapsed(*from, **at) < Duration::from_secs(1))
            .count();
        assert!(within <= 20, "{within} pages in the second from {from}");
    }
    let whole = elapsed(pages[0], pages[299]);
    assert!(whole >= Duration::from_secs(28), "300 pages in {whole:?}");
}

/// Promise: rule.rate
#[test]
fn what_a_page_took_beside_its_permit_delays_those_who_follow() {
    let mut waits = Vec::new();
    for requests in [1, 30] {
        let mut world = World::verified();
        world.spec.requests_per_second = Some(10);
        world.requests = requests;
        world.advance(INTERVAL);
        world.reconcile();
        let other = Uid::from("a workspace");
        waits.push(match world.limiter.acquire(world.uptime(), Lane::Other, &other) {
            Permit::Granted => Duration::ZERO,
            Permit::RetryAt(at) => at.since(world.uptime()),
        });
    }
    assert_eq!(waits[0], Duration::ZERO);
    assert!(waits[1] >= Duration::from_secs(1), "{waits:?}");
}

#[test]
fn an_exchange_takes_a_permit_and_is_spent_as_well() {
    let mut world = World::new();
    world.spec.requests_per_second = Some(1);
    world.reconcile();
    let other = Uid::from("a workspace");
    assert_ne!(
        world.limiter.acquire(world.uptime(), Lane::Other, &other),
        Permit::Granted,
        "at one a second, an exchange and a list are the burst"
    );
}

#[test]
fn while_agent_engine_asks_to_slow_down_nothing_is_asked() {
    let mut world = World::verified();
    world.advance(INTERVAL);
    world
        .limiter
        .observe(world.uptime(), Pressure::Throttled(Duration::from_secs(40)));
    let resumes = later(world.now, Duration::from_secs(40));
    world.rotate();
    let next = world.reconcile();
    assert_eq!(world.calls(), Vec::<&str>::new());
    assert_eq!(next, resumes);
    world.now = next;
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange", "List"]);
}

#[test]
fn a_pause_lasts_as_long_however_the_clock_is_set() {
    const PAUSE: Duration = Duration::from_secs(3600);
    for hours in [-1, 2] {
        let mut world = World::verified();
        world.advance(INTERVAL);
        world.limiter.observe(world.uptime(), Pressure::Throttled(PAUSE));
        world.reconcile();
        world.set_clock(SignedDuration::from_hours(hours));
        let next = world.reconcile();
        assert!(next <= later(world.now, PAUSE), "{next}");
        world.advance(PAUSE - Duration::from_secs(1));
        world.reconcile();
        assert_eq!(world.calls(), Vec::<&str>::new(), "set by {hours} hours");
        world.advance(Duration::from_secs(1));
        world.reconcile();
        assert_eq!(world.calls(), ["List"], "set by {hours} hours");
    }
}

#[test]
fn a_list_that_is_told_to_slow_down_stops_all() {
    let mut world = World::verified();
    world.rows = Err(FailureClass::Throttled(Duration::from_secs(90)));
    world.advance(INTERVAL);
    let next = world.reconcile();
    assert_eq!(world.reason(), "Throttled");
    assert!(next >= later(world.now, Duration::from_secs(89)), "{next}");
    assert!(world.limiter.paused_until(world.uptime()).is_some());
}

/// It is begun again.
#[test]
fn a_list_that_others_have_stopped_half_way_is_no_failure() {
    let mut world = large(3);
    world.advance(INTERVAL);
    world.throttled_by_others_after(1, Duration::from_secs(600));
    let next = world.reconcile();
    assert_eq!(world.calls(), ["List"]);
    assert_eq!(world.reason(), "Verified");
    world.now = next;
    world.reconcile();
    assert_eq!(world.calls(), ["List"; 3]);
}

/// They count by the time of the process.
#[test]
fn a_clock_that_is_set_moves_neither_an_exchange_nor_a_list() {
    for hours in [-2, 2] {
        let mut world = World::new();
        world.exchange = Err(FailureClass::Transient);
        world.reconcile();
        world.set_clock(SignedDuration::from_hours(hours));
        world.exchange = Ok(Some(ours()));
        world.live(Duration::from_secs(30));
        assert_eq!(world.reason(), "Verified");

        world.done();
        world.set_clock(SignedDuration::from_hours(hours));
        world.reconcile();
        assert_eq!(world.calls(), Vec::<&str>::new());
        world.live(Duration::from_secs(3600));
        assert_eq!(world.calls().len(), 12);
    }
}

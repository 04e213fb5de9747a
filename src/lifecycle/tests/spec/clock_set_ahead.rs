//! A clock that jumps ahead, and two machines whose clocks differ: what may still take effect is waited for by the time that
//! has passed.

use std::time::Duration;

use jiff::SignedDuration;

use crate::crd::workspace::CreationClock;
use crate::domain::ids::WorkspaceName;
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

const AHEAD: SignedDuration = SignedDuration::from_secs(3600);

fn renames(world: &mut World) {
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
}

fn alone(world: &World) {
    assert_eq!(world.engine.names(), ["zenith"], "{:?}", world.kinds());
    assert!(world.orphans.is_empty(), "{:?}", world.kinds());
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The issue of a renewal was not answered, and is carried out late.
/// Promise: rule.clock-set-ahead: A clock that is set ahead ends no wait for a write that may still take effect
#[test]
fn a_clock_set_ahead_ends_no_wait_for_a_renewal() {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::CarriedOutAfter(20), 1);
    world.reconcile("acme").unwrap();
    renames(&mut world);
    world.set_clock(AHEAD);
    world.live("acme", Duration::from_secs(19));
    assert_eq!(world.count("Update"), 0, "{:?}", world.kinds());
    world.live("acme", Duration::from_secs(600));
    alone(&world);
}

/// While another call of its reconcile is under way.
/// Promise: rule.clock-set-ahead
#[test]
fn a_clock_set_ahead_within_a_reconcile_ends_no_wait() {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::CarriedOutAfter(20), 1);
    world.reconcile("acme").unwrap();
    renames(&mut world);
    world.secrets.clear();
    world.meanwhile("Get", |world| world.set_clock(AHEAD));
    world.meanwhile("ReadSecret", |world| world.set_clock(AHEAD));
    world.live("acme", Duration::from_secs(19));
    assert_eq!(world.count("Update"), 0, "{:?}", world.kinds());
    world.live("acme", Duration::from_secs(600));
    alone(&world);
}

fn with_a_creation_under_way(date: Told) -> World {
    let mut world = World::new();
    world.engine.date = date;
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CarriedOutAfter(20), 1);
    world
}

/// Promise: rule.clock-set-ahead
#[test]
fn a_clock_set_ahead_ends_no_wait_for_a_creation() {
    for date in [Told::Yes, Told::No] {
        let mut world = with_a_creation_under_way(date);
        world.reconcile("acme").unwrap();
        renames(&mut world);
        world.set_clock(AHEAD);
        world.live("acme", Duration::from_secs(18));
        assert_eq!(world.count("Issue"), 1, "{:?}", world.kinds());
        world.live("acme", Duration::from_secs(1200));
        assert_eq!(world.engine.names().len(), 1, "{date:?} {:?}", world.kinds());
    }
}

/// The next process runs on a machine whose clock is an hour ahead.
/// Promise: rule.clock-set-ahead
#[test]
fn a_creation_is_waited_for_where_clocks_differ() {
    for date in [Told::Yes, Told::No] {
        let mut world = with_a_creation_under_way(date);
        let at_its_issue = world_until_issue(date);
        world.crash_at(at_its_issue, Fault::CarriedOutAfter(20));
        assert!(world.reconcile("acme").is_none());
        world.set_clock(AHEAD);
        renames(&mut world);
        world.live("acme", Duration::from_secs(18));
        assert!(
            !world
                .kinds()
                .iter()
                .skip(at_its_issue + 1)
                .any(|kind| *kind == "Issue")
        );
        world.live("acme", Duration::from_secs(1200));
        assert_eq!(world.engine.names().len(), 1, "{date:?} {:?}", world.kinds());
    }
}

/// The process was frozen while it searched: its own clock would tell the next process nothing.
#[test]
fn an_intent_is_stamped_by_a_server_that_tells_the_time() {
    let mut world = with_a_creation_under_way(Told::Yes);
    world.faults.clear();
    world.slow("Search", 0, 31);
    world.fault("Issue", Fault::CrashBefore, 1);
    assert!(world.reconcile("acme").is_none());
    let creation = world.objects["acme"].status.creation.as_ref().unwrap();
    assert_eq!(creation.clock, CreationClock::Server, "{:?}", world.kinds());
}

/// How many effects come before the issue.
fn world_until_issue(date: Told) -> usize {
    let mut world = with_a_creation_under_way(date);
    world.reconcile("acme").unwrap();
    world.kinds().iter().position(|kind| *kind == "Issue").unwrap()
}

/// A fresh token, of a process that knew the server's time.
fn marked() -> World {
    let mut world = World::with_acme_due();
    world.learn_the_servers_time();
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 1);
    world.forget_journal();
    world
}

/// It was set between the answer to the issue and the write of the Secret.
/// Promise: rule.clocks-differ
#[test]
fn a_clock_that_is_set_while_a_token_is_verified_marks_it_right() {
    let mut world = World::with_acme_due();
    world.learn_the_servers_time();
    world.meanwhile("Verify", |world| world.set_clock(AHEAD));
    world.reconcile("acme").unwrap();
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
    world.forget_journal();
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.count("Issue"), 0, "{:?}", world.kinds());
}

/// Until Agent Engine answers it, a process takes all clocks for one.
#[test]
fn a_token_is_read_by_our_own_clock_while_no_other_is_known() {
    let mut world = marked();
    world.engine.ahead = AHEAD;
    world.restart();
    world.readable().server_time = None;
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.count("Issue"), 0, "{:?}", world.kinds());
}

/// Promise: rule.clocks-differ: A token that a process with another clock wrote is renewed in time and not before, where Agent Engine tells the time
#[test]
fn a_token_of_a_clock_ahead_is_renewed_in_time() {
    let minutes = |minutes| SignedDuration::from_mins(minutes);
    for ahead in [7, 180] {
        let mut world = World::with_acme_due();
        world.set_clock(minutes(ahead));
        world.restart();
        world.learn_the_servers_time();
        world.reconcile("acme").unwrap();
        assert_eq!(world.count("Issue"), 1, "{:?}", world.kinds());
        let mut issued = world.engine.clock(world.now);
        world.advance(420);
        world.set_clock(-minutes(ahead));
        world.restart();
        world.readable().server_time = None;
        world.learn_the_servers_time();
        for _ in 0..60 {
            let before = world.count("Issue");
            world.live("acme", Duration::from_secs(20));
            let now = world.engine.clock(world.now);
            if world.count("Issue") > before {
                issued = now;
            }
            let age = now.duration_since(issued).as_secs();
            assert!(age <= 900, "{age} s old");
        }
    }
}

/// Promise: rule.clocks-differ
#[test]
fn a_token_of_a_clock_behind_is_not_renewed_before_its_time() {
    let mut world = marked();
    world.restart();
    world.set_clock(AHEAD);
    world.readable().server_time = None;
    world.learn_the_servers_time();
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.count("Issue"), 0, "{:?}", world.kinds());
}

/// Nor by one whose own clock is set while it runs.
/// Promise: rule.clocks-differ
#[test]
fn a_clock_that_is_set_makes_no_token_due() {
    let mut world = marked();
    world.meanwhile("ReadSecret", |world| world.set_clock(AHEAD));
    world.live("acme", Duration::from_secs(60));
    for by in [AHEAD, -AHEAD, -AHEAD] {
        world.set_clock(by);
        world.live("acme", Duration::from_secs(60));
    }
    assert_eq!(world.count("Issue"), 0, "{:?}", world.kinds());
}

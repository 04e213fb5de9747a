//! A clock that jumps ahead, and two machines whose clocks differ: what may still take effect is waited for by the time that
//! has passed.

use std::time::Duration;

use crate::domain::ids::WorkspaceName;
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

const AHEAD: Duration = Duration::from_secs(3600);

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
    world.set_clock_ahead(AHEAD);
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
    world.meanwhile("Get", |world| world.set_clock_ahead(AHEAD));
    world.meanwhile("ReadSecret", |world| world.set_clock_ahead(AHEAD));
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
        world.set_clock_ahead(AHEAD);
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
        world.set_clock_ahead(AHEAD);
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

/// How many effects come before the issue.
fn world_until_issue(date: Told) -> usize {
    let mut world = with_a_creation_under_way(date);
    world.reconcile("acme").unwrap();
    world.kinds().iter().position(|kind| *kind == "Issue").unwrap()
}

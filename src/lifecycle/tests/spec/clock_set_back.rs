//! A node that boots ahead of time and is set right: nothing waits for the lost hours.

use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::ids::WorkspaceName;
use crate::domain::remote::FailureClass;
use crate::domain::time::elapsed;
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

const BACK: SignedDuration = SignedDuration::from_hours(-2);

fn set_back(world: &mut World) {
    world.set_clock(BACK);
}

/// Promise: rule.clock-set-back: A clock that is set back holds nothing up
#[test]
fn what_failed_ahead_of_time_is_tried_as_soon_as_ever() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Search", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme").unwrap();
    set_back(&mut world);
    world.live("acme", Duration::from_secs(30));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The rename ended unclear while the clock was ahead.
#[test]
fn an_unclear_rename_settles_as_soon_as_ever() {
    let mut world = World::with_acme();
    let now = world.now;
    for memory in world.memory.values_mut() {
        memory.lost_track(now, None);
    }
    world.secrets.clear();
    set_back(&mut world);
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// It is not older than what was known before the jump.
#[test]
fn a_list_from_after_the_jump_counts() {
    let mut world = World::with_acme();
    set_back(&mut world);
    world.reconcile("acme").unwrap();
    world.advance(10);
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    world.list();
    world.advance(1);
    world.live("acme", Duration::from_secs(10));
    assert_eq!(world.engine.names(), ["acme"], "drift is corrected");
}

/// The issue was sent while the clock was ahead.
#[test]
fn an_unanswered_issue_resolves_as_soon_as_ever() {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    let unresolved_at = |world: &World| world.memory.values().next()?.unresolved_until(world.now);
    assert!(unresolved_at(&world).is_some());
    set_back(&mut world);
    world.fault("Issue", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    world.reconcile("acme").unwrap();
    let resolved_at = unresolved_at(&world).unwrap();
    assert!(
        elapsed(world.now, resolved_at) <= Duration::from_secs(60),
        "{resolved_at}"
    );
}

/// The creation was begun while the clock was ahead, and no answer tells the server's time.
#[test]
fn a_creation_in_flight_is_begun_again_as_soon_as_ever() {
    let mut world = World::new();
    world.engine.date = Told::No;
    world.set_clock(-BACK);
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashBefore, 1);
    assert!(world.reconcile("acme").is_none());
    world.restart();
    set_back(&mut world);
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn a_secret_deleted_after_the_jump_is_restored_at_once() {
    let mut world = World::with_acme();
    set_back(&mut world);
    world.secrets.clear();
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
}

/// Nothing but the search before its issue tells that the creation made it, and the clock is set back between the two.
#[test]
fn what_was_asked_before_the_jump_was_asked_before_what_comes_after() {
    let mut world = World::new();
    world.engine.created_at = Told::No;
    world.apply("acme", spec("acme"));
    world.meanwhile("Issue", |world| world.set_clock(SignedDuration::from_mins(-1)));
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.names(), ["acme"]);
}

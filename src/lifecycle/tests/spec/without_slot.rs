//! An object that waits for a slot of the process says so, where what it says is not true, or of an earlier generation.

use std::time::Duration;

use crate::crd::conditions::{READY, TOKEN_READY};
use crate::domain::object::Deletion;
use crate::domain::time::{elapsed, later};
use crate::lifecycle::schedule::DOCUMENTED_LIFE;
use crate::lifecycle::tests::harness::world::{World, spec};
use crate::lifecycle::without_slot::{Stored, stored};

const MINUTE: Duration = Duration::from_secs(60);

/// Time passes without a reconcile; what is to be told is stored. How many writes that took.
fn waits(world: &mut World, total: Duration) -> usize {
    let (end, mut writes) = (later(world.now, total), 0);
    let began = world.now;
    world.now = later(world.now, MINUTE / 2);
    while world.now < end {
        let view = world.view("acme");
        world.now = match stored(&view, elapsed(began, view.now)) {
            Stored::Holds(Some(until)) => until.min(end),
            Stored::Holds(None) => end,
            Stored::Fails(word) => {
                writes += 1;
                world.objects.get_mut("acme").unwrap().status = word.status;
                later(world.now, MINUTE)
            }
        };
    }
    writes
}

/// It never had our finalizer, and others hold it.
#[test]
fn what_was_let_go_says_so_without_a_slot() {
    let mut world = World::new();
    world.held_by_others.insert("acme".to_owned());
    world.apply("acme", spec("acme"));
    world.edit("acme", |o| o.facts.deletion = Deletion::Requested);
    assert_eq!(waits(&mut world, MINUTE * 5), 1);
    assert_eq!(
        world.condition("acme", READY).unwrap(),
        ("False".into(), "Deleting".into())
    );
}

/// It has waited for the rate limiter before.
#[test]
fn a_new_object_says_so_within_a_minute_of_all_its_waiting() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.advance(50);
    let told = stored(&world.view("acme"), Duration::from_secs(5));
    assert!(matches!(told, Stored::Fails(_)), "{told:?}");
}

/// A list shows another name, and the GET that is to tell waits for a slot.
#[test]
fn what_differs_and_gets_no_slot_does_not_stay_ready() {
    let mut world = World::with_acme();
    world.advance(60);
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = "moved".into();
    world.list();
    assert_eq!(waits(&mut world, MINUTE * 5), 1);
    assert_eq!(
        world.condition("acme", READY).unwrap(),
        ("False".into(), "Queued".into())
    );
}

/// Promise: rule.says-within-a-minute
#[test]
fn a_new_object_that_gets_no_slot_says_so() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    assert_eq!(waits(&mut world, DOCUMENTED_LIFE), 1);
    assert_eq!(world.ready("acme"), "Queued");
    assert_eq!(world.status("acme").observed_generation, Some(1));
}

/// Promise: rule.true-while-waiting
#[test]
fn a_token_that_ends_meanwhile_ends_what_is_true() {
    let mut world = World::with_acme();
    let before = world.status("acme").clone();
    assert_eq!(waits(&mut world, DOCUMENTED_LIFE / 2), 0);
    let began = world.now;
    assert_eq!(waits(&mut world, DOCUMENTED_LIFE), 1);
    assert!(elapsed(began, world.now) <= DOCUMENTED_LIFE);
    for kind in [READY, TOKEN_READY] {
        let (status, reason) = world.condition("acme", kind).unwrap();
        assert_eq!((&*status, &*reason), ("False", "Queued"), "{kind}");
    }
    let after = world.status("acme");
    assert_eq!(after.workspace_id, before.workspace_id, "the record stays");
    assert_eq!(after.uid, before.uid);
}

#[test]
fn a_deletion_that_gets_no_slot_does_not_stay_ready() {
    let mut world = World::with_acme();
    world.delete("acme");
    assert_eq!(waits(&mut world, 5 * MINUTE), 1);
    assert_eq!(world.ready("acme"), "Queued");
}

#[test]
fn a_change_that_gets_no_slot_is_seen_once() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = "zenith".into());
    assert_eq!(waits(&mut world, 5 * MINUTE), 1);
    assert_eq!(world.ready("acme"), "Queued");
    let (status, _) = world.condition("acme", TOKEN_READY).unwrap();
    assert_eq!(status, "True", "its token lives");
}

/// Nor is one whose reason was true a moment ago.
#[test]
fn an_object_whose_status_holds_is_not_written() {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.spec.token_secret.get_or_insert_default().enabled = Some(false);
    });
    world.reconcile("acme");
    let said = world.status("acme").clone();
    assert_eq!(waits(&mut world, 2 * DOCUMENTED_LIFE), 0);
    assert_eq!(*world.status("acme"), said);
}

/// Whatever generation it tells of.
#[test]
fn what_is_to_go_does_not_stay_ready() {
    let mut view = World::with_acme().view("acme");
    assert!(matches!(stored(&view, MINUTE), Stored::Holds(_)));
    view.object.deletion = Deletion::Requested;
    assert!(matches!(stored(&view, MINUTE), Stored::Fails(_)));
}

//! The finalizer: put before anything is done, taken off when no Workspace names the Organization any more.

use std::time::Duration;

use crate::domain::object::{Deletion, Finalizer};
use crate::domain::time::later;
use crate::organization::judge::readiness;
use crate::organization::progress::Incarnation;
use crate::organization::rules::hold;
use crate::organization::step::Step;
use crate::organization::tests::harness::given::INTERVAL;
use crate::organization::tests::harness::world::World;

#[test]
fn an_organization_is_held_before_anything_is_done_with_it() {
    let mut world = World::new();
    world.object.finalizer = Finalizer::Absent;
    world.reconcile();
    assert_eq!(
        world.done(),
        ["AddFinalizer"],
        "its own event begins the next reconcile"
    );
    world.reconcile();
    assert_eq!(world.reason(), "Verified");
}

#[test]
fn a_finalizer_that_cannot_be_written_stops_nothing() {
    let mut world = World::new();
    world.object.finalizer = Finalizer::Absent;
    world.writes_fail = true;
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange", "List"]);
}

#[test]
fn one_that_is_used_stays_and_serves_while_it_is_deleted() {
    let mut world = World::with_workspaces(2);
    world.object.deletion = Deletion::Requested;
    world.reconcile();
    assert_eq!(world.reason(), "InUse");
    assert_eq!(world.object.finalizer, Finalizer::Present);
    world.done();
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.calls(), ["List"]);
}

#[test]
fn those_who_go_one_after_another_cost_no_write_each() {
    let mut world = World::with_workspaces(500);
    world.object.deletion = Deletion::Requested;
    for users in (0..=500).rev() {
        world.users = users;
        world.reconcile();
    }
    let mut writes = world.done();
    writes.retain(|effect| matches!(*effect, "WriteStatus" | "RemoveFinalizer"));
    assert_eq!(writes, ["WriteStatus", "RemoveFinalizer"]);
}

#[test]
fn one_that_no_workspace_names_any_more_goes_without_a_call() {
    let mut world = World::with_workspaces(2);
    world.object.deletion = Deletion::Requested;
    world.reconcile();
    world.users = 0;
    world.done();
    world.reconcile();
    assert_eq!(world.done(), ["RemoveFinalizer"]);
    assert_eq!(world.object.finalizer, Finalizer::Absent);
    // Another's finalizer holds it: there is nothing left for us to do.
    world.reconcile();
    assert_eq!(world.done(), Vec::<&str>::new());
}

#[test]
fn a_release_that_fails_is_tried_again() {
    let mut world = World::verified();
    world.object.deletion = Deletion::Requested;
    world.writes_fail = true;
    let next = world.reconcile();
    assert_eq!(next, later(world.now, Duration::from_secs(30)));
    world.writes_fail = false;
    world.now = next;
    world.reconcile();
    assert_eq!(world.object.finalizer, Finalizer::Absent);
}

#[test]
fn one_that_is_being_deleted_is_not_held_again() {
    let mut world = World::with_workspaces(1);
    world.object.deletion = Deletion::Requested;
    world.object.finalizer = Finalizer::Absent;
    world.reconcile();
    assert!(!world.done().contains(&"AddFinalizer"));
}

/// And only then does its message say so.
#[test]
fn an_organization_is_in_use_while_it_is_deleted_and_named() {
    for (deletion, users, in_use) in [
        (Deletion::Requested, 1, true),
        (Deletion::Requested, 0, false),
        (Deletion::NotRequested, 1, false),
    ] {
        let mut view = World::new().view();
        (view.object.deletion, view.users) = (deletion, users);
        assert_eq!(readiness::is_in_use(&view), in_use, "{deletion:?} {users}");
    }
    let world = World::verified();
    assert!(!world.message().contains("being deleted"), "{}", world.message());
}

/// The other object of that name has a reconcile of its own.
#[test]
fn an_organization_that_was_replaced_is_left_at_once() {
    let mut view = World::verified().view();
    assert_eq!(hold::leave_what_was_replaced(&view), None);
    view.progress.object = Incarnation::Replaced;
    assert!(matches!(
        hold::leave_what_was_replaced(&view),
        Some(Step::Leave(..))
    ));
}

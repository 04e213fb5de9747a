//! When an object is reconciled again, and why.

use std::time::Duration;

use crate::crd::workspace::TokenSecret;
use crate::domain::remote::FailureClass;
use crate::domain::testing::answered;
use crate::domain::time::{earlier, elapsed, later};
use crate::lifecycle::Aspect;
use crate::lifecycle::reconcile::Settled;
use crate::lifecycle::tests::harness::world::{Fault, World};
use crate::lifecycle::wakeups::{Why, after_leaving, after_waiting};

/// Reconciled whenever it names, until Agent Engine has refused twelve renames. Its token is not wanted.
fn after_twelve_failures(class: FailureClass, status: u16, unwritten: bool) -> (World, Settled) {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.spec.name = "zenith".into();
        o.spec.token_secret = Some(TokenSecret {
            enabled: Some(false),
            ..TokenSecret::default()
        });
    });
    world.fault("Update", Fault::Answers(class, status), usize::MAX);
    if unwritten {
        world.fault("WriteStatus", Fault::Refused, usize::MAX);
    }
    loop {
        let settled = world.reconcile("acme").unwrap();
        if world.count("Update") == 12 {
            return (world, settled);
        }
        world.now = settled.requeue.at;
    }
}

/// Storing it takes no call, so it neither waits for the rest of what failed nor lengthens it.
#[test]
fn a_status_that_could_not_be_stored_is_tried_again() {
    let (world, settled) = after_twelve_failures(FailureClass::Rejected, 422, true);
    let rest = elapsed(world.now, settled.requeue.at).as_secs();
    assert_eq!(
        (rest, settled.requeue.why),
        (60, Why::StatusUnwritten),
        "the stored one says True of what is not"
    );
}

/// A refusal does not heal by itself.
#[test]
fn the_server_may_be_well_before_the_rest_is_over() {
    for (class, status, settles, leaves) in [
        (
            FailureClass::Transient,
            503,
            Why::WaitsForOthers,
            Why::WaitsForOthers,
        ),
        (FailureClass::Rejected, 422, Why::Poll, Why::RetrySync),
    ] {
        let (world, settled) = after_twelve_failures(class, status, false);
        assert_eq!(settled.requeue.why, settles, "{class:?}");
        assert_eq!(after_leaving(&world.view("acme")).why, leaves, "{class:?}");
    }
}

/// The answers to others show that. A refusal was for what was asked.
#[test]
fn what_the_server_failed_is_tried_again_once_it_is_well() {
    for (class, status, tried_again) in [
        (FailureClass::Transient, 503, 1),
        (FailureClass::Rejected, 422, 0),
    ] {
        let (mut world, _) = after_twelve_failures(class, status, false);
        world.heal();
        world
            .limiter
            .answered(world.uptime(), &answered(Duration::ZERO, None));
        world.forget_journal();
        world.advance(15 * 60);
        world.reconcile("acme").unwrap();
        assert_eq!(world.count("Update"), tried_again, "{class:?}");
    }
}

/// Then nothing holds the object up, and an event is what it waits for.
#[test]
fn a_rest_that_is_over_names_no_instant() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = "zenith".into());
    world.fault("Update", Fault::Answers(FailureClass::Rejected, 422), 1);
    world.reconcile("acme").unwrap();
    let mut view = world.view("acme");
    let rest = view.not_before(Aspect::Sync);
    view.now = earlier(rest.unwrap(), Duration::from_nanos(1));
    assert_eq!(after_leaving(&view).why, Why::RetrySync);
    view.now = rest.unwrap();
    assert_eq!(after_leaving(&view).why, Why::WaitsForOthers);
}

#[test]
fn a_wait_that_is_said_names_no_instant() {
    let view = World::with_acme().view("acme");
    let soon = later(view.now, Duration::from_secs(1));
    assert_eq!(after_waiting(&view, Some(soon)).why, Why::WaitIsSaid);
    assert_ne!(after_waiting(&view, Some(view.now)).why, Why::WaitIsSaid);
}

/// The next list may show that no other workspace has the name any more.
#[test]
fn a_name_that_two_workspaces_have_is_looked_after() {
    let mut world = World::with_acme_due();
    world.meanwhile("Issue", |world| {
        let id = world.id("acme").unwrap();
        world.engine.row(&id).unwrap().name = "moved".into();
        world
            .engine
            .make(earlier(world.now, Duration::from_secs(500)), "acme");
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "IdentityMismatch");
    world.fail("acme", Aspect::Token, 20);
    let settled = world.reconcile("acme").unwrap();
    let rest = elapsed(world.now, settled.requeue.at);
    assert!(rest <= Duration::from_secs(300), "{:?}", settled.requeue);
}

/// Nothing failed, and the grant wakes it.
#[test]
fn what_is_not_granted_waits_for_others() {
    let mut world = World::with_acme();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme]}]");
    world.edit("acme", |o| o.spec.name = "zenith".into());
    assert_eq!(world.reconcile("acme").unwrap().requeue.why, Why::WaitsForOthers);
}

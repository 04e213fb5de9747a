//! A question tells of the instant at which it was asked, not of the one at which it was answered.

use std::time::Duration;

use crate::lifecycle::tests::harness::world::{Fault, World, spec};

/// The intent is stored at second 0, and its issue is carried out at second 29 and listed at second 54.
fn carried_out_late() -> World {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.engine.list_lag = Duration::from_secs(25);
    world.fault("Issue", Fault::CarriedOutAfter(29), 1);
    world.reconcile("acme").unwrap();
    world
}

/// Promise: rule.asked: What counts as "after" an instant is what was asked after it, however late it is answered
/// Asked before the creation was resolved, and answered after.
#[test]
fn a_search_asked_too_early_does_not_release() {
    let mut world = carried_out_late();
    world.delete("acme");
    world.now = crate::lifecycle::tests::harness::world::at(53);
    world.land();
    world.slow("Search", 0, 45);
    world.live("acme", Duration::from_secs(300));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), [""; 0], "no orphan");
}

/// Promise: rule.asked
#[test]
fn a_search_asked_too_early_voids_no_creation() {
    let mut world = carried_out_late();
    world.now = crate::lifecycle::tests::harness::world::at(53);
    world.land();
    world.slow("Search", 0, 45);
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.ready("acme"), "AsDeclared", "{:?}", world.kinds());
    assert_eq!(world.engine.names(), ["acme"]);
}

/// The name moved just before the issue, and the search for the orphan is slow.
#[test]
fn a_search_asked_too_early_does_not_end_the_doubt() {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::CarriedOutAfter(29), 1);
    world.reconcile("acme").unwrap();
    let sent = world.now;
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = "moved".into();
    world.engine.list_lag = Duration::from_secs(25);
    world.delete("acme");
    world.now = sent + Duration::from_secs(53);
    world.land();
    world.slow("Search", 0, 45);
    world.live("acme", Duration::from_secs(600));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), [""; 0], "no orphan");
}

/// The permit for it came too late: the window of the intent could not tell what it makes.
#[test]
fn an_issue_that_waited_too_long_is_not_sent() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    let mut reconcile = crate::lifecycle::Reconcile::new(world.view("acme"));
    let mut version = world.objects["acme"].version;
    let mut outcome = None;
    loop {
        match reconcile.next(world.now, &mut world.claims, &mut world.limiter, outcome.take()) {
            crate::lifecycle::Next::Perform { effect, .. } => {
                assert_ne!(effect.kind(), "Issue");
                let started = world.now;
                outcome = Some(world.carry_out("acme", &mut version, &effect, started));
                if world.status("acme").creation.is_some() {
                    world.limiter.observe(
                        world.uptime(),
                        crate::limits::Pressure::Throttled(Duration::from_millis(900)),
                    );
                }
            }
            // The loop around it was held up.
            crate::lifecycle::Next::Wait(_) => world.advance(7),
            crate::lifecycle::Next::Settled(_) => break,
        }
    }
    assert_eq!(world.status("acme").creation, None);
}

/// A rename without an answer takes effect late. A list of before it settled shows the old name.
#[test]
fn no_token_is_issued_by_a_list_from_before_a_rename_settled() {
    let mut world = World::with_acme();
    world.secrets.clear();
    world.edit("acme", |o| o.spec.name = "zenith".into());
    world.fault(
        "Update",
        Fault::Answers(crate::domain::remote::FailureClass::Unknown, 504),
        1,
    );
    world.reconcile("acme").unwrap();
    world.forget_journal();
    world.advance(20);
    world.list();
    world.advance(5);
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = "zenith".into();
    world.advance(21);
    world.edit("acme", |o| o.spec.suspend = Some(true));
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["zenith"], "{:?}", world.kinds());
    assert!(!world.kinds().contains(&"Delete"), "{:?}", world.kinds());
}

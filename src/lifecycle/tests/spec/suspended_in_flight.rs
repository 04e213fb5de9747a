//! Suspended while a creation is in flight: what was begun is finished, as far as it goes without issuing.

use std::time::Duration;

use crate::domain::ids::WorkspaceId;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

const HOUR: Duration = Duration::from_secs(3600);

fn suspend(world: &mut World) {
    world.edit("acme", |o| o.spec.suspend = Some(true));
}

/// Its process died at that effect; then it was suspended.
fn cut_off(kind: &'static str, fault: Fault) -> World {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault(kind, fault, 1);
    assert!(world.reconcile("acme").is_none());
    suspend(&mut world);
    world.forget_journal();
    world
}

/// Promise: rule.suspended
#[test]
fn what_was_created_is_recorded_and_its_token_goes_on() {
    for (kind, fault) in [
        ("Issue", Fault::CrashAfter),
        ("WriteSecret", Fault::CrashBefore),
        ("WriteSecret", Fault::CrashAfter),
    ] {
        let mut world = cut_off(kind, fault);
        world.live("acme", HOUR);
        assert_eq!(
            world.id("acme"),
            Some(WorkspaceId::from("ws-1")),
            "{kind} {fault:?}"
        );
        assert_eq!(world.engine.names(), ["acme"]);
        assert_eq!(world.token_opens("acme-token"), world.id("acme"));
        assert_eq!(world.ready("acme"), "Suspended");
    }
}

/// Its token is in the Secret already.
#[test]
fn a_creation_suspended_mid_reconcile_is_still_recorded() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.meanwhile("WriteSecret", suspend);
    world.reconcile("acme").unwrap();
    assert_eq!(world.id("acme"), Some(WorkspaceId::from("ws-1")));
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
}

/// The searches end once the creation has certainly made nothing.
#[test]
fn a_suspended_creation_is_searched_for_and_then_rests() {
    let mut world = cut_off("Issue", Fault::CrashBefore);
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "Suspended");
    assert_eq!(world.status("acme").creation, None);
    world.forget_journal();
    world.live("acme", HOUR);
    assert_eq!((world.calls(), world.writes()), (0, 0));
    assert!(world.engine.rows.is_empty());

    world.edit("acme", |o| o.spec.suspend = None);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Promise: rule.suspended
#[test]
fn a_secret_whose_workspace_is_not_found_again_goes() {
    let mut world = cut_off("WriteSecret", Fault::CrashAfter);
    world.engine.rows.clear();
    assert_eq!(world.secrets.len(), 1);
    world.live("acme", Duration::from_secs(120));
    assert!(world.secrets.is_empty());
    assert_eq!(world.ready("acme"), "Suspended");
}

#[test]
fn with_nothing_in_flight_an_uncontrolled_secret_is_left() {
    let mut orphan = World::with_acme().secrets.remove("acme-token").unwrap();
    orphan.controller = None;
    let mut world = World::new();
    world.secrets.insert("acme-token".to_owned(), orphan);
    world.apply("acme", spec("acme"));
    suspend(&mut world);
    world.live("acme", HOUR);
    assert_eq!(world.secrets.len(), 1);
}

//! What is said of the token while something else is wrong, and while its renewal waits.

use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::remote::FailureClass;
use crate::domain::verification::Verification;
use crate::lifecycle::tests::harness::world::{Fault, World};

/// Nothing may be asked of the organization any more.
fn swapped(mut world: World) -> World {
    world.readable().verification = Verification::Verified(OrganizationId::from("org-2"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "OrganizationMismatch");
    world
}

#[test]
fn a_waiting_renewal_is_quiet_while_the_token_is_good() {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get", "Issue"], "and nothing is written");
    assert_eq!(world.token_ready("acme"), "TokenVerified");
    assert_eq!(world.ready("acme"), "AsDeclared");
    world.advance(7 * 60);
    world.fault("Issue", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.token_ready("acme"),
        "ApiUnavailable",
        "now it is about to end"
    );
    assert_eq!(world.ready("acme"), "ApiUnavailable");
}

#[test]
fn a_blocked_object_leaves_a_good_token_ready() {
    let world = swapped(World::with_acme());
    assert_eq!(world.token_ready("acme"), "TokenVerified");
    let mut none = World::with_acme();
    none.secrets.clear();
    assert_eq!(swapped(none).token_ready("acme"), "OrganizationMismatch");
}

#[test]
fn a_token_in_a_foreign_secret_is_none_that_we_hold() {
    let mut world = World::with_acme();
    let secret = world.secrets.get_mut("acme-token").unwrap();
    secret.controller = Some(Uid::from("uid-of-another"));
    assert_eq!(swapped(world).token_ready("acme"), "OrganizationMismatch");
    let mut orphaned = World::with_acme();
    orphaned.secrets.get_mut("acme-token").unwrap().controller = None;
    assert_eq!(swapped(orphaned).token_ready("acme"), "OrganizationMismatch");
}

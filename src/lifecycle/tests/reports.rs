//! What is said of the token while something else is wrong, and while its renewal waits.

use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::remote::FailureClass;
use crate::domain::verification::Verification;
use crate::lifecycle::tests::world::{Fault, World};

/// Nothing may be asked of the organization any more.
fn swapped(mut world: World) -> World {
    world.readable().verification = Verification::Verified(OrganizationId::from("org-2"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "OrganizationMismatch");
    world
}

#[test]
fn a_renewal_that_has_to_wait_while_the_token_is_good_is_nobody_s_concern() {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get", "Issue"], "and nothing is written");
    assert_eq!(world.token_ready("acme"), "TokenVerified");
    assert_eq!(world.ready("acme"), "AsDeclared");
    world.reconcile_time(7 * 60);
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
fn what_stops_the_whole_object_says_nothing_against_a_token_that_is_there_and_good() {
    let world = swapped(World::with_acme());
    assert_eq!(world.token_ready("acme"), "TokenVerified");
    let mut none = World::with_acme();
    none.secrets.clear();
    assert_eq!(swapped(none).token_ready("acme"), "OrganizationMismatch");
}

#[test]
fn a_token_in_a_secret_of_somebody_else_is_none_that_we_hold() {
    let mut world = World::with_acme();
    let secret = world.secrets.get_mut("acme-token").unwrap();
    secret.controller = Some(Uid::from("uid-of-another"));
    assert_eq!(swapped(world).token_ready("acme"), "OrganizationMismatch");
    let mut orphaned = World::with_acme();
    orphaned.secrets.get_mut("acme-token").unwrap().controller = None;
    assert_eq!(swapped(orphaned).token_ready("acme"), "OrganizationMismatch");
}

//! A token that is due while something holds up the whole object: nothing is renewed, so nothing is done for it either.

use std::time::Duration;

use crate::domain::ids::OrganizationId;
use crate::domain::reason::Reason;
use crate::domain::time::later;
use crate::domain::verification::Verification;
use crate::lifecycle::tests::harness::world::{World, spec};

const UNTIL_URGENT: Duration = Duration::from_secs(79);

/// A Workspace whose token is due long before it is urgent.
fn due_early() -> World {
    let mut world = World::new();
    for _ in 0..1000 {
        world.versions += 1;
        world.apply("acme", spec("acme"));
        world.reconcile("acme").unwrap();
        let times = world.secrets["acme-token"].facts.times.unwrap();
        let renewed = times.renew_at(&world.objects["acme"].facts.uid);
        if renewed < later(times.issued_at, Duration::from_secs(700)) {
            world.now = renewed;
            world.forget_journal();
            return world;
        }
        world.remove("acme");
        world.engine.rows.clear();
    }
    panic!("no token of a thousand is due early");
}

type HoldUp = fn(&mut World);

const OF_ANOTHER_ORGANIZATION: HoldUp = |world| {
    world.engine.rows[0].workspace.organization_id = Some(OrganizationId::from("org-2"));
};

/// Its list never comes, for [`World::live_unlisted`] takes none.
const GONE: HoldUp = |world| world.engine.rows.clear();

const NOT_ASKED_FOR: [(&str, HoldUp); 3] = [
    ("another organization", |world| {
        world.readable().verification = Verification::Verified(OrganizationId::from("org-2"));
    }),
    ("claimed", |world| {
        let id = world.id("acme").unwrap();
        world.claimed_elsewhere(id.as_str());
    }),
    ("pending", |world| {
        world.edit("acme", |o| o.facts.generation += 1);
        world.readable().verification = Verification::Pending {
            why: "no Secret".to_owned(),
        };
    }),
];

/// What is not as recorded is read now and then and the reads are charged.
#[test]
fn reads_of_a_differing_workspace_are_charged() {
    for (reason, hold_up) in [
        ("IdentityMismatch", OF_ANOTHER_ORGANIZATION),
        ("NotFoundUnconfirmed", GONE),
    ] {
        let mut world = due_early();
        hold_up(&mut world);
        let reconciles = world.live_unlisted("acme", UNTIL_URGENT);
        assert_eq!(world.ready("acme"), reason);
        assert!(world.count("Get") <= 5, "{reason}: {} reads", world.count("Get"));
        assert!(reconciles <= 10, "{reason}: {reconciles} reconciles");
    }
}

/// It costs twenty calls in its first hour and six in any later one.
#[test]
fn it_costs_twenty_calls_in_an_hour_and_six_in_later_ones() {
    for (reason, hold_up) in [
        ("IdentityMismatch", OF_ANOTHER_ORGANIZATION),
        ("NotFoundUnconfirmed", GONE),
    ] {
        let mut world = due_early();
        hold_up(&mut world);
        for hour in 0..4 {
            world.forget_journal();
            world.live_unlisted("acme", Duration::from_secs(3600));
            let most = if hour == 0 { 20 } else { 6 };
            assert!(
                world.calls() <= most,
                "{reason}, hour {hour}: {} calls",
                world.calls()
            );
        }
    }
}

#[test]
fn what_is_held_up_without_a_call_is_looked_at_seldom() {
    for (what, hold_up) in NOT_ASKED_FOR {
        let mut world = due_early();
        hold_up(&mut world);
        let reconciles = world.live_unlisted("acme", UNTIL_URGENT);
        assert!(reconciles <= 4, "{what}: {reconciles} reconciles");
        assert_eq!(world.calls(), 0, "{what}");
        assert_eq!(world.token_ready("acme"), "TokenVerified", "{what}");
    }
}

#[test]
fn that_the_token_in_use_is_about_to_end_is_said_in_time() {
    for (what, hold_up) in NOT_ASKED_FOR {
        let mut world = due_early();
        hold_up(&mut world);
        world.live_unlisted("acme", Duration::from_secs(110));
        assert_ne!(world.token_ready("acme"), "TokenVerified", "{what}");
    }
}

#[test]
fn it_is_renewed_when_what_held_it_up_is_over() {
    let mut world = due_early();
    OF_ANOTHER_ORGANIZATION(&mut world);
    world.live_unlisted("acme", UNTIL_URGENT);
    world.engine.rows[0].workspace.organization_id = None;
    world.live_unlisted("acme", Duration::from_secs(300));
    assert_eq!(world.count("Issue"), 1);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// However long there was none.
#[test]
fn a_404_is_confirmed_as_soon_as_a_list_comes() {
    let mut world = due_early();
    GONE(&mut world);
    world.live_unlisted("acme", Duration::from_secs(2 * 3600));
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    world.list();
    world.advance(1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
}

#[test]
fn while_it_rests_nothing_else_is_said_of_it() {
    let mut world = due_early();
    OF_ANOTHER_ORGANIZATION(&mut world);
    world.live_unlisted("acme", UNTIL_URGENT);
    let told = world
        .events
        .iter()
        .filter(|told| **told == Reason::IdentityMismatch);
    assert_eq!(told.count(), 1, "{:?}", world.events);
}

//! Two operators that watch the same objects: the one that holds an object has it, and the other one takes over what nobody
//! holds.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::crd::holder::{Hold, Holder};
use crate::crd::workspace::MissingWorkspace;
use crate::domain::ids::{OrganizationId, WorkspaceName};
use crate::domain::operators::Operators;
use crate::domain::verification::Verification;
use crate::lifecycle::facts::OrganizationFacts;
use crate::lifecycle::reconcile::SharedList;
use crate::lifecycle::tests::harness::world::{Fault, OPERATOR, World, at, spec};
use crate::lifecycle::without_slot::{Stored, stored};

const SECOND: &str = "elsewhere/operator";
const HOUR: Duration = Duration::from_secs(3600);

/// What the second operator does, which knows nothing but what is stored.
fn as_second<T>(world: &mut World, how: impl FnOnce(&mut World) -> T) -> T {
    let second = Operators {
        ours: SECOND.into(),
        gone: world.operators.gone.clone(),
    };
    let operators = std::mem::replace(&mut world.operators, second);
    let memory = std::mem::take(&mut world.memory);
    let claims = std::mem::take(&mut world.claims);
    let organization = world.organization.clone();
    let done = how(world);
    world.operators = operators;
    world.memory = memory;
    world.claims = claims;
    world.organization = organization;
    done
}

fn has_no_organization(world: &mut World) {
    world.organization = OrganizationFacts::NotFound {
        name: "default".to_owned(),
        searched: "elsewhere".to_owned(),
    };
}

/// The first operator was found to be gone: by the second one, that is.
fn first_is_gone(world: &mut World) {
    world.operators.gone = Arc::new([OPERATOR.into()].into());
}

fn holder(world: &World) -> Option<(String, Hold)> {
    let holder = world.status("acme").operator.clone();
    holder.map(|Holder { lease, hold }| (lease.to_string(), hold))
}

fn held_by(operator: &str, hold: Hold) -> Option<(String, Hold)> {
    Some((operator.to_owned(), hold))
}

/// The other operator lives an hour with it, and does nothing.
fn second_leaves_it(mut world: World, why: &str) {
    world.forget_journal();
    let before = world.status("acme").clone();
    as_second(&mut world, |world| world.live("acme", HOUR));
    assert_eq!(world.kinds(), Vec::<&str>::new(), "{why}");
    assert!(world.events.is_empty(), "{why}: {:?}", world.events);
    assert_eq!(*world.status("acme"), before, "{why}");
}

/// Promise: rule.one-operator: What one operator holds, another one leaves alone while the first one's Lease is held
#[test]
fn what_another_operator_holds_is_left_alone() {
    let held = World::with_acme;
    second_leaves_it(held(), "as declared");
    second_leaves_it(World::with_acme_due(), "a token that is due");
    second_leaves_it(World::with_acme_gone(), "a workspace that is missing");
    let mut world = held();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    second_leaves_it(world, "a rename");
    let mut world = held();
    world.delete("acme");
    second_leaves_it(world, "a deletion");
    let mut world = held();
    world.grant("[]");
    second_leaves_it(world, "no grant");
    let mut world = held();
    world.secrets.clear();
    second_leaves_it(world, "no Secret");
    let mut world = held();
    world.edit("acme", |o| o.facts.reconcile_at = Some("now".to_owned()));
    second_leaves_it(world, "a request");
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashBefore, 1);
    world.reconcile("acme");
    assert!(world.status("acme").creation.is_some());
    second_leaves_it(world, "a creation in flight");
}

/// Promise: rule.one-operator
#[test]
fn nor_does_an_operator_without_its_organization_speak_of_it() {
    let mut world = World::with_acme();
    let before = world.status("acme").clone();
    as_second(&mut world, |world| {
        has_no_organization(world);
        world.live("acme", HOUR);
    });
    assert_eq!(world.kinds(), Vec::<&str>::new());
    assert_eq!(*world.status("acme"), before);
}

/// A list would be a call to Agent Engine.
#[test]
fn nor_does_it_want_a_list_for_what_is_missing() {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.status.missing = Some(MissingWorkspace {
            since: Time(at(0)),
            confirmed: false,
        });
    });
    let left = as_second(&mut world, |world| world.reconcile("acme")).unwrap();
    assert_eq!(left.list, SharedList::Enough);
}

/// Whoever was without the Organization holds the object firmly before it does anything with it.
#[test]
fn a_provisional_hold_is_made_firm_first() {
    let mut world = World::with_acme_due();
    world.edit("acme", |o| {
        o.status.operator = Some(Holder {
            lease: OPERATOR.into(),
            hold: Hold::Provisional,
        });
    });
    world.reconcile("acme");
    assert_eq!(world.kinds()[..2], ["WriteStatus", "Get"], "{:?}", world.kinds());
    assert_eq!(holder(&world), held_by(OPERATOR, Hold::Firm));
}

#[test]
fn an_object_without_a_slot_is_left_to_its_holder_too() {
    let mut world = World::with_acme();
    world.edit("acme", |_| {});
    world.advance(3600);
    let view = world.view("acme");
    assert!(matches!(stored(&view, HOUR), Stored::Fails(word) if word.status.operator.is_some()));
    as_second(&mut world, |world| {
        assert_eq!(stored(&world.view("acme"), HOUR), Stored::Holds(None));
    });
}

/// Promise: rule.take-over: What nobody holds any more is taken over by one write of its status, before anything else is done for it
#[test]
fn taking_over_costs_one_write_and_no_call() {
    let mut world = World::with_acme();
    world.advance(120);
    first_is_gone(&mut world);
    as_second(&mut world, |world| world.live("acme", Duration::from_secs(60)));
    assert_eq!(world.kinds(), ["WriteStatus"]);
    assert!(world.events.is_empty(), "{:?}", world.events);
    assert_eq!(holder(&world), held_by(SECOND, Hold::Firm));
    // The first one, which was only cut off, finds it held.
    world.operators.gone = Arc::default();
    world.forget_journal();
    world.live("acme", HOUR);
    assert_eq!(world.kinds(), Vec::<&str>::new());
}

/// Promise: rule.take-over
#[test]
fn nothing_is_done_before_the_status_names_the_new_holder() {
    let due = World::with_acme_due;
    let renamed = || {
        let mut world = World::with_acme();
        world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
        world.advance(120);
        world
    };
    let deleted = || {
        let mut world = World::with_acme();
        world.delete("acme");
        world
    };
    for (begin, does) in [
        (due as fn() -> World, "Issue"),
        (renamed, "Update"),
        (deleted, "Delete"),
    ] {
        let mut world = begin();
        first_is_gone(&mut world);
        as_second(&mut world, |world| world.live("acme", Duration::from_secs(600)));
        let kinds = world.kinds();
        let first = kinds.iter().find(|kind| !kind.starts_with("Read"));
        assert_eq!(first, Some(&"WriteStatus"), "{kinds:?}");
        assert_eq!(world.count(does), 1, "{kinds:?}");
    }
}

/// What the first one sent last may still take effect.
#[test]
fn writes_of_the_operator_before_are_waited_out() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.process_began = at(-100_000);
    first_is_gone(&mut world);
    let taken = world.now;
    as_second(&mut world, |world| world.live("acme", Duration::from_secs(600)));
    let (renamed, _) = *world.journal.iter().find(|(_, kind)| *kind == "Update").unwrap();
    let waited = renamed.duration_since(taken);
    assert!(waited.as_secs() >= 30, "renamed after {waited:#}");
}

/// Promise: rule.take-over
#[test]
fn a_creation_in_flight_is_finished_without_a_twin() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::CarriedOutAfter(20)] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.fault("Issue", fault, 1);
        world.reconcile("acme");
        world.advance(120);
        first_is_gone(&mut world);
        as_second(&mut world, |world| world.live("acme", HOUR));
        assert_eq!(world.ready("acme"), "AsDeclared", "{fault:?}");
        assert_eq!(world.engine.names(), ["acme"], "{fault:?}");
        assert_eq!(world.token_opens("acme-token"), world.id("acme"), "{fault:?}");
        assert_eq!(holder(&world), held_by(SECOND, Hold::Firm));
    }
}

/// The second one reconciles the same new object after each of the first one's effects. Whoever names itself in the intent has it.
/// Promise: rule.one-operator
#[test]
fn of_two_that_create_at_once_one_does() {
    for kind in [
        "AddFinalizer",
        "Search",
        "WriteStatus",
        "Issue",
        "Verify",
        "Get",
        "WriteSecret",
    ] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.meanwhile(kind, |world| {
            as_second(world, |world| world.reconcile("acme"));
        });
        world.reconcile("acme");
        world.live("acme", Duration::from_secs(60));
        as_second(&mut world, |world| world.live("acme", Duration::from_secs(60)));
        assert_eq!(world.ready("acme"), "AsDeclared", "{kind}");
        assert_eq!(world.engine.names(), ["acme"], "{kind}");
        assert_eq!(world.count("Issue"), 1, "{kind}: {:?}", world.kinds());
        assert_eq!(world.count("WriteSecret"), 1, "{kind}: {:?}", world.kinds());
    }
}

/// Promise: rule.provisional-hold: An operator without an object's Organization gives the object to one that has it, and of several without it one speaks
#[test]
fn who_has_the_organization_takes_a_new_object_from_who_has_not() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    let second = |world: &mut World| {
        as_second(world, |world| {
            has_no_organization(world);
            world.live("acme", Duration::from_secs(60));
        });
    };
    second(&mut world);
    assert_eq!(world.ready("acme"), "OrganizationNotFound");
    assert_eq!(holder(&world), held_by(SECOND, Hold::Provisional));
    // One without it, too, says nothing more.
    world.forget_journal();
    let has = world.organization.clone();
    has_no_organization(&mut world);
    world.live("acme", HOUR);
    assert_eq!(world.kinds(), Vec::<&str>::new());
    world.organization = has;
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(holder(&world), held_by(OPERATOR, Hold::Firm));
    world.forget_journal();
    second(&mut world);
    assert_eq!(world.kinds(), Vec::<&str>::new());
}

/// Its own Organization of that name stands for another organization of Agent Engine.
/// Promise: rule.provisional-hold
#[test]
fn who_took_what_it_cannot_serve_gives_it_back() {
    let mut world = World::with_acme();
    first_is_gone(&mut world);
    as_second(&mut world, |world| {
        world.readable().verification = Verification::Verified(OrganizationId::from("org-2"));
        world.live("acme", Duration::from_secs(60));
    });
    assert_eq!(world.ready("acme"), "OrganizationMismatch");
    assert_eq!(holder(&world), held_by(SECOND, Hold::Provisional));
    assert_eq!(world.calls(), 0);
    world.operators.gone = Arc::default();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(holder(&world), held_by(OPERATOR, Hold::Firm));
    assert_eq!(world.count("Issue"), 0, "{:?}", world.kinds());
}

/// No burst of writes after an upgrade: it is named with the next thing that is done for it.
#[test]
fn what_a_version_without_holders_stored_is_held_when_it_is_renewed() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.status.operator = None);
    world.live("acme", Duration::from_secs(60));
    world.forget_journal();
    world.edit("acme", |o| {
        o.status.operator = None;
        o.facts.generation -= 1;
    });
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.kinds(), Vec::<&str>::new());
    world.live("acme", HOUR / 2);
    assert_eq!(world.kinds()[..2], ["WriteStatus", "Get"], "{:?}", world.kinds());
    assert_eq!(holder(&world), held_by(OPERATOR, Hold::Firm));
    assert_eq!(world.count("WriteStatus"), 1);
}

/// From a backup, or forged: a Lease of that name is never there.
#[test]
fn a_holder_that_can_have_no_lease_holds_nothing() {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.status.operator = Some(Holder {
            lease: "kube-system/../secrets".into(),
            hold: Hold::Firm,
        });
    });
    world.live("acme", Duration::from_secs(60));
    assert_eq!(holder(&world), held_by(OPERATOR, Hold::Firm));
}

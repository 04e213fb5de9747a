//! What a reconcile may spend, and what is held against its object afterwards.

use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::ids::WorkspaceName;
use crate::domain::remote::FailureClass;
use crate::domain::time::elapsed;
use crate::lifecycle::Memory;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::reconcile::Settled;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

const DOWN: Fault = Fault::Answers(FailureClass::Transient, 503);

fn rest(world: &World, memory: &Memory, aspect: Aspect) -> Option<Duration> {
    let until = memory
        .backoff(aspect)
        .not_before(world.view("acme").cause(aspect))?;
    Some(until.since(world.uptime()))
}

fn rests(world: &World, settled: &Settled) -> [Option<Duration>; 2] {
    [Aspect::Sync, Aspect::Token].map(|aspect| rest(world, &settled.memory, aspect))
}

/// The reconcile ends after 32 effects.
#[test]
fn an_object_that_always_changes_first_is_left_alone() {
    fn disturb(world: &mut World) {
        world.edit("acme", |o| o.facts.reconcile_at = Some("again".to_owned()));
        world.meanwhile("ReadObject", |world| world.meanwhile("AddFinalizer", disturb));
    }
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.meanwhile("AddFinalizer", disturb);
    let settled = world.reconcile("acme").unwrap();
    assert_eq!(world.journal.len(), 32);
    assert!(settled.requeue.at > world.now);
}

/// Each change asks for something else. The steps of its reconcile end just after the last one.
#[test]
fn the_last_of_many_changes_is_reconciled() {
    fn disturb(world: &mut World) {
        let n = world.journal.len();
        if n < 31 {
            world.edit("acme", |o| o.facts.reconcile_at = Some(n.to_string()));
            world.meanwhile("ReadObject", |world| world.meanwhile("AddFinalizer", disturb));
        }
    }
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.meanwhile("AddFinalizer", disturb);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "InternalError");
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared", "{:?}", world.kinds());
}

#[test]
fn what_fails_together_is_charged_together() {
    let mut world = World::with_acme_due();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.fault("Search", DOWN, 1);
    world.fault("Issue", DOWN, 1);
    let settled = world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get", "Search", "Issue", "WriteStatus"]);
    let [sync, token] = rests(&world, &settled);
    assert!(sync.is_some());
    assert_eq!(sync, token, "three calls each");
}

/// A failing token pays for its own attempts alone.
#[test]
fn a_failing_sync_pays_for_the_token_too() {
    let mut world = World::with_acme_due();
    world.fault("Issue", DOWN, 1);
    let settled = world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get", "Issue"]);
    let [sync, token] = rests(&world, &settled);
    assert_eq!(sync, None, "nothing failed there");
    assert!(token.is_some());
}

/// The calls of a creation are those of its sync.
#[test]
fn a_token_that_came_with_a_creation_ends_what_failed_before() {
    let mut world = World::with_acme_due();
    let lost = world.id("acme");
    world.edit("acme", |o| o.facts.recreate.clone_from(&lost));
    world.fault("Issue", DOWN, 1);
    world.reconcile("acme").unwrap();
    let token = |world: &World| rest(world, world.memory.values().next().unwrap(), Aspect::Token);
    assert!(token(&world).is_some());
    world.engine.rows.clear();
    world.list();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_ne!(world.id("acme"), lost);
    assert_eq!(token(&world), None);
}

#[test]
fn an_outage_that_is_over_is_not_held_against_the_next_one() {
    let mut world = World::with_acme_due();
    world.fault("Issue", DOWN, 3);
    let failed = |world: &World| rest(world, world.memory.values().next().unwrap(), Aspect::Token);
    world.reconcile("acme").unwrap();
    let first = failed(&world);
    assert!(first.is_some());
    world.live("acme", Duration::from_secs(300));
    assert_eq!(failed(&world), None, "the token was renewed");
    world.advance(11 * 60);
    world.fault("Issue", DOWN, 1);
    world.reconcile("acme").unwrap();
    assert_eq!(failed(&world), first);
}

/// The attempt after it is put off instead.
#[test]
fn a_token_that_fails_puts_off_no_rename_that_rests() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.fault("Update", Fault::Answers(FailureClass::Rejected, 422), 1);
    world.reconcile("acme").unwrap();
    let rests_until = |world: &World| {
        let view = world.view("acme");
        view.not_before(Aspect::Sync)
    };
    let until = rests_until(&world);
    assert!(until.unwrap() > world.now);
    world.advance(1);
    world.secrets.clear();
    world.fault("Issue", DOWN, 1);
    world.forget_journal();
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 1, "{:?}", world.kinds());
    assert_eq!(rests_until(&world), until);
}

/// A reconcile that calls for the token alone tells nothing of what else the server failed.
#[test]
fn what_the_server_failed_is_tried_once_it_is_well() {
    let mut world = World::with_acme();
    world.fault("Search", DOWN, usize::MAX);
    world.edit("acme", |o| o.spec.name = "zenith".into());
    world.live("acme", Duration::from_secs(650));
    world.fault("Get", DOWN, usize::MAX);
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.ready("acme"), "ApiUnavailable");
    world.heal();
    world.live("acme", Duration::from_secs(20 * 60));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The Secret still holds a good token. A rename that rests was not tried again, and is not put off.
#[test]
fn a_renewal_that_is_refused_is_no_attempt_to_rename() {
    let mut world = World::with_acme_due();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.fault("Update", DOWN, 1);
    world.reconcile("acme").unwrap();
    let uid = world.objects["acme"].facts.uid.clone();
    world.now = world.secrets["acme-token"].facts.times.unwrap().renew_at(&uid);
    let cause = world.view("acme").cause(Aspect::Sync);
    world.fail("acme", Aspect::Sync, 20);
    let memory = world.memory.values().next().unwrap();
    let until = memory.sync.not_before(cause);
    world.fault("Issue", Fault::Answers(FailureClass::Denied, 403), 1);
    world.forget_journal();
    let settled = world.reconcile("acme").unwrap();
    assert_eq!((world.count("Issue"), world.count("Update")), (1, 0));
    assert_eq!(settled.memory.sync.not_before(cause), until);
}

/// It counts by the time of the process.
/// Promise: rule.clock-set: A clock that is set changes no back-off and no pause
#[test]
fn a_rest_lasts_as_long_however_the_clock_is_set() {
    let rests = |set_by: SignedDuration| {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.fault("Search", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
        world.reconcile("acme").unwrap();
        world.set_clock(set_by);
        world.advance(60);
        world.reconcile("acme").unwrap();
        let not_before = world.view("acme").not_before(Aspect::Sync).unwrap();
        elapsed(world.now, not_before)
    };
    let rest = rests(SignedDuration::ZERO);
    assert!(rest > Duration::from_secs(5));
    assert_eq!([-2, 2].map(SignedDuration::from_hours).map(rests), [rest; 2]);
}

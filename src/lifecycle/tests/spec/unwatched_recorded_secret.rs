//! A token Secret that lost our label while no operator ran: no store shows it, and its token must not outlive its
//! withdrawal.

use std::time::Duration;

use crate::crd::metadata_keys;
use crate::crd::workspace::TokenSecret;
use crate::domain::ids::Uid;
use crate::domain::remote::{RemoteState, WorkspaceState};
use crate::domain::time::later;
use crate::domain::verification::Verification;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};
use crate::lifecycle::tests::spec::secrets::named;
use crate::lifecycle::wakeups::{Wakeup, Why};

type Withdraw = fn(&mut World);

fn unlabel(world: &mut World) {
    let secret = world.secrets.get_mut("acme-token").unwrap();
    secret.facts.labels.remove(metadata_keys::WORKSPACE_LABEL);
}

/// Ready, and its Secret without our label.
fn unlabelled() -> World {
    let mut world = World::with_acme();
    unlabel(&mut world);
    assert!(world.view("acme").secrets.target.is_none());
    world
}

fn declared_inactive(world: &mut World) {
    world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Inactive));
}

fn switched_off(world: &mut World) {
    world.edit("acme", |o| {
        o.spec.token_secret = Some(TokenSecret {
            enabled: Some(false),
            ..TokenSecret::default()
        });
    });
}

fn grant_withdrawn(world: &mut World) {
    world.grant("[]");
}

fn found_inactive(world: &mut World) {
    world.engine.rows[0].workspace.state = RemoteState::Known(WorkspaceState::Inactive);
    world.list();
}

fn gone_remotely(world: &mut World) {
    world.engine.rows.clear();
    world.list();
}

/// Promise: rule.unlabelled-secret: A token does not outlive its withdrawal, even if its Secret lost our label while no operator watched
/// However it is withdrawn.
#[test]
fn a_withdrawn_token_goes_and_its_name_is_read_once() {
    let withdrawals: [(&str, Withdraw); 5] = [
        ("declared inactive", declared_inactive),
        ("switched off", switched_off),
        ("grant withdrawn", grant_withdrawn),
        ("found inactive", found_inactive),
        ("gone remotely", gone_remotely),
    ];
    for (what, withdraw) in withdrawals {
        let mut world = unlabelled();
        world.now = later(world.now, Duration::from_secs(30));
        withdraw(&mut world);
        world.live("acme", Duration::from_secs(10));
        assert!(world.secrets.is_empty(), "{what}: {:?}", world.kinds());
        assert_eq!(world.status("acme").token_secret_name, None, "{what}");
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.count("ReadSecret"), 1, "{what}");
    }
}

#[test]
fn a_deletion_removes_it_before_the_workspace() {
    let mut world = unlabelled();
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        [
            "ReadCrd",
            "ReadSecret",
            "DeleteSecret",
            "ReadObject",
            "Delete",
            "RemoveFinalizer"
        ]
    );
}

#[test]
fn a_foreign_secret_under_the_recorded_name_is_left_alone() {
    let mut world = unlabelled();
    world.secrets.get_mut("acme-token").unwrap().controller = Some(Uid::from("another-owner"));
    declared_inactive(&mut world);
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.count("DeleteSecret"), 0);
    assert_eq!(world.count("ReadSecret"), 1);
    assert_eq!(world.status("acme").token_secret_name, None);
}

#[test]
fn what_could_not_be_read_is_not_forgotten() {
    for fault in [Fault::Refused, Fault::CrashBefore, Fault::CrashAfter] {
        let mut world = unlabelled();
        declared_inactive(&mut world);
        world.fault("ReadSecret", fault, 1);
        world.reconcile("acme");
        assert_eq!(
            world.status("acme").token_secret_name.as_deref(),
            Some("acme-token"),
            "{fault:?}"
        );
        world.live("acme", Duration::from_secs(60));
        assert!(world.secrets.is_empty(), "{fault:?}");
        assert_eq!(world.status("acme").token_secret_name, None, "{fault:?}");
    }
}

#[test]
fn a_secret_changed_while_removed_is_read_and_removed() {
    let mut world = unlabelled();
    declared_inactive(&mut world);
    world.meanwhile("DeleteSecret", |world| {
        let secret = world.secrets.get_mut("acme-token").unwrap();
        secret.facts.resource_version = "changed".to_owned();
    });
    world.reconcile("acme").unwrap();
    assert!(world.secrets.is_empty());
    assert_eq!(world.count("ReadSecret"), 2);
}

/// Promise: rule.unlabelled-secret
#[test]
fn another_name_leaves_no_token_behind_under_the_old_one() {
    let mut world = unlabelled();
    named(&mut world, "fresh");
    world.reconcile("acme").unwrap();
    assert_eq!(world.secrets.keys().collect::<Vec<_>>(), ["fresh"]);
    assert_eq!(world.status("acme").token_secret_name.as_deref(), Some("fresh"));
}

/// The old Secret could not be read or deleted at first.
#[test]
fn a_new_name_written_before_a_failure_leaves_none_behind() {
    for fault in [Fault::Refused, Fault::CrashBefore] {
        let mut world = unlabelled();
        named(&mut world, "fresh");
        world.meanwhile("WriteSecret", |world| {
            world.fault("ReadSecret", Fault::Refused, 1);
        });
        world.fault("DeleteSecret", fault, 1);
        world.live("acme", Duration::from_secs(60));
        assert_eq!(world.secrets.keys().collect::<Vec<_>>(), ["fresh"], "{fault:?}");
    }
}

/// And stays in use.
#[test]
fn with_a_foreign_new_name_the_old_secret_is_found() {
    let mut world = unlabelled();
    let mut foreign = World::with_acme().secrets.remove("acme-token").unwrap();
    foreign.facts.name = "theirs".to_owned();
    foreign.controller = Some(Uid::from("another-owner"));
    world.secrets.insert("theirs".to_owned(), foreign);
    named(&mut world, "theirs");
    world.live("acme", Duration::from_secs(1800));
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
    assert!(
        world.secrets["acme-token"]
            .facts
            .labels
            .contains_key(metadata_keys::WORKSPACE_LABEL)
    );
    assert!(world.count("Issue") >= 2);
    assert_eq!(
        world.secrets["theirs"].controller,
        Some(Uid::from("another-owner"))
    );
}

/// The Secret of the lost one had lost our label.
#[test]
fn a_recreated_workspace_leaves_no_token_of_the_lost_one() {
    let mut world = unlabelled();
    world.now = later(world.now, Duration::from_secs(30));
    let lost = world.id("acme");
    named(&mut world, "fresh");
    world.edit("acme", |o| o.facts.recreate = lost);
    gone_remotely(&mut world);
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.secrets.keys().collect::<Vec<_>>(), ["fresh"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn what_is_in_sight_is_not_read() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.live("acme", Duration::from_secs(3600));
    declared_inactive(&mut world);
    world.live("acme", Duration::from_secs(3600));
    assert!(world.secrets.is_empty());
    assert_eq!(world.count("ReadSecret"), 0);
}

/// It was deleted while no operator ran, and the one before it was not removed yet.
#[test]
fn a_token_elsewhere_is_none_that_status_speaks_of() {
    let mut world = World::with_acme();
    named(&mut world, "fresh");
    world.fault("DeleteSecret", Fault::CrashBefore, 1);
    assert!(world.reconcile("acme").is_none());
    assert_eq!(world.secrets.keys().collect::<Vec<_>>(), ["acme-token", "fresh"]);
    world.secrets.remove("fresh");
    world.readable().verification = Verification::Verified("org-2".into());
    world.reconcile("acme").unwrap();
    let (named, says) = (&world.status("acme").token_secret_name, world.token_ready("acme"));
    let holds = named
        .as_ref()
        .is_some_and(|name| world.secrets.contains_key(name));
    assert!(holds || says != "TokenVerified", "{says} in {named:?}");
}

/// Another client takes our label off again and again, so the operator leaves it alone.
#[test]
fn a_secret_that_others_keep_unlabelled_is_read_each_minute() {
    let mut world = World::with_acme();
    unlabel(&mut world);
    world.reconcile("acme").unwrap();
    unlabel(&mut world);
    let settled = world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
    let next = Wakeup::new(later(world.now, Duration::from_secs(60)), Why::SecretUnwatched);
    assert_eq!(settled.requeue, next);

    world.secrets.clear();
    world.now = next.at;
    world.reconcile("acme").unwrap();
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
}

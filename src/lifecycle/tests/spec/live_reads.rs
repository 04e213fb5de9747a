//! An effect that cannot be undone is decided on the object as read live: a watch may be silent for minutes.

use std::time::Duration;

use crate::crd::workspace::DeletionPolicy;
use crate::domain::remote::WorkspaceState;
use crate::domain::time::later;
use crate::lifecycle::tests::harness::world::{Fault, Latency, World};

/// The message of `DeletionBlocked` says "set Retain"; the user does, and the watch does not show it.
/// Promise: rule.live-read: Before a workspace is deleted, renamed or switched, the object is read live, and decided again
#[test]
fn a_retain_that_no_watch_has_shown_yet_is_obeyed() {
    for during in ["ReadCrd", "DeleteSecret"] {
        let mut world = World::with_acme();
        world.delete("acme");
        world.meanwhile(during, |world| {
            world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
        });
        world.live("acme", Duration::from_secs(60));
        assert!(world.objects.is_empty(), "{during}");
        assert_eq!(world.engine.names(), ["acme"], "{during}");
    }
}

/// An administrator forbids deletions, and the watch of Organizations does not show it.
#[test]
fn a_ceiling_that_no_watch_has_shown_yet_is_obeyed() {
    for during in ["ReadCrd", "DeleteSecret"] {
        let mut world = World::with_acme();
        world.delete("acme");
        world.meanwhile(during, World::forbid_deletion);
        world.live("acme", Duration::from_secs(60));
        assert!(world.objects.is_empty(), "{during}");
        assert_eq!(world.engine.names(), ["acme"], "{during}");
    }
}

/// A workspace let go by mistake is nobody's.
#[test]
fn a_ceiling_that_was_lifted_retains_nothing() {
    let mut world = World::with_acme();
    world.forbid_deletion();
    world.delete("acme");
    world.meanwhile("ReadObject", World::allow_adoption);
    world.live("acme", Duration::from_secs(60));
    assert!(world.objects.is_empty() && world.engine.rows.is_empty());
}

#[test]
fn a_name_taken_back_meanwhile_is_not_given() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = "zenith".into());
    world.meanwhile("Search", |world| {
        world.edit("acme", |o| o.spec.name = "acme".into());
    });
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.count("Update"), 0);
    assert_eq!(world.engine.names(), ["acme"]);
}

#[test]
fn a_switch_taken_back_meanwhile_is_not_made() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Inactive));
    world.meanwhile("Get", |world| {
        world.edit("acme", |o| o.spec.status = None);
    });
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.count("Update"), 0);
}

/// One read for each reconcile, while nothing slow comes between.
#[test]
fn a_rename_and_a_switch_share_one_live_read() {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.spec.name = "zenith".into();
        o.spec.status = Some(WorkspaceState::Inactive);
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Update"), 2);
    assert_eq!(world.count("ReadObject"), 1);
}

#[test]
fn after_a_slow_call_the_object_is_read_again() {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.spec.name = "zenith".into();
        o.spec.status = Some(WorkspaceState::Inactive);
    });
    world.meanwhile("Update", |world| {
        world.now = later(world.now, Duration::from_secs(3));
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Update"), 2);
    assert_eq!(world.count("ReadObject"), 2);
}

/// From the instant at which it was asked, to the answer of the GET between the two updates.
#[test]
fn a_live_read_counts_for_two_seconds() {
    for (slow, until_answered, reads) in [
        ("Update", Duration::from_millis(1895), 1),
        ("Update", Duration::from_millis(1896), 2),
        ("ReadObject", Duration::from_secs(3), 2),
    ] {
        let mut world = World::with_acme();
        world.edit("acme", |o| {
            o.spec.name = "zenith".into();
            o.spec.status = Some(WorkspaceState::Inactive);
        });
        let until_done = Duration::ZERO;
        world.slow.push((
            slow,
            Latency {
                until_done,
                until_answered,
            },
        ));
        world.reconcile("acme").unwrap();
        assert_eq!(world.count("Update"), 2);
        assert_eq!(world.count("ReadObject"), reads, "{slow} {until_answered:?}");
    }
}

/// Nothing is done on what could not be read.
#[test]
fn an_object_that_cannot_be_read_live_is_left_as_it_is() {
    let mut world = World::with_acme();
    world.fault("ReadObject", Fault::Refused, usize::MAX);
    world.delete("acme");
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.engine.names(), ["acme"]);
    world.heal();
    world.live("acme", Duration::from_secs(600));
    assert!(world.engine.rows.is_empty() && world.objects.is_empty());
    let mut world = World::with_acme();
    world.fault("ReadObject", Fault::Refused, 1);
    world.edit("acme", |o| o.spec.name = "zenith".into());
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.engine.names(), ["zenith"]);
}

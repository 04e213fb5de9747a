//! A deletion whose DELETE fails: what is gone all the same is let go, and no more is asked than that takes.

use std::time::Duration;

use crate::crd::workspace::DeletionPolicy;
use crate::domain::reason::Reason;
use crate::domain::remote::FailureClass;
use crate::lifecycle::tests::harness::world::{Fault, World};

const HOUR: Duration = Duration::from_secs(3600);

/// Agent Engine answers every DELETE so, whatever it does.
fn refusing(class: FailureClass, status: u16) -> World {
    let mut world = World::with_acme();
    world.fault("Delete", Fault::Answers(class, status), usize::MAX);
    world.delete("acme");
    world
}

/// The GET after it may take as long: the status says first that the token is gone.
#[test]
fn a_slow_delete_without_an_answer_is_told_before_the_get() {
    let mut world = World::with_acme();
    world.delete("acme");
    world.slow("Delete", 0, 20);
    world.fault("Delete", Fault::AnswerLost, 1);
    world.meanwhile("Get", |world| {
        assert_eq!(world.ready("acme"), "Deleting");
        assert_ne!(world.token_ready("acme"), "TokenVerified");
    });
    world.reconcile("acme").unwrap();
    assert!(world.objects.is_empty());
    assert_eq!(world.count("WriteStatus"), 1);
}

/// Promise: rule.gone
#[test]
fn a_gone_workspace_is_let_go_whatever_its_delete_answers() {
    for (class, status) in [
        (FailureClass::Transient, 503),
        (FailureClass::Unknown, 504),
        (FailureClass::Malformed, 200),
        (FailureClass::Denied, 403),
        (FailureClass::Rejected, 422),
        (FailureClass::Conflict, 409),
    ] {
        let mut world = refusing(class, status);
        world.live("acme", HOUR);
        assert_eq!(world.ready("acme"), "DeletionBlocked", "{class:?}");
        world.engine.rows.clear();
        world.live("acme", HOUR);
        assert!(world.objects.is_empty(), "{class:?}: {}", world.ready("acme"));
    }
}

/// Promise: rule.hidden: A 404 lets an object go only while the organization lists its workspaces to the operator
#[test]
fn an_organization_that_hides_everything_lets_no_object_go() {
    for delete in [
        Fault::Answers(FailureClass::Missing, 404),
        Fault::Answers(FailureClass::Transient, 503),
    ] {
        let mut world = World::with_acme();
        let rows = std::mem::take(&mut world.engine.rows);
        world.fault("Delete", delete, usize::MAX);
        world.fault("Search", Fault::Answers(FailureClass::Denied, 403), usize::MAX);
        world.delete("acme");
        world.live("acme", HOUR);
        assert_eq!(world.ready("acme"), "DeletionBlocked", "{delete:?}");
        world.engine.rows = rows;
        world.heal();
        world.live("acme", HOUR);
        assert!(
            world.objects.is_empty() && world.engine.rows.is_empty(),
            "{delete:?}"
        );
    }
}

/// Promise: rule.hidden
#[test]
fn what_is_listed_and_not_found_is_not_let_go() {
    let mut world = World::with_acme();
    world.fault("Delete", Fault::Answers(FailureClass::Missing, 404), 1);
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    let why = "Agent Engine lists the workspace ws-1, but does not find it";
    assert!(world.message("acme").contains(why), "{}", world.message("acme"));
    world.live("acme", HOUR);
    assert!(world.objects.is_empty() && world.engine.rows.is_empty());
}

/// A GET does not find the workspace, a search shows that nothing is hidden, and the object goes.
#[test]
fn a_lost_delete_answer_is_settled_in_the_same_reconcile() {
    let mut world = World::with_acme();
    world.fault("Delete", Fault::AnswerLost, usize::MAX);
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        [
            "ReadCrd",
            "DeleteSecret",
            "ReadObject",
            "Delete",
            "Get",
            "Search",
            "RemoveFinalizer"
        ]
    );
    assert!(world.objects.is_empty());
}

#[test]
fn while_it_is_there_the_message_is_of_the_delete() {
    let mut world = refusing(FailureClass::Transient, 503);
    world.fault("Get", Fault::Answers(FailureClass::Denied, 403), usize::MAX);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    let message = &world.status("acme").conditions[0].message;
    assert!(
        message.contains("delete the workspace") && message.contains("503"),
        "{message}"
    );
    world.heal();
    world.live("acme", HOUR);
    assert!(world.objects.is_empty() && world.engine.rows.is_empty());
}

#[test]
fn who_asked_to_slow_down_is_asked_nothing_more() {
    let mut world = refusing(FailureClass::Throttled(Duration::from_secs(5)), 429);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Get"), 0);
}

#[test]
fn many_missing_are_not_taken_for_gone_here_either() {
    let mut world = refusing(FailureClass::Transient, 503);
    world.reconcile("acme").unwrap();
    world.engine.rows.clear();
    world.readable().missing = crate::domain::verification::Missing::Many;
    world.live("acme", HOUR);
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    assert!(!world.events.contains(&Reason::Retained));
}

/// No event is published before it is off.
#[test]
fn a_stuck_finalizer_is_tried_once_a_reconcile() {
    for policy in [DeletionPolicy::Delete, DeletionPolicy::Retain] {
        let mut world = World::with_acme();
        world.edit("acme", |o| o.spec.deletion_policy = Some(policy));
        world.fault("RemoveFinalizer", Fault::Refused, 2);
        world.delete("acme");
        for n in 1..=2 {
            world.now = world.reconcile("acme").unwrap().requeue.at;
            assert_eq!(world.count("RemoveFinalizer"), n);
            assert_eq!(world.ready("acme"), "KubernetesApiError");
        }
        assert!(!world.events.contains(&Reason::Retained));
        world.reconcile("acme").unwrap();
        assert!(world.objects.is_empty());
        assert_eq!(
            world.events.contains(&Reason::Retained),
            policy == DeletionPolicy::Retain
        );
    }
}

#[test]
fn a_secret_that_may_not_be_touched_any_more_stops_no_deletion() {
    for unseen in ["in sight", "out of sight"] {
        let mut world = World::with_acme();
        if unseen == "out of sight" {
            let secret = world.secrets.get_mut("acme-token").unwrap();
            secret
                .facts
                .labels
                .remove(crate::crd::metadata_keys::WORKSPACE_LABEL);
        }
        for effect in ["ReadSecret", "DeleteSecret"] {
            world.fault(effect, Fault::Forbidden, usize::MAX);
        }
        world.delete("acme");
        world.reconcile("acme").unwrap();
        assert!(world.engine.rows.is_empty(), "{unseen}: {:?}", world.kinds());
        assert!(world.objects.is_empty(), "{unseen}: {:?}", world.kinds());
    }
}

/// A DELETE without an answer was carried out, and the workspace reads as deleted.
#[test]
fn a_workspace_that_reads_as_deleted_is_let_go_in_the_same_reconcile() {
    let mut world = World::with_acme();
    world.fault("Delete", Fault::Answers(FailureClass::Unknown, 504), 1);
    world.meanwhile("Get", |world| world.engine.rows[0].workspace.tombstone = true);
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert!(world.objects.is_empty(), "{:?}", world.kinds());
}

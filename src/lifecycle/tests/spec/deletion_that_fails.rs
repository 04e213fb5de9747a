//! A deletion whose DELETE fails: what is gone all the same is let go, and no more is asked than that takes.

use std::time::Duration;

use crate::crd::workspace::DeletionPolicy;
use crate::domain::reason::Reason;
use crate::domain::remote::FailureClass;
use crate::lifecycle::tests::harness::fake_engine::Shows;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

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

/// It answers 200 with no row to every search, and 404 in the API's own shape.
///
/// Promise: rule.hidden
#[test]
fn an_organization_that_lists_nothing_lets_no_object_go() {
    for delete in [
        Fault::Answers(FailureClass::Missing, 404),
        Fault::Answers(FailureClass::Transient, 503),
    ] {
        let mut world = World::with_acme();
        let rows = std::mem::take(&mut world.engine.rows);
        world.engine.shows = Shows::Nothing;
        world.fault("Delete", delete, usize::MAX);
        world.delete("acme");
        world.live("acme", HOUR);
        assert_eq!(world.ready("acme"), "DeletionBlocked", "{delete:?}");
        let why = "shows no other workspace of the organization either";
        assert!(world.message("acme").contains(why), "{}", world.message("acme"));
        assert!(world.calls() <= 20, "{delete:?}: {} calls", world.calls());
        world.engine.rows = rows;
        world.engine.shows = Shows::All;
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
fn nor_an_object_whose_creation_is_in_flight() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    world.engine.shows = Shows::Nothing;
    world.delete("acme");
    world.live("acme", HOUR);
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    world.engine.shows = Shows::All;
    world.live("acme", HOUR);
    assert!(world.objects.is_empty() && world.engine.rows.is_empty());
}

/// Its `default` is gone, and no other name contains this one: a list tells, where a search does not.
#[test]
fn a_list_that_shows_others_lets_a_gone_workspace_go() {
    let mut world = World::with_acme();
    world.engine.rows.clear();
    world.engine.make(world.now, "zenith");
    world.engine.shows = Shows::WithoutFallback;
    world.delete("acme");
    world.live_unlisted("acme", HOUR);
    assert_eq!(world.ready("acme"), "DeletionBlocked", "no list was taken since");
    world.live("acme", HOUR);
    assert!(world.objects.is_empty(), "{}", world.message("acme"));
    assert_eq!(world.engine.names(), ["zenith"]);
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

/// A GET does not find the workspace, neither does a search; that of `default` shows that nothing is hidden, and the object goes.
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

/// An admission policy refuses to take the finalizer off.
fn refused_by_a_policy() -> World {
    let mut world = World::with_acme();
    world.fault("RemoveFinalizer", Fault::Refused, usize::MAX);
    world.delete("acme");
    world
}

/// Nor does it ask for any other call: the workspace is gone.
/// Promise: rule.deleted-once: A workspace that was deleted is not deleted again while Kubernetes refuses to let its object go
#[test]
fn a_deleted_workspace_is_not_deleted_again() {
    for delete in [None, Some(Fault::Answers(FailureClass::Missing, 404))] {
        let mut world = refused_by_a_policy();
        if let Some(answer) = delete {
            world.engine.rows.clear();
            world.fault("Delete", answer, usize::MAX);
        }
        world.reconcile("acme").unwrap();
        let calls = world.calls();
        world.live("acme", HOUR);
        assert!(world.count("RemoveFinalizer") > 3, "{:?}", world.kinds());
        assert_eq!(world.count("Delete"), 1, "{delete:?}: {:?}", world.kinds());
        assert_eq!(world.calls(), calls, "{delete:?}: {:?}", world.kinds());
        world.heal();
        world.live("acme", HOUR);
        assert!(world.objects.is_empty());
    }
}

/// Its organization may be gone by then.
#[test]
fn what_was_deleted_goes_without_its_organization() {
    let mut world = refused_by_a_policy();
    world.reconcile("acme").unwrap();
    world.heal();
    world.organization = crate::lifecycle::facts::OrganizationFacts::NotFound {
        name: "default".to_owned(),
        searched: "home".to_owned(),
    };
    world.live("acme", HOUR);
    assert!(world.objects.is_empty(), "{}", world.ready("acme"));
}

/// Somebody sets the way out of a blocked deletion too late.
#[test]
fn what_was_deleted_is_not_said_to_have_been_left() {
    let mut world = refused_by_a_policy();
    world.reconcile("acme").unwrap();
    world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
    world.live("acme", HOUR);
    world.heal();
    world.live("acme", HOUR);
    assert!(world.objects.is_empty() && world.engine.rows.is_empty());
    assert!(!world.events.contains(&Reason::Retained));
}

/// After a restart there is one more DELETE, which finds nothing.
#[test]
fn a_deletion_that_a_restart_forgot_is_asked_for_once_more() {
    let mut world = refused_by_a_policy();
    world.reconcile("acme").unwrap();
    world.restart();
    world.live("acme", HOUR);
    assert_eq!(world.count("Delete"), 2, "{:?}", world.kinds());
}

#[test]
fn a_deletion_that_kubernetes_holds_up_promises_no_token() {
    for policy in [DeletionPolicy::Delete, DeletionPolicy::Retain] {
        let mut world = refused_by_a_policy();
        world.edit("acme", |o| o.spec.deletion_policy = Some(policy));
        world.secrets.clear();
        for _ in 0..3 {
            world.now = world.reconcile("acme").unwrap().requeue.at;
            assert_eq!(world.ready("acme"), "KubernetesApiError", "{policy:?}");
            assert_eq!(world.token_ready("acme"), "KubernetesApiError", "{policy:?}");
        }
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

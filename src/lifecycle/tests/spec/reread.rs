//! A conflict shows that another process has written: another record, another intent. What this reconcile found for the one
//! before says nothing of it.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::crd::workspace::{Creation, CreationClock, Origin};
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::remote::{FailureClass, WorkspaceState};
use crate::lifecycle::tests::harness::world::{Fault, World, org, spec};

/// Another process records a workspace of its own for the object.
fn recorded_by_another_process(world: &mut World) {
    let id = world.engine.make(world.now, "beta");
    world.edit("acme", |o| {
        o.status.uid = Some(o.facts.uid.clone());
        o.status.creation = None;
        o.status.workspace_id = Some(id);
        o.status.organization_id = Some(org());
        o.status.name = Some(WorkspaceName::from("beta"));
        o.status.state = Some(WorkspaceState::Active);
        o.status.origin = Some(Origin::Created);
    });
}

/// Another process voids the creation and begins one under another name.
fn begun_by_another_process(world: &mut World) {
    let now = world.now;
    world.edit("acme", |o| {
        o.status.creation = Some(Creation {
            uid: o.facts.uid.clone(),
            organization_id: org(),
            name: WorkspaceName::from("zenith"),
            at: MicroTime(now),
            clock: CreationClock::Server,
        });
    });
}

/// Promise: rule.reread: What a reconcile found counts for the record and the intent that it was found for, and for no other
/// The workspace that this process has made is no longer anyone's: it goes.
#[test]
fn a_token_of_one_creation_is_none_of_another() {
    for moment in ["Issue", "Verify", "Get", "WriteSecret"] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.meanwhile(moment, begun_by_another_process);
        world.reconcile("acme").unwrap();
        assert_eq!(world.id("acme"), None, "{moment}: {:?}", world.kinds());
        world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
        world.live("acme", Duration::from_secs(1800));
        assert_eq!(world.engine.names(), ["zenith"], "{moment}: {:?}", world.kinds());
        assert_eq!(world.token_opens("acme-token"), world.id("acme"), "{moment}");
        assert_eq!(world.ready("acme"), "AsDeclared", "{moment}");
    }
}

/// Promise: rule.reread
#[test]
fn a_creation_that_was_overtaken_by_a_record_leaves_no_orphan() {
    for moment in ["Issue", "Verify", "Get", "WriteSecret"] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.meanwhile(moment, recorded_by_another_process);
        world.live("acme", Duration::from_secs(1800));
        assert_eq!(world.engine.names(), ["acme"], "{moment}: {:?}", world.kinds());
        assert_eq!(world.token_opens("acme-token"), world.id("acme"), "{moment}");
        assert!(
            !world.events.iter().any(|r| r.as_str() == "IdentityMismatch"),
            "{moment}: {:?}",
            world.events
        );
    }
}

#[test]
fn a_renewed_token_of_one_record_accuses_no_other() {
    let mut world = World::with_acme_due();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.meanwhile("Verify", recorded_by_another_process);
    world.live("acme", Duration::from_secs(1800));
    assert!(
        !world.events.iter().any(|r| r.as_str() == "IdentityMismatch"),
        "{:?}",
        world.events
    );
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
}

/// The API refused to rename one workspace; another may have the name.
#[test]
fn a_change_refused_to_one_record_is_not_refused_to_another() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.fault("Update", Fault::Answers(FailureClass::Rejected, 422), 1);
    world.meanwhile("WriteStatus", recorded_by_another_process);
    world.reconcile("acme").unwrap();
    assert!(
        !world.message("acme").contains("refused"),
        "{}",
        world.message("acme")
    );
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The list lacks the workspace of the record before. That of this one is not shown yet, as a new one may be.
/// Promise: rule.reread
#[test]
fn a_list_that_lacks_one_record_confirms_no_loss_of_another() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(60);
    world.engine.row(&id).unwrap().tombstone = true;
    let rows = std::mem::take(&mut world.engine.rows);
    world.list();
    world.engine.rows = rows;
    world.advance(1);
    world.meanwhile("Get", |world| {
        recorded_by_another_process(world);
        let other = world.id("acme").unwrap();
        world.engine.row(&other).unwrap().tombstone = true;
    });
    world.reconcile("acme").unwrap();
    let other = world.id("acme").unwrap();
    assert_ne!(other, id, "{:?}", world.kinds());
    let missing = world.status("acme").missing.clone();
    assert!(
        missing.as_ref().is_none_or(|missing| !missing.confirmed),
        "{missing:?} {:?}",
        world.kinds()
    );
    world.engine.row(&other).unwrap().tombstone = false;
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("beta"));
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.token_opens("acme-token"), Some(other));
}

/// It is deleted as well.
#[test]
fn a_record_that_appears_in_a_deletion_is_deleted_too() {
    let mut world = World::with_acme();
    world.delete("acme");
    world.meanwhile("RemoveFinalizer", recorded_by_another_process);
    world.live("acme", Duration::from_secs(600));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), [""; 0]);
}

/// Of the workspace before; nothing is known of this one.
#[test]
fn a_failure_of_one_record_is_not_told_of_another() {
    let mut world = World::with_acme_due();
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), 1);
    world.meanwhile("WriteStatus", recorded_by_another_process);
    world.edit("acme", |o| o.facts.reconcile_at = Some("now".to_owned()));
    world.reconcile("acme").unwrap();
    let id = world.id("acme").unwrap();
    assert_eq!(id, WorkspaceId::from("ws-2"));
    assert!(
        !world.message("acme").contains("ws-1"),
        "{}",
        world.message("acme")
    );
}

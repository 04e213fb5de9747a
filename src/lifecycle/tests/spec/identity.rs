//! I3, I5: the recorded id is the identity, bound to the object; what is gone stays gone until the user says otherwise.

use std::time::Duration;

use crate::crd::workspace::{AdoptionPolicy, DeletionPolicy, WorkspaceStatus};
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::object::Finalizer;
use crate::domain::remote::{FailureClass, WorkspaceState};
use crate::domain::verification::Missing;
use crate::lifecycle::reconcile::SharedList;
use crate::lifecycle::tests::harness::fake_engine::Shows;
use crate::lifecycle::tests::harness::predicaments::lost_beside_a_suspect;
use crate::lifecycle::tests::harness::world::{Fault, World, org, spec};
use crate::organization::snapshot::KnownGone;
use crate::organization::{Managed, Snapshot};

/// Promise: rule.many-missing: Many missing at once is the Organization's condition, and nothing follows for the objects
/// Only a list tells one missing workspace from many.
#[test]
fn a_404_alone_is_not_gone_until_a_list_confirms() {
    let mut world = World::with_acme();
    world.engine.rows.clear();
    world.advance(14 * 60);
    world.reconcile("acme");
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    assert_eq!(world.secrets.len(), 1, "nothing follows before");
    world.readable().missing = Missing::Many;
    world.live("acme", Duration::from_secs(30));
    assert_eq!(world.ready("acme"), "ManyWorkspacesMissing");
    assert_eq!(world.secrets.len(), 1, "nothing follows");
    world.readable().missing = Missing::Few;
    world.list();
    world.live("acme", Duration::from_secs(30));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    assert!(world.secrets.is_empty());
}

/// Promise: rule.gone: Gone is a GET by id, never an absence from a list; the way back is good once
#[test]
fn what_is_gone_is_read_by_id_reported_and_loses_its_secret() {
    let world = World::with_acme_gone();
    assert!(world.secrets.is_empty());
    assert!(world.id("acme").is_some(), "the lost id stays in status");
}

#[test]
fn what_is_gone_stays_gone_through_restarts_and_failing_reads() {
    for (secret, restart) in [(true, false), (false, false), (true, true), (false, true)] {
        let mut world = World::with_acme_gone();
        world.edit("acme", |o| {
            o.spec.token_secret =
                Some(serde_json::from_value(serde_json::json!({ "enabled": secret })).unwrap());
        });
        world.snapshot = None;
        if restart {
            world.restart();
        }
        for _ in 0..60 {
            world.live("acme", Duration::from_secs(60));
            assert_eq!(world.ready("acme"), "WorkspaceNotFound");
        }
        world.fault("Get", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
        world.live("acme", Duration::from_secs(7200));
        assert_ne!(world.ready("acme"), "AsDeclared");
        assert_eq!(world.count("Issue"), 0);
    }
}

/// Promise: rule.listed-row
#[test]
fn absence_from_the_list_alone_changes_nothing() {
    let mut world = World::with_acme();
    world.snapshot = Some((world.now.checked_add(Duration::from_secs(1)).unwrap(), Vec::new()));
    world.advance(60);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Promise: rule.gone
/// It allows no second creation, and none for another id.
#[test]
fn the_recreate_annotation_is_good_once_for_the_lost_id() {
    let mut world = World::with_acme_gone();
    let lost = world.id("acme").unwrap();
    world.edit("acme", |o| o.facts.recreate = Some(WorkspaceId::from("another")));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    world.edit("acme", move |o| o.facts.recreate = Some(lost));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.names(), ["acme"]);
    world.advance(60);
    world.engine.rows.clear();
    world.list();
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
}

/// One for the end of the record and the intent of the next, one for the end.
#[test]
fn a_replacement_takes_two_statuses() {
    let mut world = World::with_acme_gone();
    let lost = world.id("acme");
    world.edit("acme", |o| o.facts.recreate = lost);
    world.forget_journal();
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.count("WriteStatus"), 2, "{:?}", world.kinds());
}

#[test]
fn a_recreation_passes_the_gates_of_every_creation() {
    let mut world = World::with_acme_gone();
    let lost = world.id("acme");
    world.engine.make(world.now, "acme");
    world.edit("acme", |o| o.facts.recreate = lost);
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AlreadyExists");
}

/// Nothing tells whose it is, and it has the very name that the replacement would have: its user decides as at every creation.
#[test]
fn a_recreation_under_the_lost_name_meets_who_has_it() {
    let mut world = lost_beside_a_suspect();
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("acme"));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AlreadyExists", "{}", world.message("acme"));
}

#[test]
fn what_comes_back_is_served_again() {
    let mut world = World::with_acme();
    world.advance(60);
    let rows = std::mem::take(&mut world.engine.rows);
    world.list();
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    world.engine.rows = rows;
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.secrets.len(), 1);
}

#[test]
fn an_id_of_another_organization_is_not_acted_on() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(900);
    world.engine.row(&id).unwrap().organization_id = Some(OrganizationId::from("org-2"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "IdentityMismatch");
    assert_eq!(world.count("Issue"), 0);
}

#[test]
fn our_finalizer_is_put_back_where_a_user_took_it() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.facts.finalizer = Finalizer::Absent);
    world.reconcile("acme").unwrap();
    assert_eq!(world.objects["acme"].facts.finalizer, Finalizer::Present);
}

/// An object whose status came with a backup: all of it speaks of another uid.
fn restored() -> World {
    let mut world = World::with_acme();
    let stored = world.objects["acme"].clone();
    world.objects.clear();
    world.secrets.clear();
    world.restart();
    world.advance(3600);
    world.apply("acme", stored.spec);
    world.edit("acme", |o| o.status = stored.status);
    world.forget_journal();
    world
}

/// Promise: rule.identity: Identity is bound to the object; a status of another object is a wish to adopt, behind every precondition
#[test]
fn a_copied_status_is_a_wish_to_adopt_behind_every_gate() {
    let mut world = restored();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AlreadyExists");
    assert_eq!(
        world.count("Issue") + world.count("Update") + world.count("Delete"),
        0
    );
    assert!(world.secrets.is_empty());
    world.allow_adoption();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AlreadyExists");
    world.edit("acme", |o| o.spec.adoption_policy = Some(AdoptionPolicy::ByName));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(
        world.id("acme").as_ref(),
        Some(&world.engine.rows[0].workspace.id)
    );
    assert_eq!(
        world.status("acme").uid.as_ref(),
        Some(&world.objects["acme"].facts.uid)
    );
}

#[test]
fn a_copied_status_finds_its_renamed_workspace_by_id() {
    let mut world = restored();
    world.allow_adoption();
    world.engine.rows[0].workspace.name = "moved".into();
    world.edit("acme", |o| o.spec.adoption_policy = Some(AdoptionPolicy::ByName));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.engine.names(), ["acme"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn a_wish_whose_name_is_not_granted_or_claimed_obtains_nothing() {
    let mut world = restored();
    world.allow_adoption();
    world.engine.rows[0].workspace.name = "theirs".into();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme], adoption: Allowed}]");
    world.edit("acme", |o| o.spec.adoption_policy = Some(AdoptionPolicy::ByName));
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "NameNotGranted");
    assert_eq!(world.engine.names(), ["theirs"]);
}

#[test]
fn a_wish_for_what_is_gone_is_forgotten() {
    let mut world = restored();
    world.engine.rows.clear();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.names(), ["acme"]);
}

/// The organization answers 404 by id and lists nothing: what it hides is no reason to create another.
///
/// Promise: rule.hidden
#[test]
fn a_wish_is_not_forgotten_where_nothing_is_shown() {
    let mut world = restored();
    let rows = std::mem::take(&mut world.engine.rows);
    world.engine.shows = Shows::Nothing;
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    assert_eq!(world.count("Issue"), 0);
    assert!(world.calls() <= 20, "{}", world.calls());
    world.engine.rows = rows;
    world.engine.shows = Shows::All;
    world.allow_adoption();
    world.edit("acme", |o| o.spec.adoption_policy = Some(AdoptionPolicy::ByName));
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.names(), ["acme"]);
}

#[test]
fn deleting_an_object_with_a_copied_status_deletes_nothing() {
    let mut world = restored();
    world.live("acme", Duration::from_secs(60));
    world.edit("acme", |o| o.facts.finalizer = Finalizer::Present);
    world.delete("acme");
    world.live("acme", Duration::from_secs(60));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Promise: rule.identity
#[test]
fn a_copied_intent_is_trusted_for_nothing() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    world.edit("acme", |o| o.facts.uid = Uid::from("restored"));
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "AlreadyExists");
}

#[test]
fn a_list_older_than_a_minute_does_not_tell_one_from_many() {
    let mut world = World::with_acme();
    world.advance(60);
    world.engine.rows.clear();
    world.list();
    world.advance(61);
    let settled = world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    assert_eq!(settled.list, SharedList::Wanted);
}

/// The list of a large organization takes longer than a minute.
/// Promise: rule.gone
#[test]
fn a_list_begun_after_the_404_confirms_it_however_long_it_took() {
    let mut world = World::with_acme();
    world.advance(60);
    world.engine.rows.clear();
    asked(&mut world, "now");
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    world.advance(10);
    let list = Some((world.now, Vec::new()));
    world.snapshot = None;
    for _ in 0..3 {
        world.advance(200);
        world.reconcile("acme").unwrap();
        world.snapshot = None;
        assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    }
    world.snapshot = list;
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
}

#[test]
fn while_suspended_a_lost_workspace_is_not_created_again() {
    let mut world = World::with_acme_gone();
    let lost = world.id("acme");
    world.edit("acme", |o| {
        o.spec.suspend = Some(true);
        o.facts.recreate = lost;
    });
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    assert!(world.id("acme").is_some(), "the lost id stays in status");
}

#[test]
fn a_workspace_that_reads_as_deleted_is_gone() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(60);
    world.engine.row(&id).unwrap().tombstone = true;
    world.snapshot = Some((world.now, Vec::new()));
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    assert!(world.secrets.is_empty());
}

fn asked(world: &mut World, when: &str) {
    world.edit("acme", |o| o.facts.reconcile_at = Some(when.to_owned()));
    world.reconcile("acme").unwrap();
}

#[test]
fn a_list_from_before_the_creation_confirms_no_absence() {
    let mut world = World::new();
    world.list();
    world.advance(5);
    world.apply("acme", spec("acme"));
    world.reconcile("acme").unwrap();
    world.advance(10);
    world.engine.rows.clear();
    asked(&mut world, "now");
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    assert_eq!(world.secrets.len(), 1, "nothing follows before");
}

#[test]
fn a_404_counts_among_what_an_earlier_list_lacks() {
    let mut world = World::with_acme();
    world.advance(120);
    world.engine.rows.clear();
    let listed_at = world.now;
    world.advance(1);
    asked(&mut world, "now");
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    let uid = world.objects["acme"].facts.uid.clone();
    let managed = Managed {
        id: world.id("acme").unwrap(),
        organization_id: Some(org()),
        name: "acme".into(),
        state: Some(WorkspaceState::Active),
        gone: KnownGone::No,
        known_at: world.memory[&uid].lists_count_after.present,
        uid,
    };
    let list = Snapshot::new(listed_at, Vec::new());
    assert_eq!(
        list.compare(&[managed]).missing,
        1,
        "else many would look like few"
    );
    world.snapshot = Some((listed_at, Vec::new()));
    asked(&mut world, "again");
    assert_eq!(world.ready("acme"), "WorkspaceNotFound", "and it is confirmed");
}

/// The process before was cut off with a status on its way, which lands once this one has read the workspace.
#[test]
fn a_status_that_lands_late_does_not_stand_against_what_was_read() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Inactive));
    world.reconcile("acme");
    let before = world.status("acme").clone();
    world.engine.rows.clear();
    world.advance(60);
    world.list();
    world.live_unlisted("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    world.edit("acme", |o| o.status = before);
    assert_eq!(world.ready("acme"), "AsDeclared");
    world.live_unlisted("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
}

/// All of it: what another object recorded is what a user compares when both claim it.
#[test]
fn a_wish_that_is_not_granted_keeps_what_it_names() {
    let mut world = restored();
    world.edit("acme", |o| {
        o.status.deletion_policy = Some(DeletionPolicy::Retain);
    });
    let copied = world.status("acme").clone();
    world.live("acme", Duration::from_secs(60));
    let stored = world.status("acme").clone();
    assert_ne!(stored.conditions, copied.conditions);
    let same = WorkspaceStatus {
        conditions: copied.conditions.clone(),
        observed_generation: copied.observed_generation,
        token_secret_name: copied.token_secret_name.clone(),
        ..stored
    };
    assert_eq!(same, copied);
}

#[test]
fn a_status_is_the_objects_own_from_the_first() {
    let mut world = World::new();
    world.grant("[]");
    world.apply("acme", spec("acme"));
    world.reconcile("acme").unwrap();
    let uid = Some(&world.objects["acme"].facts.uid);
    assert_eq!(world.status("acme").uid.as_ref(), uid);
}

/// The answer is known.
#[test]
fn a_loss_that_is_confirmed_wants_no_further_list() {
    let mut world = World::with_acme_gone();
    world.advance(60);
    let settled = world.reconcile("acme").unwrap();
    assert_eq!(settled.list, SharedList::Enough);
}

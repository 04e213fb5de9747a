//! What comes between the steps of a creation: another hand, another organization, two where one was to be.

use std::time::Duration;

use crate::crd::workspace::{AdoptionPolicy, Origin};
use crate::domain::ids::{OrganizationId, RegionId, WorkspaceId};
use crate::domain::remote::{FailureClass, WorkspaceState};
use crate::domain::verification::Verification;
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::predicaments::{by_name, kept_in_another_form, named};
use crate::lifecycle::tests::harness::world::{Fault, World, at, spec};

fn created() -> World {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world
}

/// The new workspace was renamed between its issue and its GET. It is ours, and recorded.
/// Promise: I2
#[test]
fn a_name_that_another_object_holds_gets_no_first_token() {
    let mut world = World::new();
    world.apply("other", spec("zenith"));
    world.live("other", Duration::from_secs(5));
    world.forget_journal();
    world.apply("acme", spec("acme"));
    world.meanwhile("Verify", |world| {
        let mut rows = world.engine.rows.iter_mut().map(|row| &mut row.workspace);
        let row = rows.find(|row| row.name.as_str() == "acme");
        row.unwrap().name = "ZENITH".into();
    });
    world.reconcile("acme").unwrap();
    let kinds = world.kinds();
    let at = |kind| kinds.iter().position(|this| *this == kind).unwrap();
    assert!(
        at("WriteSecret") > at("Update"),
        "before it is renamed back: {kinds:?}"
    );
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.names(), ["zenith", "acme"]);
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
}

/// The API may have taken another client's workspace for it, which that client renamed at once.
/// Promise: I1
#[test]
fn another_form_of_the_name_counts_that_only_the_verification_told() {
    let mut world = World::new();
    world.engine.kept_as = str::to_lowercase;
    world.apply("acme", spec("ACME"));
    world.meanwhile("Get", |world| {
        world.engine.row(&WorkspaceId::from("ws-1")).unwrap().name = "zzz".into();
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Verify"), 1);
    assert_eq!(world.ready("acme"), "CreationUncertain");
    assert_eq!((world.id("acme"), world.count("WriteSecret")), (None, 0));
}

/// Promise: rule.window
/// The answer before the stamp was slow, and told no time of the server.
#[test]
fn a_stamp_of_the_local_clock_moves_to_the_servers_time() {
    for ahead in [-7200, 7200] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.engine.date = Told::No;
        world.server_ahead(ahead);
        world.fault("Issue", Fault::CrashAfter, 1);
        world.reconcile("acme");
        world.engine.date = Told::Yes;
        world.live("acme", Duration::from_secs(120));
        assert_eq!(world.ready("acme"), "AsDeclared", "{ahead}");
        world.delete("acme");
        world.live("acme", Duration::from_secs(120));
        assert_eq!(world.engine.names(), Vec::<&str>::new());
    }
}

#[test]
fn a_region_is_asked_for_at_the_creation_and_never_after() {
    let region = RegionId::from("645a183f-b12b-4c6e-8ad3-99e165603450");
    let mut world = World::new();
    let mut declared = spec("acme");
    declared.region_id = Some(region.clone());
    world.apply("acme", declared);
    world.reconcile("acme").unwrap();
    world.advance(900);
    world.reconcile("acme").unwrap();
    assert_eq!(world.issued_regions, [Some(region), None]);
}

/// Whether its verification says so, or its workspace.
#[test]
fn a_token_of_another_organization_is_dropped() {
    let by_verification = |world: &mut World| world.engine.verifies_for = OrganizationId::from("org-2");
    let by_row = |world: &mut World| {
        let made = world.engine.row(&WorkspaceId::from("ws-1")).unwrap();
        made.organization_id = Some(OrganizationId::from("org-2"));
    };
    for (moment, says_so) in [("Verify", by_verification as fn(&mut World)), ("Get", by_row)] {
        let mut world = created();
        world.meanwhile(moment, says_so);
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "IdentityMismatch");
        assert_eq!(world.id("acme"), None);
        assert!(world.secrets.is_empty());
    }
}

/// Another object claims it just before the GET.
#[test]
fn a_workspace_claimed_meanwhile_is_not_recorded() {
    let mut world = created();
    world.meanwhile("Get", |world| world.claimed_elsewhere("ws-1"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "NameClaimed");
    assert_eq!(world.id("acme"), None);
    assert!(world.secrets.is_empty());
}

/// It is recorded, and no token is handed out.
#[test]
fn renamed_meanwhile_to_an_ungranted_name_it_has_no_token() {
    let mut world = created();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme]}]");
    world.meanwhile("Get", |world| {
        world.engine.row(&WorkspaceId::from("ws-1")).unwrap().name = "zzz".into();
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.id("acme"), Some(WorkspaceId::from("ws-1")));
    assert_eq!(world.count("WriteSecret"), 0);
}

/// Its void intent is stored alone: the new name is the next reconcile's.
#[test]
fn another_name_declared_meanwhile_costs_no_fourth_write() {
    let mut world = World::new();
    world.allow_adoption();
    let mut declared = spec("acme");
    declared.adoption_policy = Some(AdoptionPolicy::ByName);
    world.apply("acme", declared);
    world.engine.make(at(-60), "zenith");
    world.meanwhile("Issue", |world| {
        world.engine.make(at(-60), "acme");
        world.edit("acme", |o| o.spec.name = "zenith".into());
    });
    world.reconcile("acme").unwrap();
    assert!(world.count("WriteStatus") <= 3, "{:?}", world.kinds());
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.status("acme").origin, Some(Origin::Adopted));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Its end is stored with the verdict, or with the record of what is adopted instead, whose token is then issued.
#[test]
fn a_void_creation_costs_no_write_of_its_own() {
    for (adoption, writes) in [(None, 2), (Some(AdoptionPolicy::ByName), 3)] {
        let mut world = World::new();
        world.allow_adoption();
        let mut declared = spec("acme");
        declared.adoption_policy = adoption;
        world.apply("acme", declared);
        world.meanwhile("Issue", |world| {
            world.engine.make(at(-60), "acme");
        });
        world.reconcile("acme").unwrap();
        assert_eq!(world.status("acme").creation, None);
        assert_eq!(
            world.count("WriteStatus"),
            writes,
            "{adoption:?}: {}",
            world.ready("acme")
        );
    }
}

/// Not even after a name that came and went.
#[test]
fn nothing_is_issued_twice_in_one_reconcile() {
    let mut world = created();
    world.meanwhile("Issue", |world| {
        world.engine.make(at(-60), "acme");
    });
    world.meanwhile("Get", |world| {
        world.engine.row(&WorkspaceId::from("ws-1")).unwrap().name = "moved".into();
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 1);
    assert_eq!(world.ready("acme"), "Creating");
    assert!(world.secrets.is_empty());
}

#[test]
fn of_two_that_appeared_in_the_window_neither_is_taken_for_ours() {
    let mut world = created();
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    world.engine.make(world.now, "acme");
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.ready("acme"), "CreationUncertain");
    assert_eq!(world.id("acme"), None);
    assert_eq!(world.count("Issue"), 1);
}

/// One of the two is our own: an intent that is dropped for an adoption that cannot follow leaves it to nobody.
#[test]
fn of_two_that_appeared_in_the_window_neither_is_adopted_and_none_is_forgotten() {
    let mut world = World::new();
    world.allow_adoption();
    let mut declared = spec("acme");
    declared.adoption_policy = Some(AdoptionPolicy::ByName);
    world.apply("acme", declared);
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    let of_others = world.engine.make(world.now, "acme");
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.ready("acme"), "CreationUncertain");
    assert!(world.status("acme").creation.is_some());
    world.engine.rows.retain(|row| row.workspace.id != of_others);
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.status("acme").origin, Some(Origin::Created));
    world.delete("acme");
    world.live("acme", Duration::from_secs(120));
    assert!(world.engine.rows.is_empty() && world.objects.is_empty());
}

#[test]
fn a_lost_creation_that_a_person_deleted_is_made_again() {
    let mut world = created();
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    world.engine.row(&WorkspaceId::from("ws-1")).unwrap().tombstone = true;
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.id("acme"), Some(WorkspaceId::from("ws-2")));
}

/// Another workspace is created.
#[test]
fn a_lost_creation_that_a_person_renamed_is_left_alone() {
    let mut world = created();
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    world.engine.row(&WorkspaceId::from("ws-1")).unwrap().name = "moved".into();
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.id("acme"), Some(WorkspaceId::from("ws-2")));
    assert_eq!(world.engine.names(), ["moved", "acme"]);
    assert_eq!(world.count("Issue"), 2);
}

/// The workspace is adopted in the reconcile that dropped the token.
#[test]
fn a_dropped_token_is_not_used_for_an_adopted_workspace() {
    let mut world = created();
    world.allow_adoption();
    world.edit("acme", |o| o.spec.adoption_policy = Some(AdoptionPolicy::ByName));
    world.meanwhile("Issue", |world| {
        world.engine.make(at(-60), "acme");
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.status("acme").origin, Some(Origin::Adopted));
    assert_eq!(world.count("Issue"), 2);
}

/// Whoever declares another form of the name adopts what our issue may have made. Until that is recorded, the issue stays in
/// doubt.
#[test]
fn an_adoption_that_does_not_come_to_its_end_forgets_no_creation() {
    let mut world = kept_in_another_form(true);
    assert_eq!(world.ready("acme"), "CreationUncertain");
    named(&mut world, "acme", "acme");
    by_name(&mut world);
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme");
    assert!(world.status("acme").creation.is_some());
    world.delete("acme");
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    assert_eq!(world.engine.names(), ["acme"]);
}

#[test]
fn an_adoption_of_what_was_in_doubt_is_one_write_and_one_read() {
    let mut world = kept_in_another_form(true);
    named(&mut world, "acme", "acme");
    by_name(&mut world);
    world.forget_journal();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.status("acme").origin, Some(Origin::Adopted));
    assert_eq!(world.status("acme").creation, None);
    assert_eq!(world.ready("acme"), "AsDeclared");
    let calls = ["Search", "Get", "Issue", "WriteStatus"].map(|kind| world.count(kind));
    assert_eq!(calls, [1, 1, 1, 2]);
}

/// By its id, or another one by its own.
#[test]
fn an_id_that_is_declared_says_which_is_adopted() {
    for id in ["ws-1", "ws-2"] {
        let mut world = kept_in_another_form(true);
        world.engine.make(world.now, "other");
        named(&mut world, "acme", "acme");
        world.edit("acme", |o| o.spec.workspace_id = Some(WorkspaceId::from(id)));
        world.forget_journal();
        world.live("acme", Duration::from_secs(60));
        assert_eq!(world.id("acme"), Some(WorkspaceId::from(id)));
        assert_eq!(world.status("acme").creation, None);
        let writes = if id == "ws-1" { 2 } else { 3 };
        assert_eq!(
            world.count("WriteStatus"),
            writes,
            "{id}: {:?} {}",
            world.kinds(),
            world.message("acme")
        );
    }
}

#[test]
fn what_has_the_name_as_a_part_of_its_own_is_not_found_for_ours() {
    let mut world = created();
    world.fault("Issue", Fault::CrashBefore, 1);
    world.reconcile("acme");
    world.engine.make(world.now, "acme-2");
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.id("acme"), Some(WorkspaceId::from("ws-2")));
}

/// Promise: rule.token-declared-away
/// And when the workspace is declared inactive.
#[test]
fn the_secret_of_a_cut_off_creation_goes_with_the_grant() {
    let withdrawals: [fn(&mut World); 2] = [
        |world| world.grant("[]"),
        |world| world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Inactive)),
    ];
    for withdraw in withdrawals {
        let mut world = created();
        world.fault("WriteSecret", Fault::CrashAfter, 1);
        world.reconcile("acme");
        assert_eq!(world.secrets.len(), 1);
        world.heal();
        world.readable().verification = Verification::Pending {
            why: "the API is down".to_owned(),
        };
        withdraw(&mut world);
        world.live("acme", Duration::from_secs(60));
        assert_eq!(world.secrets.len(), 0, "{}", world.ready("acme"));
    }
}

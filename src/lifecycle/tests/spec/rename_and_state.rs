//! Rename, active and inactive, drift: what is declared is brought about, what is not is left alone.

use std::time::Duration;

use crate::crd::conditions::SYNCED;
use crate::crd::workspace::DeletionPolicy;
use crate::domain::ids::WorkspaceName;
use crate::domain::remote::{FailureClass, RemoteState, WorkspaceState};
use crate::lifecycle::Aspect;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

fn rename(world: &mut World, name: &str) {
    let name = WorkspaceName::from(name);
    world.edit("acme", |o| o.spec.name = name);
}

/// What a search has shown is said, though an issue of the same reconcile is in doubt.
#[test]
fn a_rival_is_named_beside_an_issue_in_doubt() {
    let mut world = World::with_acme();
    world.engine.make(world.now, "zenith");
    world.advance(14 * 60);
    rename(&mut world, "zenith");
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 1, "{:?}", world.kinds());
    assert_eq!(world.condition("acme", SYNCED).unwrap().1, "AlreadyExists");
}

/// The token is issued under the new name.
#[test]
fn a_rename_reads_searches_updates_and_renews_the_token() {
    let mut world = World::with_acme();
    rename(&mut world, "zenith");
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        [
            "Get",
            "Search",
            "ReadObject",
            "Update",
            "Get",
            "Issue",
            "Verify",
            "WriteSecret",
            "WriteStatus"
        ]
    );
    assert_eq!(world.issued_names, ["zenith"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// To a taken, a nearly equal or an ungranted name.
#[test]
fn a_rename_to_a_forbidden_name_leaves_all_as_it_is() {
    for (target, reason) in [
        ("taken", "AlreadyExists"),
        ("Taken", "SimilarNameExists"),
        ("elsewhere", "NameNotGranted"),
        ("default", "Rejected"),
    ] {
        let mut world = World::with_acme();
        world.engine.make(world.now, "taken");
        world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme, taken, Taken, default]}]");
        rename(&mut world, target);
        world.live("acme", Duration::from_secs(1800));
        assert_eq!(world.ready("acme"), reason, "{target}");
        assert_eq!(world.count("Update"), 0);
        assert_eq!(world.token_ready("acme"), "TokenVerified");
        assert!(world.issued_names.iter().all(|name| name == "acme"));
    }
}

/// `prod-*` may not be deleted, `dev-*` may: who renames out of the one cannot delete what came from it.
/// Promise: rule.ceiling: No rename lifts what an access entry forbids
#[test]
fn a_rename_lifts_no_prohibition_of_deletion() {
    let access = "[{namespaces: {names: [team]}, workspaceNames: ['prod-*'], deletion: Forbidden},
                   {namespaces: {names: [team]}, workspaceNames: ['*']}]";
    let mut world = World::new();
    world.grant(access);
    world.apply("acme", spec("prod-a"));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    rename(&mut world, "dev-a");
    world.live("acme", Duration::from_secs(1800));
    assert_eq!(world.engine.names(), ["prod-a"]);
    assert_eq!(world.condition("acme", SYNCED).unwrap().1, "NameNotGranted");
    assert_eq!(world.token_ready("acme"), "TokenVerified");
    rename(&mut world, "prod-b");
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared", "one that is forbidden as well");
    rename(&mut world, "dev-a");
    world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Delete));
    world.live("acme", Duration::from_secs(60));
    world.delete("acme");
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.engine.names(), ["prod-b"], "it is retained");
}

/// Into a name whose deletion is forbidden, and once the entry is gone.
#[test]
fn a_rename_that_lifts_no_prohibition_is_made() {
    let mut world = World::with_acme();
    world.grant(
        "[{namespaces: {names: [team]}, workspaceNames: ['prod-*'], deletion: Forbidden},
                  {namespaces: {names: [team]}, workspaceNames: ['*']}]",
    );
    for (name, reason) in [("prod-a", "AsDeclared"), ("acme", "NameNotGranted")] {
        rename(&mut world, name);
        world.live("acme", Duration::from_secs(60));
        assert_eq!(world.ready("acme"), reason, "{name}");
        assert_eq!(world.engine.names(), ["prod-a"]);
    }
    world.grant("[{namespaces: {names: [team]}, workspaceNames: ['*']}]");
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Promise: rule.observation
#[test]
fn a_rename_with_a_lost_answer_stops_tokens_until_settled() {
    for done in [Fault::AnswerLost, Fault::Answers(FailureClass::Unknown, 504)] {
        let mut world = World::with_acme();
        world.advance(900);
        rename(&mut world, "zenith");
        world.fault("Update", done, 1);
        let began = world.now;
        world.live("acme", Duration::from_secs(120));
        let unclear = world
            .journal
            .iter()
            .find(|(_, kind)| *kind == "Update")
            .unwrap()
            .0;
        let issued = world.journal.iter().find(|(_, kind)| *kind == "Issue").unwrap().0;
        assert!(issued > unclear && unclear >= began);
        assert_eq!(world.engine.names(), ["zenith"], "{done:?}");
        assert_eq!(world.issued_names, ["zenith"], "{done:?}");
        assert_eq!(world.ready("acme"), "AsDeclared");
    }
}

#[test]
fn a_process_killed_in_a_rename_makes_no_twin() {
    for crash in [Fault::CrashBefore, Fault::CrashAfter] {
        let mut world = World::with_acme();
        world.advance(900);
        rename(&mut world, "zenith");
        world.fault("Update", crash, 1);
        world.live("acme", Duration::from_secs(120));
        assert_eq!(world.engine.names(), ["zenith"]);
        assert_eq!(world.ready("acme"), "AsDeclared");
    }
}

#[test]
fn a_refused_rename_does_not_stop_the_switch_of_state() {
    let mut world = World::with_acme();
    world.engine.make(world.now, "taken");
    world.edit("acme", |o| {
        o.spec.name = WorkspaceName::from("taken");
        o.spec.status = Some(WorkspaceState::Inactive);
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.status("acme").state, Some(WorkspaceState::Inactive));
    assert!(world.secrets.is_empty());
    assert_eq!(world.ready("acme"), "AlreadyExists");
}

/// Agent Engine refuses the name.
#[test]
fn a_refused_name_does_not_stop_the_switch_of_state() {
    let mut world = World::with_acme();
    world.fault("Update", Fault::Answers(FailureClass::Rejected, 422), 1);
    world.edit("acme", |o| {
        o.spec.name = WorkspaceName::from("zenith");
        o.spec.status = Some(WorkspaceState::Inactive);
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.status("acme").state, Some(WorkspaceState::Inactive));
    assert_eq!(world.ready("acme"), "Rejected");
}

/// No token could be had under the name that others gave it, such as one that several workspaces have.
#[test]
fn a_token_does_not_rest_for_a_name_that_the_workspace_bears_no_more() {
    let mut world = World::with_acme_due();
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    world.fault("Update", Fault::Answers(FailureClass::Rejected, 422), 1);
    world.fault("Issue", Fault::Answers(FailureClass::Rejected, 422), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.status("acme").name, Some(WorkspaceName::from("moved")));
    world.fail("acme", Aspect::Token, 20);
    world.live("acme", Duration::from_secs(1800));
    assert_eq!(world.engine.names(), ["acme"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The token condition says why there is none.
#[test]
fn inactive_removes_the_secret_and_active_brings_it_back() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Inactive));
    world.reconcile("acme").unwrap();
    assert!(world.secrets.is_empty());
    assert_eq!(world.token_ready("acme"), "WorkspaceInactive");
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.status("acme").token_secret_name, None);
    world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Active));
    world.reconcile("acme").unwrap();
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
}

/// Promise: rule.default-workspace
#[test]
fn default_is_not_deactivated() {
    let mut world = World::new();
    world.allow_adoption();
    world.engine.make(world.now, "default");
    let mut declared = crate::lifecycle::tests::harness::world::spec("default");
    declared.adoption_policy = Some(crate::crd::workspace::AdoptionPolicy::ByName);
    declared.status = Some(WorkspaceState::Inactive);
    world.apply("acme", declared);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Update"), 0);
    assert_eq!(world.ready("acme"), "Rejected");
}

#[test]
fn drift_seen_in_the_list_is_read_by_id_and_corrected() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(60);
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    world.list();
    world.reconcile("acme").unwrap();
    assert_eq!(&world.kinds()[..4], ["Get", "Search", "ReadObject", "Update"]);
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Promise: rule.listed-row: A listed row counts only if younger than our last write; it only schedules a GET
#[test]
fn a_row_asked_for_before_our_own_write_says_nothing() {
    let mut world = World::with_acme();
    world.list();
    rename(&mut world, "zenith");
    world.reconcile("acme").unwrap();
    world.forget_journal();
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), Vec::<&str>::new());
}

#[test]
fn suspended_leaves_name_and_state_alone_and_renews_the_token() {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.spec.name = WorkspaceName::from("zenith");
        o.spec.status = Some(WorkspaceState::Active);
        o.spec.suspend = Some(true);
    });
    world.live("acme", Duration::from_secs(1800));
    assert_eq!(world.count("Update"), 0);
    assert!(world.count("Issue") >= 2);
    assert!(world.issued_names.iter().all(|name| name == "acme"));
    assert_eq!(world.ready("acme"), "Suspended");
    assert_eq!(world.condition("acme", "Synced").unwrap().0, "Unknown");
}

#[test]
fn a_state_of_the_future_is_left_alone_unless_one_is_declared() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(60);
    world.engine.row(&id).unwrap().state = RemoteState::Unknown;
    world.list();
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Update"), 0);
    world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Active));
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Update"), 1);
}

#[test]
fn its_own_name_in_other_case_does_not_stop_a_rename() {
    let mut world = World::with_acme();
    rename(&mut world, "ACME");
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["ACME"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn a_list_taken_while_we_were_renaming_says_nothing_either() {
    let mut world = World::with_acme();
    // Without a token nothing is read after the rename.
    world.edit("acme", |o| {
        o.spec.token_secret = Some(serde_json::from_str(r#"{"enabled": false}"#).unwrap());
    });
    world.reconcile("acme").unwrap();
    rename(&mut world, "zenith");
    world.meanwhile("Update", World::list);
    world.reconcile("acme").unwrap();
    world.forget_journal();
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), Vec::<&str>::new());
}

#[test]
fn a_younger_read_is_not_repeated_for_an_older_list() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(60);
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    world.list();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("acme");
    world.reconcile("acme").unwrap();
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get"]);
}

#[test]
fn a_read_that_fails_is_not_repeated_in_the_same_reconcile() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(60);
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    world.list();
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Get"), 1);
}

/// It takes the change, and makes another name of it.
#[test]
fn an_api_that_changes_the_name_is_not_asked_in_circles() {
    let mut renamed = World::with_acme();
    renamed.engine.after_update = |row| row.name = WorkspaceName::from("zenith");
    rename(&mut renamed, "Zenith");
    let mut switched = World::with_acme();
    switched.engine.after_update = |row| row.state = RemoteState::Known(WorkspaceState::Active);
    switched.edit("acme", |o| o.spec.status = Some(WorkspaceState::Inactive));
    for mut world in [renamed, switched] {
        world.reconcile("acme").unwrap();
        assert_eq!(world.count("Update"), 1);
        assert_eq!(world.ready("acme"), "Rejected");
    }
}

#[test]
fn a_404_to_a_rename_is_as_a_404_to_a_read() {
    let mut world = World::with_acme();
    rename(&mut world, "zenith");
    world.fault("Update", Fault::Answers(FailureClass::Missing, 404), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Update"), 1);
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
}

/// Its first attempt was unclear.
#[test]
fn a_rename_that_went_well_keeps_no_token_waiting() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.fault("Update", Fault::Answers(FailureClass::Unknown, 504), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 0, "the name is not known for certain");
    world.edit("acme", |o| o.facts.reconcile_at = Some("now".to_owned()));
    world.reconcile("acme").unwrap();
    assert_eq!(world.issued_names, ["zenith"]);
}

#[test]
fn synced_tells_whether_name_and_state_are_as_declared() {
    type Change = fn(&mut World);
    let changes: [(Change, &str); 3] = [
        (|_| (), "True"),
        (
            |world| world.edit("acme", |o| o.spec.suspend = Some(true)),
            "Unknown",
        ),
        (
            |world| {
                world.edit("acme", |o| o.spec.name = "zenith".into());
                world.fault("Update", Fault::Answers(FailureClass::Rejected, 422), 1);
            },
            "False",
        ),
    ];
    for (change, expected) in changes {
        let mut world = World::with_acme();
        change(&mut world);
        world.reconcile("acme").unwrap();
        let (status, reason) = world.condition("acme", SYNCED).unwrap();
        assert_eq!(status, expected, "{reason}");
    }
}

/// Another client gave the workspace a name that is longer than any that can be recorded: what comes of it is its beginning.
fn renamed_to_a_long_name() -> World {
    let mut world = World::with_acme_due();
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("n".repeat(1025));
    world.list();
    world
}

#[test]
fn a_name_too_long_to_be_recorded_is_renamed_back() {
    let mut world = renamed_to_a_long_name();
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.engine.names(), ["acme"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.issued_names, ["acme"]);
}

/// An issue under the beginning of a name would make another workspace.
#[test]
fn no_token_is_issued_under_the_beginning_of_a_name() {
    let mut world = renamed_to_a_long_name();
    world.edit("acme", |o| o.spec.suspend = Some(true));
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.count("Issue"), 0);
    assert_eq!(world.token_ready("acme"), "Rejected");
    assert_eq!(world.engine.rows.len(), 1);
    world.edit("acme", |o| o.spec.suspend = None);
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "AsDeclared");
    world.delete("acme");
    world.live("acme", Duration::from_secs(600));
    assert!(world.objects.is_empty() && world.engine.rows.is_empty());
}

//! Adoption, by name and by id: declared and allowed, or not at all.

use std::time::Duration;

use crate::crd::workspace::{AdoptionPolicy, Origin, WorkspaceSpec};
use crate::domain::ids::{OrganizationId, WorkspaceId};
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::tests::harness::fake_engine::Shows;
use crate::lifecycle::tests::harness::world::{World, spec};

fn by_name() -> WorkspaceSpec {
    let mut declared = spec("acme");
    declared.adoption_policy = Some(AdoptionPolicy::ByName);
    declared
}

fn by_id(id: &WorkspaceId) -> WorkspaceSpec {
    let mut declared = spec("acme");
    declared.workspace_id = Some(id.clone());
    declared
}

fn with_existing(name: &str) -> (World, WorkspaceId) {
    let mut world = World::new();
    world.allow_adoption();
    let id = world.engine.make(world.now, name);
    world.advance(3600);
    (world, id)
}

#[test]
fn adoption_by_name_searches_reads_records_and_then_issues() {
    let (mut world, id) = with_existing("acme");
    world.apply("acme", by_name());
    world.reconcile("acme").unwrap();
    assert_eq!(
        &world.kinds()[..4],
        ["Search", "Get", "AddFinalizer", "WriteStatus"]
    );
    assert_eq!(world.id("acme"), Some(id.clone()));
    assert_eq!(world.status("acme").origin, Some(Origin::Adopted));
    assert_eq!(world.token_opens("acme-token"), Some(id));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn the_organizations_default_declares_as_well() {
    let (mut world, id) = with_existing("acme");
    world.readable().defaults.adoption_policy = Some(AdoptionPolicy::ByName);
    world.apply("acme", spec("acme"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.id("acme"), Some(id));
}

/// A workspace whose adoption is declared or allowed, but not both, is left alone.
#[test]
fn adoption_must_be_both_declared_and_allowed() {
    let (mut world, id) = with_existing("acme");
    world.apply("acme", spec("acme"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AlreadyExists");
    world.delete("acme");
    world.grant("[{namespaces: {names: [team]}, workspaceNames: ['*']}]");
    for declared in [by_name(), by_id(&id)] {
        world.apply("other", declared);
        world.reconcile("other").unwrap();
        assert_eq!(world.ready("other"), "AlreadyExists");
        assert_eq!(world.id("other"), None);
        world.delete("other");
    }
    assert_eq!(world.count("Issue") + world.count("Update"), 0);
}

/// Whatever the entry of the declared name says.
#[test]
fn the_entry_of_the_name_that_it_has_allows_adoption_by_id() {
    let (mut world, id) = with_existing("legacy");
    let mut declared = by_id(&id);
    declared.name = "renamed".into();
    for (allowed, reason) in [("renamed", "AlreadyExists"), ("legacy", "AsDeclared")] {
        world.grant(&format!(
            "[{{namespaces: {{names: [team]}}, workspaceNames: ['*']}}, \
              {{namespaces: {{names: [team]}}, workspaceNames: [{allowed}], adoption: Allowed}}]"
        ));
        world.apply("acme", declared.clone());
        world.live("acme", Duration::from_secs(600));
        assert_eq!(world.ready("acme"), reason, "{allowed}");
        if reason == "AlreadyExists" {
            assert_eq!(world.id("acme"), None);
            assert_eq!(world.count("Issue") + world.count("Update"), 0);
            world.delete("acme");
        }
    }
    assert_eq!(world.id("acme"), Some(id));
    assert_eq!(world.engine.names(), ["renamed"]);
}

#[test]
fn of_several_with_one_name_none_is_adopted() {
    let (mut world, _) = with_existing("acme");
    world.engine.make(world.now, "acme");
    world.apply("acme", by_name());
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AlreadyExists");
    assert_eq!(world.count("Get"), 0);
}

#[test]
fn a_near_equal_name_is_not_adopted() {
    let (mut world, _) = with_existing("Acme");
    world.apply("acme", by_name());
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "SimilarNameExists");
}

#[test]
fn adoption_by_id_reads_it_records_it_and_renames_it() {
    let (mut world, id) = with_existing("legacy");
    world.apply("acme", by_id(&id));
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.id("acme"), Some(id));
    assert_eq!(world.engine.names(), ["acme"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.issued_names, ["acme"]);
}

/// Both must be granted.
#[test]
fn adoption_by_id_needs_the_current_and_the_declared_name() {
    for granted in ["acme", "legacy"] {
        let (mut world, id) = with_existing("legacy");
        world.grant(&format!(
            "[{{namespaces: {{names: [team]}}, workspaceNames: [{granted}], adoption: Allowed}}]"
        ));
        world.apply("acme", by_id(&id));
        world.live("acme", Duration::from_secs(600));
        assert_eq!(world.ready("acme"), "NameNotGranted");
        assert_eq!(world.count("Issue") + world.count("Update"), 0);
        assert_eq!(world.id("acme"), None);
    }
}

#[test]
fn an_id_that_is_not_there_creates_nothing() {
    let (mut world, _) = with_existing("legacy");
    world.apply("acme", by_id(&WorkspaceId::from("nowhere")));
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    assert_eq!(world.engine.names(), ["legacy"]);
}

#[test]
fn what_another_object_has_is_not_adopted_by_name_or_by_id() {
    let mut world = World::with_acme();
    world.allow_adoption();
    let id = world.id("acme").unwrap();
    let mut other = by_id(&id);
    other.name = "other".into();
    for (object, declared) in [("by-name", by_name()), ("by-id", other)] {
        world.apply(object, declared);
        world.live(object, Duration::from_secs(60));
        assert_eq!(world.ready(object), "NameClaimed", "{object}");
        assert_eq!(world.id(object), None);
    }
    assert_eq!(world.engine.names(), ["acme"]);
}

#[test]
fn a_workspace_of_another_organization_is_left_alone() {
    let (mut world, id) = with_existing("acme");
    world.engine.row(&id).unwrap().organization_id = Some(OrganizationId::from("org-2"));
    world.apply("acme", by_name());
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "IdentityMismatch");
    assert_eq!(world.id("acme"), None);
}

#[test]
fn an_inactive_workspace_is_adopted_and_gets_no_token() {
    let (mut world, id) = with_existing("acme");
    world.engine.row(&id).unwrap().state =
        crate::domain::remote::RemoteState::Known(crate::domain::remote::WorkspaceState::Inactive);
    world.apply("acme", by_name());
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.count("Issue"), 0);
}

/// Nor under a name that the other object does not know.
#[test]
fn a_workspace_of_another_object_is_not_adopted_by_id() {
    let mut world = World::with_acme();
    world.allow_adoption();
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = "moved".into();
    world.advance(5);
    let mut other = by_id(&id);
    other.name = "other".into();
    world.apply("other", other);
    world.live("other", Duration::from_secs(60));
    assert_eq!(world.ready("other"), "NameClaimed");
    assert_eq!(world.id("other"), None);
}

/// Promise: rule.wish-from-elsewhere: A wish from another organization waits for its credential and makes no twin
/// No call is made until the credential of its organization is back.
#[test]
fn a_status_of_another_organization_makes_no_twin() {
    let (mut world, id) = with_existing("acme");
    let there = OrganizationId::from("org-2");
    world.apply("acme", by_name());
    world.edit("acme", |o| {
        o.status.uid = Some("uid-of-old".into());
        o.status.workspace_id = Some(id.clone());
        o.status.organization_id = Some(OrganizationId::from("org-1"));
        o.status.name = Some("acme".into());
    });
    // Beside the credential of another organization, where nothing is called so.
    world.readable().verification = Verification::Verified(there);
    let rows = std::mem::take(&mut world.engine.rows);
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "OrganizationMismatch");
    assert!(
        world.message("acme").contains("credential of org-1"),
        "{}",
        world.message("acme")
    );
    assert_eq!(world.calls(), 0);
    assert_eq!(
        world.status("acme").workspace_id,
        Some(id.clone()),
        "the wish is kept"
    );

    world.engine.rows = rows;
    let organization = world.readable();
    organization.verification = Verification::Verified(OrganizationId::from("org-1"));
    organization.revision += 1;
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.id("acme"), Some(id));
}

/// Promise: rule.name-of-others: Who knows an id does not learn the name of another tenant's workspace from it
#[test]
fn an_id_tells_no_name_that_is_not_granted() {
    let mut world = World::new();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme], adoption: Allowed}]");
    let id = world.engine.make(world.now, "secret-project");
    world.apply("acme", by_id(&id));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "NameNotGranted");
    let status = serde_json::to_string(world.status("acme")).unwrap();
    assert!(!status.contains("secret-project"), "{status}");
    assert!(status.contains(id.as_str()));
}

/// It was restored from a backup of another cluster.
fn with_a_wish(id: &WorkspaceId) -> World {
    let mut world = World::new();
    world.allow_adoption();
    world.apply("acme", by_name());
    world.edit("acme", |o| {
        o.status.uid = Some("uid-of-the-old-object".into());
        o.status.workspace_id = Some(id.clone());
        o.status.organization_id = Some(crate::lifecycle::tests::harness::world::org());
        o.status.name = Some("acme".into());
    });
    world
}

/// Promise: rule.wish-missing: That a wished-for workspace is missing is confirmed like any loss before one is created in its place
/// A single GET does not find it.
#[test]
fn a_wish_is_not_dropped_on_one_404() {
    let mut world = World::new();
    let id = world.engine.make(world.now, "acme");
    let engine = std::mem::take(&mut world.engine);
    let mut world = with_a_wish(&id);
    world.engine = engine;
    world.engine.row(&id).unwrap().tombstone = true;
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 0, "{:?}", world.kinds());
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    world.engine.row(&id).unwrap().tombstone = false;
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.id("acme"), Some(id));
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Promise: rule.wish-missing
#[test]
fn a_wish_waits_while_many_workspaces_are_missing() {
    let mut world = with_a_wish(&WorkspaceId::from("ws-9"));
    world.readable().missing = Missing::Many;
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.count("Issue"), 0);
    assert_eq!(world.ready("acme"), "ManyWorkspacesMissing");
    assert!(world.calls() <= 26, "{}", world.calls());
    world.readable().missing = Missing::Few;
    world.readable().revision += 1;
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The lost one and the one that bears its name are read in turns no more.
#[test]
fn where_a_wish_is_lost_the_workspace_of_its_name_is_adopted() {
    let mut world = with_a_wish(&WorkspaceId::from("ws-9"));
    let bears = world.engine.make(world.now, "acme");
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared", "{:?}", world.kinds());
    assert_eq!(world.id("acme"), Some(bears));
}

/// By a list, or by a second GET where none is taken.
#[test]
fn a_wish_that_is_missing_for_certain_is_dropped() {
    let mut world = with_a_wish(&WorkspaceId::from("ws-9"));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared", "{:?}", world.kinds());
    let mut world = with_a_wish(&WorkspaceId::from("ws-9"));
    world.live_unlisted("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "AsDeclared", "{:?}", world.kinds());
}

/// A list that was taken since shows another workspace, and so that none is hidden.
/// Promise: rule.wish-missing
#[test]
fn a_wish_is_dropped_in_an_organization_without_its_fallback_workspace() {
    let mut world = with_a_wish(&WorkspaceId::from("ws-9"));
    world.engine.shows = Shows::WithoutFallback;
    world.engine.make(world.now, "nadir");
    world.live("acme", Duration::from_secs(900));
    assert_eq!(world.ready("acme"), "AsDeclared", "{:?}", world.kinds());
}

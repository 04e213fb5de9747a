//! I2: a workspace found by the window of our own issue is taken, or deleted, only while no other object holds its id.

use std::time::Duration;

use crate::crd::workspace::AdoptionPolicy;
use crate::domain::ids::WorkspaceId;
use crate::lifecycle::tests::harness::world::{Fault, Object, World, org, spec};
use crate::tenancy::ClaimKey;

const ALL: &str = "[{namespaces: {names: [team]}, workspaceNames: ['*'], adoption: Allowed}]";

/// `acme` died after its issue had made `ws-1`, and claimed nothing while `beta` adopted that one by its name.
fn adopted_meanwhile() -> World {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    let acme: Object = world.objects.remove("acme").unwrap();
    world.advance(60);
    world.grant(ALL);
    let mut adopts = spec("acme");
    adopts.adoption_policy = Some(AdoptionPolicy::ByName);
    world.apply("beta", adopts);
    world.reconcile("beta").unwrap();
    assert_eq!(world.ready("beta"), "AsDeclared");
    world.objects.insert("acme".to_owned(), acme);
    world.forget_journal();
    world
}

fn stays_with_beta(world: &mut World) {
    world.live("beta", Duration::from_secs(60));
    assert_eq!(world.ready("beta"), "AsDeclared");
    assert_eq!(world.token_opens("beta-token"), world.id("beta"));
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Another object adopted it.
#[test]
fn a_workspace_adopted_meanwhile_ends_no_creation() {
    let mut world = adopted_meanwhile();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "NameClaimed");
    assert_eq!(world.id("acme"), None);
    stays_with_beta(&mut world);
    // It is taken when the other lets go of it.
    world.grant("[{namespaces: {names: [team]}, workspaceNames: ['*'], deletion: Forbidden}]");
    world.delete("beta");
    world.reconcile("beta").unwrap();
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Its object claims nothing then, but asks who holds the id.
#[test]
fn nor_while_the_grant_is_withdrawn() {
    let mut world = adopted_meanwhile();
    world.grant("[]");
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.id("acme"), None);
    assert_eq!(world.ready("acme"), "NameClaimed");
    world.grant(ALL);
    stays_with_beta(&mut world);
}

#[test]
fn nor_deleted_with_the_object_whose_creation_made_it() {
    for granted in [ALL, "[{namespaces: {names: [team]}, workspaceNames: [acme]}]"] {
        let mut world = adopted_meanwhile();
        world.grant(granted);
        world.delete("acme");
        world.live("acme", Duration::from_secs(600));
        assert_eq!(world.ready("acme"), "DeletionBlocked");
        assert!(
            world.message("acme").contains("claimed by"),
            "{}",
            world.message("acme")
        );
        stays_with_beta(&mut world);
    }
}

#[test]
fn asking_who_holds_an_id_takes_it_from_no_object() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    world.grant("[]");
    world.fault("WriteStatus", Fault::Refused, usize::MAX);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Get"), 1);
    let id = ClaimKey::Id(org(), WorkspaceId::from("ws-1"));
    assert_eq!(world.claims.winner(&id), None);
}

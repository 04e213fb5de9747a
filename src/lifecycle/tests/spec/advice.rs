//! What is advised can be followed, and what is said is true.

use std::time::Duration;

use crate::crd::workspace::AdoptionPolicy;
use crate::domain::ids::WorkspaceName;
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

fn says(world: &World, reason: &str, words: &[&str]) {
    assert_eq!(world.ready("acme"), reason);
    let message = world.message("acme");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}

fn says_nothing_of(world: &World, word: &str) {
    let message = world.message("acme");
    assert!(!message.contains(word), "{word:?} is in {message:?}");
}

/// `spec.workspaceId` cannot be added to an object, so the message advises a new object.
#[test]
fn one_of_several_is_adopted_by_a_new_object_with_its_id() {
    let mut world = World::new();
    world.allow_adoption();
    world.engine.make(world.now, "acme");
    world.engine.make(world.now, "acme");
    let mut declared = spec("acme");
    declared.adoption_policy = Some(AdoptionPolicy::ByName);
    world.apply("acme", declared);
    world.reconcile("acme").unwrap();
    says(
        &world,
        "AlreadyExists",
        &["delete this object and create it again with spec.workspaceId"],
    );
}

#[test]
fn adoption_is_not_advised_as_if_it_were_allowed() {
    for (allowed, words) in [
        (false, "ask the administrator for `adoption: Allowed`"),
        (true, "Adopt it with spec.adoptionPolicy: ByName"),
    ] {
        let mut world = World::new();
        if allowed {
            world.allow_adoption();
        }
        world.engine.created_at = Told::No;
        world.apply("acme", spec("acme"));
        world.fault("Issue", Fault::CrashAfter, 1);
        world.reconcile("acme");
        world.reconcile("acme").unwrap();
        says(&world, "CreationUncertain", &[words]);
    }
}

/// The workspace bears a name that is not granted; the message does not advise another name in spec.
#[test]
fn another_declared_name_does_not_help_an_ungranted_one() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [zenith]}]");
    world.reconcile("acme").unwrap();
    says(
        &world,
        "NameNotGranted",
        &["\"acme\"", "Have the workspace renamed there"],
    );
    says_nothing_of(&world, "Choose a name");
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("zenith");
    world.advance(1);
    world.list();
    world.advance(1);
    world.live("acme", Duration::from_secs(60));
    says(&world, "AsDeclared", &[]);
}

#[test]
fn an_unsent_creation_is_not_called_a_lost_answer() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashBefore, 1);
    world.reconcile("acme");
    world.reconcile("acme").unwrap();
    says(&world, "CreationInFlight", &["was begun"]);
    says_nothing_of(&world, "lost");
}

#[test]
fn that_suspension_holds_back_what_was_asked_for_is_said() {
    let mut world = World::with_acme();
    world.engine.rows.clear();
    world.list();
    world.live("acme", Duration::from_secs(60));
    says(&world, "WorkspaceNotFound", &["recreate=ws-1"]);
    says_nothing_of(&world, "spec.suspend");
    world.edit("acme", |o| o.spec.suspend = Some(true));
    world.live("acme", Duration::from_secs(600));
    says(&world, "WorkspaceNotFound", &["while spec.suspend is set"]);
}

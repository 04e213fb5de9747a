//! Six stories, told by the world of the tests: *view → rule → effect → outcome → next reconcile*. They are kept in
//! `docs/stories/`; `make generate` writes them.

use std::path::Path;
use std::time::Duration;

use crate::crd::workspace::{AdoptionPolicy, DeletionPolicy};
use crate::domain::remote::FailureClass;
use crate::domain::time::later;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

/// A world whose reconciles are told.
fn told() -> World {
    let mut world = World::new();
    world.told = Some(Vec::new());
    world
}

/// Compares the page with what happened, or writes it.
fn page(world: &World, file: &str, title: &str, introduction: &str) {
    let told = world.told.as_deref().unwrap_or_default().join("\n");
    let page = format!(
        "# {title}\n\n{introduction}\n\nTold by the tests of the decision core (`make generate`), in virtual time. Each row is one step: what \
         the view showed that was new, the rule that decided, the effect that it named, and what came of it.\n{told}\n"
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/stories")
        .join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/stories/{file} is out of date: run `make generate`"
    );
}

#[test]
fn story_of_a_creation() {
    let mut world = told();
    world.tell("A user applies the Workspace `acme`.");
    world.apply("acme", spec("acme"));
    world.live("acme", Duration::from_secs(5));
    world.tell("The token comes to its renewal.");
    world.live("acme", Duration::from_secs(14 * 60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    page(
        &world,
        "creation.md",
        "A creation, and the first renewal",
        "Search for the name, hold the object, store the intent, issue, verify, read by id, write the Secret, record. A process that is \
         killed between any two of these steps continues from what is stored.",
    );
}

#[test]
fn story_of_a_lost_answer() {
    let mut world = told();
    world.tell("The answer to the issue will be lost, although the workspace is created.");
    world.fault("Issue", Fault::AnswerLost, 1);
    world.apply("acme", spec("acme"));
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.rows.len(), 1);
    page(
        &world,
        "lost-answer.md",
        "A creation whose answer is lost",
        "An issue without an answer may have created the workspace. The stored intent has a name and a window of time: a workspace of \
         that name which was created inside the window is ours. No second issue is sent before the first one is resolved.",
    );
}

#[test]
fn story_of_a_rename() {
    let mut world = World::with_acme();
    world.told = Some(Vec::new());
    world.tell("A user changes `spec.name` from `acme` to `zenith`.");
    world.edit("acme", |o| o.spec = spec("zenith"));
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "AsDeclared");
    page(
        &world,
        "rename.md",
        "A rename",
        "The id is the identity; the name is a label. The workspace is read, the new name is searched for, and the update names the id. \
         The Secret holds the name too, so it gets a new token.",
    );
}

#[test]
fn story_of_a_renewal_through_an_outage() {
    let mut world = World::with_acme();
    world.told = Some(Vec::new());
    world.tell("Agent Engine answers every call with 503 from the eleventh minute on.");
    world.now = later(world.now, Duration::from_secs(11 * 60));
    let outage = Fault::Answers(FailureClass::Transient, 503);
    for call in ["Search", "Get", "Issue", "Verify"] {
        world.fault(call, outage, usize::MAX);
    }
    world.live("acme", Duration::from_secs(5 * 60));
    world.tell("Five minutes later it answers again.");
    world.heal();
    world.live("acme", Duration::from_secs(3 * 60));
    assert_eq!(world.ready("acme"), "AsDeclared");
    page(
        &world,
        "renewal-through-an-outage.md",
        "A token renewal through an outage of five minutes",
        "A token lives for 20 minutes and is renewed at two thirds of that. While the token in the Secret has a good part of its life left, \
         the object stays Ready; the attempts back off, and come closer together when the token is about to end.",
    );
}

#[test]
fn story_of_a_deletion_that_is_blocked_and_then_retained() {
    let mut world = World::with_acme();
    world.told = Some(Vec::new());
    world.tell("A user deletes the object; the API denies the DELETE to the operator's credential.");
    let denied = Fault::Answers(FailureClass::Denied, 403);
    world.fault("Delete", denied, usize::MAX);
    world.delete("acme");
    world.live("acme", Duration::from_secs(30));
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    world.tell("The user follows the message and sets `spec.deletionPolicy: Retain`.");
    world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
    world.live("acme", Duration::from_secs(5));
    assert!(!world.objects.contains_key("acme"));
    assert_eq!(world.engine.rows.len(), 1, "the workspace stays");
    page(
        &world,
        "blocked-deletion.md",
        "A deletion that is blocked, and then retains",
        "The finalizer stays until the workspace is deleted by its id, or until the user lets go of it. The message of the condition names \
         both ways out.",
    );
}

#[test]
fn story_of_an_adoption() {
    let mut world = told();
    let now = world.now;
    world.engine.make(now, "acme");
    world.tell("A workspace named `acme` exists at Agent Engine. A user applies a Workspace of that name.");
    world.apply("acme", spec("acme"));
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "AlreadyExists");
    world.tell("The administrator sets `adoption: Allowed` in the access entry, and the user `spec.adoptionPolicy: ByName`.");
    world.allow_adoption();
    world.edit("acme", |o| o.spec.adoption_policy = Some(AdoptionPolicy::ByName));
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "AsDeclared");
    page(
        &world,
        "adoption.md",
        "An adoption",
        "A workspace that exists is not changed until adoption is both declared and allowed. It is read by its id before it is recorded.",
    );
}

//! An object rests for a refusal, up to two hours. What others make of its workspace meanwhile was not foretold by it.

use std::time::Duration;

use crate::domain::remote::{FailureClass, RemoteState, WorkspaceState};
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::tests::harness::world::{Fault, World};

const MINUTE: Duration = Duration::from_secs(60);

/// Agent Engine refuses the declared name, again and again.
fn rests() -> World {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = "zenith".into());
    world.fault("Update", Fault::Answers(FailureClass::Rejected, 422), usize::MAX);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "Rejected");
    world.fail("acme", Aspect::Sync, 30);
    world.advance(60);
    world.forget_journal();
    world
}

/// Promise: rule.news-during-rest: While an object rests after failures, a list that is younger than the last of them and shows its workspace otherwise than status tells is followed by one GET
#[test]
fn another_name_is_seen_with_the_next_list_and_the_rename_is_tried_for_it() {
    let mut world = rests();
    world.engine.rows[0].workspace.name = "moved".into();
    world.live("acme", MINUTE);
    assert_eq!(world.count("Get"), 0, "no list shows it");
    world.list();
    world.live("acme", MINUTE);
    assert_eq!(world.status("acme").name, Some("moved".into()));
    assert!(world.count("Update") > 0);
    assert_eq!(world.ready("acme"), "Rejected");
}

#[test]
fn another_state_is_seen_with_the_next_list() {
    let mut world = rests();
    world.engine.rows[0].workspace.state = RemoteState::Known(WorkspaceState::Inactive);
    world.list();
    world.live("acme", MINUTE);
    assert_eq!(world.status("acme").state, Some(WorkspaceState::Inactive));
}

#[test]
fn a_loss_is_seen_and_confirmed_by_two_lists() {
    let mut world = rests();
    world.engine.rows.clear();
    world.list();
    world.live("acme", MINUTE);
    world.advance(60);
    world.list();
    world.live("acme", MINUTE);
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
}

#[test]
fn a_read_that_fails_changes_nothing_of_what_is_said_and_waits_for_another_list() {
    let mut world = rests();
    let said = world.message("acme");
    world.engine.rows[0].workspace.name = "moved".into();
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), 1);
    world.list();
    for _ in 0..3 {
        world.reconcile("acme").unwrap();
        world.advance(30);
    }
    assert_eq!((world.count("Get"), world.count("Update")), (1, 0));
    assert_eq!(world.message("acme"), said);
    world.list();
    world.live("acme", MINUTE);
    assert_eq!(world.status("acme").name, Some("moved".into()));
}

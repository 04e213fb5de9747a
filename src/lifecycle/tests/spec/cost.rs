//! What a permanently failing object costs: at most 20 calls in its first hour and 6 in any later one.

use std::time::Duration;

use crate::domain::ids::WorkspaceName;
use crate::domain::remote::{FailureClass, WorkspaceState};
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

const HOUR: Duration = Duration::from_secs(3600);

const CLASSES: [(FailureClass, u16); 9] = [
    (FailureClass::Transient, 503),
    (FailureClass::Throttled(Duration::from_secs(1)), 429),
    (FailureClass::Denied, 403),
    (FailureClass::Rejected, 422),
    (FailureClass::Rejected, 402),
    (FailureClass::Conflict, 409),
    (FailureClass::Missing, 404),
    (FailureClass::Malformed, 200),
    (FailureClass::Unknown, 504),
];

/// Lives for some hours, and counts in each.
fn hours_are_cheap(world: &mut World, story: &str) {
    for hour in 0..4 {
        world.forget_journal();
        world.live("acme", HOUR);
        let most = if hour == 0 { 20 } else { 6 };
        let (calls, writes) = (world.calls(), world.writes());
        assert!(calls <= most, "{story}, hour {hour}: {calls} calls");
        assert!(writes <= 2 * most, "{story}, hour {hour}: {writes} writes");
    }
}

/// Lets each operation of a story fail in each class without end, and counts.
fn stays_cheap(story: &str, begin: impl Fn() -> World, operations: &[&'static str]) {
    for operation in operations {
        for (class, status) in CLASSES {
            let mut world = begin();
            world.fault(operation, Fault::Answers(class, status), usize::MAX);
            hours_are_cheap(&mut world, &format!("{story}: {operation} {class:?}"));
        }
    }
}

/// Promise: cost.failure
#[test]
fn a_creation_that_always_fails() {
    let begin = || {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world
    };
    stays_cheap("creation", begin, &["Search", "Issue", "Verify", "Get"]);
}

#[test]
fn a_token_that_cannot_be_renewed() {
    let begin = || {
        let mut world = World::with_acme();
        world.advance(900);
        world
    };
    stays_cheap("refresh", begin, &["Get", "Issue", "Verify"]);
}

#[test]
fn a_workspace_without_token_that_cannot_be_renamed_or_switched() {
    let begin = || {
        let mut world = World::with_acme();
        world.edit("acme", |o| {
            o.spec.name = WorkspaceName::from("zenith");
            o.spec.status = Some(WorkspaceState::Inactive);
        });
        world
    };
    stays_cheap("rename", begin, &["Get", "Search", "Update"]);
}

#[test]
fn a_deletion_that_always_fails() {
    let begin = || {
        let mut world = World::with_acme();
        world.delete("acme");
        world
    };
    stays_cheap("deletion", begin, &["Delete"]);
}

#[test]
fn a_workspace_that_is_gone() {
    let begin = || {
        let mut world = World::with_acme();
        world.engine.rows.clear();
        world.list();
        world
    };
    stays_cheap("gone", begin, &["Verify"]);
}

/// Promise: cost.failure
#[test]
fn an_api_that_is_down_for_everything() {
    for (class, status) in CLASSES {
        let mut world = World::with_acme();
        world.advance(900);
        world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
        for operation in ["Search", "Get", "Issue", "Verify", "Update", "Delete"] {
            world.fault(operation, Fault::Answers(class, status), usize::MAX);
        }
        hours_are_cheap(&mut world, &format!("{class:?}"));
    }
}

#[test]
fn a_refused_kubernetes_write_costs_no_more() {
    for kind in ["AddFinalizer", "WriteStatus", "WriteSecret"] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.fault(kind, Fault::Refused, usize::MAX);
        hours_are_cheap(&mut world, kind);
    }
}

/// However long it waits.
#[test]
fn an_object_whose_name_another_one_holds_costs_no_call() {
    let mut world = World::with_acme();
    world.advance(5);
    world.apply("beta", spec("ACME "));
    world.forget_journal();
    world.live("beta", HOUR);
    assert_eq!(world.ready("beta"), "NameClaimed");
    assert_eq!((world.calls(), world.writes()), (0, 1), "{:?}", world.kinds());
}

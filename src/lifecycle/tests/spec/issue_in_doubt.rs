//! An issue without a verified token is a write in doubt: under its own name, within its own window, until a read that was
//! asked after its end shows nothing of it.

use std::time::Duration;

use crate::domain::ids::WorkspaceName;
use crate::domain::remote::FailureClass;
use crate::lifecycle::tests::harness::world::{Fault, World, at};

/// Its issue was lost, and people moved its name to another workspace of theirs.
fn with_the_old_name_borne_by_another() -> World {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::Answers(FailureClass::Unknown, 504), 1);
    world.reconcile("acme").unwrap();
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    let other = world.engine.make(world.now, "acme");
    world.engine.row(&other).unwrap().created_at = Some(at(-9000));
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("moved"));
    world.forget_journal();
    world
}

/// Promise: rule.doubt-ends: An issue in doubt is forgotten once a read that was asked after its end shows nothing of its own window
#[test]
fn another_workspace_of_the_old_name_is_not_searched_for_without_end() {
    let mut world = with_the_old_name_borne_by_another();
    world.live("acme", Duration::from_secs(12 * 3600));
    assert!(world.count("Search") <= 2, "{} searches", world.count("Search"));
    assert_eq!(world.count("Delete"), 0);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Promise: rule.doubt-ends
#[test]
fn renewals_are_in_time_while_an_issue_is_in_doubt() {
    let mut world = with_the_old_name_borne_by_another();
    world.live("acme", Duration::from_secs(60));
    for _ in 0..360 {
        world.live("acme", Duration::from_secs(20));
        let times = world.secrets["acme-token"].facts.times.unwrap();
        let left = times.expires_at.duration_since(world.now).as_secs();
        assert!(left >= 300, "{left} s left");
    }
}

/// The search for an orphan fails for hours. It is no failure of the token.
#[test]
fn a_search_for_an_orphan_that_fails_delays_no_renewal() {
    let mut world = with_the_old_name_borne_by_another();
    world.fault("Search", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    world.live("acme", Duration::from_secs(60));
    for _ in 0..360 {
        world.live("acme", Duration::from_secs(20));
        let times = world.secrets["acme-token"].facts.times.unwrap();
        let left = times.expires_at.duration_since(world.now).as_secs();
        assert!(left >= 300, "{left} s left");
    }
    assert!(
        world.count("Search") <= 20 + 6,
        "{} searches",
        world.count("Search")
    );
}

/// Two issues are in doubt. A person makes a workspace under the name of the first, in the window of the second.
#[test]
fn the_window_of_one_issue_says_nothing_of_another_name() {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::Answers(FailureClass::Unknown, 504), 2);
    world.reconcile("acme").unwrap();
    let id = world.id("acme").unwrap();
    world.advance(40);
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("moved"));
    world.live("acme", Duration::from_secs(15));
    assert_eq!(world.count("Issue"), 2, "{:?}", world.kinds());
    world.engine.make(world.now, "acme");
    world.live("acme", Duration::from_secs(3600));
    world.delete("acme");
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(
        world.engine.names(),
        ["acme"],
        "theirs stays: {:?}",
        world.kinds()
    );
}

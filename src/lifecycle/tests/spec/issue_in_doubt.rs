//! An issue without a verified token is a write in doubt: under its own name, within its own window, until a read that was
//! asked after its end shows nothing of it.

use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::ids::WorkspaceName;
use crate::domain::remote::FailureClass;
use crate::lifecycle::tests::harness::world::{Fault, World, at};
use crate::lifecycle::{Aspect, Reconcile};

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

/// It was taken while the clock was ahead, before the issue was sent.
/// Promise: rule.doubt-ends
#[test]
fn a_list_of_before_the_clock_was_set_back_ends_no_doubt() {
    let mut world = World::with_acme_due();
    world.list();
    world.set_clock(-SignedDuration::from_hours(1));
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 1, "{:?}", world.kinds());
    let reconcile = Reconcile::new(world.view("acme"));
    assert_eq!(reconcile.view().memory.unresolved.len(), 1);
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

/// The process dies at its issue, which is carried out 20 s later.
fn restarted_with_an_issue_under_way() -> World {
    let mut world = World::with_acme_due();
    let get_and_issue = 1;
    world.crash_at(get_and_issue, Fault::CarriedOutAfter(20));
    assert!(world.reconcile("acme").is_none());
    world.restart();
    world.forget_journal();
    world
}

/// Promise: rule.former-issue: What the process before had sent may still take effect: for a minute after a start nothing that was recorded before is renamed or deleted
#[test]
fn a_late_issue_of_a_killed_process_leaves_no_orphan() {
    let mut world = restarted_with_an_issue_under_way();
    world.delete("acme");
    world.live("acme", Duration::from_secs(19));
    assert_eq!(world.count("Delete"), 0, "{:?}", world.kinds());
    assert!(world.secrets.is_empty(), "the token goes at once");
    world.live("acme", Duration::from_secs(600));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), [""; 0], "{:?}", world.kinds());
}

/// Promise: rule.former-issue
#[test]
fn a_late_issue_of_a_killed_process_makes_no_twin() {
    let mut world = restarted_with_an_issue_under_way();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.engine.names(), ["zenith"], "{:?}", world.kinds());
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// A search that was asked after the end of any such issue comes before the DELETE.
#[test]
fn before_a_deletion_after_a_restart_an_orphan_is_searched_for() {
    let mut world = World::with_acme();
    world.restart();
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    world.advance(10);
    let made = world.engine.make(world.now, "acme");
    world.delete("acme");
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    assert!(
        world.message("acme").contains(made.as_str()),
        "{}",
        world.message("acme")
    );
    assert_eq!(world.count("Delete"), 0);
    world.engine.delete(&made);
    world.live("acme", Duration::from_secs(3600));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), [""; 0]);
}

/// A GET does not: the workspace may have been gone when the issue was carried out, and be back.
#[test]
fn a_list_after_the_restart_ends_the_doubt() {
    for (listed, searches) in [(true, 0), (false, 1)] {
        let mut world = World::with_acme();
        world.restart();
        world.advance(900);
        if listed {
            world.list();
        }
        world.reconcile("acme").unwrap();
        world.forget_journal();
        world.delete("acme");
        world.reconcile("acme").unwrap();
        assert_eq!(world.count("Search"), searches, "{:?}", world.kinds());
        assert!(world.objects.is_empty());
    }
}

#[test]
fn what_this_process_recorded_is_renamed_and_deleted_at_once() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["zenith"]);
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert!(world.objects.is_empty());
    assert_eq!(world.count("Search"), 1, "of the rename: {:?}", world.kinds());
}

/// Its renewal is due at the restart.
#[test]
fn after_a_restart_a_token_is_renewed_at_once() {
    let mut world = World::with_acme_due();
    world.restart();
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("WriteSecret"), 1);
}

/// The process before may have sent a rename. A token waits until that has settled.
#[test]
fn a_late_rename_of_a_killed_process_makes_no_twin() {
    let mut world = World::with_acme_due();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.restart();
    world.forget_journal();
    world.meanwhile("Issue", |world| {
        let id = world.id("acme").unwrap();
        world.engine.row(&id).unwrap().name = WorkspaceName::from("zenith");
    });
    world.live("acme", Duration::from_secs(44));
    assert_eq!(world.count("Issue"), 0, "{:?}", world.kinds());
    world.meanwhile.clear();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.engine.names(), ["zenith"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The lost workspace is replaced only when no issue for it can land beside the new creation.
#[test]
fn a_lost_workspace_is_not_replaced_while_an_issue_may_land() {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::CarriedOutAfter(29), 1);
    world.reconcile("acme").unwrap();
    world.engine.rows.clear();
    let id = world.id("acme").unwrap();
    world.edit("acme", |o| {
        o.facts.recreate = Some(id);
        o.spec.name = WorkspaceName::from("zenith");
    });
    world.advance(1);
    world.list();
    world.live("acme", Duration::from_secs(3600));
    let issues: Vec<_> = world
        .journal
        .iter()
        .filter(|(_, kind)| *kind == "Issue")
        .collect();
    assert!(issues[1].0 >= issues[0].0 + Duration::from_secs(60), "{issues:?}");
    assert_eq!(world.engine.names(), ["zenith"], "{:?}", world.kinds());
    assert_eq!(world.ready("acme"), "AsDeclared", "{}", world.message("acme"));
}

/// The workspace was removed, unseen, and the renewal made another of its name. Where that was not found in time, the object rests.
/// Promise: rule.replaced-alone: A lost workspace is replaced only after a search showed what issues in doubt have made
#[test]
fn a_lost_workspace_is_not_replaced_before_what_its_renewal_made_is_found() {
    let mut world = World::with_acme_due();
    world.meanwhile("Issue", |world| world.engine.rows.clear());
    world.fault("Verify", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["acme"], "of our making");
    let lost = world.id("acme");
    world.edit("acme", |o| {
        o.facts.recreate = lost;
        o.spec.name = WorkspaceName::from("zenith");
    });
    world.fault("Search", Fault::Answers(FailureClass::Transient, 503), 1);
    world.advance(120);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    world.fail("acme", Aspect::Sync, 5);
    world.advance(1);
    world.list();
    world.reconcile("acme").unwrap();
    world.live("acme", Duration::from_secs(3600));
    let kinds = world.kinds();
    let at = |wanted: &str, n| {
        let mut all = kinds.iter().enumerate().filter(|(_, kind)| **kind == wanted);
        all.nth(n).map(|(at, _)| at)
    };
    let (removed, replaced) = (at("Delete", 0), at("Issue", 1));
    assert!(removed.is_some() && removed < replaced, "{kinds:?}");
    assert_eq!(world.engine.names(), ["zenith"]);
    assert_eq!(world.ready("acme"), "AsDeclared", "{}", world.message("acme"));
}

/// It took effect before the next process read the workspace.
#[test]
fn a_rename_of_a_killed_process_that_took_effect_delays_no_token() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.restart();
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("zenith");
    world.list();
    world.live("acme", Duration::from_secs(10));
    assert_eq!(world.count("WriteSecret"), 1, "{:?}", world.kinds());
    assert_eq!(world.ready("acme"), "AsDeclared");
}

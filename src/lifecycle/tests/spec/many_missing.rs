//! Many workspaces missing from a list at once: the list is doubted, and a GET by id tells of each.

use std::time::Duration;

use jiff::SignedDuration;

use crate::crd::conditions::{READY, TOKEN_READY};
use crate::crd::workspace::DeletionPolicy;
use crate::domain::remote::FailureClass;
use crate::domain::time::earlier;
use crate::domain::verification::Missing;
use crate::lifecycle::judge::identity;
use crate::lifecycle::reconcile::SharedList;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};
use crate::lifecycle::view::View;

const HOUR: Duration = Duration::from_secs(3600);

/// The newest list lacks `acme`, and many others.
fn lacked(world: &mut World) {
    world.readable().missing = Missing::Many;
    world.readable().revision += 1;
    world.advance(1);
    world.snapshot = Some((world.now, Vec::new()));
}

/// Promise: rule.many-missing
/// A fault of the list alone is no outage of tokens.
#[test]
fn a_workspace_that_a_get_shows_is_served() {
    let mut world = World::with_acme();
    for _ in 0..6 {
        lacked(&mut world);
        world.live_watched("acme", HOUR / 6, |world| {
            for kind in [READY, TOKEN_READY] {
                assert_eq!(world.condition("acme", kind).unwrap().0, "True");
            }
        });
    }
    assert!(world.count("Issue") >= 4, "{:?}", world.kinds());
    assert!(world.count("Get") <= 12, "{} reads", world.count("Get"));
    assert_eq!(world.count("WriteStatus"), 0);
}

/// Promise: rule.many-missing
#[test]
fn a_workspace_that_a_get_does_not_find_is_held_back() {
    let mut world = World::with_acme();
    world.engine.rows.clear();
    lacked(&mut world);
    let settled = world.reconcile("acme").unwrap();
    assert_eq!(settled.list, SharedList::Enough, "another list tells nothing");
    world.live_unlisted("acme", HOUR / 6);
    assert_eq!(world.ready("acme"), "ManyWorkspacesMissing");
    let missing = world.status("acme").missing.clone();
    assert_eq!(missing.map(|missing| missing.confirmed), Some(false));
    assert_eq!(world.secrets.len(), 1, "its token stays");
    world.readable().missing = Missing::Few;
    world.readable().revision += 1;
    world.list();
    world.live_unlisted("acme", HOUR);
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
}

/// The list of before is not younger than what is read now.
#[test]
fn a_clock_set_back_has_each_workspace_read_once() {
    let mut world = World::with_acme();
    lacked(&mut world);
    world.set_clock(-SignedDuration::from_hours(1));
    for _ in 0..10 {
        world.reconcile("acme").unwrap();
        world.advance(1);
    }
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert!(world.count("Get") <= 2, "{} reads", world.count("Get"));
}

#[test]
fn a_get_that_fails_serves_nobody_and_is_bounded() {
    let mut world = World::with_acme();
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    lacked(&mut world);
    world.live_unlisted("acme", HOUR);
    assert_ne!(world.ready("acme"), "AsDeclared");
    assert!(world.calls() <= 20, "{} calls", world.calls());
}

#[test]
fn a_deletion_goes_on_for_what_a_get_shows() {
    let mut world = World::with_acme();
    lacked(&mut world);
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert!(world.engine.rows.is_empty() && world.objects.is_empty());
}

/// `spec.deletionPolicy: Retain` lets it go.
#[test]
fn a_deletion_is_held_back_for_what_a_get_does_not_find() {
    for retain in [true, false] {
        let mut world = World::with_acme();
        world.engine.rows.clear();
        lacked(&mut world);
        world.delete("acme");
        world.live_unlisted("acme", HOUR);
        assert_eq!(world.ready("acme"), "DeletionBlocked");
        assert_eq!(world.count("Delete"), 0);
        for part in [
            "many workspaces of the organization are missing",
            "deletionPolicy: Retain",
        ] {
            assert!(world.message("acme").contains(part), "{}", world.message("acme"));
        }
        if retain {
            world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
        } else {
            world.readable().missing = Missing::Few;
            world.readable().revision += 1;
        }
        world.live_unlisted("acme", HOUR);
        assert!(world.objects.is_empty(), "{retain}");
    }
}

/// No search tells then what a creation in flight has made.
#[test]
fn a_deletion_in_flight_is_held_back_without_a_call() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashAfter, 1);
    assert!(world.reconcile("acme").is_none());
    lacked(&mut world);
    world.delete("acme");
    world.forget_journal();
    world.live_unlisted("acme", HOUR);
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    assert_eq!(world.calls(), 0);
}

/// What this process has seen since the list was requested is none of them.
#[test]
fn one_of_many_is_what_the_list_lacks_and_nobody_saw_since() {
    let before = |view: &View| earlier(view.now, Duration::from_secs(1));
    for (many, listed, seen, one) in [
        (Missing::Many, Some(None), None, true),
        (Missing::Many, Some(None), Some(0), false),
        (Missing::Many, Some(None), Some(1), true),
        (Missing::Many, Some(Some(())), None, false),
        (Missing::Many, None, None, true),
        (Missing::Many, None, Some(1), false),
        (Missing::Few, Some(None), None, false),
    ] {
        let mut world = World::with_acme();
        world.readable().missing = many;
        world.list();
        let mut view = world.view("acme");
        view.listed = view.listed.filter(|_| listed.is_some());
        if let (Some(entry), Some(None)) = (&mut view.listed, listed) {
            entry.row = None;
        }
        view.memory.lists_count_after.present = match seen {
            None => None,
            Some(0) => Some(view.now),
            Some(_) => Some(before(&view)),
        };
        assert_eq!(
            identity::is_one_of_many(&view),
            one,
            "{many:?} {listed:?} {seen:?}"
        );
    }
}

//! I4: killed at any effect, its request lost or carried out, the operator goes on from what is stored.

use std::time::Duration;

use crate::crd::workspace::AdoptionPolicy;
use crate::domain::ids::WorkspaceName;
use crate::domain::time::later;
use crate::lifecycle::memory::Sent;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

/// Longer than any story, with its deadline, lag and back-off.
pub(super) const STORY: Duration = Duration::from_secs(300);

/// Kills the process at each effect of a story in turn, or loses its answer, and lets it live on.
pub(super) fn killed_everywhere(begin: impl Fn() -> World, end: impl Fn(&World, &str)) {
    let mut undisturbed = begin();
    undisturbed.live("acme", STORY);
    let effects = undisturbed.journal.len();
    assert!(effects > 0, "the story has effects");
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::AnswerLost] {
        for n in 0..effects {
            let mut world = begin();
            world.crash_at(n, fault);
            world.live("acme", STORY);
            end(&world, &format!("{fault:?} at effect {n}: {:?}", world.kinds()));
        }
    }
}

/// Promise: I4: Killed at any point, the operator continues from what is stored: one workspace per object, no orphan, no twin.
/// And the Secret holds a verified token of it.
#[test]
fn a_creation_killed_anywhere_ends_with_one_workspace() {
    let begin = || {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world
    };
    killed_everywhere(begin, |world, story| {
        assert_eq!(world.engine.names(), ["acme"], "{story}");
        assert_eq!(world.ready("acme"), "AsDeclared", "{story}");
        assert_eq!(
            world.id("acme").as_ref(),
            Some(&world.engine.rows[0].workspace.id),
            "{story}"
        );
        assert_eq!(world.token_opens("acme-token"), world.id("acme"), "{story}");
        assert_eq!(world.secrets.len(), 1, "{story}");
    });
}

#[test]
fn a_rename_killed_anywhere_keeps_its_id_and_makes_no_twin() {
    let begin = || {
        let mut world = World::with_acme();
        world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
        world
    };
    let id = begin().id("acme");
    killed_everywhere(begin, |world, story| {
        assert_eq!(world.engine.names(), ["zenith"], "{story}");
        assert_eq!(world.id("acme"), id, "{story}");
        assert_eq!(world.ready("acme"), "AsDeclared", "{story}");
        assert_eq!(world.token_opens("acme-token"), id, "{story}");
    });
}

#[test]
fn a_deletion_killed_anywhere_leaves_nothing() {
    let begin = || {
        let mut world = World::with_acme();
        world.delete("acme");
        world
    };
    killed_everywhere(begin, |world, story| {
        assert!(world.objects.is_empty(), "{story}");
        assert!(world.engine.rows.is_empty(), "{story}");
        assert!(world.secrets.is_empty(), "{story}");
    });
}

#[test]
fn an_adoption_killed_anywhere_adopts_that_one_and_makes_none() {
    let begin = || {
        let mut world = World::new();
        world.allow_adoption();
        world.engine.make(world.now, "acme");
        let mut declared = spec("acme");
        declared.adoption_policy = Some(AdoptionPolicy::ByName);
        world.apply("acme", declared);
        world
    };
    killed_everywhere(begin, |world, story| {
        assert_eq!(world.engine.names(), ["acme"], "{story}");
        assert_eq!(
            world.id("acme").as_ref(),
            Some(&world.engine.rows[0].workspace.id),
            "{story}"
        );
        assert_eq!(world.ready("acme"), "AsDeclared", "{story}");
    });
}

#[test]
fn a_creation_killed_anywhere_and_then_deleted_leaves_no_orphan() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        for n in 0..8 {
            let mut world = World::new();
            world.apply("acme", spec("acme"));
            world.crash_at(n, fault);
            world.reconcile("acme");
            world.delete("acme");
            world.live("acme", STORY);
            assert!(world.objects.is_empty(), "{fault:?} {n}: {:?}", world.kinds());
            assert!(world.engine.rows.is_empty(), "{fault:?} {n}: {:?}", world.kinds());
        }
    }
}

#[test]
fn a_creation_killed_twice_is_no_worse() {
    for first in 0..8 {
        for second in 1..8 {
            let mut world = World::new();
            world.apply("acme", spec("acme"));
            world.crash_at(first, Fault::CrashAfter);
            world.reconcile("acme");
            world.crash_at(second, Fault::CrashAfter);
            world.live("acme", STORY);
            assert_eq!(world.engine.names(), ["acme"], "{first} {second}");
            assert_eq!(world.ready("acme"), "AsDeclared", "{first} {second}");
        }
    }
}

#[test]
fn an_answer_lost_anywhere_in_a_creation_makes_no_twin() {
    for kind in [
        "Search",
        "Issue",
        "Verify",
        "Get",
        "AddFinalizer",
        "WriteStatus",
        "WriteSecret",
    ] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.fault(kind, Fault::AnswerLost, 1);
        world.live("acme", STORY);
        assert_eq!(world.engine.names(), ["acme"], "{kind}");
        assert_eq!(world.ready("acme"), "AsDeclared", "{kind}: {:?}", world.kinds());
        assert_eq!(world.token_opens("acme-token"), world.id("acme"), "{kind}");
    }
}

#[test]
fn kubernetes_refusing_anything_in_a_creation_is_waited_out() {
    for kind in ["AddFinalizer", "WriteStatus", "WriteSecret"] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.fault(kind, Fault::Refused, 3);
        world.live("acme", Duration::from_secs(1800));
        assert_eq!(world.engine.names(), ["acme"], "{kind}");
        assert_eq!(world.ready("acme"), "AsDeclared", "{kind}: {:?}", world.kinds());
    }
}

/// An object that is created again under its name during a reconcile finds its name unclaimed.
#[test]
fn an_object_replaced_mid_reconcile_finds_its_name_free() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.meanwhile("AddFinalizer", |world| {
        world.delete("acme");
        world.apply("acme", spec("acme"));
    });
    world.reconcile("acme");
    world.live("acme", STORY);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn an_intent_stored_too_late_issues_nothing() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.meanwhile("WriteStatus", |world| {
        world.now = later(world.now, Duration::from_secs(40));
    });
    world.fault("Issue", Fault::AnswerLost, 1);
    world.live("acme", STORY);
    assert_eq!(world.engine.names(), ["acme"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// No token is issued until the rename that the process had sent must have settled.
#[test]
fn after_a_cut_off_reconcile_tokens_wait_for_its_rename() {
    let mut world = World::with_acme();
    world.secrets.clear();
    let now = world.now;
    for memory in world.memory.values_mut() {
        memory.lost_track(now, None);
    }
    let issued = world.issued_names.len();
    world.live("acme", Duration::from_secs(44));
    assert_eq!(world.issued_names.len(), issued);
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.issued_names.len(), issued + 1);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn an_unreadable_changed_object_is_read_once_a_reconcile() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.meanwhile("AddFinalizer", |world| {
        world.edit("acme", |o| o.facts.reconcile_at = Some("1".to_owned()));
    });
    world.fault("ReadObject", Fault::Refused, 40);
    world.reconcile("acme");
    let reads = world.kinds().iter().filter(|kind| **kind == "ReadObject").count();
    assert_eq!(reads, 1, "{:?}", world.kinds());
    world.heal();
    world.live("acme", Duration::from_secs(30));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn after_a_cut_off_reconcile_no_older_list_confirms_a_name() {
    let mut world = World::with_acme();
    world.secrets.clear();
    world.list();
    world.advance(1);
    let now = world.now;
    for memory in world.memory.values_mut() {
        memory.lost_track(now, None);
    }
    // Its rename takes effect after all.
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("zenith");
    world.advance(50);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds()[..3], ["ReadSecret", "TrySecret", "Get"]);
    assert_eq!(
        world.count("Delete"),
        0,
        "it made no twin that it would have to remove"
    );
}

/// Another object can then have its name.
#[test]
fn a_failed_creation_is_forgotten_if_spec_allows_none_now() {
    let stalls: [fn(&mut World); 2] = [
        |world| world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme]}]"),
        |world| {
            world.engine.make(world.now, "zenith");
        },
    ];
    for stall in stalls {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.fault("Issue", Fault::CrashBefore, 1);
        world.reconcile("acme");
        world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
        stall(&mut world);
        world.live("acme", Duration::from_secs(300));
        assert_eq!(
            world.status("acme").creation,
            None,
            "it claims the old name no more"
        );
        let stalled = world.ready("acme");
        assert!(
            ["NameNotGranted", "AlreadyExists"].contains(&stalled.as_str()),
            "{stalled}"
        );
        world.apply("beta", spec("acme"));
        world.reconcile("beta").unwrap();
        assert_eq!(world.ready("beta"), "AsDeclared", "whose name is free");
    }
}

/// To void the old intent costs no write: there are two, the new intent and the record.
#[test]
fn a_failed_creation_is_tried_again_without_a_write() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashBefore, 1);
    world.reconcile("acme");
    world.advance(120);
    world.forget_journal();
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.count("WriteStatus"),
        2,
        "intent and record: {:?}",
        world.kinds()
    );
}

/// Its GET showed that the workspace is gone, and the list that had called for it counts no longer.
#[test]
fn what_a_cut_off_reconcile_has_read_is_read_again() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.engine.delete(&id);
    let (now, memory) = (world.now, world.memory.values_mut().next().unwrap());
    memory.sent = Sent { sync: 1, token: 0 };
    memory.lost_track(now, Some(id));
    world.advance(10);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
}

//! Deletion: by id, after its Secrets, only where the policy says so and the CRD stays.

use std::time::Duration;

use crate::crd::workspace::{AdoptionPolicy, DeletionPolicy, Origin};
use crate::domain::ids::OrganizationId;
use crate::domain::object::Finalizer;
use crate::domain::reason::Reason;
use crate::domain::remote::FailureClass;
use crate::domain::time::earlier;
use crate::domain::verification::Verification;
use crate::lifecycle::effect::CrdState;
use crate::lifecycle::facts::OrganizationFacts;
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

fn adopted() -> World {
    let mut world = World::new();
    world.allow_adoption();
    world.engine.make(world.now, "acme");
    let mut declared = spec("acme");
    declared.adoption_policy = Some(AdoptionPolicy::ByName);
    world.apply("acme", declared);
    world.reconcile("acme").unwrap();
    assert_eq!(world.status("acme").origin, Some(Origin::Adopted));
    world.forget_journal();
    world
}

#[test]
fn what_we_created_is_deleted_by_id_after_its_secret() {
    let mut world = World::with_acme();
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        [
            "ReadCrd",
            "DeleteSecret",
            "ReadObject",
            "Delete",
            "RemoveFinalizer"
        ]
    );
    assert!(world.engine.rows.is_empty());
    assert!(world.objects.is_empty());
}

#[test]
fn what_was_adopted_stays_and_is_named_in_an_event() {
    let mut world = adopted();
    assert_eq!(world.status("acme").deletion_policy, Some(DeletionPolicy::Retain));
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(world.calls(), 0);
    assert_eq!(world.engine.names(), ["acme"]);
    assert!(world.events.contains(&Reason::Retained));
    assert!(world.objects.is_empty());
}

/// Promise: rule.deletion-policy: Deletion policy: spec, the Organization's default, the recorded one, the origin; ceilings
/// The default is the Organization's.
#[test]
fn the_policy_is_spec_then_default_then_record_then_origin() {
    use DeletionPolicy::{Delete, Retain};
    for (declared, default, recorded, expected) in [
        (Some(Delete), Some(Retain), Some(Retain), Delete),
        (Some(Retain), Some(Delete), Some(Delete), Retain),
        (None, Some(Retain), Some(Delete), Retain),
        (None, Some(Delete), Some(Retain), Delete),
        (None, None, Some(Retain), Retain),
        (None, None, None, Delete),
    ] {
        let mut world = World::with_acme();
        world.readable().defaults.deletion_policy = default;
        world.edit("acme", |o| {
            o.spec.deletion_policy = declared;
            o.status.deletion_policy = recorded;
        });
        world.delete("acme");
        world.reconcile("acme").unwrap();
        assert_eq!(
            world.engine.rows.is_empty(),
            expected == Delete,
            "{declared:?} {default:?} {recorded:?}"
        );
        assert!(world.objects.is_empty());
    }
}

#[test]
fn a_deletion_that_the_organization_forbids_retains() {
    let mut world = World::with_acme();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: ['*'], deletion: Forbidden}]");
    world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Delete));
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(world.calls(), 0);
    assert_eq!(world.engine.names(), ["acme"]);
    assert!(world.objects.is_empty());
}

/// Promise: rule.definitions-read: Before a remote DELETE the CRD is read live
#[test]
fn a_crd_that_goes_retains_and_one_that_cannot_be_read_blocks() {
    let mut world = World::with_acme();
    world.crd = CrdState::Going;
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(world.calls(), 0);
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), ["acme"]);
    assert!(world.events.contains(&Reason::Retained));

    let mut world = World::with_acme();
    world.crd = CrdState::Unreadable {
        why: "forbidden".to_owned(),
    };
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    assert_eq!(world.calls(), 0);
    let why = "whether the CustomResourceDefinition itself is being deleted (forbidden)";
    assert!(world.message("acme").contains(why), "{}", world.message("acme"));
}

/// Whatever stands in the way of the Organization.
#[test]
fn what_was_never_created_goes_without_a_call() {
    let mut world = World::new();
    world.grant("[]");
    world.apply("acme", spec("acme"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "NameNotGranted");
    world.edit("acme", |o| o.facts.finalizer = Finalizer::Present);
    world.organization = OrganizationFacts::NotFound {
        name: "default".to_owned(),
        searched: "home".to_owned(),
    };
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert!(world.objects.is_empty());
    assert_eq!(world.calls(), 0);
}

#[test]
fn retaining_needs_no_organization() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
    world.organization = OrganizationFacts::NotFound {
        name: "default".to_owned(),
        searched: "operator".to_owned(),
    };
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert!(world.objects.is_empty());
    assert_eq!(world.calls(), 0);
    assert_eq!(world.engine.names(), ["acme"]);
}

/// `spec.deletionPolicy: Retain` may still be set.
#[test]
fn a_blocked_deletion_names_the_way_out() {
    type Block = fn(&mut World);
    let blockers: [(&str, Block); 5] = [
        (
            "there is no Organization \"default\" in namespace \"operator\"",
            |world| {
                world.organization = OrganizationFacts::NotFound {
                    name: "default".to_owned(),
                    searched: "operator".to_owned(),
                };
            },
        ),
        ("the Organization \"default\" cannot be decoded", |world| {
            world.organization = OrganizationFacts::Unreadable {
                name: "default".to_owned(),
            };
        }),
        ("the Organization \"default\" is not ready (no Secret)", |world| {
            world.readable().verification = Verification::Pending {
                why: "no Secret".to_owned(),
            };
        }),
        (
            "belongs to organization org-2, but it stands for org-1",
            |world| {
                world.readable().verification = Verification::Changed {
                    pinned: OrganizationId::from("org-1"),
                    found: OrganizationId::from("org-2"),
                };
            },
        ),
        ("belongs to organization org-2", |world| {
            world.readable().verification = Verification::Verified(OrganizationId::from("org-2"));
        }),
    ];
    for (why, block) in blockers {
        let mut world = World::with_acme();
        block(&mut world);
        world.delete("acme");
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.calls(), 0);
        assert_eq!(world.ready("acme"), "DeletionBlocked");
        let conditions = &world.status("acme").conditions;
        for part in [why, "deletionPolicy: Retain"] {
            assert!(conditions[0].message.contains(part), "{}", conditions[0].message);
        }
        world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
        world.reconcile("acme").unwrap();
        assert!(world.objects.is_empty());
        assert_eq!(world.engine.names(), ["acme"]);
    }
}

/// Once Agent Engine answers again, the deletion goes on by itself.
#[test]
fn an_api_that_is_down_keeps_the_finalizer() {
    for (class, status) in [
        (FailureClass::Transient, 503),
        (FailureClass::Unknown, 504),
        (FailureClass::Denied, 403),
        (FailureClass::Malformed, 200),
    ] {
        let mut world = World::with_acme();
        world.fault("Delete", Fault::Answers(class, status), usize::MAX);
        world.delete("acme");
        world.live("acme", Duration::from_secs(1800));
        assert_eq!(world.ready("acme"), "DeletionBlocked");
        world.heal();
        world.live("acme", Duration::from_secs(3600));
        assert!(
            world.objects.is_empty() && world.engine.rows.is_empty(),
            "{class:?}"
        );
    }
}

#[test]
fn a_workspace_that_is_gone_already_is_deleted() {
    let mut world = World::with_acme();
    world.engine.rows.clear();
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert!(world.objects.is_empty());
}

/// Promise: rule.default-workspace
#[test]
fn default_is_never_deleted() {
    let mut world = World::new();
    world.allow_adoption();
    world.engine.make(world.now, "default");
    let mut declared = spec("default");
    declared.adoption_policy = Some(AdoptionPolicy::ByName);
    declared.deletion_policy = Some(DeletionPolicy::Delete);
    world.apply("acme", declared);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["default"]);
}

/// Promise: rule.in-flight-deletion: Deleted in flight: found by name and window, recorded, deleted by id; with nothing found the object goes late
/// It is found by its window, and recorded first.
#[test]
fn a_creation_in_flight_is_found_and_deleted_by_id() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    world.learn_the_servers_time();
    world.delete("acme");
    world.live("acme", Duration::from_secs(59));
    assert_eq!(
        world.count("Delete"),
        0,
        "one of others may be listed before ours"
    );
    world.forget_journal();
    world.live("acme", Duration::from_secs(10));
    assert_eq!(
        world.kinds(),
        [
            "Search",
            "Get",
            "WriteStatus",
            "ReadCrd",
            "ReadObject",
            "Delete",
            "RemoveFinalizer"
        ]
    );
    assert!(world.engine.rows.is_empty() && world.objects.is_empty());
}

/// Promise: rule.in-flight-deletion
/// Others made one of the name within the window. The list shows it first.
#[test]
fn of_two_made_in_the_window_a_deletion_takes_neither() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.engine.list_lag = Duration::from_secs(25);
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    let others = earlier(world.now, Duration::from_secs(1));
    world.engine.make(others, "acme");
    world.delete("acme");
    world.advance(24);
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "DeletionBlocked", "{:?}", world.kinds());
    assert_eq!(world.engine.names(), ["acme", "acme"]);
}

/// Promise: rule.in-flight-deletion
/// An older one was renamed to the name since, and the list does not show ours yet.
#[test]
fn one_of_others_does_not_hide_what_a_creation_made() {
    for deleted in [true, false] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.engine.list_lag = Duration::from_secs(25);
        world.fault("Issue", Fault::CrashAfter, 1);
        world.reconcile("acme");
        world
            .engine
            .make(earlier(world.now, Duration::from_secs(3600)), "acme");
        if deleted {
            world.delete("acme");
        }
        world.live("acme", Duration::from_secs(120));
        let left = if deleted {
            vec!["acme"]
        } else {
            vec!["acme", "acme"]
        };
        assert_eq!(world.engine.names(), left, "{:?}", world.kinds());
        assert_eq!(world.objects.is_empty(), deleted);
        assert!(deleted || world.id("acme") == Some("ws-1".into()));
    }
}

/// Promise: rule.in-flight-deletion
#[test]
fn nothing_found_releases_only_after_deadline_and_lag() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashBefore, 1);
    world.reconcile("acme");
    world.delete("acme");
    world.live("acme", Duration::from_secs(59));
    assert_eq!(world.objects.len(), 1);
    world.live("acme", Duration::from_secs(40));
    assert!(world.objects.is_empty());
}

#[test]
fn what_bore_the_name_before_our_issue_is_not_deleted_with_it() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashBefore, 1);
    world.reconcile("acme");
    world
        .engine
        .make(crate::lifecycle::tests::harness::world::at(-100), "acme");
    world.delete("acme");
    world.live("acme", Duration::from_secs(100));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), ["acme"]);
}

#[test]
fn a_workspace_whose_name_is_no_longer_granted_is_retained() {
    let mut world = World::with_acme();
    world.grant("[]");
    world.delete("acme");
    world.live("acme", Duration::from_secs(60));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Nothing can tell whose the workspace is.
#[test]
fn an_ambiguous_workspace_holds_the_object_and_is_left() {
    let mut world = World::new();
    world.engine.created_at = Told::No;
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    world.delete("acme");
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    assert_eq!(world.engine.names(), ["acme"]);
}

#[test]
fn a_forged_record_deletes_nothing_of_an_older_object() {
    let mut world = World::with_acme();
    let theirs = world.id("acme");
    world.advance(5);
    world.apply("beta", spec("beta"));
    world.reconcile("beta").unwrap();
    world.edit("beta", |o| o.status.workspace_id = theirs);
    world.delete("beta");
    world.live("beta", Duration::from_secs(600));
    assert_eq!(world.ready("beta"), "DeletionBlocked");
    assert_eq!(world.engine.names(), ["acme", "beta"]);
}

/// The retained event is published when the object goes, not before.
#[test]
fn a_refused_release_is_tried_once_a_reconcile() {
    for policy in [DeletionPolicy::Retain, DeletionPolicy::Delete] {
        let mut world = World::with_acme();
        world.edit("acme", |o| o.spec.deletion_policy = Some(policy));
        world.fault("RemoveFinalizer", Fault::Refused, usize::MAX);
        world.delete("acme");
        let settled = world.reconcile("acme").unwrap();
        assert_eq!(world.count("RemoveFinalizer"), 1, "{policy:?}");
        assert_eq!(world.ready("acme"), "KubernetesApiError", "{policy:?}");
        assert!(!world.events.contains(&Reason::Retained));
        assert!(settled.requeue.at > world.now);
        world.live("acme", Duration::from_secs(600));
        assert!(
            world.count("RemoveFinalizer") < 12,
            "it backs off: {:?}",
            world.kinds()
        );
        world.heal();
        world.live("acme", Duration::from_secs(3600));
        assert!(world.objects.is_empty(), "{policy:?}");
        let retained = world.events.iter().filter(|told| **told == Reason::Retained);
        assert_eq!(retained.count(), usize::from(policy == DeletionPolicy::Retain));
    }
}

/// Its creation was in flight, and Agent Engine tells no time.
#[test]
fn a_workspace_of_which_nothing_tells_whose_it_is_blocks_and_is_named() {
    let mut world = World::new();
    world.engine.created_at = Told::No;
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashAfter, 1);
    assert!(world.reconcile("acme").is_none());
    world.delete("acme");
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    let named = "a workspace named \"acme\" (ws-1) appeared while its creation was in flight";
    assert!(world.message("acme").contains(named), "{}", world.message("acme"));
    assert_eq!(world.engine.names(), ["acme"]);
}

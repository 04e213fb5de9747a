//! I5: what is gone stays gone, whatever else is said of the object, until it is seen again or the user says otherwise.

use std::time::Duration;

use crate::crd::conditions::SYNCED;
use crate::domain::ids::WorkspaceName;
use crate::domain::reason::Reason;
use crate::domain::remote::FailureClass;
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::Aspect;
use crate::lifecycle::tests::harness::world::{Fault, World, org, spec};

fn without_a_token(world: &mut World) {
    let disabled = serde_json::from_value(serde_json::json!({ "enabled": false })).unwrap();
    world.edit("acme", |object| object.spec.token_secret = Some(disabled));
}

fn unready(world: &mut World, revision: u64) {
    world.readable().verification = Verification::Pending {
        why: "being verified".to_owned(),
    };
    world.readable().revision = revision;
}

/// Promise: rule.stays-gone: That a workspace is gone stays said, through restarts and beside any other reason, until it is seen again
#[test]
fn that_it_is_gone_outlives_whatever_else_is_said_of_the_object() {
    type Befall = fn(&mut World);
    let befalls: [(&str, Befall); 4] = [
        ("OrganizationNotReady", |world| unready(world, 7)),
        ("NameNotGranted", |world| {
            world.grant("[{namespaces: {names: [team]}, workspaceNames: [other]}]");
        }),
        ("ManyWorkspacesMissing", |world| {
            world.readable().missing = Missing::Many;
        }),
        ("NameClaimed", |world| world.claimed_elsewhere("ws-1")),
    ];
    for (reason, befall) in befalls {
        let mut world = World::with_acme_gone();
        without_a_token(&mut world);
        befall(&mut world);
        world.live("acme", Duration::from_secs(60));
        assert_eq!(world.ready("acme"), reason);
        assert_eq!(
            world.condition("acme", SYNCED).unwrap().1,
            "WorkspaceNotFound",
            "beside {reason}"
        );
    }
}

/// Promise: rule.stays-gone
#[test]
fn a_restart_says_nothing_new_of_what_is_gone() {
    let mut world = World::with_acme_gone();
    without_a_token(&mut world);
    world.live("acme", Duration::from_secs(60));
    world.forget_journal();
    world.events.clear();
    world.restart();
    unready(&mut world, 0);
    world.live("acme", Duration::from_secs(60));
    world.readable().verification = Verification::Verified(org());
    world.readable().revision = 1;
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    assert!(
        world.kinds().iter().all(|kind| *kind == "Get"),
        "nothing is written: {:?}",
        world.kinds()
    );
    assert_eq!(world.events, []);
}

/// In its condition, and in an event.
#[test]
fn a_new_object_says_that_its_organization_is_not_ready() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    unready(&mut world, 0);
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "OrganizationNotReady");
    assert_eq!(world.events, [Reason::OrganizationNotReady]);
}

/// What was not found is not said to be as declared before it is found.
#[test]
fn a_missing_workspace_is_not_as_declared_until_found() {
    let mut world = World::with_acme();
    world.advance(60);
    world.engine.rows.clear();
    world.edit("acme", |object| {
        object.facts.reconcile_at = Some("now".to_owned());
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    for _ in 0..5 {
        world.snapshot = None;
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "NotFoundUnconfirmed");
    }
    world.list();
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
}

/// Promise: rule.stays-gone
#[test]
fn what_came_back_is_not_replaced_though_that_could_not_be_read() {
    let mut world = World::with_acme();
    let id = world.id("acme");
    world.advance(60);
    let mut rows = std::mem::take(&mut world.engine.rows);
    world.list();
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    rows[0].workspace.name = WorkspaceName::from("moved");
    world.engine.rows = rows;
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), 1);
    let lost = id.clone();
    world.edit("acme", |object| object.facts.recreate = lost);
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.id("acme"), id);
    assert_eq!(world.engine.names(), ["acme"], "renamed back");
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// It was lost, its object failed for long, and it came back under another name.
///
/// Promise: rule.stays-gone
#[test]
fn what_came_back_is_seen_though_its_object_rests() {
    let mut world = World::with_acme();
    world.advance(60);
    let mut rows = std::mem::take(&mut world.engine.rows);
    world.list();
    world.live("acme", Duration::from_secs(60));
    world.fail("acme", Aspect::Sync, 30);
    world.advance(60);
    world.list();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "WorkspaceNotFound");
    rows[0].workspace.name = WorkspaceName::from("moved");
    world.engine.rows = rows;
    world.advance(60);
    world.list();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.engine.names(), ["acme"], "renamed back");
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// It failed to bear its name for long, then it was lost, and replaced as allowed: the new one has not failed yet.
#[test]
fn what_replaces_a_lost_workspace_does_not_rest_for_it() {
    let mut world = World::new();
    world.engine.kept_as = |name| name.trim().to_owned();
    world.engine.after_update = |row| row.name = row.name.as_str().trim().into();
    world.apply("acme", spec(" acme"));
    world.reconcile("acme").unwrap();
    let lost = world.id("acme");
    world.edit("acme", |object| object.facts.recreate = lost);
    world.reconcile("acme").unwrap();
    world.fail("acme", Aspect::Sync, 30);
    world.advance(60);
    world.engine.rows.clear();
    world.list();
    world.live("acme", Duration::from_secs(7200));
    assert_eq!(world.engine.names(), ["acme"]);
    assert_eq!(world.ready("acme"), "Rejected");
}

/// Conditions are output: the core decides by fields of status. So a version that calls a reason otherwise, or finds none, does
/// the same.
#[test]
fn a_renamed_reason_changes_nothing_that_is_done() {
    type Befall = fn(&mut World);
    let befalls: [(&str, Befall); 3] = [
        ("WorkspaceNotFound", |_| {}),
        ("NotFoundUnconfirmed", |world| {
            world.edit("acme", |object| {
                object.status.missing.as_mut().unwrap().confirmed = false;
            });
        }),
        ("IdentityMismatch", |world| {
            world.edit("acme", |object| {
                object.status.missing = None;
                object.status.observed_organization_id = Some("org-2".into());
            });
        }),
    ];
    for (what, befall) in befalls {
        let calls = |reasons: fn(&mut World)| {
            let mut world = World::with_acme_gone();
            without_a_token(&mut world);
            befall(&mut world);
            reasons(&mut world);
            // Nothing but the stored status tells that anything is wrong.
            world.restart();
            world.forget_journal();
            world.live_unlisted("acme", Duration::from_secs(45 * 60));
            let of_engine = ["Search", "Get", "Issue", "Verify", "Update", "Delete"];
            let calls = world.kinds().into_iter().filter(|kind| of_engine.contains(kind));
            (calls.collect::<Vec<_>>(), world.ready("acme"))
        };
        let named = calls(|world| world.edit("acme", |_| {}));
        let renamed = calls(|world| {
            world.edit("acme", |object| {
                for condition in &mut object.status.conditions {
                    condition.reason = "CalledOtherwise".to_owned();
                }
            });
        });
        let without = calls(|world| world.edit("acme", |object| object.status.conditions.clear()));
        assert!(!named.0.is_empty(), "{what}");
        assert_eq!(named, renamed, "{what}");
        assert_eq!(named, without, "{what}");
    }
}

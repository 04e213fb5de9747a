//! Who may, and what is not asked: the Organization, grants, claims, many missing.

use std::time::Duration;

use crate::domain::ids::{OrganizationId, WorkspaceName};
use crate::domain::remote::FailureClass;
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::facts::OrganizationFacts;
use crate::lifecycle::tests::harness::world::{Fault, World, org, spec};

type WorkspaceChange = fn(&mut World);

/// Promise: input.waiting
/// Not found, unreadable or unverified.
#[test]
fn an_unusable_organization_is_waited_for_without_a_call() {
    let waits: [(WorkspaceChange, &str); 3] = [
        (
            |world| {
                world.organization = OrganizationFacts::NotFound {
                    name: "default".to_owned(),
                    searched: "operator".to_owned(),
                };
            },
            "OrganizationNotFound",
        ),
        (
            |world| {
                world.organization = OrganizationFacts::Unreadable {
                    name: "default".to_owned(),
                };
            },
            "OrganizationNotReady",
        ),
        (
            |world| {
                world.readable().verification = Verification::Pending {
                    why: "no Secret".to_owned(),
                };
            },
            "OrganizationNotReady",
        ),
    ];
    for (what, reason) in waits {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        let before = world.organization.clone();
        what(&mut world);
        world.live("acme", Duration::from_secs(600));
        assert_eq!(world.calls(), 0);
        assert_eq!(world.ready("acme"), reason);
        assert_eq!(
            world.condition("acme", "Reconciling").map(|c| c.0).as_deref(),
            Some("True")
        );
        world.organization = before;
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "AsDeclared");
        let secrets = world.secrets.len();
        what(&mut world);
        let calls = world.calls();
        world.live("acme", Duration::from_secs(1000));
        assert_eq!(
            world.ready("acme"),
            reason,
            "at the latest when the token is about to end"
        );
        assert_eq!(world.secrets.len(), secrets, "it withdraws nothing");
        assert_eq!(world.calls(), calls);
    }
}

/// Promise: input.stalled: name not granted, claimed, existing, near-equal, foreign Secret, plan limit, organization changed, workspace gone: stalled, heals by itself
/// It heals with the grant.
#[test]
fn a_name_not_granted_shows_the_entry_to_ask_for() {
    let mut world = World::new();
    world.grant("[]");
    world.apply("acme", spec("acme"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.calls(), 0);
    assert_eq!(world.ready("acme"), "NameNotGranted");
    assert!(
        world.status("acme").conditions[0]
            .message
            .contains("workspaceNames: [\"acme\"]")
    );
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme]}]");
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Also with a broken credential.
#[test]
fn a_withdrawn_grant_takes_the_secret_and_ends_all_calls() {
    for broken in [
        Verification::Verified(crate::lifecycle::tests::harness::world::org()),
        Verification::Pending {
            why: "401".to_owned(),
        },
    ] {
        let mut world = World::with_acme();
        world.readable().verification = broken;
        world.grant("[]");
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.calls(), 0);
        assert!(world.secrets.is_empty());
        assert_eq!(world.ready("acme"), "NameNotGranted");
        assert_eq!(world.token_ready("acme"), "NameNotGranted");
        assert_eq!(world.engine.names(), ["acme"]);
    }
}

/// The workspace was renamed at Agent Engine to a name that is not granted.
#[test]
fn an_ungranted_rename_heals_when_it_is_undone() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme]}]");
    world.edit("acme", |o| o.spec.suspend = Some(true));
    world.advance(60);
    world.engine.row(&id).unwrap().name = WorkspaceName::from("zzz");
    world.list();
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "NameNotGranted");
    assert!(world.secrets.is_empty());
    world.advance(60);
    world.engine.row(&id).unwrap().name = WorkspaceName::from("acme");
    world.list();
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "Suspended");
    assert_eq!(world.secrets.len(), 1);
}

/// Promise: rule.other-organization
#[test]
fn another_organization_behind_the_credential_is_asked_nothing() {
    let mut world = World::with_acme();
    world.readable().verification = Verification::Verified(OrganizationId::from("org-2"));
    world.engine.rows.clear();
    world.list();
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.calls(), 0);
    assert_eq!(world.ready("acme"), "OrganizationMismatch");
    assert_eq!(world.secrets.len(), 1);
}

/// Promise: rule.other-organization
#[test]
fn a_creation_in_flight_asks_no_other_organization() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault(
        "Issue",
        crate::lifecycle::tests::harness::world::Fault::CrashAfter,
        1,
    );
    world.reconcile("acme");
    world.forget_journal();
    world.readable().verification = Verification::Verified(OrganizationId::from("org-2"));
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.calls(), 0);
    assert_eq!(world.ready("acme"), "OrganizationMismatch");
}

#[test]
fn when_many_are_missing_nothing_follows_for_the_objects() {
    let mut world = World::with_acme();
    world.advance(60);
    world.engine.rows.clear();
    world.list();
    world.readable().missing = Missing::Many;
    world.live("acme", Duration::from_secs(3600));
    let reads = world.count("Get");
    assert!(reads <= 20 && world.calls() == reads, "{:?}", world.kinds());
    assert_eq!(world.ready("acme"), "ManyWorkspacesMissing");
    assert_eq!(world.secrets.len(), 1);
}

#[test]
fn a_listed_one_is_served_while_others_are_missing() {
    let mut world = World::with_acme();
    world.advance(900);
    world.list();
    world.readable().missing = Missing::Many;
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 1);
}

/// The other takes over when the older goes.
#[test]
fn of_two_objects_with_one_name_the_older_has_it() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.advance(5);
    world.apply("beta", spec("ACME "));
    world.reconcile("beta").unwrap();
    assert_eq!(world.ready("beta"), "NameClaimed");
    assert_eq!(world.calls(), 0);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
    world.reconcile("beta").unwrap();
    assert_eq!(world.ready("beta"), "NameClaimed");
    world.delete("acme");
    world.reconcile("acme").unwrap();
    world.reconcile("beta").unwrap();
    assert_eq!(world.ready("beta"), "AsDeclared");
}

#[test]
fn a_claim_holder_is_named_only_in_its_own_namespace() {
    for (namespace, says, hides) in [
        ("team", "the Workspace object \"acme\"", "another namespace"),
        ("team-b", "a Workspace object in another namespace", "\"acme\""),
    ] {
        let mut world = World::with_acme();
        world.apply("beta", spec("ACME "));
        world.edit("beta", |o| o.facts.namespace = namespace.to_owned());
        world.reconcile("beta").unwrap();
        assert_eq!(world.ready("beta"), "NameClaimed");
        let message = world.message("beta");
        assert!(message.contains(says) && !message.contains(hides), "{message}");
    }
}

#[test]
fn a_rename_to_a_claimed_name_leaves_both_as_they_are() {
    let mut world = World::with_acme();
    world.apply("beta", spec("beta"));
    world.reconcile("beta").unwrap();
    world.edit("beta", |o| o.spec.name = WorkspaceName::from("acme"));
    world.live("beta", Duration::from_secs(1800));
    assert_eq!(world.ready("beta"), "NameClaimed");
    assert_eq!(world.count("Update"), 0);
    assert_eq!(world.engine.names(), ["acme", "beta"]);
}

/// Promise: rule.reconcile-request: A reconcile that was asked for reads Agent Engine, once, and echoes the request
#[test]
fn a_reconcile_request_makes_a_reconcile_and_is_echoed() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.facts.reconcile_at = Some("now".to_owned()));
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.status("acme").last_handled_reconcile_at.as_deref(),
        Some("now")
    );
    let calls = world.calls();
    assert_eq!(calls, 1, "one GET: {:?}", world.kinds());
    world.reconcile("acme").unwrap();
    assert_eq!(world.calls(), calls, "and no second time");
}

/// Promise: rule.reconcile-request
/// The change was made behind our back.
#[test]
fn a_reconcile_request_finds_a_change_before_any_list() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("meddled");
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["meddled"], "not seen yet");
    world.edit("acme", |o| o.facts.reconcile_at = Some("now".to_owned()));
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["acme"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Promise: rule.reconcile-request
/// Agent Engine does not answer the GET that it asks for.
#[test]
fn an_unanswered_reconcile_request_says_so_and_heals() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.facts.reconcile_at = Some("now".to_owned()));
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "ApiUnavailable");
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// As after a restart.
#[test]
fn while_a_credential_is_verified_a_ready_status_stands() {
    let mut world = World::with_acme();
    world.restart();
    world.readable().verification = Verification::Pending {
        why: "the credential is being verified".to_owned(),
    };
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), Vec::<&str>::new());
    assert_eq!(world.ready("acme"), "AsDeclared");
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.ready("acme"),
        "OrganizationNotReady",
        "of a new spec nothing was said"
    );
}

#[test]
fn a_forged_record_of_what_an_older_object_holds_opens_nothing() {
    let mut world = World::with_acme();
    let theirs = world.id("acme");
    world.advance(5);
    world.apply("beta", spec("beta"));
    world.reconcile("beta").unwrap();
    world.forget_journal();
    world.edit("beta", |o| {
        o.status.workspace_id = theirs;
        o.spec.name = WorkspaceName::from("gamma");
    });
    world.live("beta", Duration::from_secs(1800));
    assert_eq!(world.ready("beta"), "NameClaimed");
    assert_eq!(world.calls(), 0);
    assert_eq!(world.engine.names(), ["acme", "beta"]);
}

/// Promise: rule.token-declared-away: A token that is declared away goes, whatever is known of the Organization
#[test]
fn a_token_declared_away_goes_without_the_organization() {
    let losses: [WorkspaceChange; 4] = [
        |world| {
            world.readable().verification = Verification::Pending {
                why: "an outage".to_owned(),
            }
        },
        |world| {
            world.readable().verification = Verification::Changed {
                pinned: org(),
                found: "another".into(),
            }
        },
        |world| {
            world.organization = OrganizationFacts::NotFound {
                name: "default".to_owned(),
                searched: "home".to_owned(),
            }
        },
        |world| {
            world.organization = OrganizationFacts::Unreadable {
                name: "default".to_owned(),
            }
        },
    ];
    for declared in [
        serde_json::json!({"name": "acme", "status": "inactive"}),
        serde_json::json!({"name": "acme", "tokenSecret": {"enabled": false}}),
    ] {
        for lose in losses {
            let mut world = World::with_acme();
            lose(&mut world);
            world.apply("acme", serde_json::from_value(declared.clone()).unwrap());
            world.reconcile("acme").unwrap();
            assert!(world.secrets.is_empty(), "{declared}: {}", world.ready("acme"));
        }
    }
}

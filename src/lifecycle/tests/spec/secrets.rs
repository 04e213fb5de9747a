//! The token Secret: ours or left alone, whole or replaced, moved in the order that loses nothing.

use std::time::Duration;

use crate::crd::metadata_keys;
use crate::crd::workspace::TokenSecret;
use crate::domain::ids::Uid;
use crate::domain::remote::{FailureClass, WorkspaceState};
use crate::lifecycle::facts::Content;
use crate::lifecycle::tests::harness::world::{Fault, Secret, World, spec};

/// Declares another name for the token Secret.
pub(in crate::lifecycle::tests) fn named(world: &mut World, name: &str) {
    let name = Some(name.to_owned());
    world.edit("acme", |o| {
        o.spec.token_secret = Some(TokenSecret {
            name,
            ..TokenSecret::default()
        });
    });
}

/// A Secret of another owner under that name.
fn foreign(world: &mut World, name: &str) {
    let mut other = World::with_acme().secrets.remove("acme-token").unwrap();
    other.facts.name = name.to_owned();
    other.controller = Some(Uid::from("another-owner"));
    world.secrets.insert(name.to_owned(), other);
}

fn unchanged(world: &World, name: &str) -> bool {
    world.secrets[name].controller == Some(Uid::from("another-owner"))
}

#[test]
fn a_foreign_secret_is_left_untouched_and_named() {
    let mut world = World::new();
    foreign(&mut world, "acme-token");
    world.apply("acme", spec("acme"));
    world.live("acme", Duration::from_secs(3600));
    assert!(unchanged(&world, "acme-token"));
    assert_eq!(world.ready("acme"), "SecretNotOwned");
    assert_eq!(
        world.condition("acme", "Synced").map(|c| c.0).as_deref(),
        Some("True")
    );
    assert!(world.issued_names.len() <= 1, "{:?}", world.issued_names);
    world.secrets.clear();
    world.live("acme", Duration::from_secs(301));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn a_foreign_secret_name_is_read_each_minute_without_a_call() {
    let minute = Duration::from_secs(60);
    for name_conflict in [false, true] {
        let mut world = World::with_acme();
        let name = if name_conflict { "theirs" } else { "acme-token" };
        foreign(&mut world, name);
        world.secrets.get_mut(name).unwrap().facts.labels.clear();
        if name_conflict {
            named(&mut world, name);
        }
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "SecretNotOwned");
        world.forget_journal();
        let settled = world.reconcile("acme").unwrap();
        assert_eq!(world.kinds(), ["ReadSecret"]);
        assert_eq!(settled.requeue.at, crate::domain::time::later(world.now, minute));

        world.now = settled.requeue.at;
        world.secrets.remove(name);
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "AsDeclared");
        assert_eq!(world.token_opens(name), world.id("acme"));
    }
}

/// No store shows it.
#[test]
fn a_foreign_secret_beyond_the_store_is_not_overwritten() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.meanwhile("WriteSecret", |world| foreign(world, "acme-token"));
    world.reconcile("acme").unwrap();
    assert!(unchanged(&world, "acme-token"));
    assert_eq!(world.ready("acme"), "SecretNotOwned");
    assert!(
        world.id("acme").is_some(),
        "the workspace is recorded all the same"
    );
}

/// Its token is replaced.
#[test]
fn an_orphaned_secret_with_our_label_is_taken_over() {
    let mut world = World::with_acme();
    world.secrets.get_mut("acme-token").unwrap().controller = None;
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get", "Issue", "Verify", "WriteSecret"]);
    assert!(world.secrets["acme-token"].controller.is_some());
}

#[test]
fn a_secret_with_no_owner_and_no_label_of_ours_is_foreign() {
    let mut world = World::with_acme();
    let secret = world.secrets.get_mut("acme-token").unwrap();
    secret.controller = None;
    secret.facts.labels.clear();
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "SecretNotOwned");
    assert_eq!(world.writes(), 1, "the status alone");
}

#[test]
fn damage_is_mended_at_once() {
    let damages: [fn(&mut Secret); 5] = [
        |secret| secret.facts.content = Content::Damaged,
        |secret| secret.facts.times = None,
        |secret| {
            let times = secret.facts.times.as_mut().unwrap();
            times.issued_at = crate::lifecycle::tests::harness::world::at(1_000_000);
            times.expires_at = crate::lifecycle::tests::harness::world::at(2_000_000);
        },
        |secret| {
            let Content::Whole(content) = &mut secret.facts.content else {
                panic!()
            };
            content.workspace_id = "another".into();
        },
        |secret| {
            let Content::Whole(content) = &mut secret.facts.content else {
                panic!()
            };
            content.api_url = "https://elsewhere.example".to_owned();
        },
    ];
    for (n, damage) in damages.iter().enumerate() {
        let mut world = World::with_acme();
        damage(world.secrets.get_mut("acme-token").unwrap());
        world.reconcile("acme").unwrap();
        assert_eq!(world.kinds(), ["Get", "Issue", "Verify", "WriteSecret"], "{n}");
        world.forget_journal();
        world.reconcile("acme").unwrap();
        assert_eq!(world.kinds(), Vec::<&str>::new(), "{n}");
    }
}

/// While it cannot be mended.
#[test]
fn a_damaged_secret_is_not_called_verified() {
    let mut world = World::with_acme();
    world.secrets.get_mut("acme-token").unwrap().facts.content = Content::Damaged;
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    world.reconcile("acme").unwrap();
    assert_eq!(world.token_ready("acme"), "ApiUnavailable");
}

/// The store may lag; no token is issued before.
#[test]
fn a_secret_missing_from_the_store_is_read_live_first() {
    let mut world = World::with_acme();
    let secret = world.secrets.remove("acme-token").unwrap();
    let view = world.view("acme");
    world.secrets.insert("acme-token".to_owned(), secret);
    let mut reconcile = crate::lifecycle::Reconcile::new(view);
    let next = reconcile.next(world.now, &mut world.claims, &mut world.limiter, None);
    assert!(matches!(
        next,
        crate::lifecycle::Next::Perform {
            effect: crate::lifecycle::Effect::Cluster(
                crate::lifecycle::effect::ClusterEffect::ReadSecret { .. }
            ),
            ..
        }
    ));
}

#[test]
fn a_deleted_secret_is_back_at_once() {
    let mut world = World::with_acme();
    world.secrets.clear();
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        ["ReadSecret", "TrySecret", "Get", "Issue", "Verify", "WriteSecret"]
    );
}

#[test]
fn a_new_name_is_written_then_recorded_then_the_old_one_goes() {
    let mut world = World::with_acme();
    named(&mut world, "fresh");
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        [
            "ReadSecret",
            "TrySecret",
            "Get",
            "Issue",
            "Verify",
            "WriteSecret",
            "WriteStatus",
            "DeleteSecret"
        ]
    );
    assert_eq!(world.secrets.keys().collect::<Vec<_>>(), ["fresh"]);
    assert_eq!(world.status("acme").token_secret_name.as_deref(), Some("fresh"));
}

/// Promise: rule.secrets
#[test]
fn a_new_name_is_recorded_once_its_secret_holds_a_token() {
    let down = Fault::Answers(FailureClass::Transient, 503);
    let damaged = |world: &mut World| {
        let mut secret = world.secrets["acme-token"].clone();
        secret.facts.name = "fresh".to_owned();
        secret.facts.content = Content::Damaged;
        world.secrets.insert("fresh".to_owned(), secret);
    };
    for there in [|_: &mut World| {}, damaged] {
        let mut world = World::with_acme();
        there(&mut world);
        named(&mut world, "fresh");
        world.fault("Get", down, usize::MAX);
        world.live("acme", Duration::from_secs(120));
        assert_eq!(world.token_opens("acme-token"), world.id("acme"));
        assert_eq!(
            world.status("acme").token_secret_name.as_deref(),
            Some("acme-token")
        );

        world.heal();
        world.live("acme", Duration::from_secs(600));
        assert_eq!(world.secrets.keys().collect::<Vec<_>>(), ["fresh"]);
        assert_eq!(world.status("acme").token_secret_name.as_deref(), Some("fresh"));
    }
}

/// And its token is renewed.
/// The write that was to name it met an edit, which declared another name.
#[test]
fn a_secret_that_no_status_named_yet_is_in_use_all_the_same() {
    let mut world = World::with_acme();
    named(&mut world, "fresh");
    world.edit("acme", |o| o.status.token_secret_name = None);
    world.fault("ReadSecret", Fault::Forbidden, usize::MAX);
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.status("acme").token_secret_name.as_deref(),
        Some("acme-token")
    );
    world.heal();
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.status("acme").token_secret_name.as_deref(), Some("fresh"));
    assert_eq!(world.secrets.len(), 1);
}

#[test]
fn a_foreign_new_name_leaves_the_old_secret_in_use() {
    let mut world = World::with_acme();
    foreign(&mut world, "theirs");
    named(&mut world, "theirs");
    world.live("acme", Duration::from_secs(1800));
    assert!(unchanged(&world, "theirs"));
    assert_eq!(world.ready("acme"), "SecretNotOwned");
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
    assert_eq!(
        world.status("acme").token_secret_name.as_deref(),
        Some("acme-token")
    );
    assert!(world.count("Issue") >= 2);
}

#[test]
fn a_name_changed_mid_reconcile_reports_no_foreign_secret() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.facts.reconcile_at = Some("now".to_owned()));
    world.meanwhile("WriteStatus", |world| named(world, "fresh"));
    world.reconcile("acme").unwrap();
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.secrets.keys().collect::<Vec<_>>(), ["fresh"]);
    assert!(
        !world
            .events
            .contains(&crate::domain::reason::Reason::SecretNotOwned)
    );
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn switched_off_the_secret_goes_and_nothing_is_issued() {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.spec.token_secret = Some(TokenSecret {
            enabled: Some(false),
            ..TokenSecret::default()
        });
    });
    world.live("acme", Duration::from_secs(3600));
    assert!(world.secrets.is_empty());
    assert_eq!(world.calls(), 0);
    assert_eq!(world.token_ready("acme"), "TokenDisabled");
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Promise: I6
/// The same for annotations.
#[test]
fn declared_labels_are_put_on_and_others_left() {
    let mut world = World::with_acme();
    let asked = |key: &str| [(key.to_owned(), "x".to_owned())].into();
    world.edit("acme", |o| {
        o.spec.token_secret = Some(TokenSecret {
            labels: asked("label"),
            annotations: asked("annotation"),
            ..TokenSecret::default()
        });
    });
    world.reconcile("acme").unwrap();
    let facts = &world.secrets["acme-token"].facts;
    assert_eq!(facts.labels["label"], "x");
    assert_eq!(facts.annotations["annotation"], "x");
    assert_eq!(facts.labels[metadata_keys::WORKSPACE_LABEL], "acme");
    assert_eq!(facts.labels[metadata_keys::NO_BACKUP_LABEL], "true");
}

#[test]
fn the_old_secret_goes_too_when_no_token_is_wanted() {
    let mut world = World::with_acme();
    foreign(&mut world, "theirs");
    named(&mut world, "theirs");
    world.live("acme", Duration::from_secs(5));
    world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Inactive));
    world.live("acme", Duration::from_secs(5));
    assert!(!world.secrets.contains_key("acme-token"));
    assert!(unchanged(&world, "theirs"));
}

/// The declared name changes during the reconcile.
#[test]
fn a_foreign_secret_is_not_taken_for_a_previous_one() {
    let mut world = World::with_acme();
    foreign(&mut world, "theirs");
    named(&mut world, "theirs");
    world.meanwhile("WriteStatus", |world| named(world, "third"));
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.token_opens("third"), world.id("acme"));
    assert!(unchanged(&world, "theirs"));
}

#[test]
fn the_old_secret_stays_until_the_new_one_holds_a_token() {
    let mut world = World::with_acme();
    let mut orphan = world.secrets["acme-token"].clone();
    orphan.facts.name = "elsewhere".to_owned();
    orphan.facts.content = Content::Damaged;
    orphan.controller = None;
    world.secrets.insert("elsewhere".to_owned(), orphan);
    named(&mut world, "elsewhere");
    world.fault("Issue", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
    assert_eq!(
        world.status("acme").token_secret_name.as_deref(),
        Some("acme-token")
    );
    world.heal();
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.token_opens("elsewhere"), world.id("acme"));
    assert!(!world.secrets.contains_key("acme-token"));
}

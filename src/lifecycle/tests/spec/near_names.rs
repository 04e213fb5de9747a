//! Whose a workspace is that another client made under a near-equal name, within the window of our own lost issue. Only the
//! exact name can be ours, and only the exact name shows at once that ours was not made.

use std::time::Duration;

use crate::crd::workspace::AdoptionPolicy;
use crate::domain::ids::WorkspaceName;
use crate::domain::remote::FailureClass;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

fn created() -> World {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world
}

/// The answer to the creation is lost, and it was carried out or not. Another client makes "ACME" a second later.
fn with_a_near_equal_one(fault: Fault) -> World {
    let mut world = created();
    world.fault("Issue", fault, 1);
    world.reconcile("acme").unwrap();
    world.advance(1);
    world.engine.make(world.now, "ACME");
    world
}

/// Promise: rule.exact-name: Only a workspace that bears exactly the name of our issue can be ours; a near-equal one is at most uncertain
#[test]
fn a_near_equal_one_in_the_window_is_never_recorded() {
    let mut world = with_a_near_equal_one(Fault::Answers(FailureClass::Unknown, 504));
    world.live("acme", Duration::from_secs(1800));
    assert_eq!(world.id("acme"), None);
    assert!(world.secrets.is_empty());
    assert_eq!(world.ready("acme"), "CreationUncertain");
    assert_eq!(world.engine.names(), ["ACME"]);
}

/// Promise: rule.exact-name
#[test]
fn a_near_equal_one_in_the_window_is_never_deleted() {
    let mut world = with_a_near_equal_one(Fault::Answers(FailureClass::Unknown, 504));
    world.delete("acme");
    world.live("acme", Duration::from_secs(1800));
    assert_eq!(world.engine.names(), ["ACME"]);
    assert_eq!(world.ready("acme"), "DeletionBlocked");
}

/// It was made, and so was another; the exact name tells.
#[test]
fn ours_is_found_beside_a_near_equal_one() {
    let mut world = with_a_near_equal_one(Fault::AnswerLost);
    world.live("acme", Duration::from_secs(1800));
    assert_eq!(world.id("acme").unwrap().as_str(), "ws-1");
    assert_eq!(world.ready("acme"), "AsDeclared");
    world.delete("acme");
    world.live("acme", Duration::from_secs(1800));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), ["ACME"]);
}

/// Another client made "ACME" long ago; ours is still missing from the list.
#[test]
fn a_near_equal_one_does_not_release_what_still_lags() {
    let mut world = created();
    world.engine.list_lag = Duration::from_secs(25);
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    let old = world.engine.make(world.now, "other");
    let long_ago = crate::lifecycle::tests::harness::world::at(-9000);
    world.engine.row(&old).unwrap().name = WorkspaceName::from("ACME");
    world.engine.row(&old).unwrap().created_at = Some(long_ago);
    world.engine.show_all();
    world
        .engine
        .hide_until(&"ws-1".into(), world.now + Duration::from_secs(25));
    world.delete("acme");
    world.live("acme", Duration::from_secs(1800));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), ["ACME"], "no orphan");
}

/// The same while the object stays: its intent is not void.
#[test]
fn a_near_equal_one_voids_no_creation_that_still_lags() {
    let mut world = created();
    world.engine.list_lag = Duration::from_secs(25);
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    world.engine.list_lag = Duration::ZERO;
    let old = world.engine.make(world.now, "ACME");
    let long_ago = crate::lifecycle::tests::harness::world::at(-9000);
    world.engine.row(&old).unwrap().created_at = Some(long_ago);
    world.live("acme", Duration::from_secs(1800));
    assert_eq!(world.id("acme").unwrap().as_str(), "ws-1");
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// A token that our own issue got opens what the API made of the name.
#[test]
fn a_name_that_the_api_trims_is_ours_by_its_own_token() {
    let mut world = World::new();
    world.engine.kept_as = |name| name.trim().to_owned();
    world.apply("acme", spec(" acme"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.id("acme").unwrap().as_str(), "ws-1");
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
}

/// What is declared, and what Agent Engine makes of it.
type Form = (&'static str, fn(&str) -> String, &'static str);

/// Agent Engine keeps the name in another form, and tells nobody.
fn kept_otherwise(declared: &str, kept_as: fn(&str) -> String) -> World {
    let mut world = World::new();
    world.engine.kept_as = kept_as;
    world.apply("acme", spec(declared));
    world
}

/// Promise: rule.exact-name
/// Whether that was made by our issue, nothing tells: the API may fold names, and another client have made it a moment before.
#[test]
fn what_the_api_made_of_a_name_is_neither_recorded_nor_forgotten() {
    let forms: [Form; 3] = [
        ("ACME", str::to_lowercase, "acme"),
        ("o\u{fb03}ce", |name| name.replace('\u{fb03}', "ffi"), "office"),
        ("stra\u{df}e", |name| name.replace('\u{df}', "ss"), "strasse"),
    ];
    for (declared, kept_as, kept) in forms {
        let mut world = kept_otherwise(declared, kept_as);
        for span in [0, 30, 90, 7200] {
            world.live("acme", Duration::from_secs(span));
            assert_eq!(world.ready("acme"), "CreationUncertain", "{declared} {span}");
        }
        assert_eq!(world.id("acme"), None, "{declared}");
        assert!(world.secrets.is_empty(), "{declared}");
        assert_eq!(world.engine.names(), [kept], "no second workspace");
        assert_eq!(world.count("Issue"), 1, "{declared}");
        let advice = format!("declare {kept:?}, then remove it");
        assert!(
            world.message("acme").contains(&advice),
            "{}",
            world.message("acme")
        );
        // Without it, a user is in the way of neither.
        world.delete("acme");
        world.live("acme", Duration::from_secs(1800));
        assert_eq!(world.ready("acme"), "DeletionBlocked", "{declared}");
        assert_eq!(world.engine.names(), [kept]);
    }
}

/// It is declared and may be adopted, but not while suspended: nothing else would know that it may be ours.
#[test]
fn what_would_be_adopted_is_not_forgotten_while_suspended() {
    let mut world = kept_otherwise("ACME", str::to_lowercase);
    world.live("acme", Duration::from_secs(90));
    world.allow_adoption();
    world.edit("acme", |o| {
        o.spec.name = WorkspaceName::from("acme");
        o.spec.adoption_policy = Some(AdoptionPolicy::ByName);
        o.spec.suspend = Some(true);
    });
    world.live("acme", Duration::from_secs(7200));
    assert_eq!(world.ready("acme"), "Suspended");
    assert!(world.status("acme").creation.is_some());

    world.edit("acme", |o| o.spec.suspend = None);
    world.live("acme", Duration::from_secs(90));
    assert_eq!(world.id("acme").unwrap().as_str(), "ws-1");
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The API folds names, and its list lags: the token opens what others made long ago.
#[test]
fn an_old_near_equal_one_that_the_token_opens_is_of_others() {
    let mut world = kept_otherwise("ACME", str::to_lowercase);
    let theirs = world.engine.make(world.now, "acme");
    world.engine.row(&theirs).unwrap().created_at = Some(crate::lifecycle::tests::harness::world::at(-9000));
    let until = world.now + Duration::from_secs(1);
    world.engine.hide_until(&theirs, until);
    world.live("acme", Duration::from_secs(1800));
    assert_eq!(world.ready("acme"), "SimilarNameExists");
    assert_eq!(world.id("acme"), None);
    assert!(world.secrets.is_empty());
}

/// Its token is due, and the answer to its issue is lost while its name moves: people make near-equal ones.
#[test]
fn a_near_equal_one_is_no_orphan() {
    for near in ["ACME", " acme", "Acme "] {
        let mut world = World::with_acme_due();
        world.fault("Issue", Fault::Answers(FailureClass::Unknown, 504), 1);
        world.reconcile("acme").unwrap();
        let id = world.id("acme").unwrap();
        world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
        world.engine.make(world.now, near);
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.count("Delete"), 0, "{near:?}");
        world.delete("acme");
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.engine.names(), [near]);
    }
}

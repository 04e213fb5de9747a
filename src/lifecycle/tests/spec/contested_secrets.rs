//! Token Secrets that no patch can change, or that an admission policy or another client keeps changing.

use std::time::Duration;

use crate::crd::metadata_keys;
use crate::crd::workspace::TokenSecret;
use crate::domain::ids::Uid;
use crate::domain::time::elapsed;
use crate::lifecycle::facts::{Content, Patchable, SecretFacts};
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

/// Changes a Secret as it is stored.
type Policy = fn(&mut SecretFacts);

const HOUR: Duration = Duration::from_secs(3600);

/// Of tokens that live twenty minutes, issued from now on.
fn due_renewals(world: &World, span: Duration) -> usize {
    let mut quiet = World::with_acme();
    quiet.engine.token_life = world.engine.token_life;
    quiet.live("acme", span);
    quiet.count("Issue")
}

fn labelled(world: &mut World, key: &str, value: &str) {
    let labels = [(key.to_owned(), value.to_owned())].into();
    world.edit("acme", |o| {
        o.spec.token_secret = Some(TokenSecret {
            labels,
            ..TokenSecret::default()
        });
    });
}

fn token_message(world: &World) -> String {
    let conditions = &world.status("acme").conditions;
    let found = conditions
        .iter()
        .find(|condition| condition.type_ == "TokenReady");
    found.map_or_else(String::new, |condition| condition.message.clone())
}

/// Promise: rule.unpatchable-secret: A Secret of ours that no patch can change is deleted and made again with the next token; one of others never is
#[test]
fn an_unpatchable_secret_of_ours_is_made_again() {
    let mut world = World::with_acme_due();
    world.secrets.get_mut("acme-token").unwrap().facts.patchable = Patchable::No;
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        ["Get", "Issue", "Verify", "DeleteSecret", "WriteSecret"]
    );
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// As where the Secret holds as much as a Secret may.
#[test]
fn a_refused_change_of_content_makes_the_secret_again() {
    let mut world = World::with_acme_due();
    world.fault("WriteSecret", Fault::Unpatchable, 1);
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        [
            "Get",
            "Issue",
            "Verify",
            "WriteSecret",
            "DeleteSecret",
            "WriteSecret"
        ]
    );
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Promise: rule.unpatchable-secret
#[test]
fn an_unpatchable_secret_without_owner_is_not_deleted() {
    let mut world = World::with_acme_due();
    let secret = world.secrets.get_mut("acme-token").unwrap();
    secret.facts.patchable = Patchable::No;
    secret.controller = None;
    world.live("acme", HOUR);
    assert_eq!(world.count("DeleteSecret") + world.count("Issue"), 0);
    assert_eq!(world.ready("acme"), "SecretNotOwned");
}

#[test]
fn an_unpatchable_foreign_secret_is_not_deleted() {
    let mut world = World::with_acme_due();
    let secret = world.secrets.get_mut("acme-token").unwrap();
    secret.facts.patchable = Patchable::No;
    secret.controller = Some(Uid::from("another-owner"));
    world.live("acme", HOUR);
    assert_eq!(world.count("DeleteSecret") + world.count("Issue"), 0);
    assert_eq!(world.ready("acme"), "SecretNotOwned");
}

#[test]
fn a_back_off_ends_when_the_secret_that_stopped_it_goes() {
    let mut world = World::with_acme_due();
    world.fault("WriteSecret", Fault::Refused, usize::MAX);
    world.live("acme", Duration::from_secs(240));
    world.heal();
    let issues = world.count("Issue");
    let settled = world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), issues, "it rests");
    assert!(elapsed(world.now, settled.requeue.at) > Duration::from_secs(2));
    world.secrets.clear();
    world.reconcile("acme").unwrap();
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
}

/// Promise: rule.contested-secret: A label, an annotation or a key that an admission policy changes costs no token before its time; the condition names it
#[test]
fn a_policy_on_the_secret_costs_no_token() {
    let policies: [(&str, Policy); 7] = [
        ("our label", |facts| {
            facts
                .labels
                .insert(metadata_keys::MANAGED_BY_LABEL.to_owned(), "platform".to_owned());
        }),
        ("a declared label", |facts| {
            facts.labels.insert("team".to_owned(), "red".to_owned());
        }),
        ("no labels", |facts| facts.labels.clear()),
        ("content", |facts| facts.content = Content::Damaged),
        ("our marks", |facts| facts.times = None),
        ("immutable", |facts| facts.patchable = Patchable::No),
        ("all at once", |facts| {
            facts.labels.clear();
            facts.times = None;
            facts.content = Content::Damaged;
            facts.decoration_mark = None;
            facts.patchable = Patchable::No;
        }),
    ];
    for (what, policy) in policies {
        let mut world = World::new();
        world.admission = Some(policy);
        let mut declared = spec("acme");
        declared.token_secret = Some(TokenSecret {
            labels: [("team".to_owned(), "blue".to_owned())].into(),
            ..TokenSecret::default()
        });
        world.apply("acme", declared);
        world.live("acme", Duration::from_secs(5));
        world.forget_journal();
        let expected = due_renewals(&world, 24 * HOUR);
        world.live("acme", 24 * HOUR);
        let issues = world.count("Issue");
        assert!(
            issues.abs_diff(expected) <= 2,
            "{what}: {issues} issues, {expected} renewals"
        );
        assert!(world.count("DecorateSecret") <= 1, "{what}");
        assert!(
            world.count("WriteStatus") <= 1,
            "{what}: {}",
            world.count("WriteStatus")
        );
        let usable = ["our label", "a declared label", "no labels", "immutable"].contains(&what);
        assert_eq!(
            world.ready("acme"),
            if usable { "AsDeclared" } else { "SecretAltered" },
            "{what}"
        );
        assert_eq!(
            token_message(&world).contains("label \""),
            usable && what != "immutable",
            "{what}"
        );
    }
}

#[test]
fn a_label_taken_off_is_put_back_without_a_token() {
    let mut world = World::with_acme();
    let secret = world.secrets.get_mut("acme-token").unwrap();
    secret.facts.labels.remove(metadata_keys::NO_BACKUP_LABEL);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["DecorateSecret"]);
    world.forget_journal();
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), Vec::<&str>::new());
}

/// The condition names it.
#[test]
fn a_label_that_is_taken_off_again_is_left_alone() {
    let mut world = World::with_acme();
    labelled(&mut world, "team", "blue");
    world.live("acme", Duration::from_secs(5));
    world.forget_journal();
    for _ in 0..20 {
        let secret = world.secrets.get_mut("acme-token").unwrap();
        secret.facts.labels.remove("team");
        world.live("acme", Duration::from_secs(180));
    }
    assert_eq!(world.count("DecorateSecret"), 1);
    assert_eq!(world.count("Issue"), due_renewals(&world, HOUR));
    assert!(
        token_message(&world).contains("label \"team\""),
        "{}",
        token_message(&world)
    );
    labelled(&mut world, "team", "green");
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.secrets["acme-token"].facts.labels["team"], "green");
    assert!(!token_message(&world).contains("label"));
}

/// A patch of the metadata that failed rests; the next token is written with the whole Secret.
/// Promise: rule.contested-secret
#[test]
fn labels_that_cannot_be_written_delay_no_token() {
    for life in [60, 1200] {
        let mut world = World::new();
        world.engine.token_life = Duration::from_secs(life);
        world.apply("acme", spec("acme"));
        world.reconcile("acme").unwrap();
        let first = world.secrets["acme-token"].facts.times.unwrap();
        let due_at = first.renew_at(&world.objects["acme"].facts.uid);
        world.fault("DecorateSecret", Fault::Forbidden, usize::MAX);
        labelled(&mut world, "team", "blue");
        world.live("acme", elapsed(world.now, due_at) + Duration::from_secs(2));
        assert_ne!(world.secrets["acme-token"].facts.times, Some(first), "{life}");
        assert_eq!(world.ready("acme"), "AsDeclared");
    }
}

/// What an earlier process wrote and a policy keeps is written by no later process before its time.
#[test]
fn a_restart_writes_no_contested_label() {
    let mut world = World::with_acme();
    world.admission = Some(|facts| {
        facts.labels.insert("team".to_owned(), "red".to_owned());
    });
    labelled(&mut world, "team", "blue");
    world.live("acme", Duration::from_secs(5));
    world.forget_journal();
    world.restart();
    world.live("acme", Duration::from_secs(300));
    assert_eq!(world.kinds(), Vec::<&str>::new());
    assert!(token_message(&world).contains("label \"team\""));
}

/// Other clients that damage the content are still fought, at most once a minute.
#[test]
fn damage_by_another_client_is_mended_under_a_policy_too() {
    let mut world = World::with_acme();
    world.admission = Some(|facts| facts.content = Content::Damaged);
    world.secrets.get_mut("acme-token").unwrap().facts.content = Content::Damaged;
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.count("Issue"), 1);
    world.admission = None;
    world.secrets.clear();
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

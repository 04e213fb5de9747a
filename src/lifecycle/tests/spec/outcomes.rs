//! What an outcome adds to the view, and what it takes back.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::crd::workspace::{Creation, CreationClock, WorkspaceStatus};
use crate::domain::ids::{OrganizationId, Uid};
use crate::lifecycle::Aspect;
use crate::lifecycle::apply::apply_outcome;
use crate::lifecycle::effect::{ClusterEffect, ClusterOutcome, LiveSecret, ObjectState, Outcome};
use crate::lifecycle::facts::{Ownership, SecretFacts};
use crate::lifecycle::progress::{ObjectProgress, SecretProgress, TokenProgress};
use crate::lifecycle::tests::harness::world::{World, at, spec};
use crate::lifecycle::view::View;

fn comes_to(view: &mut View, effect: ClusterEffect, outcome: ClusterOutcome) {
    let now = view.now;
    apply_outcome(view, Aspect::Sync, &effect.into(), now, Outcome::Cluster(outcome));
}

fn intent(uid: &Uid, name: &str) -> Creation {
    Creation {
        uid: uid.clone(),
        organization_id: OrganizationId::from("org-1"),
        name: name.into(),
        at: MicroTime(at(0)),
        clock: CreationClock::Server,
    }
}

/// An object whose creation of `acme` is stored.
fn being_created() -> View {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.edit("acme", |o| o.status.creation = Some(intent(&o.facts.uid, "acme")));
    world.view("acme")
}

/// Another process replaces the intent. What this one had sent for it may still make a workspace, unless it was refused or
/// never sent.
#[test]
fn an_issue_for_an_intent_that_was_replaced_is_in_doubt() {
    let uid = being_created().object.uid;
    let [mine, other] = ["acme", "other"].map(|name| intent(&uid, name));
    for (issues, token, in_doubt) in [
        (0, TokenProgress::None, 0),
        (1, TokenProgress::None, 1),
        (1, TokenProgress::NothingMade(Some(mine.clone())), 0),
        (1, TokenProgress::NothingMade(Some(other.clone())), 1),
        (1, TokenProgress::NothingMade(None), 1),
        (1, TokenProgress::MayIssue(mine), 0),
        (1, TokenProgress::MayIssue(other), 1),
    ] {
        let case = format!("{issues} {token:?}");
        let mut view = being_created();
        view.progress.issues = issues;
        view.progress.token = token;
        let replaced = ObjectState {
            object: view.object.clone(),
            declared: view.declared.clone(),
            stored: WorkspaceStatus {
                creation: Some(intent(&uid, "zenith")),
                ..WorkspaceStatus::default()
            },
            organization: None,
        };
        comes_to(
            &mut view,
            ClusterEffect::ReadObject,
            ClusterOutcome::Object(Box::new(replaced)),
        );
        assert_eq!(view.memory.unresolved.len(), in_doubt, "{case}");
        assert_eq!(view.progress.token, TokenProgress::None, "{case}");
    }
}

/// Ready, with two Secrets of former names beside the declared one.
fn with_former_secrets() -> (View, SecretFacts) {
    let mut view = World::with_acme().view("acme");
    let ours = view.secrets.target.clone().unwrap();
    view.secrets.others = ["one", "two"].map(|name| named(&ours, name)).to_vec();
    (view, ours)
}

fn named(facts: &SecretFacts, name: &str) -> SecretFacts {
    SecretFacts {
        name: name.to_owned(),
        ..facts.clone()
    }
}

fn others(view: &View) -> Vec<(&str, &str)> {
    let others = view.secrets.others.iter();
    others
        .map(|facts| (facts.name.as_str(), facts.resource_version.as_str()))
        .collect()
}

/// It is read before anything is written, and so is the declared one.
#[test]
fn a_secret_that_was_not_as_expected_is_forgotten() {
    for tried in [
        ClusterEffect::ReadSecret { name: "one".into() },
        ClusterEffect::TrySecret { name: "one".into() },
    ] {
        let (mut view, ours) = with_former_secrets();
        comes_to(&mut view, tried, ClusterOutcome::Conflict);
        assert_eq!(others(&view), [("two", ours.resource_version.as_str())]);
        assert_eq!(view.secrets.target, None);
        let declared = view.progress.secrets.get("acme-token");
        assert_eq!(declared, Some(&SecretProgress::Changed));
        assert_eq!(view.progress.object, ObjectProgress::Current);
    }
}

#[test]
fn a_secret_under_a_former_name_is_known_as_it_was_read_last() {
    let read = |live: &dyn Fn(SecretFacts) -> LiveSecret| {
        let (mut view, ours) = with_former_secrets();
        let newer = SecretFacts {
            resource_version: "newer".to_owned(),
            ..named(&ours, "one")
        };
        let effect = ClusterEffect::ReadSecret { name: "one".into() };
        comes_to(&mut view, effect, ClusterOutcome::Secret(live(newer)));
        assert_eq!(view.secrets.target, Some(ours));
        others(&view)
            .into_iter()
            .map(|(name, version)| {
                format!(
                    "{name} {}",
                    if version == "newer" { "newer" } else { "as before" }
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(read(&LiveSecret::Present), ["two as before", "one newer"]);
    assert_eq!(read(&|_| LiveSecret::Absent), ["two as before"]);
    let foreign = |facts| {
        LiveSecret::Present(SecretFacts {
            ownership: Ownership::Foreign,
            ..facts
        })
    };
    assert_eq!(read(&foreign), ["two as before"]);
}

/// The declared name belongs to another owner, and the old one stays in use.
#[test]
fn a_secret_under_a_former_name_is_known_as_it_was_written() {
    let (mut view, ours) = with_former_secrets();
    let written = SecretFacts {
        resource_version: "newer".to_owned(),
        ..named(&ours, "one")
    };
    let effect = ClusterEffect::ReadSecret { name: "one".into() };
    comes_to(&mut view, effect, ClusterOutcome::SecretDecorated(written));
    assert_eq!(
        others(&view),
        [("two", ours.resource_version.as_str()), ("one", "newer")]
    );
    assert_eq!(view.secrets.target, Some(ours));
}

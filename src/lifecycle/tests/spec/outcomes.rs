//! What an outcome adds to the view, and what it takes back.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::crd::workspace::{Creation, CreationClock, WorkspaceStatus};
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::remote::{Answer, Deleted, FailureClass, WorkspaceState};
use crate::domain::time::later;
use crate::lifecycle::Aspect;
use crate::lifecycle::apply::apply_outcome;
use crate::lifecycle::effect::{
    ClusterEffect, ClusterOutcome, Decorated, EngineAnswer, EngineCall, IssuedToken, LiveSecret, ObjectState,
    Outcome, SecretDecoration, TokenSlot, WorkspaceChange,
};
use crate::lifecycle::facts::{Ownership, SecretFacts};
use crate::lifecycle::judge::doubt;
use crate::lifecycle::progress::{ObjectProgress, SecretProgress, TokenProgress};
use crate::lifecycle::tests::harness::fake_engine::failure;
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
        ClusterEffect::DecorateSecret(Box::new(Decorated {
            name: "one".into(),
            resource_version: "1".into(),
            decoration: SecretDecoration {
                labels: Default::default(),
                annotations: Default::default(),
                mark: 0,
            },
        })),
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

fn answers(view: &mut View, call: EngineCall, answer: EngineAnswer) {
    let now = view.now;
    apply_outcome(view, Aspect::Sync, &call.into(), now, Outcome::Engine(answer));
}

fn answer<T>(view: &View, result: Result<T, FailureClass>) -> Answer<T> {
    Answer {
        finished: later(view.now, Duration::from_secs(1)),
        took: Duration::from_secs(1),
        date: Some(later(view.now, Duration::from_secs(3600))),
        requests: 1,
        result: result.map_err(|class| failure(class, 500)),
    }
}

/// The answer tells the server's time; a refusal tells that nothing was made.
#[test]
fn an_answered_issue_is_in_doubt_within_its_own_window() {
    let token = IssuedToken {
        slot: TokenSlot(1),
        lifetime: Duration::from_secs(1200),
    };
    for (result, in_doubt) in [
        (Ok(token), true),
        (Err(FailureClass::Unknown), true),
        (Err(FailureClass::Rejected), false),
    ] {
        let mut view = World::with_acme().view("acme");
        let name: WorkspaceName = "acme".into();
        let noted = view.progress.clock.lost_issue(&name, view.now);
        view.memory.unresolved.push(noted);
        let issue = EngineCall::Issue {
            name: name.clone(),
            region: None,
        };
        let answer = answer(&view, result);
        let date = answer.date.unwrap();
        answers(&mut view, issue, EngineAnswer::Issued(answer));
        assert_eq!(view.memory.unresolved.len(), usize::from(in_doubt), "{result:?}");
        if result.is_ok() {
            let [known] = view.memory.unresolved.as_slice() else {
                panic!("one issue")
            };
            assert_eq!(known.window.to, later(date, Duration::from_secs(2)));
            assert_eq!(known.clock, CreationClock::Server);
        }
    }
}

/// Only a rename, and only where its answer is not known. It may take effect late.
#[test]
fn a_rename_is_in_doubt_without_a_clear_answer() {
    let rename = WorkspaceChange::Rename("zenith".into());
    let switch = WorkspaceChange::State(WorkspaceState::Inactive);
    for (change, class, in_doubt) in [
        (&rename, FailureClass::Unknown, true),
        (&rename, FailureClass::Malformed, true),
        (&rename, FailureClass::Transient, false),
        (&rename, FailureClass::Rejected, false),
        (&switch, FailureClass::Unknown, false),
    ] {
        let mut view = World::with_acme().view("acme");
        let update = EngineCall::Update {
            id: view.record().unwrap().id,
            change: change.clone(),
        };
        let answer = answer(&view, Err(class));
        answers(&mut view, update, EngineAnswer::Updated(answer));
        assert_eq!(
            view.memory.rename_unclear_at.is_some(),
            in_doubt,
            "{change:?} {class:?}"
        );
    }
}

/// The recorded workspace, the one that is to be adopted, and the last one that was read.
#[test]
fn of_the_workspaces_read_those_that_matter_are_kept() {
    let mut view = World::with_acme().view("acme");
    view.declared.workspace_id = Some(WorkspaceId::from("adopted"));
    let ids = ["ws-1", "adopted", "other", "last"].map(WorkspaceId::from);
    for id in &ids {
        let answer = answer(&view, Ok(None));
        answers(&mut view, EngineCall::Get(id.clone()), EngineAnswer::Got(answer));
    }
    let kept: Vec<&str> = view.progress.workspaces.keys().map(WorkspaceId::as_str).collect();
    assert_eq!(kept, ["adopted", "last", "ws-1"]);
}

/// An issue of another name, and an orphan that the same search showed, are still there.
#[test]
fn with_an_orphan_only_its_own_issue_and_row_are_forgotten() {
    let mut world = World::with_acme();
    world.advance(60);
    world.server_ahead(3600);
    let orphan = world.engine.make(world.now, "acme");
    world.engine.make(world.now, "acme");
    let mut view = world.view("acme");
    for name in ["acme", "zenith"] {
        let issue = view.progress.clock.lost_issue(&name.into(), view.now);
        view.memory.unresolved.push(issue);
    }
    let rows: Vec<_> = world
        .engine
        .rows
        .iter()
        .map(|row| row.workspace.clone())
        .collect();
    let found = rows.iter().find(|row| row.id == orphan).cloned();
    let searched = answer(&view, Ok(rows));
    answers(
        &mut view,
        EngineCall::Search("acme".into()),
        EngineAnswer::Searched(searched),
    );
    let got = answer(&view, Ok(found));
    answers(&mut view, EngineCall::Get(orphan.clone()), EngineAnswer::Got(got));
    let deleted = answer(&view, Ok(Deleted::Removed));
    answers(
        &mut view,
        EngineCall::Delete(orphan),
        EngineAnswer::Deleted(deleted),
    );
    let unresolved: Vec<&str> = view
        .memory
        .unresolved
        .iter()
        .map(|issue| issue.name.as_str())
        .collect();
    assert_eq!(unresolved, ["zenith"]);
    let search = view.search(&"acme".into()).unwrap();
    let ids: Vec<&str> = search.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["ws-1", "ws-3"]);
}

/// A slow answer tells no time of the server's, but for the issue that it answers.
#[test]
fn a_slow_answer_tells_when_its_own_issue_was_carried_out() {
    let mut view = World::with_acme().view("acme");
    let name: WorkspaceName = "acme".into();
    let noted = view.progress.clock.lost_issue(&name, view.now);
    view.memory.unresolved.push(noted);
    let token = IssuedToken {
        slot: TokenSlot(1),
        lifetime: Duration::from_secs(1200),
    };
    let slow = Answer {
        finished: later(view.now, Duration::from_secs(31)),
        took: Duration::from_secs(31),
        ..answer(&view, Ok(token))
    };
    let issue = EngineCall::Issue { name, region: None };
    answers(&mut view, issue, EngineAnswer::Issued(slow));
    assert_eq!(view.memory.unresolved[0].clock, CreationClock::Server);
}

/// Under its name, asked after its end, and with nothing that it may have made.
#[test]
fn a_search_ends_the_doubt_about_a_former_issue() {
    for (name, early, another, ended) in [
        ("acme", false, false, true),
        ("zenith", false, false, false),
        ("acme", true, false, false),
        ("acme", false, true, false),
    ] {
        let mut world = World::with_acme();
        world.restart();
        if another {
            world.engine.make(world.now, "acme");
        }
        let mut view = world.view("acme");
        view.memory.free_of_former_issues = None;
        let record = view.record().unwrap();
        let former = doubt::former_issue(&view, &record).unwrap();
        view.now = former.resolved_at;
        if early {
            view.now = crate::domain::time::earlier(view.now, Duration::from_nanos(1));
        }
        let rows = world
            .engine
            .rows
            .iter()
            .map(|row| row.workspace.clone())
            .collect();
        let searched = Answer {
            date: Some(later(view.now, Duration::from_secs(1))),
            ..answer(&view, Ok(rows))
        };
        answers(
            &mut view,
            EngineCall::Search(name.into()),
            EngineAnswer::Searched(searched),
        );
        let free = view.memory.free_of_former_issues == Some(record.id);
        assert_eq!(free, ended, "{name} {early} {another}");
    }
}

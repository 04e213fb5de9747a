//! I4 for every step of a life after the creation: killed at any effect, or with any answer lost, the step ends as it would
//! have, and nothing of others is touched.

use crate::crd::workspace::{DeletionPolicy, TokenSecret};
use crate::domain::ids::WorkspaceName;
use crate::domain::remote::{RemoteState, WorkspaceState};
use crate::lifecycle::facts::Patchable;
use crate::lifecycle::tests::harness::world::World;
use crate::lifecycle::tests::laws::crashes::killed_everywhere;

/// A Ready Workspace beside a workspace of somebody else.
fn ready() -> World {
    let mut world = World::with_acme();
    world.engine.make(world.now, "theirs");
    world.advance(60);
    world
}

fn due() -> World {
    let mut world = ready();
    let times = world.secrets["acme-token"].facts.times.unwrap();
    world.now = times.renew_at(&world.objects["acme"].facts.uid);
    world
}

/// One workspace of ours under this name, one of theirs.
fn sound(world: &World, name: &str, story: &str) {
    let mut names = world.engine.names();
    names.sort_unstable();
    let mut expected = [name, "theirs"];
    expected.sort_unstable();
    assert_eq!(names, expected, "{story}");
    assert_eq!(
        world.ready("acme"),
        "AsDeclared",
        "{story}: {}",
        world.message("acme")
    );
}

fn holds_its_token(world: &World, secret: &str, story: &str) {
    assert_eq!(world.token_opens(secret), world.id("acme"), "{story}");
    assert_eq!(world.secrets.len(), 1, "{story}");
}

fn state(world: &World) -> RemoteState {
    let rows = world.engine.list(world.now);
    let ours = rows.into_iter().find(|row| row.name.as_str() == "acme");
    ours.unwrap().state
}

/// Promise: I4
#[test]
fn a_rename_with_a_renewal_due_makes_no_twin() {
    let begin = || {
        let mut world = due();
        world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
        world
    };
    killed_everywhere(begin, |world, story| {
        sound(world, "zenith", story);
        holds_its_token(world, "acme-token", story);
    });
}

#[test]
fn a_renewal_ends_with_one_token() {
    killed_everywhere(due, |world, story| {
        sound(world, "acme", story);
        holds_its_token(world, "acme-token", story);
    });
}

#[test]
fn a_deactivation_takes_the_token_away() {
    let begin = || {
        let mut world = ready();
        world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Inactive));
        world
    };
    killed_everywhere(begin, |world, story| {
        sound(world, "acme", story);
        assert_eq!(
            state(world),
            RemoteState::Known(WorkspaceState::Inactive),
            "{story}"
        );
        assert!(world.secrets.is_empty(), "{story}");
    });
}

#[test]
fn an_activation_hands_out_a_token() {
    let begin = || {
        let mut world = ready();
        world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Inactive));
        world.live("acme", std::time::Duration::from_secs(60));
        world.forget_journal();
        world.edit("acme", |o| o.spec.status = Some(WorkspaceState::Active));
        world
    };
    killed_everywhere(begin, |world, story| {
        sound(world, "acme", story);
        assert_eq!(
            state(world),
            RemoteState::Known(WorkspaceState::Active),
            "{story}"
        );
        holds_its_token(world, "acme-token", story);
    });
}

/// Every Workspace learns of another credential, and renews what it has when it is due.
#[test]
fn a_rotation_with_a_renewal_due_keeps_the_workspace() {
    let begin = || {
        let mut world = due();
        world.readable().revision += 1;
        world
    };
    killed_everywhere(begin, |world, story| {
        sound(world, "acme", story);
        holds_its_token(world, "acme-token", story);
    });
}

#[test]
fn a_retained_workspace_stays() {
    let begin = || {
        let mut world = ready();
        world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
        world.live("acme", std::time::Duration::from_secs(5));
        world.forget_journal();
        world.delete("acme");
        world
    };
    killed_everywhere(begin, |world, story| {
        assert!(world.objects.is_empty() && world.secrets.is_empty(), "{story}");
        assert_eq!(world.engine.names(), ["acme", "theirs"], "{story}");
    });
}

#[test]
fn a_deletion_removes_ours_and_nothing_else() {
    let begin = || {
        let mut world = ready();
        world.delete("acme");
        world
    };
    killed_everywhere(begin, |world, story| {
        assert!(world.objects.is_empty() && world.secrets.is_empty(), "{story}");
        assert_eq!(world.engine.names(), ["theirs"], "{story}");
    });
}

#[test]
fn a_workspace_deleted_remotely_stays_deleted() {
    let begin = || {
        let mut world = due();
        let id = world.id("acme").unwrap();
        world.engine.delete(&id);
        world.list();
        world.advance(1);
        world
    };
    let lost = begin().id("acme");
    killed_everywhere(begin, |world, story| {
        assert_eq!(world.ready("acme"), "WorkspaceNotFound", "{story}");
        assert_eq!(world.engine.names(), ["theirs"], "{story}");
        assert_eq!(world.id("acme"), lost, "{story}");
        assert!(world.secrets.is_empty(), "{story}");
    });
}

#[test]
fn a_grant_that_moves_away_takes_the_token_alone() {
    let begin = || {
        let mut world = due();
        world.grant("[{namespaces: {names: [team]}, workspaceNames: [zenith]}]");
        world
    };
    killed_everywhere(begin, |world, story| {
        assert_eq!(world.ready("acme"), "NameNotGranted", "{story}");
        assert_eq!(world.engine.names(), ["acme", "theirs"], "{story}");
        assert!(world.secrets.is_empty(), "{story}");
    });
}

#[test]
fn an_unpatchable_secret_is_made_again() {
    let begin = || {
        let mut world = due();
        world.secrets.get_mut("acme-token").unwrap().facts.patchable = Patchable::No;
        world
    };
    killed_everywhere(begin, |world, story| {
        sound(world, "acme", story);
        holds_its_token(world, "acme-token", story);
        assert_eq!(
            world.secrets["acme-token"].facts.patchable,
            Patchable::Yes,
            "{story}"
        );
    });
}

#[test]
fn another_secret_name_leaves_one_secret() {
    let begin = || {
        let mut world = ready();
        world.edit("acme", |o| {
            o.spec.token_secret = Some(TokenSecret {
                name: Some("fresh".to_owned()),
                labels: [("team".to_owned(), "blue".to_owned())].into(),
                ..TokenSecret::default()
            });
        });
        world
    };
    killed_everywhere(begin, |world, story| {
        sound(world, "acme", story);
        holds_its_token(world, "fresh", story);
    });
}

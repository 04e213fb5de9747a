//! States of a Workspace that its user has to get out of, and what users do.

use crate::crd::workspace::{AdoptionPolicy, TokenSecret, WorkspaceSpec};
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::remote::FailureClass;
use crate::domain::verification::Verification;
use crate::lifecycle::facts::{Content, OrganizationFacts};
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::world::{Fault, World, org, spec};

/// All objects live on for two hours.
pub(in crate::lifecycle::tests) fn lives(world: &mut World) {
    for _ in 0..120 {
        for object in world.objects.keys().cloned().collect::<Vec<_>>() {
            if world.objects.contains_key(&object) {
                world.reconcile(&object);
            }
        }
        world.advance(60);
    }
}

pub(in crate::lifecycle::tests) fn applied(world: World) -> World {
    let mut world = world;
    world.apply("acme", spec("acme"));
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn by_name(world: &mut World) {
    world.edit("acme", |o| o.spec.adoption_policy = Some(AdoptionPolicy::ByName));
}

pub(in crate::lifecycle::tests) fn named(world: &mut World, object: &str, name: &str) {
    let name = WorkspaceName::from(name);
    world.edit(object, |o| o.spec.name = name);
}

pub(in crate::lifecycle::tests) fn secret_named(world: &mut World, object: &str, secret: &str) {
    let name = Some(secret.to_owned());
    world.edit(object, |o| {
        o.spec.token_secret = Some(TokenSecret {
            name,
            ..TokenSecret::default()
        });
    });
}

pub(in crate::lifecycle::tests) fn again(world: &mut World, how: impl FnOnce(&mut WorkspaceSpec)) {
    let mut declared = world.objects["acme"].spec.clone();
    how(&mut declared);
    world.delete("acme");
    lives(world);
    world.apply("acme", declared);
}

/// Somebody else's workspace of the name exists.
pub(in crate::lifecycle::tests) fn exists(adoption: bool) -> World {
    let mut world = World::new();
    if adoption {
        world.allow_adoption();
    }
    world.engine.make(world.now, "acme");
    world.advance(3600);
    applied(world)
}

pub(in crate::lifecycle::tests) fn two(allow: bool) -> World {
    let mut world = World::new();
    if allow {
        world.allow_adoption();
    }
    world.apply("acme", spec("acme"));
    world.apply("other", spec("other"));
    lives(&mut world);
    world
}

/// A rename would lift what the Organization forbids.
pub(in crate::lifecycle::tests) fn held_by_a_ceiling() -> World {
    let mut world = World::new();
    world.grant(
        "[{namespaces: {names: [team]}, workspaceNames: ['held-*'], deletion: Forbidden}, \
          {namespaces: {names: [team]}, workspaceNames: ['*']}]",
    );
    world.apply("acme", spec("held-1"));
    lives(&mut world);
    named(&mut world, "acme", "acme");
    lives(&mut world);
    world
}

/// Agent Engine keeps names in lower case.
pub(in crate::lifecycle::tests) fn kept_in_another_form(adoption: bool) -> World {
    let mut world = World::new();
    if adoption {
        world.allow_adoption();
    }
    world.engine.kept_as = str::to_lowercase;
    world.apply("acme", spec("ACME"));
    lives(&mut world);
    world
}

/// Two Workspaces want each other's name.
pub(in crate::lifecycle::tests) fn names_exchanged() -> World {
    let mut world = two(false);
    named(&mut world, "acme", "other");
    named(&mut world, "other", "acme");
    lives(&mut world);
    assert_eq!(world.ready("other"), "NameClaimed");
    world
}

/// Two Workspaces want each other's Secret.
pub(in crate::lifecycle::tests) fn secrets_exchanged() -> World {
    let mut world = two(false);
    secret_named(&mut world, "acme", "other-token");
    secret_named(&mut world, "other", "acme-token");
    lives(&mut world);
    assert_eq!(world.ready("other"), "SecretNotOwned");
    world
}

pub(in crate::lifecycle::tests) fn claimed() -> World {
    let mut world = World::new();
    world.apply("other", spec("acme"));
    lives(&mut world);
    applied(world)
}

/// The credential may not search.
pub(in crate::lifecycle::tests) fn search_denied() -> World {
    let mut world = World::new();
    world.fault("Search", Fault::Answers(FailureClass::Denied, 403), usize::MAX);
    applied(world)
}

pub(in crate::lifecycle::tests) fn not_granted() -> World {
    let mut world = World::new();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [zenith]}]");
    applied(world)
}

pub(in crate::lifecycle::tests) fn grant_withdrawn() -> World {
    let mut world = World::with_acme();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [zenith]}]");
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn uncertain() -> World {
    let mut world = World::new();
    world.allow_adoption();
    world.engine.created_at = Told::No;
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn similar() -> World {
    let mut world = World::new();
    world.allow_adoption();
    world.engine.make(world.now, "ACME");
    world.advance(3600);
    applied(world)
}

pub(in crate::lifecycle::tests) fn several() -> World {
    let mut world = World::new();
    world.allow_adoption();
    world.engine.make(world.now, "acme");
    world.engine.make(world.now, "acme");
    world.advance(3600);
    let mut world = applied(world);
    by_name(&mut world);
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn target_taken() -> World {
    let mut world = World::with_acme();
    world.engine.make(world.now, "zenith");
    world.advance(3600);
    named(&mut world, "acme", "zenith");
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn another_answers() -> World {
    let mut world = World::with_acme();
    world.readable().verification = Verification::Changed {
        pinned: org(),
        found: OrganizationId::from("org-2"),
    };
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn foreign_secret() -> World {
    let mut world = World::new();
    let mut secret = World::with_acme().secrets.remove("acme-token").unwrap();
    secret.controller = Some(Uid::from("another-owner"));
    secret.facts.labels.clear();
    world.secrets.insert("acme-token".to_owned(), secret);
    applied(world)
}

pub(in crate::lifecycle::tests) fn altered() -> World {
    let mut world = World::new();
    world.admission = Some(|facts| facts.content = Content::Damaged);
    applied(world)
}

/// To be replaced under another name. Before this process began, a workspace of the lost name appeared.
pub(in crate::lifecycle::tests) fn lost_beside_a_suspect() -> World {
    let mut world = World::with_acme_gone();
    world.engine.make(world.now, "acme");
    world.restart();
    world.advance(120);
    world.list();
    let lost = world.id("acme");
    world.edit("acme", |o| {
        o.facts.recreate = lost;
        o.spec.name = WorkspaceName::from("zenith");
    });
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn declared_id_gone() -> World {
    let mut world = World::new();
    world.allow_adoption();
    let mut declared = spec("acme");
    declared.workspace_id = Some(WorkspaceId::from("ws-99"));
    world.apply("acme", declared);
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn deletion_blocked() -> World {
    let mut world = World::with_acme();
    world.fault("Delete", Fault::Answers(FailureClass::Denied, 403), usize::MAX);
    world.delete("acme");
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn no_organization() -> World {
    let mut world = World::new();
    world.organization = OrganizationFacts::NotFound {
        name: "default".to_owned(),
        searched: "home".to_owned(),
    };
    applied(world)
}

pub(in crate::lifecycle::tests) fn creation_refused(class: FailureClass, status: u16) -> World {
    let mut world = World::new();
    world.fault("Issue", Fault::Answers(class, status), usize::MAX);
    applied(world)
}

pub(in crate::lifecycle::tests) fn kept_otherwise() -> World {
    let mut world = World::with_acme();
    world.engine.after_update = |row| row.name = WorkspaceName::from("ZENITH");
    named(&mut world, "acme", "zenith");
    lives(&mut world);
    world
}

pub(in crate::lifecycle::tests) fn foreign_status() -> World {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.facts.uid = Uid::from("restored");
        o.status.organization_id = Some(OrganizationId::from("org-2"));
    });
    // The Secret of the object before went with it.
    world.secrets.clear();
    world.restart();
    lives(&mut world);
    world
}

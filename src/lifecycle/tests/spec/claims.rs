//! What an object claims: recorded, observed, intended and desired names, and ids; nothing that it was refused.

use std::collections::BTreeMap;

use crate::domain::ids::{Uid, WorkspaceId, WorkspaceName};
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::facts::OrganizationFacts;
use crate::lifecycle::findings;
use crate::lifecycle::judge::names;
use crate::lifecycle::progress::{Observation, Remote, Sighting};
use crate::lifecycle::tests::harness::world::{Fault, World, at, org, spec};
use crate::lifecycle::view::View;
use crate::tenancy::Basis::{Creating, Desired, Recorded};
use crate::tenancy::{Basis, ClaimKey, Claimant, canonical};

fn name(text: &str) -> ClaimKey {
    ClaimKey::Name(org(), canonical(&WorkspaceName::from(text)))
}

fn id(text: &str) -> ClaimKey {
    ClaimKey::Id(org(), WorkspaceId::from(text))
}

fn claims<const N: usize>(view: &View, expected: [(ClaimKey, Basis); N]) {
    assert_eq!(view.claims(), BTreeMap::from(expected));
}

/// Recorded as `acme`, which is `ws-1`; to be renamed to `zenith`.
fn recorded() -> World {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world
}

fn unrecorded() -> World {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world
}

/// A workspace that another client made.
fn existing(world: &mut World, name: &str) -> RemoteWorkspace {
    let id = world.engine.make(world.now, name);
    world.engine.row(&id).unwrap().clone()
}

fn read(view: &mut View, row: &RemoteWorkspace) {
    let read = Observation {
        requested_at: at(0),
        remote: Remote::Present(row.clone()),
    };
    let sighting = Sighting {
        read: Some(read),
        row: Some(row.clone()),
    };
    view.progress.workspaces.insert(row.id.clone(), sighting);
}

#[test]
fn what_is_recorded_and_what_is_wished_for() {
    let view = recorded().view("acme");
    claims(
        &view,
        [
            (id("ws-1"), Recorded),
            (name("acme"), Recorded),
            (name("zenith"), Desired),
        ],
    );
}

#[test]
fn the_name_that_this_reconcile_has_read_as_well() {
    let world = recorded();
    let mut view = world.view("acme");
    let mut row = world.engine.rows[0].workspace.clone();
    row.name = WorkspaceName::from("moved");
    let sighting = Sighting {
        read: None,
        row: Some(row.clone()),
    };
    view.progress.workspaces.insert(row.id, sighting);
    let read = (name("moved"), Recorded);
    claims(
        &view,
        [
            (id("ws-1"), Recorded),
            (name("acme"), Recorded),
            read,
            (name("zenith"), Desired),
        ],
    );
}

/// The name in flight is claimed beside the one declared since.
#[test]
fn the_name_of_a_creation_beside_the_declared_one() {
    let mut world = unrecorded();
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    claims(
        &world.view("acme"),
        [(name("acme"), Creating), (name("zenith"), Desired)],
    );
}

/// Neither a recorded, nor an intended, nor a desired one.
#[test]
fn no_name_that_is_not_granted() {
    let mut world = recorded();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [zenith]}]");
    claims(
        &world.view("acme"),
        [(id("ws-1"), Recorded), (name("zenith"), Desired)],
    );
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme]}]");
    claims(
        &world.view("acme"),
        [(id("ws-1"), Recorded), (name("acme"), Recorded)],
    );
    let mut world = unrecorded();
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    world.grant("[]");
    claims(&world.view("acme"), []);
}

#[test]
fn an_unreadable_organization_takes_no_recorded_claim_back() {
    let mut world = recorded();
    world.organization = OrganizationFacts::Unreadable {
        name: "default".to_owned(),
    };
    claims(
        &world.view("acme"),
        [(id("ws-1"), Recorded), (name("acme"), Recorded)],
    );
}

#[test]
fn what_is_to_go_wishes_for_nothing_more() {
    let mut world = recorded();
    world.edit("acme", |o| o.facts.deletion = Deletion::Requested);
    claims(
        &world.view("acme"),
        [(id("ws-1"), Recorded), (name("acme"), Recorded)],
    );
}

#[test]
fn the_id_that_is_to_be_adopted_declared_or_left_by_a_backup() {
    let mut declared = unrecorded();
    declared.edit("acme", |o| o.spec.workspace_id = Some(WorkspaceId::from("ws-9")));
    let mut copied = unrecorded();
    copied.edit("acme", |o| {
        o.status.workspace_id = Some(WorkspaceId::from("ws-9"));
    });
    for world in [declared, copied] {
        claims(
            &world.view("acme"),
            [(id("ws-9"), Desired), (name("acme"), Desired)],
        );
    }
}

#[test]
fn the_id_and_the_name_of_a_workspace_read_for_adoption() {
    let mut world = unrecorded();
    let row = existing(&mut world, "legacy");
    let mut view = world.view("acme");
    read(&mut view, &row);
    claims(
        &view,
        [
            (id("ws-1"), Desired),
            (name("acme"), Desired),
            (name("legacy"), Desired),
        ],
    );
}

#[test]
fn the_workspace_that_a_mismatched_verification_named() {
    let mut world = recorded();
    let other = existing(&mut world, "acme");
    let mut view = world.view("acme");
    read(&mut view, &other);
    let named = (id("ws-2"), Desired);
    claims(
        &view,
        [
            (id("ws-1"), Recorded),
            named,
            (name("acme"), Recorded),
            (name("zenith"), Desired),
        ],
    );
}

/// Whatever is declared meanwhile.
#[test]
fn the_id_and_the_name_of_what_a_creation_in_flight_has_read() {
    let mut world = unrecorded();
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    let row = existing(&mut world, "legacy");
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme, legacy]}]");
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("elsewhere"));
    let mut view = world.view("acme");
    read(&mut view, &row);
    claims(
        &view,
        [
            (ClaimKey::Id(org(), row.id), Desired),
            (name("acme"), Creating),
            (name("legacy"), Desired),
        ],
    );
}

/// It is asked who holds the id.
#[test]
fn nothing_that_was_read_for_a_name_that_is_not_granted() {
    let mut world = unrecorded();
    let row = existing(&mut world, "legacy");
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [legacy]}]");
    let mut view = world.view("acme");
    read(&mut view, &row);
    claims(&view, []);
    assert_eq!(view.asks(), [id("ws-1")]);
}

#[test]
fn nothing_that_was_read_for_what_is_to_go() {
    let mut world = unrecorded();
    let row = existing(&mut world, "legacy");
    world.edit("acme", |o| o.facts.finalizer = Finalizer::Present);
    world.delete("acme");
    let mut view = world.view("acme");
    read(&mut view, &row);
    claims(&view, []);
    assert_eq!(view.asks(), [id("ws-1")]);
}

/// The id alone: it may be an orphan of ours.
#[test]
fn no_name_of_another_workspace_beside_the_recorded_one() {
    let mut world = recorded();
    let row = existing(&mut world, "legacy");
    let mut view = world.view("acme");
    read(&mut view, &row);
    claims(
        &view,
        [
            (id("ws-1"), Recorded),
            (id("ws-2"), Desired),
            (name("acme"), Recorded),
            (name("zenith"), Desired),
        ],
    );
}

/// Objects in other namespaces are not named, and neither is that two names are exchanged with one of them.
#[test]
fn a_tenant_is_told_of_claims_in_its_own_namespace() {
    let wanted = WorkspaceName::from("zenith");
    for (namespace, exchanges, told, in_sight) in [
        ("team", true, true, true),
        ("team", false, false, true),
        ("other", true, false, false),
        ("other", false, false, false),
    ] {
        let mut view = recorded().view("acme");
        let winner = Claimant {
            uid: Uid::from("uid-winner"),
            namespace: namespace.to_owned(),
            name: "winner".to_owned(),
            created: at(0),
        };
        for key in [name("zenith"), id("ws-9")] {
            view.claim_result.lost.insert(key, winner.clone());
        }
        if exchanges {
            view.claim_result.exchanged.insert(name("zenith"));
        }
        let holder = if in_sight {
            "the Workspace object \"winner\""
        } else {
            "a Workspace object in another namespace"
        };
        let expected = if told {
            findings::name_exchanged(&wanted, holder)
        } else {
            findings::name_claimed(&wanted, holder)
        };
        let claimed = names::claimed_by_other(&view, &org(), &wanted);
        assert_eq!(claimed, Some(expected), "{namespace} {exchanges}");
        let seen = names::id_claimed_in_sight(&view, &org(), &WorkspaceId::from("ws-9"));
        assert_eq!(seen.is_some(), in_sight, "{namespace}");
    }
}

//! What an Organization advises leads out of the very state in which it is said.

use std::time::Duration;

use crate::crd::conditions::READY;
use crate::domain::ids::OrganizationId;
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::remote::FailureClass;
use crate::organization::tests::harness::given::{ours, theirs};
use crate::organization::tests::harness::world::World;

fn says(world: &World, reason: &str, words: &[&str]) {
    let ready = world
        .status
        .conditions
        .iter()
        .find(|condition| condition.type_ == READY)
        .unwrap();
    assert_eq!(ready.reason, reason);
    for word in words {
        assert!(
            ready.message.contains(word),
            "{word:?} is not in {:?}",
            ready.message
        );
    }
}

/// Another pair of keys in the credential Secret.
fn another_pair(world: &mut World, of: &OrganizationId, number: u32) {
    let answer = Ok(Some(of.clone()));
    (world.exchange, world.exchange_unnamed) = (answer.clone(), answer);
    (world.secret, world.keys) = (Some(number), number);
    world.reconcile();
}

fn declares(world: &mut World, id: Option<OrganizationId>) {
    world.spec.organization_id = id;
    world.object.generation += 1;
    world.reconcile();
}

/// One `kubectl delete -f` of credential, Organization and Workspaces.
/// Promise: rule.remedies
#[test]
fn the_cause_that_holds_its_workspaces_is_said_first() {
    let mut world = World::with_workspaces(2);
    world.object.deletion = Deletion::Requested;
    world.secret = None;
    world.reconcile();
    says(
        &world,
        "CredentialsMissing",
        &[
            "there is no Secret",
            "Workspaces still name it",
            "spec.deletionPolicy: Retain",
        ],
    );
    world.secret = Some(2);
    world.reconcile();
    says(&world, "InUse", &["still name it"]);
    world.users = 0;
    world.reconcile();
    assert_eq!(world.object.finalizer, Finalizer::Absent);
}

/// Such as those of an Organization that was deleted by mistake, or with its definition.
#[test]
fn workspaces_that_are_to_stay_are_not_to_be_deleted() {
    let mut world = World::with_workspaces(2);
    world.object.deletion = Deletion::Requested;
    world.reconcile();
    says(
        &world,
        "InUse",
        &[
            "To keep them",
            "agentengine.airbyte.com/finalizer",
            "apply it again",
        ],
    );
}

/// Promise: rule.remedies
#[test]
fn a_wrong_id_is_corrected_while_none_was_verified() {
    for right in [None, Some(ours())] {
        let mut world = World::new();
        declares(&mut world, Some(theirs()));
        says(
            &world,
            "OrganizationMismatch",
            &["correct or remove spec.organizationId"],
        );
        declares(&mut world, right);
        says(&world, "Verified", &[]);
    }
}

/// By a version whose schema took it.
#[test]
fn a_wrong_id_that_was_added_is_removed_again() {
    let mut world = World::verified();
    declares(&mut world, Some(theirs()));
    says(
        &world,
        "OrganizationMismatch",
        &["correct or remove spec.organizationId"],
    );
    declares(&mut world, None);
    says(&world, "Verified", &[]);
}

#[test]
fn a_swapped_credential_is_restored() {
    let mut world = World::verified();
    another_pair(&mut world, &theirs(), 2);
    says(
        &world,
        "OrganizationMismatch",
        &[
            "Restore the credential of ours",
            "make another Organization for theirs",
        ],
    );
    another_pair(&mut world, &ours(), 3);
    says(&world, "Verified", &[]);
}

#[test]
fn a_refused_credential_is_replaced() {
    let mut world = World::new();
    world.exchange = Err(FailureClass::Denied);
    world.exchange_unnamed = Err(FailureClass::Denied);
    world.reconcile();
    says(
        &world,
        "CredentialsRejected",
        &["Put a valid pair into the Secret"],
    );
    another_pair(&mut world, &ours(), 2);
    says(&world, "Verified", &[]);
}

/// Promise: rule.remedies
#[test]
fn an_organization_without_access_to_agents_is_told_so() {
    let mut world = World::verified();
    let rows = std::mem::replace(&mut world.rows, Err(FailureClass::Denied));
    world.advance(Duration::from_secs(600));
    world.reconcile();
    says(
        &world,
        "AccessDenied",
        &["administrator rights", "not enabled for Agents"],
    );
    world.rows = rows;
    world.advance(Duration::from_secs(600));
    world.reconcile();
    says(&world, "Verified", &[]);
}

#[test]
fn an_organization_that_nothing_names_is_told_by_its_spec() {
    let mut world = World::new();
    (world.exchange, world.exchange_unnamed) = (Ok(None), Ok(None));
    world.reconcile();
    says(&world, "OrganizationUnknown", &["Set spec.organizationId"]);
}

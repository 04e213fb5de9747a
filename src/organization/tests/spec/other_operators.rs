//! Two operators of one namespace use an Organization: one of them writes to it.

use std::sync::Arc;

use crate::crd::holder::{Hold, Holder};
use crate::domain::object::{Deletion, Finalizer};
use crate::organization::tests::harness::given::INTERVAL;
use crate::organization::tests::harness::world::World;

const WRITES: [&str; 3] = ["AddFinalizer", "RemoveFinalizer", "WriteStatus"];

/// Another operator holds it.
fn held() -> World {
    let mut world = World::new();
    world.status.operator = Some(Holder {
        lease: "home/another".into(),
        hold: Hold::Firm,
    });
    world
}

/// Lives on for some reconciles, and returns what was written.
fn written(world: &mut World) -> Vec<&'static str> {
    for _ in 0..3 {
        world.reconcile();
        world.advance(INTERVAL);
    }
    let done = world.done();
    done.into_iter()
        .filter(|effect| WRITES.contains(effect))
        .collect()
}

/// Promise: rule.one-operator
#[test]
fn what_another_operator_holds_is_used_and_not_written_to() {
    let mut world = held();
    world.object.finalizer = Finalizer::Absent;
    let before = world.status.clone();
    assert!(written(&mut world).is_empty());
    assert_eq!(world.status, before);
    assert!(world.published.verified().is_some(), "its Workspaces are served");
}

/// Promise: rule.one-operator
#[test]
fn nor_let_go() {
    let mut world = held();
    world.object.deletion = Deletion::Requested;
    assert!(written(&mut world).is_empty());
}

/// Promise: rule.take-over
#[test]
fn it_is_taken_over_when_the_other_is_gone() {
    let mut world = held();
    world.operators.gone = Arc::new(["home/another".into()].into());
    assert_eq!(written(&mut world), ["WriteStatus"]);
    let holder = world.status.operator.map(|holder| holder.lease.to_string());
    assert_eq!(holder.as_deref(), Some("home/operator"));
}

//! An object without our finalizer that finalizers of others still hold: nothing of it counts any more.

use std::time::Duration;

use crate::crd::conditions::{READY, TOKEN_READY};
use crate::crd::workspace::DeletionPolicy;
use crate::domain::object::Finalizer;
use crate::domain::reason::Reason;
use crate::lifecycle::tests::harness::world::{World, spec};

/// Its workspace is retained or deleted, our finalizer is off, and another one is on.
fn let_go(policy: DeletionPolicy) -> World {
    let mut world = World::with_acme();
    world.held_by_others.insert("acme".to_owned());
    world.edit("acme", |o| o.spec.deletion_policy = Some(policy));
    world.delete("acme");
    world.reconcile("acme").unwrap();
    assert_eq!(world.objects["acme"].facts.finalizer, Finalizer::Absent);
    assert_eq!(world.engine.rows.is_empty(), policy == DeletionPolicy::Delete);
    world
}

/// Promise: rule.let-go: An object that the operator has let go says so, and holds no name, no workspace and no token
#[test]
fn what_was_let_go_says_so_once_and_has_no_token() {
    for policy in [DeletionPolicy::Delete, DeletionPolicy::Retain] {
        let mut world = let_go(policy);
        let retained = world.events.contains(&Reason::Retained);
        assert_eq!(retained, policy == DeletionPolicy::Retain, "{:?}", world.events);
        // The reconcile that let it go says so: the next one may have to wait for a slot.
        assert_eq!(
            world.condition("acme", READY).unwrap(),
            ("False".into(), "Deleting".into())
        );
        world.forget_journal();
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.kinds(), Vec::<&str>::new());
        assert_eq!(world.condition("acme", TOKEN_READY).unwrap().0, "False");
        assert!(world.secrets.is_empty());
    }
}

/// Promise: rule.let-go
#[test]
fn its_name_is_free_for_another_object() {
    let mut world = let_go(DeletionPolicy::Delete);
    world.reconcile("acme").unwrap();
    world.apply("beta", spec("acme"));
    world.reconcile("beta").unwrap();
    assert_eq!(world.ready("beta"), "AsDeclared");
    world.live("acme", Duration::from_secs(60));
    assert_eq!(
        world.engine.names(),
        ["acme"],
        "the workspace of the other object"
    );
    assert!(world.secrets.contains_key("beta-token"));
}

#[test]
fn a_retained_workspace_is_free_for_another_object() {
    let mut world = let_go(DeletionPolicy::Retain);
    let id = world.id("acme");
    world.allow_adoption();
    let mut declared = spec("acme");
    declared.workspace_id = id.clone();
    world.apply("beta", declared);
    world.reconcile("beta").unwrap();
    assert_eq!(world.ready("beta"), "AsDeclared");
    assert_eq!(world.id("beta"), id);
}

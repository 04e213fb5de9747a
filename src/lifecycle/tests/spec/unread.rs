//! Nothing is remembered between reconciles but what is stored: what is known to be unread is not said to be as declared, and a
//! request is handled when what it asks for was read.

use std::time::Duration;

use crate::domain::reason::Reason;
use crate::domain::remote::FailureClass;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::facts::Content;
use crate::lifecycle::tests::harness::world::{Fault, World};

const DOWN: Fault = Fault::Answers(FailureClass::Transient, 503);

fn throttled(seconds: u64) -> Fault {
    Fault::Answers(FailureClass::Throttled(Duration::from_secs(seconds)), 429)
}

/// The list shows another name, and the GET fails.
fn differing(fault: Fault, times: usize) -> World {
    let mut world = World::with_acme();
    world.advance(60);
    world.engine.rows[0].workspace.name = "moved".into();
    world.list();
    world.fault("Get", fault, times);
    world
}

/// Promise: rule.unread: A difference or an absence in the list that could not be read is said, until a read answers
#[test]
fn a_difference_that_cannot_be_read_is_said_until_it_is() {
    for fault in [DOWN, throttled(1), throttled(120)] {
        let mut world = differing(fault, usize::MAX);
        let mut said = Vec::new();
        world.live_watched("acme", Duration::from_secs(20 * 60), |world| {
            said.push(world.ready("acme"));
        });
        assert!(!said.contains(&"AsDeclared".to_owned()), "{fault:?}: {said:?}");
        assert!(world.writes() <= 3, "{fault:?}: {} writes", world.writes());
    }
}

#[test]
fn an_absence_that_cannot_be_read_is_said_as_well() {
    let mut world = World::with_acme();
    world.advance(60);
    world.engine.rows.clear();
    world.list();
    world.fault("Get", DOWN, usize::MAX);
    let mut said = Vec::new();
    world.live_watched("acme", Duration::from_secs(20 * 60), |world| {
        said.push(world.ready("acme"));
    });
    assert!(!said.contains(&"AsDeclared".to_owned()), "{said:?}");
    assert!(world.writes() <= 3, "{} writes", world.writes());
}

/// Another client moved it and took its name, or removed it, and the status that says so cannot be written at first.
#[test]
fn what_was_read_and_not_stored_is_read_again() {
    for (what, told) in [("moved", "AlreadyExists"), ("removed", "WorkspaceNotFound")] {
        let mut world = World::new();
        let declared = serde_json::json!({ "name": "acme", "tokenSecret": { "enabled": false } });
        world.apply("acme", serde_json::from_value(declared).unwrap());
        world.reconcile("acme").unwrap();
        world.advance(60);
        world.engine.rows[0].workspace.name = "moved".into();
        if what == "removed" {
            world.engine.rows.clear();
        } else {
            world.engine.make(world.now, "acme");
        }
        world.list();
        world.fault("WriteStatus", Fault::Refused, 1);
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "AsDeclared");
        for _ in 0..2 {
            world.advance(50);
            world.reconcile("acme").unwrap();
        }
        assert_eq!(world.ready("acme"), told);
    }
}

/// While suspended, its name and state are left alone, but it is read as any other.
#[test]
fn a_suspended_object_says_what_it_could_not_read() {
    for difference in ["another name", "absence"] {
        let mut world = World::with_acme();
        world.edit("acme", |o| o.spec.suspend = Some(true));
        world.reconcile("acme").unwrap();
        world.advance(60);
        match difference {
            "absence" => world.engine.rows.clear(),
            _ => world.engine.rows[0].workspace.name = "moved".into(),
        }
        world.list();
        world.fault("Get", DOWN, 3);
        world.live_watched("acme", Duration::from_secs(2), |world| {
            assert_eq!(world.ready("acme"), "ApiUnavailable", "{difference}");
        });
        world.live("acme", Duration::from_secs(300));
        let read = if difference == "absence" {
            "WorkspaceNotFound"
        } else {
            "Suspended"
        };
        assert_eq!(world.ready("acme"), read);
    }
}

#[test]
fn a_single_429_is_told_once() {
    let mut world = differing(throttled(1), 1);
    world.live_watched("acme", Duration::from_secs(20 * 60), |_| {});
    assert_eq!(world.engine.names(), ["acme"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
    let told = world.events.iter().filter(|told| **told == Reason::AsDeclared);
    assert_eq!(told.count(), 1, "{:?}", world.events);
}

fn ask(world: &mut World, mark: &'static str) {
    world.edit("acme", |o| o.facts.reconcile_at = Some(mark.to_owned()));
}

fn handled(world: &World) -> Option<&str> {
    world.status("acme").last_handled_reconcile_at.as_deref()
}

/// Promise: rule.reconcile-request
#[test]
fn a_request_is_handled_when_the_workspace_was_read() {
    let mut world = World::with_acme();
    ask(&mut world, "one");
    world.fault("Get", DOWN, 2);
    world.reconcile("acme").unwrap();
    assert_eq!(handled(&world), None, "it could not be read");
    assert_eq!(world.ready("acme"), "ApiUnavailable");
    world.live("acme", Duration::from_secs(300));
    assert_eq!(handled(&world), Some("one"));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn a_request_that_waits_for_the_rate_limit_is_not_handled() {
    let mut world = World::with_acme();
    ask(&mut world, "one");
    world.limiter.observe(
        world.uptime(),
        crate::limits::Pressure::Throttled(Duration::from_secs(300)),
    );
    world.live("acme", Duration::from_secs(200));
    assert_eq!(handled(&world), None);
    world.live("acme", Duration::from_secs(200));
    assert_eq!(handled(&world), Some("one"));
}

/// What is read before it was asked for does not count.
#[test]
fn a_request_that_comes_after_the_read_is_handled_by_the_next() {
    let mut world = World::with_acme();
    world.edit("acme", |o| o.spec.name = "zenith".into());
    world.meanwhile("Search", |world| ask(world, "one"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Update"), 1);
    assert_eq!(handled(&world), None);
    world.reconcile("acme").unwrap();
    assert_eq!(handled(&world), Some("one"));
}

#[test]
fn a_request_that_a_stored_reason_forbids_is_handled() {
    let mut world = World::with_acme();
    world.grant("[]");
    ask(&mut world, "one");
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "NameNotGranted");
    assert_eq!(handled(&world), Some("one"));
}

/// The operator says of what keeps the new Secret from being written, not that the old one is good.
/// Promise: rule.carried-out: `Ready` is True only of a generation that was carried out
#[test]
fn without_the_declared_secret_an_object_is_not_ready() {
    for declared in [
        serde_json::json!({ "name": "other" }),
        serde_json::json!({ "labels": { "team": "a" } }),
        serde_json::json!({ "annotations": { "team": "a" } }),
    ] {
        let mut world = World::with_acme();
        world.fault("WriteSecret", Fault::Forbidden, usize::MAX);
        world.fault("DecorateSecret", Fault::Forbidden, usize::MAX);
        world.edit("acme", |o| {
            o.spec.token_secret = Some(serde_json::from_value(declared.clone()).unwrap());
        });
        world.live_watched("acme", Duration::from_secs(600), |world| {
            assert_eq!(world.ready("acme"), "KubernetesApiError", "{declared}");
        });
        assert_eq!(world.secrets.len(), 1, "the old one stays in use: {declared}");
        world.heal();
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.ready("acme"), "AsDeclared", "{declared}");
    }
}

/// Kubernetes may delete the Secrets of a namespace before their Workspaces, and creates none there any more.
#[test]
fn no_token_is_issued_where_no_secret_is_created() {
    let mut world = World::with_acme();
    world.fault("TrySecret", Fault::Forbidden, usize::MAX);
    world.fault("WriteSecret", Fault::Forbidden, usize::MAX);
    world.forget_journal();
    world.secrets.clear();
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.calls(), 0);
    assert_eq!(world.ready("acme"), "KubernetesApiError");
    world.heal();
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The quota of Secrets is full for hours, and then raised.
#[test]
fn a_refused_secret_is_written_soon_after_it_may_be() {
    for begin in ["creation", "renamed Secret"] {
        let mut world = if begin == "creation" {
            World::new()
        } else {
            World::with_acme()
        };
        world.fault("WriteSecret", Fault::Forbidden, usize::MAX);
        world.fault("TrySecret", Fault::Forbidden, usize::MAX);
        let named = serde_json::json!({ "name": "acme", "tokenSecret": { "name": "other" } });
        world.apply("acme", serde_json::from_value(named).unwrap());
        for hour in 0..3 {
            world.forget_journal();
            world.live("acme", Duration::from_secs(3600));
            let most = if hour == 0 { 20 } else { 6 };
            assert!(
                world.calls() <= most,
                "{begin}: {} calls in hour {hour}",
                world.calls()
            );
            assert_eq!(world.ready("acme"), "KubernetesApiError", "{begin}");
        }
        world.heal();
        world.live("acme", Duration::from_secs(60));
        assert_eq!(world.ready("acme"), "AsDeclared", "{begin}");
        assert!(world.secrets.contains_key("other"));
        assert_eq!(world.engine.names(), ["acme"]);
    }
}

/// The Secret tells the old name until the token after a rename is in it.
/// Promise: rule.carried-out
#[test]
fn an_object_is_not_ready_before_its_secret_tells_the_new_name() {
    let mut world = World::with_acme();
    world.fault("Issue", DOWN, 2);
    world.edit("acme", |o| o.spec.name = "zenith".into());
    world.live_watched("acme", Duration::from_secs(600), |world| {
        let Content::Whole(content) = &world.secrets["acme-token"].facts.content else {
            panic!("damaged")
        };
        let told = content.workspace_name.as_str() == "zenith";
        assert_eq!(
            told,
            world.ready("acme") == "AsDeclared",
            "{}",
            world.ready("acme")
        );
    });
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The operator has renamed it, and no status could tell so. A list that lags shows the name of before, just as status does: an
/// issue under it makes a twin, which would be seen and removed.
///
/// Promise: I3
#[test]
fn no_token_is_issued_under_a_name_that_was_seen_to_be_another_since() {
    let mut world = World::with_acme();
    world.advance(60);
    world.edit("acme", |o| o.spec.name = "zenith".into());
    world.fault("WriteStatus", Fault::Refused, usize::MAX);
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["zenith"]);
    world.fail("acme", Aspect::Sync, 30);
    world.advance(10);
    world.engine.rows[0].workspace.name = "acme".into();
    world.list();
    world.engine.rows[0].workspace.name = "zenith".into();
    world.heal();
    world.secrets.clear();
    world.forget_journal();
    world.reconcile("acme").unwrap();
    assert_eq!((world.count("Get"), world.count("Issue")), (1, 1));
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
}

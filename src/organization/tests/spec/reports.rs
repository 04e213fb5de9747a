//! What is written and told, and what is not.

use std::time::Duration;

use crate::domain::ids::OrganizationId;
use crate::domain::remote::{Answer, FailureClass};
use crate::domain::testing::unavailable;
use crate::domain::time::later;
use crate::limits::{Lane, Pressure};
use crate::organization::effect::{EngineAnswer, Outcome, Wake};
use crate::organization::tests::harness::given::{INTERVAL, ours, record, row};
use crate::organization::tests::harness::world::World;

#[test]
fn a_steady_organization_is_written_once() {
    let mut world = World::with_workspaces(20);
    world.live(Duration::from_secs(3600));
    assert!(!world.done().contains(&"WriteStatus"));
}

#[test]
fn there_is_one_event_for_each_change_of_reason() {
    let mut world = World::verified();
    for rows in [
        Err(FailureClass::Transient),
        Err(FailureClass::Malformed),
        Ok(Vec::new()),
    ] {
        world.rows = rows;
        world.advance(INTERVAL);
        world.reconcile();
    }
    assert_eq!(world.events(), ["ApiUnavailable", "Verified"]);
}

#[test]
fn a_status_that_cannot_be_written_is_written_and_told_later() {
    let mut world = World::new();
    world.writes_fail = true;
    let next = world.reconcile();
    assert_eq!(world.events(), Vec::<&str>::new());
    assert_eq!(next, later(world.now, Duration::from_secs(30)));
    world.writes_fail = false;
    world.now = next;
    world.done();
    world.reconcile();
    assert_eq!(world.done(), ["Publish", "WriteStatus"]);
    assert_eq!(world.events(), ["Verified"]);
}

/// And at most once a minute, whatever it does.
#[test]
fn a_rate_that_doubles_or_halves_is_written() {
    let mut world = World::verified();
    let told = |world: &World| {
        world
            .status
            .request_rate
            .clone()
            .map(|rate| (rate.per_second, rate.reason))
    };
    assert_eq!(told(&world), Some((50, "Untried".to_owned())));
    let used = |world: &mut World, seconds: u32| {
        for _ in 0..seconds * 10 {
            world.advance(Duration::from_millis(100));
            for _ in 0..60 {
                world.limiter.spend(world.uptime(), Lane::Other);
            }
            world.limiter.observe(world.uptime(), Pressure::Relaxed);
        }
    };
    world.advance(Duration::from_secs(60));
    used(&mut world, 2);
    world.reconcile();
    assert_eq!(
        world.done().iter().filter(|done| **done == "WriteStatus").count(),
        0
    );
    used(&mut world, 20);
    world.reconcile();
    assert_eq!(told(&world), Some((500, "AtCeiling".to_owned())));
    world
        .limiter
        .observe(world.uptime(), Pressure::Throttled(Duration::from_secs(1)));
    world.reconcile();
    assert_eq!(told(&world), Some((500, "AtCeiling".to_owned())));
    world.advance(Duration::from_secs(60));
    world.reconcile();
    assert_eq!(told(&world), Some((250, "Throttled".to_owned())));
}

#[test]
fn after_a_restart_a_rate_that_was_not_tried_is_not_written() {
    let mut world = World::verified();
    if let Some(rate) = &mut world.status.request_rate {
        rate.per_second = 500;
    }
    world.live(Duration::from_secs(3600));
    assert!(!world.done().contains(&"WriteStatus"));
}

/// Though the status cannot echo it.
#[test]
fn a_reconcile_request_is_answered_once() {
    let mut world = World::verified();
    world.object.reconcile_at = Some("1".to_owned());
    world.writes_fail = true;
    world.live(Duration::from_secs(120));
    assert_eq!(world.calls(), ["List"]);
    world.writes_fail = false;
    world.reconcile();
    assert_eq!(world.calls(), Vec::<&str>::new());
    assert_eq!(world.status.last_handled_reconcile_at.as_deref(), Some("1"));
}

/// And none while nothing changes.
#[test]
fn those_who_waited_are_woken_when_it_recovers() {
    let mut world = World::new();
    world.exchange = Err(FailureClass::Transient);
    let next = world.reconcile();
    world.woken();
    let before = world.published.revision;
    world.now = next;
    let next = world.reconcile();
    assert_eq!(world.woken(), [], "it fails as before");
    assert_eq!(world.published.revision, before);
    world.exchange = Err(FailureClass::Malformed);
    world.now = next;
    let next = world.reconcile();
    assert_eq!(world.woken(), [], "it fails in other words");
    assert_eq!(world.published.revision, before);

    world.exchange = Ok(Some(ours()));
    world.now = next;
    world.reconcile();
    assert_eq!(world.woken(), [Wake::Everybody]);
    assert!(world.published.revision > before);
}

#[test]
fn an_id_declared_in_other_case_is_the_same_organization() {
    const UPPER: &str = "645A183F-B12B-4C6E-8AD3-99E165603450";
    let mut world = World::new();
    world.spec.organization_id = Some(OrganizationId::from(UPPER));
    world.exchange = Ok(Some(OrganizationId::new(UPPER.to_ascii_lowercase())));
    world.reconcile();
    assert_eq!(world.reason(), "Verified");
}

/// It wakes those who wait all the same.
#[test]
fn a_list_that_fails_and_works_in_turn_renews_no_budget() {
    let mut world = World::with_workspaces(3);
    let (rows, revision) = (world.rows.clone(), world.published.revision);
    for _ in 0..10 {
        world.rows = Err(FailureClass::Transient);
        world.advance(INTERVAL);
        world.reconcile();
        world.woken();
        world.rows = rows.clone();
        world.advance(INTERVAL);
        world.reconcile();
        assert_eq!(world.reason(), "Verified");
        assert_eq!(world.woken(), [Wake::Everybody]);
        assert_eq!(
            world.published.recovered_at,
            Some(world.uptime()),
            "they may try once"
        );
    }
    assert_eq!(world.published.revision, revision);
    world.object.generation += 1;
    world.reconcile();
    assert_eq!(
        world.published.revision,
        revision + 1,
        "a changed spec may mend it"
    );
}

#[test]
fn each_effect_names_the_rule_behind_it() {
    let mut world = World::new();
    world.reconcile();
    assert_eq!(
        world.rules(),
        [
            "connect",
            "exchange",
            "name_the_organization",
            "publish",
            "take_the_list",
            "compare_with_what_is_recorded",
            "publish",
            "settle",
            "settle"
        ],
        "the status is written when nothing else is left to do"
    );
}

/// Promise: rule.rate-too-low: An Organization says that its declared rate is too low for its workspaces, before tokens end
#[test]
fn a_rate_that_is_too_low_for_its_workspaces_is_said() {
    let with = |count: usize, rate: Option<i32>| {
        let mut world = World::new();
        world.spec.requests_per_second = rate;
        world.rows = Ok((0..count).map(row).collect());
        world.records = (0..count).map(record).collect();
        world.reconcile();
        world
    };
    let low = with(300, Some(1));
    assert_eq!(low.reason(), "RateTooLow");
    assert_eq!(
        low.status.conditions[0].status, "True",
        "by itself it is no failure"
    );
    for part in ["requestsPerSecond: 1 ", "about 2 calls a second"] {
        assert!(low.message().contains(part), "{}", low.message());
    }
    for (count, rate) in [(200, Some(1)), (300, Some(2)), (300, None), (0, Some(1))] {
        assert_eq!(with(count, rate).reason(), "Verified", "{count} at {rate:?}");
    }
}

/// By the status, or, if that could not be written, by the memory of this process.
#[test]
fn a_request_is_open_until_a_list_or_a_status_answered_it() {
    let now = || Some("now".to_owned());
    for (requested, handled, listed, open) in [
        (now(), None, None, true),
        (now(), now(), None, false),
        (now(), None, now(), false),
        (None, now(), now(), false),
    ] {
        let mut view = World::new().view();
        view.object.reconcile_at = requested;
        view.stored.last_handled_reconcile_at = handled;
        view.memory.listed_for = listed;
        assert_eq!(
            view.is_reconcile_requested(),
            open,
            "{:?}",
            view.object.reconcile_at
        );
    }
}

#[test]
fn an_outcome_is_one_word_for_logs() {
    let answer = |result| {
        let answer = Answer {
            finished: World::new().now,
            took: Duration::ZERO,
            date: None,
            requests: 1,
            result,
        };
        Outcome::Engine(EngineAnswer::Exchanged(answer)).summary()
    };
    assert_eq!(answer(Ok(None)), "Answered");
    assert_eq!(answer(Err(unavailable())), "Transient");
}

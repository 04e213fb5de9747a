//! A pause that Agent Engine asked for outlives the process that was told.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::crd::organization::{PauseStatus, RequestRateStatus};
use crate::domain::operators::Operators;
use crate::domain::remote::FailureClass;
use crate::domain::time::{earlier, elapsed, later};
use crate::limits::Pressure;
use crate::organization::tests::harness::given::INTERVAL;
use crate::organization::tests::harness::world::World;

const PAUSE: Duration = Duration::from_secs(600);

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A reconcile of a Workspace was told to pause.
fn told_to_pause(world: &mut World, pause: Duration) -> Timestamp {
    world.limiter.observe(world.uptime(), Pressure::Throttled(pause));
    later(world.now, pause)
}

fn paused(pause: Duration) -> (World, Timestamp) {
    let mut world = World::verified();
    world.advance(INTERVAL);
    let ends = told_to_pause(&mut world, pause);
    world.reconcile();
    (world, ends)
}

fn writes(world: &mut World) -> usize {
    let done = world.done();
    done.iter().filter(|kind| **kind == "WriteStatus").count()
}

fn stored(world: &World) -> Option<PauseStatus> {
    world.status.request_rate.clone()?.pause
}

/// A status that a former process has written.
fn store(world: &mut World, until: Timestamp, seconds: i64) {
    let until = MicroTime(until);
    world.status.request_rate = Some(RequestRateStatus {
        per_second: 50,
        reason: "Throttled".to_owned(),
        pause: Some(PauseStatus { until, seconds }),
    });
}

/// How long a process that begins now leaves Agent Engine alone.
fn heeded(world: &mut World) -> Duration {
    world.done();
    world.restart();
    let began = world.now;
    for _ in 0..100 {
        let next = world.reconcile();
        let done = world.journal_since();
        if let Some((at, _)) = done.iter().find(|(_, kind)| *kind == "Exchange") {
            return elapsed(began, *at);
        }
        world.now = next;
    }
    panic!("it asks nothing at all");
}

/// Promise: rule.pause-outlives
#[test]
fn the_next_process_asks_nothing_before_a_pause_ends() {
    let (mut world, ends) = paused(PAUSE);
    world.done();
    world.restart();
    let next = world.reconcile();
    assert_eq!(world.calls(), Vec::<&str>::new());
    assert_eq!(next, ends);
    assert_eq!(world.reason(), "Throttled");
    world.now = next;
    world.reconcile();
    assert_eq!(world.calls(), ["Exchange", "List"]);
    assert_eq!(world.reason(), "Verified");
}

#[test]
fn a_long_pause_is_stored_once() {
    let (mut world, ends) = paused(PAUSE);
    assert_eq!(writes(&mut world), 1);
    assert_eq!(
        stored(&world),
        Some(PauseStatus {
            until: MicroTime(ends),
            seconds: 600
        })
    );
    world.live(seconds(590));
    assert_eq!(writes(&mut world), 0);
    assert_eq!(world.reason(), "Verified", "nothing failed that it speaks of");
}

#[test]
fn a_short_pause_is_worth_no_write() {
    for (pause, expected) in [(29, 0), (30, 1)] {
        let mut world = World::verified();
        if let Some(rate) = &mut world.status.request_rate {
            rate.per_second = 25;
        }
        world.advance(INTERVAL);
        told_to_pause(&mut world, seconds(pause));
        world.reconcile();
        assert_eq!(writes(&mut world), expected, "{pause} s");
    }
}

#[test]
fn a_pause_that_its_own_list_was_told_is_stored_with_the_failure() {
    let mut world = World::verified();
    world.rows = Err(FailureClass::Throttled(seconds(90)));
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.reason(), "Throttled");
    assert_eq!(writes(&mut world), 1);
    assert_eq!(stored(&world).map(|pause| pause.seconds), Some(90));
}

#[test]
fn a_pause_that_grows_long_beyond_the_stored_one_is_stored() {
    let (mut world, _) = paused(PAUSE);
    world.done();
    for (pause, expected) in [(620, 0), (640, 1)] {
        told_to_pause(&mut world, seconds(pause));
        world.reconcile();
        assert_eq!(writes(&mut world), expected, "{pause} s");
    }
}

/// And is written for no such thing.
#[test]
fn a_pause_that_is_over_goes_with_the_next_write() {
    let (mut world, ends) = paused(PAUSE);
    world.done();
    world.now = ends;
    world.live(seconds(3600));
    assert_eq!(writes(&mut world), 0);
    assert!(stored(&world).is_some());
    world.rows = Err(FailureClass::Transient);
    world.live(seconds(600));
    assert!(writes(&mut world) > 0);
    assert_eq!(stored(&world), None);
}

#[test]
fn a_write_of_a_pause_that_fails_is_tried_again() {
    let mut world = World::verified();
    world.advance(INTERVAL);
    world.writes_fail = true;
    told_to_pause(&mut world, PAUSE);
    let next = world.reconcile();
    assert_eq!(next, later(world.now, seconds(30)));
    world.writes_fail = false;
    world.now = next;
    world.reconcile();
    assert_eq!(stored(&world).map(|pause| pause.seconds), Some(570));
}

/// By the clock of the next process, which shows another time.
#[test]
fn a_stored_pause_lasts_no_longer_than_it_was() {
    for (ahead, waits) in [(0, 600), (-7200, 600), (100, 500), (7200, 0)] {
        let (mut world, _) = paused(PAUSE);
        world.now = match u64::try_from(ahead) {
            Ok(ahead) => later(world.now, seconds(ahead)),
            Err(_) => earlier(world.now, seconds(7200)),
        };
        assert_eq!(heeded(&mut world), seconds(waits), "{ahead} s ahead");
    }
}

#[test]
fn a_stored_pause_that_is_absurd_lasts_an_hour_at_most() {
    for (until, length, waits) in [
        (Timestamp::MAX, i64::MAX, 3600),
        (Timestamp::MAX, -1, 0),
        (Timestamp::MIN, i64::MAX, 0),
        (Timestamp::MAX, 0, 0),
    ] {
        let mut world = World::verified();
        store(&mut world, until, length);
        assert_eq!(heeded(&mut world), seconds(waits), "until {until}, {length} s");
    }
}

#[test]
fn what_a_process_was_answered_itself_outweighs_a_stored_pause() {
    let mut world = World::verified();
    let until = later(world.now, seconds(3000));
    store(&mut world, until, 3000);
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.calls(), ["List"]);
}

/// Where two operators share an Organization, the pause of one is kept to by the other when it begins.
#[test]
fn a_pause_that_another_operator_stored_is_kept_to() {
    let (mut world, _) = paused(PAUSE);
    world.operators = Operators::only("elsewhere/operator".into());
    assert_eq!(heeded(&mut world), PAUSE);
}

#[test]
fn a_credential_that_is_rotated_during_a_pause_waits_and_says_so() {
    let (mut world, ends) = paused(PAUSE);
    world.rotate();
    let next = world.reconcile();
    assert_eq!(world.reason(), "Throttled");
    assert_eq!(next, ends);
}

//! When the next reconcile is due, and why.

use std::time::Duration;

use crate::crd::organization::DEFAULT_POLL_INTERVAL;
use crate::domain::ids::Uid;
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::remote::FailureClass;
use crate::domain::time::{elapsed, later};
use crate::limits::{FailedAttempt, Fault};
use crate::organization::NoClient;
use crate::organization::judge::rest::cause;
use crate::organization::memory::Credential;
use crate::organization::progress::Attempt;
use crate::organization::tests::harness::world::World;
use crate::organization::view::View;
use crate::organization::wakeups::{POLL, Why, next};

fn no_client(view: &mut View) {
    view.memory.credential = Credential::NoClient(NoClient::Missing {
        what: "no Secret".to_owned(),
    });
}

fn failed(view: &mut View, attempt: FailedAttempt, times: usize) {
    let cause = cause(view);
    let (now, who) = (view.uptime(), Uid::from("organization"));
    for _ in 0..times {
        view.memory.backoff.failed(now, cause, attempt, &who);
    }
}

/// Four calls that failed in one reconcile.
fn back_off(view: &mut View) {
    failed(view, FailedAttempt::normal(4), 1);
}

/// So often that the rest is longer than five minutes.
fn is_down(view: &mut View) {
    let attempt = FailedAttempt {
        fault: Fault::Server,
        ..FailedAttempt::normal(4)
    };
    failed(view, attempt, 12);
}

fn pause(view: &mut View, seconds: u64) {
    view.progress.paused_until = Some(later(view.now, Duration::from_secs(seconds)));
}

fn permit(view: &mut View, seconds: u64) {
    view.progress.permit_at = Some(later(view.now, Duration::from_secs(seconds)));
}

/// What differs, why the next reconcile is due, and after how many seconds.
type Case = (&'static str, fn(&mut View), Why, u64);

/// The rule that ends it, what differs, and why the next reconcile is due.
type EarlyEnd = (&'static str, fn(&mut World), &'static str);

/// Of a verified Organization whose list was just taken, changed as the row says.
#[test]
fn the_earliest_reason_is_the_next_wakeup() {
    let cases: [Case; 11] = [
        (
            "nothing else",
            |_| {},
            Why::ListDue,
            DEFAULT_POLL_INTERVAL.as_secs(),
        ),
        ("no client", no_client, Why::Poll, POLL.as_secs()),
        (
            "back-off past the list",
            |view| {
                back_off(view);
                view.declared.poll_interval = Some("30s".to_owned());
            },
            Why::Retry,
            75,
        ),
        (
            "back-off before the list",
            |view| {
                back_off(view);
                view.declared.poll_interval = Some("10m".to_owned());
            },
            Why::ListDue,
            600,
        ),
        (
            "back-off for a server that may be well again before it ends",
            |view| {
                is_down(view);
                view.declared.poll_interval = Some("1h".to_owned());
            },
            Why::Retry,
            300,
        ),
        (
            "a pause past the list",
            |view| pause(view, 400),
            Why::Throttled,
            400,
        ),
        (
            "a pause before the list",
            |view| pause(view, 100),
            Why::ListDue,
            300,
        ),
        (
            "a permit while nothing can be listed",
            |view| {
                no_client(view);
                permit(view, 70);
            },
            Why::PermitGranted,
            70,
        ),
        (
            "the longer of two rests",
            |view| {
                no_client(view);
                permit(view, 70);
                pause(view, 90);
            },
            Why::Throttled,
            90,
        ),
        (
            "a rest that is longer than the poll",
            |view| pause(view, 7200),
            Why::Poll,
            POLL.as_secs(),
        ),
        (
            "an unwritten status",
            |view| view.progress.status = Attempt::Failed,
            Why::StatusUnwritten,
            30,
        ),
    ];
    for (name, change, why, seconds) in cases {
        let mut world = World::new();
        world.latency = Duration::ZERO;
        world.reconcile();
        let mut view = world.view();
        change(&mut view);
        let wakeup = next(&view);
        assert_eq!(wakeup.why, why, "{name}");
        // Back-off adds up to a tenth of its own.
        let wait = elapsed(view.now, wakeup.at).as_secs();
        assert!(
            (seconds..=seconds + seconds / 5).contains(&wait),
            "{name}: {wait} s"
        );
    }
}

#[test]
fn a_reconcile_that_ends_early_says_why() {
    let cases: [EarlyEnd; 5] = [
        (
            "hold_by_finalizer",
            |world| world.object.finalizer = Finalizer::Absent,
            "finalizer_written",
        ),
        (
            "let_it_go",
            |world| world.object.deletion = Deletion::Requested,
            "waits_for_others",
        ),
        (
            "let_it_go",
            |world| {
                world.object.deletion = Deletion::Requested;
                world.writes_fail = true;
            },
            "finalizer_unwritten",
        ),
        ("settle", |world| world.writes_fail = true, "status_unwritten"),
        (
            "settle",
            |world| world.exchange = Err(FailureClass::Transient),
            "retry",
        ),
    ];
    for (rule, change, why) in cases {
        let mut world = World::new();
        change(&mut world);
        world.reconcile();
        assert_eq!(world.rules().last(), Some(&rule), "{why}");
        assert_eq!(world.requeue.unwrap().why.as_str(), why);
    }
}

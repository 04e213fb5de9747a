//! What back-off charges for.

use std::time::Duration;

use crate::domain::ids::Uid;
use crate::domain::remote::{Failure, FailureClass};
use crate::domain::testing::answered;
use crate::domain::time::{elapsed, later};
use crate::limits::FailedAttempt;
use crate::organization::NoClient;
use crate::organization::budget::{Ended, charged, ended};
use crate::organization::effect::{EngineCall, Part};
use crate::organization::judge::rest::cause;
use crate::organization::memory::Credential;
use crate::organization::progress::{Attempt, Exchange, List};
use crate::organization::tests::harness::world::World;
use crate::organization::view::View;

fn refused(view: &mut View) {
    view.memory.credential = Credential::Refused(Failure {
        class: FailureClass::Denied,
        status: None,
        detail: "refused".to_owned(),
    });
}

fn at_rest(view: &mut View) {
    let (now, cause, who) = (view.uptime(), cause(view), Uid::from("organization"));
    view.memory
        .backoff
        .failed(now, cause, FailedAttempt::normal(1), &who);
}

/// What differs, and how it ends.
type Case = (&'static str, fn(&mut View), Ended);

/// Of a verified Organization, changed as the row says.
#[test]
fn only_an_attempt_that_failed_is_charged() {
    let cases: [Case; 9] = [
        ("all is well", |_| {}, Ended::Well),
        (
            "a Secret that is missing costs no call",
            |view| {
                view.memory.credential = Credential::NoClient(NoClient::Missing {
                    what: "no Secret".to_owned(),
                });
            },
            Ended::Well,
        ),
        ("it failed before and was not tried again", refused, Ended::Waits),
        ("a rest", at_rest, Ended::Waits),
        (
            "the Secret could not be read",
            |view| view.progress.client = Attempt::Failed,
            Ended::Failed,
        ),
        (
            "the exchange failed",
            |view| view.progress.exchange = Exchange::Failed,
            Ended::Failed,
        ),
        (
            "the exchange was refused",
            |view| view.progress.exchange = Exchange::Refused,
            Ended::Failed,
        ),
        (
            "the exchange worked",
            |view| view.progress.exchange = Exchange::Done,
            Ended::Well,
        ),
        (
            "the list failed",
            |view| view.progress.list = List::Failed,
            Ended::Failed,
        ),
    ];
    for (name, change, expected) in cases {
        let mut world = World::new();
        world.reconcile();
        let mut view = world.view();
        change(&mut view);
        assert_eq!(ended(&view), expected, "{name}");
    }
}

#[test]
fn a_list_is_charged_as_one_page() {
    let of = |part| charged(EngineCall::List(part), 3);
    assert_eq!((of(Part::First), of(Part::Next)), (3, 0));
    assert_eq!(charged(EngineCall::Exchange, 2), 2);
    assert_eq!(charged(EngineCall::ExchangeUnnamed, 2), 2);
}

/// Its objects show that the server is well; nothing of the Organization tells.
#[test]
fn a_list_that_the_server_failed_is_taken_once_it_is_well() {
    let mut world = World::with_workspaces(3);
    let rows = std::mem::replace(&mut world.rows, Err(FailureClass::Transient));
    world.live(Duration::from_secs(3 * 3600));
    world.calls();
    loop {
        let next = world.reconcile();
        if !world.calls().is_empty() {
            break;
        }
        world.now = next;
    }
    assert_eq!(world.reason(), "ApiUnavailable");
    world.rows = rows;
    let answer = answered(Duration::ZERO, None);
    world.limiter.answered(world.uptime(), &answer);
    world.live(Duration::from_secs(6 * 60));
    assert_eq!(world.reason(), "Verified");
}

/// Its objects wait for it, with tokens that live twenty minutes.
#[test]
fn one_that_is_away_is_asked_every_ten_minutes_of_an_hour() {
    let mut world = World::new();
    world.exchange = Err(FailureClass::Transient);
    let hour_ends = later(world.now, Duration::from_secs(3600));
    world.live(Duration::from_secs(2 * 3600));
    let journal = world.journal_since();
    let calls = journal.iter().filter(|(_, kind)| *kind == "Exchange");
    let at: Vec<_> = calls.map(|(at, _)| *at).collect();
    let within = at.iter().filter(|at| **at < hour_ends).count();
    assert!(within <= 20, "{at:?}");
    let longest = at
        .windows(2)
        .take(within)
        .map(|pair| elapsed(pair[0], pair[1]))
        .max();
    assert!(longest < Some(Duration::from_secs(600)), "{longest:?} of {at:?}");
}

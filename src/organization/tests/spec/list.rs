//! When the shared list is taken, what a failed one means, and what follows from a workspace that it lacks.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::remote::FailureClass;
use crate::domain::time::{elapsed, later};
use crate::domain::verification::{Missing, Verification};
use crate::organization::effect::Wake;
use crate::organization::judge::listing::LISTS_APART;
use crate::organization::tests::harness::given::{INTERVAL, record, row, theirs, uid};
use crate::organization::tests::harness::world::World;

const HOUR: Duration = Duration::from_secs(3600);

fn lists(world: &mut World) -> Vec<Timestamp> {
    let journal = world.journal_since();
    let lists = journal.iter().filter(|(_, kind)| *kind == "List");
    lists.map(|(at, _)| *at).collect()
}

/// Promise: cost.drift
#[test]
fn there_is_one_list_an_interval() {
    let mut world = World::with_workspaces(20);
    world.live(HOUR);
    let lists = lists(&mut world);
    assert_eq!(lists.len(), 12, "{lists:?}");
    assert!(lists.windows(2).all(|two| elapsed(two[0], two[1]) >= INTERVAL));
}

#[test]
fn a_declared_interval_is_kept() {
    let mut world = World::verified();
    world.spec.poll_interval = Some("30s".to_owned());
    world.live(HOUR);
    assert!((118..=121).contains(&lists(&mut world).len()));
}

#[test]
fn a_list_that_a_workspace_wants_is_taken_at_once() {
    let mut world = World::verified();
    world.advance(LISTS_APART);
    world.wanted_at = Some(world.uptime());
    world.reconcile();
    assert_eq!(world.calls(), ["List"]);
    // One that began since answers the wish.
    world.advance(2 * LISTS_APART);
    world.reconcile();
    assert_eq!(world.calls(), Vec::<&str>::new());
}

#[test]
fn lists_that_are_wanted_are_fifteen_seconds_apart() {
    let mut world = World::verified();
    let end = later(world.now, Duration::from_secs(120));
    while world.now < end {
        world.wanted_at = Some(world.uptime());
        let next = world.reconcile();
        world.now = next.min(later(world.now, Duration::from_secs(1)));
    }
    let lists = lists(&mut world);
    assert!(
        lists.windows(2).all(|two| elapsed(two[0], two[1]) >= LISTS_APART),
        "{lists:?}"
    );
    assert!(lists.len() >= 7, "{lists:?}");
}

#[test]
fn a_list_that_was_wanted_while_one_was_read_is_taken_after_it() {
    let mut world = World::verified();
    world.wanted_at = Some(world.uptime().later(Duration::from_millis(1)));
    world.advance(LISTS_APART);
    world.reconcile();
    assert_eq!(world.calls(), ["List"]);
}

#[test]
fn a_request_for_a_reconcile_has_the_list_taken_however_soon() {
    let mut world = World::verified();
    world.object.reconcile_at = Some("1".to_owned());
    world.reconcile();
    assert_eq!(world.calls(), ["List"]);
    world.reconcile();
    assert_eq!(world.calls(), Vec::<&str>::new(), "good once");
}

/// It is tried again before its interval is over.
#[test]
fn a_list_that_fails_takes_nothing_back() {
    let mut world = World::with_workspaces(20);
    let known = world.snapshot.clone();
    world.rows = Err(FailureClass::Transient);
    world.advance(INTERVAL);
    let next = world.reconcile();
    assert_eq!(world.reason(), "ApiUnavailable");
    assert!(
        world.message().contains("check spec.endpoint"),
        "{}",
        world.message()
    );
    assert!(matches!(world.published.verification, Verification::Verified(_)));
    assert_eq!(world.snapshot, known, "what is known stays known");
    assert!(
        elapsed(world.now, next) <= LISTS_APART,
        "an interval would be too long: {next}"
    );
    world.done();

    world.rows = Ok((0..20).map(row).collect());
    world.now = next;
    world.reconcile();
    assert_eq!(world.calls(), ["List"]);
    assert_eq!(world.reason(), "Verified");
}

/// In the first hour; six in any later one.
/// Promise: cost.failure
#[test]
fn a_list_that_always_fails_costs_twenty_calls_in_an_hour() {
    for class in [
        FailureClass::Transient,
        FailureClass::Denied,
        FailureClass::Malformed,
        FailureClass::Throttled(Duration::from_secs(1)),
    ] {
        // Also where others wake it all the time.
        for woken_every in [HOUR, Duration::from_secs(7)] {
            let mut world = World::verified();
            world.spec.poll_interval = Some("30s".to_owned());
            world.rows = Err(class);
            world.advance(INTERVAL);
            for hour in 0..4 {
                let end = later(world.now, HOUR);
                while world.now < end {
                    let next = world.reconcile();
                    world.now = next.min(later(world.now, woken_every));
                }
                let calls = world.calls().len();
                let most = if hour == 0 { 20 } else { 6 };
                assert!(
                    (1..=most).contains(&calls),
                    "{class:?}, woken every {woken_every:?}, hour {hour}: {calls}"
                );
            }
        }
    }
}

#[test]
fn a_page_that_fails_fails_the_list() {
    let mut world = World::with_workspaces(20);
    let known = world.snapshot.clone();
    world.page_size = 5;
    world.advance(INTERVAL);
    world.requests_fail_after(2);
    world.reconcile();
    assert_eq!(world.calls(), ["List", "List", "List"]);
    assert_eq!(world.snapshot, known);
    assert_eq!(world.published.missing, Missing::Few);
}

#[test]
fn only_who_differs_from_a_new_list_is_woken() {
    let mut world = World::with_workspaces(20);
    world.rows.as_mut().unwrap().remove(3);
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.woken(), [Wake::These(BTreeSet::from([uid(3)]))]);
}

#[test]
fn records_of_another_organization_are_not_missing_here() {
    let mut world = World::with_workspaces(5);
    world
        .records
        .extend((100..120).map(|n| crate::organization::Managed {
            organization_id: Some(theirs()),
            ..record(n)
        }));
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.reason(), "Verified");
    assert_eq!(world.status.workspaces.unwrap().managed, 5);
}

/// Promise: rule.many-missing
#[test]
fn many_missing_at_once_wake_no_workspace_until_confirmed() {
    let mut world = World::with_workspaces(20);
    world.rows.as_mut().unwrap().truncate(14);
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.reason(), "ManyWorkspacesMissing");
    assert_eq!(world.published.missing, Missing::Many);
    assert!(
        world
            .message()
            .contains("confirm-missing=6, and remove the annotation afterwards"),
        "{}",
        world.message()
    );
    // All hear that the list is doubted now; no Workspace is woken for its difference.
    assert_eq!(world.woken(), [Wake::Everybody]);

    // Nor by the next list, which says the same.
    world.advance(INTERVAL);
    world.done();
    world.reconcile();
    assert_eq!(world.calls(), ["List"]);
    assert_eq!(world.woken(), []);

    // Another count than the one that was told says nothing.
    world.object.confirm_missing = Some(5);
    world.advance(2 * LISTS_APART);
    world.reconcile();
    assert_eq!(world.calls(), Vec::<&str>::new());
    assert_eq!(world.reason(), "ManyWorkspacesMissing");

    world.object.confirm_missing = Some(6);
    world.reconcile();
    assert_eq!(world.calls(), ["List"], "listed once more, and at once");
    assert_eq!(world.reason(), "Verified");
    assert_eq!(world.published.missing, Missing::Few);
    assert_eq!(world.woken(), [Wake::Everybody]);
}

#[test]
fn missing_ones_are_counted_once_the_store_saw_our_writes() {
    let mut world = World::with_workspaces(6);
    world.advance(INTERVAL);
    world.behind = (2, Some(later(world.now, Duration::from_secs(1))));
    world.rows = Ok(Vec::new());
    world.reconcile();
    assert_eq!(world.reason(), "ManyWorkspacesMissing");
}

#[test]
fn a_store_that_never_sees_our_writes_delays_no_list_for_long() {
    let mut world = World::with_workspaces(6);
    world.advance(INTERVAL);
    world.behind = (2, Some(later(world.now, HOUR)));
    let began = world.now;
    world.reconcile();
    assert_eq!(world.calls(), ["List"]);
    assert!(world.now < later(began, Duration::from_secs(5)));
}

#[test]
fn a_new_credential_does_not_find_missing_workspaces_by_itself() {
    let mut world = World::with_workspaces(20);
    world.rows = Ok(Vec::new());
    world.advance(INTERVAL);
    world.reconcile();
    world.rows = Err(FailureClass::Transient);
    world.rotate();
    world.reconcile();
    assert_eq!(world.published.missing, Missing::Many);
    assert_eq!(world.reason(), "ManyWorkspacesMissing");
}

/// Until a complete list says otherwise.
/// Promise: rule.many-missing
#[test]
fn many_missing_outlive_the_process() {
    let mut world = World::with_workspaces(20);
    world.rows = Ok(Vec::new());
    world.advance(INTERVAL);
    world.reconcile();
    world.restart();
    world.rows = Err(FailureClass::Transient);
    world.reconcile();
    assert_eq!(world.published.missing, Missing::Many);
    world.rows = Ok((0..20).map(row).collect());
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.reason(), "Verified");
    assert_eq!(world.published.missing, Missing::Few);
}

#[test]
fn missing_workspaces_are_known_by_their_field_not_by_a_reason() {
    let mut world = World::with_workspaces(20);
    world.rows.as_mut().unwrap().truncate(14);
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.status.missing_workspaces, Some(6));

    world.restart();
    world.rows = Err(FailureClass::Transient);
    for condition in &mut world.status.conditions {
        condition.reason = "Renamed".to_owned();
    }
    world.reconcile();
    assert_eq!(world.reason(), "ManyWorkspacesMissing");
    assert!(
        world.message().contains("confirm-missing=6"),
        "{}",
        world.message()
    );

    world.restart();
    world.status.missing_workspaces = None;
    world.reconcile();
    assert_eq!(world.published.missing, Missing::Few);
}

#[test]
fn a_list_that_has_all_again_takes_the_count_of_missing_away() {
    let mut world = World::with_workspaces(20);
    world.rows = Ok(Vec::new());
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.status.missing_workspaces, Some(20));
    world.rows = Ok((0..20).map(row).collect());
    world.advance(INTERVAL);
    world.reconcile();
    assert_eq!(world.status.missing_workspaces, None);
}

/// Promise: rule.reconcile-request
#[test]
fn a_request_is_handled_by_a_complete_list() {
    let mut world = World::with_workspaces(3);
    let rows = std::mem::replace(&mut world.rows, Err(FailureClass::Transient));
    world.object.reconcile_at = Some("1".to_owned());
    world.reconcile();
    assert_eq!(world.reason(), "ApiUnavailable");
    assert_eq!(world.status.last_handled_reconcile_at, None);
    world.rows = rows;
    world.live(Duration::from_secs(120));
    assert_eq!(world.reason(), "Verified");
    assert_eq!(world.status.last_handled_reconcile_at.as_deref(), Some("1"));
    world.restart();
    world.calls();
    world.reconcile();
    assert_eq!(world.status.last_handled_reconcile_at.as_deref(), Some("1"));
}

#[test]
fn a_request_that_needs_a_credential_first_is_handled() {
    for (reason, secret) in [("CredentialsMissing", None), ("CredentialsRejected", Some(1))] {
        let mut world = World::new();
        world.secret = secret;
        world.exchange = Err(FailureClass::Denied);
        world.exchange_unnamed = Err(FailureClass::Denied);
        world.object.reconcile_at = Some("1".to_owned());
        world.reconcile();
        assert_eq!(world.reason(), reason);
        assert_eq!(world.status.last_handled_reconcile_at.as_deref(), Some("1"));
    }
}

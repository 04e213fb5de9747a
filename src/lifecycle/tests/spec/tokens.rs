//! The token: renewed in time, verified before it is handed out, issued under a name that was just seen.

use std::time::Duration;

use crate::domain::ids::{OrganizationId, WorkspaceName};
use crate::domain::remote::{FailureClass, RemoteState, WorkspaceState};
use crate::domain::time::{elapsed, later};
use crate::lifecycle::tests::harness::world::{Fault, World, at, spec};

#[test]
fn a_refresh_is_a_get_an_issue_a_verification_and_a_write() {
    let mut world = World::with_acme();
    world.advance(900);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get", "Issue", "Verify", "WriteSecret"]);
    assert_eq!(world.events, []);
}

/// Promise: rule.observation: Issuing needs an observation of the last minute, younger than our own last write, and no rename pending
#[test]
fn a_list_of_the_last_minute_saves_the_get() {
    let mut world = World::with_acme();
    world.advance(900);
    world.list();
    world.advance(30);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Issue", "Verify", "WriteSecret"]);
}

/// Promise: rule.observation
#[test]
fn a_list_older_than_a_minute_does_not() {
    let mut world = World::with_acme();
    world.advance(900);
    world.list();
    world.advance(61);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get", "Issue", "Verify", "WriteSecret"]);
}

/// Promise: cost.freshness: freshness: no token with under 5 minutes left; an outage of 5 minutes is not noticed
#[test]
fn no_token_has_less_than_five_minutes_left_through_a_day() {
    let mut world = World::with_acme();
    for _ in 0..24 * 60 {
        world.live("acme", Duration::from_secs(60));
        let times = world.secrets["acme-token"].facts.times.unwrap();
        assert!(elapsed(world.now, times.expires_at) >= Duration::from_secs(300));
    }
    assert_eq!(world.count("WriteStatus"), 0);
    assert!(world.count("Issue") <= 24 * 60 / 11);
}

/// Promise: cost.freshness
#[test]
fn an_outage_of_five_minutes_is_not_noticed() {
    let mut world = World::with_acme();
    world.advance(660);
    for kind in ["Get", "Issue", "Verify"] {
        world.fault(kind, Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    }
    world.live("acme", Duration::from_secs(300));
    let times = world.secrets["acme-token"].facts.times.unwrap();
    assert!(elapsed(world.now, times.expires_at) > Duration::from_secs(120));
    world.heal();
    world.live("acme", Duration::from_secs(60));
    let times = world.secrets["acme-token"].facts.times.unwrap();
    assert!(elapsed(times.issued_at, world.now) < Duration::from_secs(70));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Promise: cost.freshness
#[test]
fn after_a_long_outage_a_token_is_renewed_at_once() {
    let mut world = World::with_acme();
    world.advance(660);
    for kind in ["Get", "Issue", "Verify"] {
        world.fault(kind, Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    }
    world.live("acme", Duration::from_secs(1800));
    assert!(world.calls() <= 20);
    world.heal();
    world.advance(1);
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.ready("acme"),
        "ApiUnavailable",
        "it rests, although it is woken"
    );
    world.readable().recovered_at = Some(world.uptime());
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Each recovery is followed by one attempt, and the calls of the hour stay within the bar.
#[test]
fn a_service_that_comes_and_goes_renews_no_budget() {
    let mut world = World::with_acme();
    world.advance(660);
    world.forget_journal();
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    for _ in 0..58 {
        world.live("acme", Duration::from_secs(60));
        world.readable().recovered_at = Some(world.uptime());
    }
    assert!((14..=20).contains(&world.calls()), "{}", world.calls());
}

#[test]
fn a_workspace_found_inactive_loses_its_secret_and_gets_it_back() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    for (state, reason, secrets) in [
        (
            RemoteState::Known(WorkspaceState::Inactive),
            "WorkspaceInactive",
            0,
        ),
        (RemoteState::Known(WorkspaceState::Active), "TokenVerified", 1),
        (RemoteState::Unknown, "WorkspaceInactive", 0),
        (RemoteState::Known(WorkspaceState::Active), "TokenVerified", 1),
    ] {
        world.advance(10);
        world.engine.row(&id).unwrap().state = state;
        world.list();
        world.live("acme", Duration::from_secs(1));
        assert_eq!(world.token_ready("acme"), reason);
        assert_eq!(world.secrets.len(), secrets, "{state:?}");
        assert_eq!(world.ready("acme"), "AsDeclared");
    }
    assert_eq!(world.count("Update"), 0, "an undeclared status is left alone");
}

#[test]
fn an_absurd_lifetime_makes_no_loop() {
    for life in [0, 1, 20] {
        let mut world = World::with_acme();
        world.engine.token_life = Duration::from_secs(life);
        world.advance(900);
        world.live("acme", Duration::from_secs(3600));
        assert!(world.count("Issue") <= 121, "{life}: {}", world.count("Issue"));
    }
}

/// The answer takes longer than the token lives.
#[test]
fn a_token_slower_than_its_life_is_issued_once_a_reconcile() {
    let mut world = World::with_acme();
    world.engine.token_life = Duration::from_secs(1);
    world.advance(900);
    world.meanwhile("Verify", |world| world.advance(40));
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 1);
}

#[test]
fn a_sync_that_fails_does_not_hold_up_the_token() {
    for (kind, class) in [
        ("Search", FailureClass::Transient),
        ("Update", FailureClass::Unknown),
        ("Update", FailureClass::Rejected),
        ("Update", FailureClass::Conflict),
        ("Update", FailureClass::Denied),
    ] {
        let mut world = World::with_acme();
        world.fault(kind, Fault::Answers(class, 500), usize::MAX);
        world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
        for _ in 0..120 {
            world.live("acme", Duration::from_secs(60));
            let times = world.secrets["acme-token"].facts.times.unwrap();
            assert!(
                elapsed(world.now, times.expires_at) >= Duration::from_secs(300),
                "{kind} {class:?}"
            );
        }
        assert!(world.issued_names.iter().all(|name| name == "acme"));
    }
}

#[test]
fn a_missing_secret_is_issued_for_although_the_rename_fails() {
    let mut world = World::with_acme();
    world.fault("Search", Fault::Answers(FailureClass::Transient, 500), usize::MAX);
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.live("acme", Duration::from_secs(60));
    world.secrets.clear();
    world.live("acme", Duration::from_secs(5));
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
    assert_eq!(world.ready("acme"), "ApiUnavailable");
}

#[test]
fn a_differing_listed_name_is_read_by_id_before_an_issue() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(900);
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    world.list();
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(&world.kinds()[..3], ["Get", "Get", "Issue"]);
}

/// The condition says so.
#[test]
fn a_token_that_names_another_organization_is_dropped() {
    let mut world = World::with_acme();
    world.advance(900);
    let before = world.secrets["acme-token"].facts.times;
    world.engine.verifies_for = OrganizationId::from("org-2");
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "IdentityMismatch");
    assert_eq!(world.count("Issue"), 1);
    assert_eq!(world.secrets["acme-token"].facts.times, before);
}

/// The message asks for it, and the back-off of an hour before does not count any more.
#[test]
fn once_a_list_shows_the_name_for_itself_alone_the_next_token_is_issued() {
    let mut world = World::with_acme();
    world.engine.make(at(10), "acme");
    world.engine.rows.swap(0, 1);
    world.advance(900);
    world.list();
    world.live("acme", Duration::from_secs(2400));
    assert_eq!(world.ready("acme"), "IdentityMismatch");
    let issues = world.count("Issue");
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.count("Issue"), issues, "the budget of the hour is used up");
    world.engine.rows[0].workspace.name = WorkspaceName::from("another");
    world.list();
    world.live("acme", Duration::from_secs(301));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Its revisions begin again at the same number.
#[test]
fn what_an_organization_of_before_refused_is_tried_with_the_next_one() {
    let mut world = World::with_acme_due();
    world.fault("Issue", Fault::Answers(FailureClass::Denied, 403), usize::MAX);
    world.live("acme", Duration::from_secs(3000));
    world.heal();
    let issues = world.count("Issue");
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.count("Issue"), issues, "it rests");
    world.readable().uid = "uid-of-the-next-one".into();
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The GET before the issue shows that name.
#[test]
fn no_token_is_issued_under_an_ungranted_name() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.grant("[{namespaces: {names: [team]}, workspaceNames: [acme]}]");
    world.edit("acme", |o| o.spec.suspend = Some(true));
    world.advance(900);
    world.engine.row(&id).unwrap().name = WorkspaceName::from("zzz");
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Issue"), 0);
    assert_eq!(world.token_ready("acme"), "NameNotGranted");
}

#[test]
fn a_failed_renewal_rests_however_often_it_is_woken() {
    let mut world = World::with_acme();
    world.advance(900);
    world.fault("Issue", Fault::Answers(FailureClass::Transient, 503), usize::MAX);
    world.reconcile("acme").unwrap();
    let calls = world.calls();
    for _ in 0..3 {
        world.advance(1);
        world.reconcile("acme").unwrap();
    }
    assert_eq!(world.calls(), calls);
}

#[test]
fn a_list_from_the_future_confirms_nothing() {
    let mut world = World::with_acme();
    world.advance(900);
    world.snapshot = Some((
        later(world.now, Duration::from_secs(600)),
        world.engine.list(world.now),
    ));
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Get", "Issue", "Verify", "WriteSecret"]);
}

/// Promise: rule.secret-taken-away: A Secret that another client deletes again and again does not use up the rate limit
/// Its restorations do not use up the organization's rate.
#[test]
fn a_secret_deleted_again_and_again_is_restored_slowly() {
    let mut world = World::with_acme();
    world.advance(300);
    for _ in 0..600 {
        world.secrets.clear();
        world.live("acme", Duration::from_secs(1));
    }
    let issues = world.count("Issue");
    assert!(
        (18..=22).contains(&issues),
        "ten at once, then one a minute: {issues}"
    );
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.ready("acme"), "AsDeclared", "once it is left alone");
    world.live("acme", Duration::from_secs(3600));
    world.secrets.clear();
    world.live("acme", Duration::from_secs(1));
    assert_eq!(world.secrets.len(), 1, "and once more at once");
}

/// Promise: rule.ended-token: Ready is never True beside a token that has ended, and no token is renewed within half a minute
/// The API states lives of ten seconds.
#[test]
fn a_token_that_has_ended_is_said_to_have_ended() {
    let mut world = World::new();
    world.engine.token_life = Duration::from_secs(10);
    world.apply("acme", spec("acme"));
    let mut issues = Vec::new();
    for _ in 0..300 {
        world.live("acme", Duration::from_secs(1));
        let times = world.secrets["acme-token"].facts.times.unwrap();
        let ended = world.now >= times.expires_at;
        let ready = world.condition("acme", "Ready").unwrap().0;
        assert!(
            !ended || ready != "True",
            "{} beside an ended token",
            world.ready("acme")
        );
        issues.push(times.issued_at);
    }
    issues.dedup();
    assert!(issues.len() > 8, "it goes on: {issues:?}");
    for pair in issues.windows(2) {
        assert!(pair[1] >= pair[0] + Duration::from_secs(30), "{pair:?}");
    }
}

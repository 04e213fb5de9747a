//! Creation: gates, search, finalizer, intent, issue, verification, GET, Secret, record.

use std::time::Duration;

use jiff::SignedDuration;

use crate::crd::workspace::{AdoptionPolicy, Origin};
use crate::domain::ids::WorkspaceName;
use crate::domain::reason::Reason;
use crate::domain::remote::{FailureClass, WorkspaceState};
use crate::lifecycle::tests::harness::fake_engine::{Shows, Told};
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

const CREATION: [&str; 8] = [
    "Search",
    "AddFinalizer",
    "WriteStatus",
    "Issue",
    "Verify",
    "Get",
    "WriteSecret",
    "WriteStatus",
];

fn created() -> World {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world
}

/// Promise: rule.creation: Creation: preconditions, search, finalizer, intent, issue, verification, GET, Secret, one status write
/// One search, one issue, one verification and one GET.
#[test]
fn a_creation_is_four_calls_and_four_writes_in_this_order() {
    let mut world = created();
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), CREATION);
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.writes(), 4);
    assert_eq!(world.events, [Reason::AsDeclared], "one event");
    let status = world.status("acme").clone();
    assert_eq!(status.creation, None);
    assert_eq!(status.origin, Some(Origin::Created));
    assert_eq!(status.token_secret_name.as_deref(), Some("acme-token"));
    assert_eq!(world.token_opens("acme-token"), world.id("acme"));
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Promise: cost.steady: steady state: 0 writes
#[test]
fn what_is_as_declared_costs_nothing_also_after_a_restart() {
    let mut world = World::with_acme();
    world.reconcile("acme").unwrap();
    world.restart();
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), Vec::<&str>::new());
    assert_eq!(world.events, []);
}

/// Promise: rule.no-creation-time: Without a creation time the search of the same reconcile decides, and after a crash nothing does
/// Its search found the name free.
#[test]
fn without_a_creation_time_the_same_reconcile_decides() {
    let mut world = created();
    world.engine.created_at = Told::No;
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), CREATION);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Promise: rule.window
#[test]
fn without_a_date_the_local_clock_serves() {
    let mut world = created();
    world.engine.date = Told::No;
    world.server_ahead(20);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), CREATION);
}

/// Promise: rule.window
/// Promise: hostile.clock
#[test]
fn a_server_whose_clock_is_hours_off_makes_no_difference() {
    for ahead in [-7200, 7200] {
        let mut world = created();
        world.server_ahead(ahead);
        world.reconcile("acme").unwrap();
        assert_eq!(world.kinds(), CREATION, "{ahead}");
    }
}

#[test]
fn a_date_that_comes_with_the_issue_only_serves_as_well() {
    let mut world = created();
    world.engine.date = Told::No;
    world.server_ahead(7200);
    world.meanwhile("Issue", |world| world.engine.date = Told::Yes);
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), CREATION);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn a_creation_declared_inactive_writes_no_secret() {
    let mut world = World::new();
    let mut declared = spec("acme");
    declared.status = Some(WorkspaceState::Inactive);
    world.apply("acme", declared);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("WriteSecret"), 0, "{:?}", world.kinds());
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.status("acme").state, Some(WorkspaceState::Inactive));
}

#[test]
fn a_creation_with_the_token_disabled_writes_no_secret() {
    let mut world = World::new();
    let mut declared = spec("acme");
    declared.token_secret = Some(serde_json::from_str(r#"{"enabled": false}"#).unwrap());
    world.apply("acme", declared);
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("WriteSecret"), 0, "{:?}", world.kinds());
    assert_eq!(world.token_ready("acme"), "TokenDisabled");
}

#[test]
fn a_name_that_exists_stops_and_nothing_is_written_remotely() {
    let mut world = created();
    world.engine.make(world.now, "acme");
    world.reconcile("acme").unwrap();
    assert_eq!(world.kinds(), ["Search", "WriteStatus"]);
    assert_eq!(world.ready("acme"), "AlreadyExists");
}

#[test]
fn a_near_equal_name_stops_too() {
    for near in ["ACME", " acme", "acme ", "Acme"] {
        let mut world = created();
        world.engine.make(world.now, near);
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "SimilarNameExists", "{near:?}");
        assert_eq!(world.count("Issue"), 0);
    }
}

/// It appears between the search and the issue.
#[test]
fn a_name_that_appears_before_the_issue_is_not_ours() {
    let mut world = created();
    world.meanwhile("Issue", |world| {
        let long_ago = world.now.checked_sub(SignedDuration::from_secs(60)).unwrap();
        world.engine.make(long_ago, "acme");
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AlreadyExists");
    assert_eq!(world.count("Issue"), 1);
    assert!(world.secrets.is_empty());
    assert_eq!(world.status("acme").creation, None);
}

/// As the client tells of a 200 with a page: a portal may have answered for the API, or after it.
///
/// Promise: hostile.html
#[test]
fn a_page_for_an_answer_to_the_issue_makes_no_twin() {
    for (fault, first) in [
        (Fault::DoneThough(FailureClass::Unknown, 200), "Search"),
        (Fault::Answers(FailureClass::Unknown, 200), "Search"),
    ] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.fault("Issue", fault, 1);
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "CreationInFlight", "{fault:?}");
        assert!(world.status("acme").creation.is_some(), "{fault:?}");
        world.forget_journal();
        world.live("acme", Duration::from_secs(600));
        assert_eq!(world.kinds().first(), Some(&first), "{fault:?}");
        assert_eq!(world.ready("acme"), "AsDeclared", "{fault:?}");
        assert_eq!(world.engine.names(), ["acme"], "{fault:?}");
        assert_eq!(world.token_opens("acme-token"), world.id("acme"), "{fault:?}");
    }
}

#[test]
fn default_is_never_created() {
    for name in ["default", " Default"] {
        let mut world = World::new();
        world.engine.shows = Shows::WithoutFallback;
        world.apply("acme", spec(name));
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "Rejected");
        assert_eq!(world.count("Issue"), 0);
    }
}

/// Promise: rule.window: Ours is what was created in the window of our issue, in the server's time
#[test]
fn a_lost_answer_is_searched_for_and_found_in_the_window() {
    let mut world = created();
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "CreationInFlight");
    world.live("acme", Duration::from_secs(20));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Promise: rule.one-attempt: A new attempt starts only when the last one is resolved
#[test]
fn a_failed_issue_is_tried_again_only_when_resolved() {
    let mut world = created();
    world.fault("Issue", Fault::Answers(FailureClass::Unknown, 504), 1);
    world.live("acme", Duration::from_secs(59));
    assert_eq!(world.count("Issue"), 1);
    assert_eq!(world.ready("acme"), "CreationInFlight");
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.count("Issue"), 2);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn a_list_that_lags_hides_a_creation_but_makes_no_twin() {
    let mut world = created();
    world.engine.list_lag = Duration::from_secs(25);
    world.fault("Issue", Fault::AnswerLost, 1);
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.engine.names(), ["acme"]);
}

/// Promise: rule.no-creation-time
/// Nor does our own clock, where no `Date` tells the server's time.
#[test]
fn without_a_creation_time_nothing_decides_after_a_crash() {
    for (created_at, date) in [(Told::No, Told::Yes), (Told::Yes, Told::No)] {
        let mut world = created();
        (world.engine.created_at, world.engine.date) = (created_at, date);
        world.fault("Issue", Fault::CrashAfter, 1);
        world.live("acme", Duration::from_secs(300));
        assert_eq!(world.ready("acme"), "CreationUncertain");
        assert_eq!(world.count("Issue"), 1);
        assert!(world.secrets.is_empty());
        world.allow_adoption();
        world.edit("acme", |o| {
            o.spec.adoption_policy = Some(AdoptionPolicy::ByName);
        });
        world.live("acme", Duration::from_secs(5));
        assert_eq!(world.ready("acme"), "AsDeclared");
        assert_eq!(world.status("acme").origin, Some(Origin::Adopted));
    }
}

/// A creation whose token was seen to open its workspace, which a GET then did not show. No `Date` tells the server's time.
fn opened_and_not_read() -> World {
    let mut world = created();
    world.engine.date = Told::No;
    world.fault("Get", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme").unwrap();
    world
}

/// Promise: rule.window
/// Our token was seen to open it; the GET after that failed. One that others make of the name meanwhile is none of ours.
#[test]
fn what_our_token_opened_is_ours_though_no_date_tells() {
    for others in [false, true] {
        let mut world = opened_and_not_read();
        assert_eq!(world.engine.names(), ["acme"]);
        if others {
            world.engine.make(world.now, "acme");
        }
        world.live("acme", Duration::from_secs(600));
        assert_eq!(world.ready("acme"), "AsDeclared", "{others} {:?}", world.kinds());
        assert_eq!(world.id("acme"), Some("ws-1".into()));
    }
}

/// Two workspaces that may be told apart only by their tokens: the one that ours opened has another name now.
#[test]
fn one_in_place_of_what_our_token_opened_is_not_ours() {
    let mut world = opened_and_not_read();
    world.engine.rows[0].workspace.name = "moved".into();
    world.engine.make(world.now, "acme");
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "AlreadyExists");
    assert_eq!(world.id("acme"), None);
}

/// Promise: hostile.clock
/// The search before found the name free, and our token opens the workspace: only our own clock speaks against it.
#[test]
fn a_clock_hours_off_that_no_date_tells_is_no_verdict() {
    let mut world = created();
    world.engine.date = Told::No;
    world.server_ahead(7200);
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "CreationUncertain");
    assert_eq!((world.count("Issue"), world.id("acme")), (1, None));
}

/// Whoever declared that the operator may adopt one of the name waits for nothing.
#[test]
fn a_declared_adoption_takes_what_no_clock_attributes() {
    let mut world = World::new();
    world.allow_adoption();
    world.engine.date = Told::No;
    world.server_ahead(7200);
    let mut declared = spec("acme");
    declared.adoption_policy = Some(AdoptionPolicy::ByName);
    world.apply("acme", declared);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared", "{:?}", world.kinds());
    assert_eq!(world.status("acme").origin, Some(Origin::Adopted));
}

/// And one steady reason.
#[test]
fn a_definite_refusal_leaves_no_creation_in_flight() {
    for (status, class, reason) in [
        (402, FailureClass::Rejected, "PlanLimit"),
        (403, FailureClass::Denied, "PlanLimit"),
        (422, FailureClass::Rejected, "Rejected"),
        (503, FailureClass::Transient, "ApiUnavailable"),
    ] {
        let mut world = created();
        world.fault("Issue", Fault::Answers(class, status), usize::MAX);
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.ready("acme"), reason);
        // A 403 may come after the workspace was made.
        let in_doubt = class == FailureClass::Denied;
        assert_eq!(world.status("acme").creation.is_some(), in_doubt, "{status}");
        assert_eq!(
            world.events.iter().filter(|r| r.as_str() == reason).count(),
            1,
            "{:?}",
            world.events
        );
        world.heal();
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.ready("acme"), "AsDeclared");
    }
}

/// Promise: rule.refused-issue: A refused issue may have made its workspace unless its class says that it certainly made nothing
/// Agent Engine made the workspace, and then refused the token.
#[test]
fn what_a_refused_creation_made_is_found_as_ours() {
    for (status, class) in [
        (403, FailureClass::Denied),
        (409, FailureClass::Conflict),
        (404, FailureClass::Missing),
    ] {
        let mut world = created();
        world.fault("Issue", Fault::DoneThough(class, status), 1);
        world.live("acme", Duration::from_secs(1800));
        assert_eq!(world.ready("acme"), "AsDeclared", "{status}");
        assert_eq!(world.status("acme").origin, Some(Origin::Created));
        assert_eq!(world.engine.names(), ["acme"]);
        assert!(!world.events.contains(&Reason::AlreadyExists));
    }
}

/// Promise: rule.refused-issue
#[test]
fn what_a_refused_creation_made_goes_with_its_object() {
    let mut world = created();
    world.engine.list_lag = Duration::from_secs(25);
    world.fault("Issue", Fault::DoneThough(FailureClass::Denied, 403), 1);
    world.reconcile("acme").unwrap();
    world.delete("acme");
    world.live("acme", Duration::from_secs(600));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), [""; 0]);
}

#[test]
fn a_throttled_issue_is_sent_again_when_the_pause_is_over() {
    let mut world = created();
    let pause = FailureClass::Throttled(Duration::from_secs(20));
    world.fault("Issue", Fault::Answers(pause, 429), 1);
    world.live("acme", Duration::from_secs(40));
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// The creation is finished under its own name; a rename follows.
#[test]
fn a_new_spec_name_waits_until_the_creation_is_done() {
    for moment in ["Issue", "Verify", "Get", "WriteSecret"] {
        let mut world = created();
        world.meanwhile(moment, |world| {
            world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
        });
        world.live("acme", Duration::from_secs(60));
        assert_eq!(world.engine.names(), ["zenith"], "{moment}");
        assert_eq!(world.ready("acme"), "AsDeclared", "{moment}");
        assert_eq!(world.status("acme").origin, Some(Origin::Created));
    }
}

/// Promise: rule.in-flight-name: A creation in flight is finished under its own name, then renamed
/// A rename to the declared name follows.
#[test]
fn an_intent_left_by_a_crash_is_finished_under_its_name() {
    let mut world = created();
    world.fault("Issue", Fault::CrashAfter, 1);
    world.reconcile("acme");
    world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.engine.names(), ["zenith"]);
    assert_eq!(world.issued_names, ["acme", "zenith"]);
}

/// Promise: rule.in-flight-grant: With the grant withdrawn in flight the operator searches, but does not issue
#[test]
fn with_the_grant_withdrawn_it_searches_but_never_issues() {
    let mut world = created();
    world.fault("Issue", Fault::CrashBefore, 1);
    world.reconcile("acme");
    world.grant("[]");
    world.forget_journal();
    world.live("acme", Duration::from_secs(600));
    assert!(world.count("Search") > 0);
    assert_eq!(world.count("Issue"), 0);
    assert_eq!(world.ready("acme"), "NameNotGranted");
}

#[test]
fn a_conflict_at_the_intent_decides_again_on_the_new_object() {
    let mut world = created();
    world.meanwhile("WriteStatus", |world| {
        world.edit("acme", |o| o.spec.name = WorkspaceName::from("zenith"));
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["zenith"]);
    assert_eq!(world.issued_names, ["zenith"]);
}

#[test]
fn while_suspended_nothing_is_created() {
    let mut world = World::new();
    let mut declared = spec("acme");
    declared.suspend = Some(true);
    world.apply("acme", declared);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "Suspended");
    assert_eq!(world.calls(), 0);
    world.edit("acme", |o| o.spec.suspend = None);
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Where Agent Engine tells no time, the search before the issue decides: another name that contains it is no rival.
#[test]
fn a_name_that_contains_the_declared_one_makes_no_creation_doubtful() {
    for name in ["acme", "acme "] {
        let mut world = World::new();
        world.engine.make(world.now, "acme-two");
        world.engine.created_at = Told::No;
        world.apply("acme", spec(name));
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "AsDeclared", "{name:?}");
    }
}

/// The next attempt stores its own intent in place of the void one.
#[test]
fn a_creation_that_was_not_found_begins_again_in_one_write() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashBefore, 1);
    assert!(world.reconcile("acme").is_none());
    world.advance(300);
    world.forget_journal();
    world.reconcile("acme").unwrap();
    assert_eq!(
        world.kinds(),
        [
            "Search",
            "WriteStatus",
            "Issue",
            "Verify",
            "Get",
            "WriteSecret",
            "WriteStatus"
        ]
    );
}

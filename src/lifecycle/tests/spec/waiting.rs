//! However a reconcile ends, what is true then is stored, and the next one comes no later than that truth can change.

use std::time::Duration;

use crate::crd::conditions::{self, READY, TOKEN_READY};
use crate::domain::ids::OrganizationId;
use crate::domain::reason::Reason;
use crate::domain::remote::FailureClass;
use crate::domain::time::elapsed;
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::judge::waiting;
use crate::lifecycle::tests::harness::world::{Fault, World, spec};
use crate::limits::{Lane, Pressure, RateLimiter};

const HOUR: Duration = Duration::from_secs(3600);

fn paused(world: &mut World) {
    world.limiter.observe(world.uptime(), Pressure::Throttled(HOUR));
}

/// Thousands of requests went before it.
fn crowded(world: &mut World) {
    world.limiter = RateLimiter::new(1);
    for _ in 0..5000 {
        for lane in [Lane::Create, Lane::Refresh] {
            world.limiter.spend(world.uptime(), lane);
        }
    }
}

fn pending(world: &mut World) {
    world.readable().verification = Verification::Pending {
        why: "being verified".to_owned(),
    };
}

/// As after a restart: this process knows nothing of the Organization yet.
fn untold(world: &mut World) {
    world.restart();
    pending(world);
    world.readable().revision = 0;
}

/// Neither Ready nor TokenReady stands as True beside a token that has ended.
fn says_no_token_that_has_ended(world: &World) {
    let lives = world.secrets.values().any(|secret| {
        let times = secret.facts.times.unwrap();
        !times.has_ended(world.now)
    });
    for kind in [READY, TOKEN_READY] {
        let (status, reason) = world.condition("acme", kind).unwrap();
        assert!(
            lives || status != "True",
            "{kind}={status} {reason} at {}",
            world.now
        );
    }
}

type HoldUp = fn(&mut World);

const HOLD_UPS: [(&str, HoldUp); 9] = [
    ("paused", paused),
    ("crowded", crowded),
    ("pending", pending),
    ("untold", untold),
    ("another organization", |world| {
        world.readable().verification = Verification::Verified(OrganizationId::from("org-2"));
    }),
    ("many missing", |world| {
        world.readable().missing = Missing::Many;
        world.engine.rows.clear();
    }),
    ("claimed", |world| world.claimed_elsewhere("ws-1")),
    ("down", |world| {
        for call in ["Get", "Issue"] {
            world.fault(call, Fault::Answers(FailureClass::Transient, 503), usize::MAX);
        }
    }),
    ("refused", |world| {
        world.fault("WriteSecret", Fault::Refused, usize::MAX);
    }),
];

/// Promise: rule.true-while-waiting: However a reconcile ends, `Ready` and `TokenReady` never stay True beside a token that has ended
#[test]
fn no_condition_is_true_beside_a_token_that_has_ended() {
    for (what, hold_up) in HOLD_UPS {
        for wait in [0, 700] {
            let mut world = World::with_acme();
            world.advance(wait);
            hold_up(&mut world);
            world.live_watched("acme", HOUR, says_no_token_that_has_ended);
            assert_eq!(world.condition("acme", READY).unwrap().0, "False", "{what}");
            assert_ne!(world.token_ready("acme"), "TokenVerified", "{what}");
        }
    }
}

#[test]
fn the_token_of_a_secret_under_the_old_name_counts_as_well() {
    for (what, hold_up) in HOLD_UPS {
        let mut world = World::with_acme();
        hold_up(&mut world);
        world.edit("acme", |o| {
            let named = serde_json::json!({ "name": "other" });
            o.spec.token_secret = Some(serde_json::from_value(named).unwrap());
        });
        world.live_watched("acme", HOUR, says_no_token_that_has_ended);
        assert_eq!(world.condition("acme", READY).unwrap().0, "False", "{what}");
    }
}

/// A life of five seconds is shorter than the least time between two issues.
#[test]
fn a_token_that_ends_before_it_is_due_is_not_called_good() {
    let mut world = World::new();
    world.engine.token_life = Duration::from_secs(5);
    world.apply("acme", spec("acme"));
    world.reconcile("acme").unwrap();
    world.live_watched("acme", Duration::from_secs(300), says_no_token_that_has_ended);
}

/// Promise: rule.says-within-a-minute: Every object says something within a minute, also one that waits for the rate limit
#[test]
fn an_object_that_waits_says_so_within_a_minute() {
    let begins: [(&str, HoldUp); 3] = [
        ("new", |world| world.apply("acme", spec("acme"))),
        ("renamed", |world| {
            world.edit("acme", |o| o.spec.name = "zenith".into());
        }),
        ("deleted", |world| world.delete("acme")),
    ];
    for (reason, hold_up) in [("Throttled", paused as HoldUp), ("Queued", crowded)] {
        for (what, begin) in begins {
            let mut world = if what == "new" {
                World::new()
            } else {
                World::with_acme()
            };
            begin(&mut world);
            hold_up(&mut world);
            let began = world.now;
            world.live_watched("acme", Duration::from_secs(600), |world| {
                let late = elapsed(began, world.now) > Duration::from_secs(61);
                assert!(
                    !late || world.ready("acme") == reason,
                    "{what}: {}",
                    world.ready("acme")
                );
            });
            assert_eq!(world.ready("acme"), reason, "{what}");
            assert_eq!(world.count("WriteStatus"), 1, "one more write a wait: {what}");
        }
    }
}

/// Many are missing, and one GET found it missing, too; whether that is so waits for the rate limiter.
#[test]
fn a_wait_says_nothing_good_of_what_was_seen_missing() {
    for hold_up in [paused as HoldUp, crowded] {
        let mut world = World::with_acme();
        world.advance(60);
        world.engine.rows.clear();
        world.readable().missing = Missing::Many;
        world.list();
        world.advance(1);
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "ManyWorkspacesMissing");
        hold_up(&mut world);
        for _ in 0..3 {
            world.advance(61);
            world.reconcile("acme").unwrap();
        }
        assert_ne!(world.ready("acme"), "AsDeclared");
    }
}

/// Its Secret is deleted first: nothing says then that its token is good.
#[test]
fn a_deletion_that_waits_says_at_once_that_its_token_is_gone() {
    for hold_up in [paused as HoldUp, crowded] {
        let mut world = World::with_acme();
        world.delete("acme");
        hold_up(&mut world);
        world.live_watched("acme", Duration::from_secs(600), says_no_token_that_has_ended);
        assert!(world.secrets.is_empty());
        assert_eq!(world.count("WriteStatus"), 1);
    }
}

/// Nor does it cost one.
#[test]
fn a_short_wait_is_not_said() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world
        .limiter
        .observe(world.uptime(), Pressure::Throttled(Duration::from_secs(20)));
    world.live("acme", Duration::from_secs(30));
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.writes(), 4);
}

#[test]
fn a_restart_says_nothing_new_while_its_tokens_live() {
    let mut world = World::with_acme();
    untold(&mut world);
    world.live_watched("acme", Duration::from_secs(600), |_| {});
    assert_eq!(world.writes(), 0);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Waiting is not failing: it is no Warning that the Organization is verified again after a start.
#[test]
fn a_deletion_just_after_a_start_waits() {
    let mut world = World::with_acme();
    world.delete("acme");
    untold(&mut world);
    world.live_watched("acme", Duration::from_secs(50), |world| {
        assert_ne!(world.ready("acme"), "DeletionBlocked");
    });
    world.live_watched("acme", Duration::from_secs(60), |_| {});
    assert_eq!(world.ready("acme"), "Deleting");
}

/// Its creation was begun by a process that has ended.
#[test]
fn a_creation_in_flight_that_waits_says_so_until_it_is_deleted() {
    for (deleted, reason) in [(false, "CreationInFlight"), (true, "Throttled")] {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        world.fault("Issue", Fault::CrashAfter, 1);
        assert!(world.reconcile("acme").is_none());
        if deleted {
            world.delete("acme");
        }
        paused(&mut world);
        world.live("acme", Duration::from_secs(120));
        assert_eq!(world.ready("acme"), reason);
    }
}

#[test]
fn a_condition_keeps_the_time_of_its_status_through_a_creation() {
    let mut world = World::new();
    world.grant("[]");
    world.apply("acme", spec("acme"));
    world.reconcile("acme").unwrap();
    let since = |world: &World| {
        let conditions = &world.status("acme").conditions;
        let ready = conditions.iter().find(|condition| condition.type_ == READY);
        ready.map(|ready| (ready.status.clone(), ready.last_transition_time.clone()))
    };
    let not_ready = since(&world);
    world.advance(600);
    world.grant("[{namespaces: {names: [team]}, workspaceNames: ['*']}]");
    world.fault("Issue", Fault::CrashBefore, 1);
    assert!(world.reconcile("acme").is_none());
    assert!(world.status("acme").creation.is_some());
    assert_eq!(since(&world), not_ready);
}

/// It is no news in the reconciles after.
#[test]
fn a_wait_that_is_said_is_one_event() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    paused(&mut world);
    world.live("acme", Duration::from_secs(30));
    assert_eq!(world.events, []);
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.events, [Reason::Throttled]);
}

/// One of this generation; and a wait that goes on is said again where its reason is another one.
#[test]
fn a_word_is_due_where_nothing_true_was_said() {
    let settled = |reason: Reason, generation: i64| {
        let mut world = World::with_acme();
        world.edit("acme", |o| {
            o.facts.generation = 6;
            o.status.observed_generation = Some(generation);
            for condition in &mut o.status.conditions {
                condition.status = "False".to_owned();
                condition.reason = reason.as_str().to_owned();
            }
        });
        world.view("acme")
    };
    let now_throttled = settled(Reason::Throttled, 7).stored;
    for (view, due) in [
        (settled(Reason::Throttled, 7), false),
        (settled(Reason::Queued, 7), true),
        (settled(Reason::NameNotGranted, 7), false),
        (settled(Reason::Throttled, 6), true),
        (settled(Reason::NameNotGranted, 6), true),
    ] {
        let since = view.now;
        let said_at = waiting::said_at(&view, &now_throttled, since);
        let ready = conditions::reason(&view.stored.conditions, READY);
        assert_eq!(
            said_at.is_some(),
            due,
            "{ready:?} {:?}",
            view.stored.observed_generation
        );
    }
}

/// One that is Ready and differs has waited since the list was taken; one that is not has said what it is.
#[test]
fn what_is_ready_and_differs_waits_since_the_list() {
    for (ready, differs, since_the_list) in [
        (true, true, true),
        (true, false, false),
        (false, true, false),
        (false, false, false),
    ] {
        let mut world = World::with_acme();
        world.advance(60);
        if differs {
            world.engine.rows[0].workspace.name = "moved".into();
        }
        world.list();
        let listed_at = world.now;
        world.advance(60);
        if !ready {
            world.edit("acme", |o| o.status.conditions[0].status = "False".to_owned());
        }
        let view = world.view("acme");
        let since = if since_the_list { listed_at } else { view.now };
        assert_eq!(waiting::since(&view), since, "{ready} {differs}");
    }
}

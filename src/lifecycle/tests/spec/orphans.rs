//! Orphans: what an issue makes under a name that had just moved. Ours are removed by id, however late they are found; what
//! cannot be told for ours is named and left alone.

use std::time::Duration;

use crate::crd::workspace::DeletionPolicy;
use crate::domain::ids::WorkspaceName;
use crate::domain::reason::Reason;
use crate::domain::remote::{FailureClass, RemoteWorkspace};
use crate::domain::time::earlier;
use crate::lifecycle::effect::{Effect, EngineCall};
use crate::lifecycle::judge::doubt;
use crate::lifecycle::judge::orphan::{self, Orphans};
use crate::lifecycle::progress::NameSearch;
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::world::{Fault, World, at};
use crate::lifecycle::{Next, Reconcile};

/// Its token is due, and another client renames the workspace just before the issue.
fn renamed_just_before_the_issue() -> World {
    let mut world = World::with_acme();
    world.advance(900);
    world.meanwhile("Issue", |world| {
        let id = world.id("acme").unwrap();
        world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    });
    world
}

/// Promise: rule.orphan: An orphan of our own issue is deleted by id; any other workspace of the name is reported
/// By its id.
#[test]
fn a_rename_just_before_the_issue_makes_an_orphan_we_remove() {
    let mut world = renamed_just_before_the_issue();
    let id = world.id("acme").unwrap();
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.rows.len(), 1, "the orphan is gone");
    assert_eq!(world.engine.rows[0].workspace.id, id);
    assert!(world.events.contains(&Reason::OrphanRemoved));
    world.live("acme", Duration::from_secs(120));
    assert_eq!(world.engine.names(), ["acme"], "drift is corrected");
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.token_opens("acme-token"), Some(id));
}

/// However its name was known.
#[test]
fn after_an_orphan_the_workspace_is_read_again() {
    for listed in [true, false] {
        let mut world = renamed_just_before_the_issue();
        if listed {
            world.list();
        }
        world.reconcile("acme").unwrap();
        let kinds = world.kinds();
        let delete = kinds.iter().position(|kind| *kind == "Delete").unwrap();
        assert_eq!(kinds[delete + 1], "Get", "listed: {listed}, {kinds:?}");
    }
}

/// Promise: rule.orphan
#[test]
fn another_workspace_of_the_name_is_not_deleted_but_named() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(900);
    world.meanwhile("Issue", |world| {
        let id = world.id("acme").unwrap();
        world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
        let long_ago = crate::lifecycle::tests::harness::world::at(10);
        world.engine.make(long_ago, "acme");
    });
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Delete"), 0);
    assert_eq!(world.engine.rows.len(), 2);
    assert_eq!(world.ready("acme"), "IdentityMismatch");
    assert_eq!(world.token_opens("acme-token"), Some(id), "the old token goes on");
}

/// What a token opens is all that its issue can have made: no search follows.
#[test]
fn a_token_of_another_workspace_leaves_no_doubt() {
    for created_at in [Told::Yes, Told::No] {
        let mut world = renamed_just_before_the_issue();
        world.engine.created_at = created_at;
        world.meanwhile("Get", |world| {
            world.engine.make(at(10), "acme");
        });
        world.reconcile("acme").unwrap();
        assert_eq!(world.ready("acme"), "IdentityMismatch");
        let doubts = world.memory.values().map(|memory| memory.unresolved.len());
        assert_eq!(doubts.sum::<usize>(), 0, "{created_at:?}");
    }
}

/// Promise: input.tokens
#[test]
fn an_orphan_without_a_creation_time_is_left_alone() {
    let mut world = renamed_just_before_the_issue();
    world.engine.created_at = Told::No;
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Delete"), 0);
    assert_eq!(world.ready("acme"), "IdentityMismatch");
}

#[test]
fn a_workspace_that_another_object_claims_is_no_orphan() {
    let mut world = renamed_just_before_the_issue();
    world.meanwhile("Verify", |world| world.claimed_elsewhere("ws-2"));
    world.reconcile("acme").unwrap();
    assert_eq!(world.count("Delete"), 0);
    assert_eq!(world.engine.names(), ["moved", "acme"]);
    assert_eq!(world.ready("acme"), "IdentityMismatch");
}

/// An issue that was refused is over: what others make a moment later is theirs, whichever of the two is listed first.
/// Promise: rule.orphan
#[test]
fn what_others_make_after_a_refusal_is_no_orphan() {
    let mut world = renamed_just_before_the_issue();
    world.fault("Issue", Fault::DoneThough(FailureClass::Denied, 403), 1);
    world.reconcile("acme").unwrap();
    assert_eq!(world.engine.names(), ["moved", "acme"]);
    world.advance(15);
    let theirs = world.engine.make(world.now, "acme");
    world.engine.rows.reverse();
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.engine.rows.len(), 2, "{:?}", world.kinds());
    assert!(world.engine.row(&theirs).is_some(), "theirs is left");
}

/// Where no `Date` came before the issue, the window is a minute and a half wide: whoever makes a second workspace of the name
/// then keeps it, also once a `Date` has told when it was.
/// Promise: rule.orphan
#[test]
fn beside_the_recorded_one_the_local_clock_makes_no_orphan() {
    for date in [Told::No, Told::Yes] {
        let mut world = World::with_acme();
        world.engine.date = date;
        world.advance(900);
        // Spares the GET, which would tell the server's time.
        world.list();
        world.fault("Issue", Fault::AnswerLost, 1);
        world.reconcile("acme").unwrap();
        world.advance(40);
        world.engine.make(world.now, "acme");
        world.list();
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.engine.names(), ["acme", "acme"], "{:?}", world.kinds());
    }
}

/// Promise: rule.orphan
/// The answer to its issue, verification, GET or DELETE.
#[test]
fn an_orphan_is_removed_though_any_answer_was_lost() {
    for lost in ["Issue", "Verify", "Get", "Delete"] {
        let mut world = renamed_just_before_the_issue();
        let id = world.id("acme").unwrap();
        match lost {
            "Get" => world.meanwhile("Verify", |world| world.fault("Get", Fault::AnswerLost, 1)),
            other => world.fault(other, Fault::AnswerLost, 1),
        }
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.engine.names(), ["acme"], "{lost}: {:?}", world.kinds());
        assert_eq!(world.engine.rows[0].workspace.id, id, "{lost}");
        assert_eq!(world.ready("acme"), "AsDeclared", "{lost}");
        assert_eq!(world.token_opens("acme-token"), Some(id), "{lost}");
    }
}

#[test]
fn an_orphan_that_the_list_lacks_yet_is_searched_for_again() {
    let mut world = renamed_just_before_the_issue();
    world.engine.list_lag = Duration::from_secs(20);
    world.fault("Verify", Fault::AnswerLost, 1);
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.engine.names(), ["acme"], "{:?}", world.kinds());
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Another client made it. Whatever answer was lost, it stays.
#[test]
fn a_foreign_workspace_under_the_old_name_is_left_alone() {
    for lost in ["Issue", "Verify"] {
        let mut world = World::with_acme();
        world.advance(900);
        world.meanwhile("Issue", |world| {
            let id = world.id("acme").unwrap();
            world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
            let before = crate::lifecycle::tests::harness::world::at(600);
            world.engine.make(before, "acme");
        });
        world.fault(lost, Fault::AnswerLost, 1);
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.count("Delete"), 0, "{lost}");
        assert_eq!(world.engine.names(), ["moved", "acme"], "{lost}");
        assert_eq!(world.ready("acme"), "AlreadyExists", "{lost}");
    }
}

#[test]
fn a_later_workspace_under_the_old_name_is_left_alone() {
    let mut world = World::with_acme();
    world.advance(900);
    world.fault("Verify", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    world.advance(45);
    let id = world.id("acme").unwrap();
    world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
    world.engine.make(world.now, "acme");
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.count("Delete"), 0);
    assert_eq!(world.engine.names(), ["moved", "acme"]);
    assert_eq!(world.ready("acme"), "AlreadyExists");
}

#[test]
fn an_issue_after_an_unverified_one_reads_first() {
    let mut world = World::with_acme();
    world.advance(900);
    world.list();
    world.fault("Verify", Fault::Answers(FailureClass::Transient, 503), 1);
    world.reconcile("acme").unwrap();
    world.advance(20);
    world.list();
    // A change begins another back-off.
    world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
    world.reconcile("acme").unwrap();
    let kinds = world.kinds();
    let second = kinds.iter().rposition(|kind| *kind == "Issue").unwrap();
    assert_eq!(world.count("Issue"), 2, "{kinds:?}");
    assert_eq!(kinds[second - 1], "Get", "{kinds:?}");
}

#[test]
fn an_orphan_beside_a_deleted_workspace_is_found_too() {
    for lost in ["Issue", "Verify"] {
        let mut world = World::with_acme();
        world.advance(900);
        world.meanwhile("Issue", |world| world.engine.rows.clear());
        world.fault(lost, Fault::AnswerLost, 1);
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.engine.names(), [""; 0], "{lost}: {:?}", world.kinds());
        assert_eq!(world.ready("acme"), "WorkspaceNotFound", "{lost}");
    }
}

/// Promise: rule.unanswered-issue: An issue without an answer is kept in mind until what it made must have come to light: until then no name changes and nothing is deleted
#[test]
fn no_rename_while_an_issue_may_still_take_effect() {
    let mut world = World::with_acme();
    let id = world.id("acme").unwrap();
    world.advance(900);
    world.fault("Issue", Fault::Answers(FailureClass::Unknown, 504), 1);
    world.reconcile("acme").unwrap();
    world.edit("acme", |object| object.spec.name = WorkspaceName::from("zenith"));
    for _ in 0..59 {
        world.live("acme", Duration::from_secs(1));
        // Only now the server carries it out.
        world.engine.issue(world.now, &WorkspaceName::from("acme"));
        assert_eq!(world.engine.rows.len(), 1, "{:?}", world.kinds());
    }
    world.live("acme", Duration::from_secs(60));
    assert_eq!(world.engine.names(), ["zenith"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
    assert_eq!(world.token_opens("acme-token"), Some(id));
}

#[test]
fn an_orphan_is_found_though_a_later_issue_was_verified() {
    let mut world = renamed_just_before_the_issue();
    world.engine.list_lag = Duration::from_secs(29);
    world.fault("Verify", Fault::AnswerLost, 1);
    for _ in 0..60 {
        world.live("acme", Duration::from_secs(10));
        world.list();
    }
    assert_eq!(world.engine.names(), ["acme"], "{:?}", world.kinds());
    assert_eq!(world.ready("acme"), "AsDeclared");
}

/// Promise: rule.unanswered-issue
#[test]
fn that_an_issue_was_sent_is_known_before_its_answer() {
    let mut world = World::with_acme();
    world.advance(900);
    let mut reconcile = Reconcile::new(world.view("acme"));
    let mut next = reconcile.next(world.now, &mut world.claims, &mut world.limiter, None);
    let Next::Perform {
        effect: get @ Effect::Engine(EngineCall::Get(_)),
        ..
    } = &next
    else {
        panic!("{next:?}")
    };
    let outcome = world.carry_out("acme", &mut 0, get, world.now);
    next = reconcile.next(world.now, &mut world.claims, &mut world.limiter, Some(outcome));
    assert!(
        matches!(
            next,
            Next::Perform {
                effect: Effect::Engine(EngineCall::Issue { .. }),
                ..
            }
        ),
        "{next:?}"
    );
    let sent = &reconcile.view().memory.unresolved;
    assert_eq!(sent.len(), 1, "a reconcile that is cut off here leaves it behind");
    assert_eq!(sent[0].name.as_str(), "acme");
}

/// A new process does not know of the issue.
#[test]
fn an_orphan_of_a_killed_process_is_named_and_left_alone() {
    let mut world = renamed_just_before_the_issue();
    let issue = world.kinds().len() + 1;
    world.crash_at(issue, Fault::CrashAfter);
    assert!(
        world.reconcile("acme").is_none(),
        "died at the issue: {:?}",
        world.kinds()
    );
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.count("Delete"), 0, "it cannot be attributed");
    assert_eq!(world.ready("acme"), "AlreadyExists");
    world.remove_orphans_of_crashes();
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.engine.names(), ["acme"]);
    assert_eq!(world.ready("acme"), "AsDeclared");
}

#[test]
fn an_orphan_not_seen_yet_goes_with_the_object() {
    for lost in ["Issue", "Verify"] {
        let mut world = World::with_acme_due();
        world.meanwhile("Issue", |world| {
            let id = world.id("acme").unwrap();
            world.engine.row(&id).unwrap().name = WorkspaceName::from("moved");
        });
        world.fault(lost, Fault::AnswerLost, 1);
        world.reconcile("acme").unwrap();
        assert_eq!(world.engine.names(), ["moved", "acme"]);
        world.delete("acme");
        world.live("acme", Duration::from_secs(300));
        assert!(world.objects.is_empty());
        assert_eq!(world.engine.names(), [""; 0], "{lost}");
    }
}

/// A renewal made it, no `Date` tells whose it is, and the object is deleted before anybody noticed. DELETE says what is missing.
#[test]
fn an_orphan_in_place_of_a_missing_workspace_stops_the_deletion() {
    let mut world = World::with_acme_due();
    world.engine.date = Told::No;
    // Spares the GET, which would show that it is gone.
    world.list();
    world.engine.rows.clear();
    world.reconcile("acme").unwrap();
    assert_eq!(world.ready("acme"), "IdentityMismatch");
    assert_eq!(world.engine.names(), ["acme"], "the orphan");
    world.delete("acme");
    world.live("acme", Duration::from_secs(600));
    assert_eq!(world.ready("acme"), "DeletionBlocked");
    assert!(world.message("acme").contains("nothing can tell"));
    assert_eq!(world.engine.names(), ["acme"]);
    // As the message says.
    world.engine.rows[0].workspace.name = "kept".into();
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.engine.names(), ["kept"]);
    assert!(!world.objects.contains_key("acme"));
}

/// A renewal made a workspace, for the recorded one had another name just then; its answer was lost. The server's time is known.
fn lost_while_the_name_was_away(list_lag: Duration) -> World {
    let mut world = World::with_acme_due();
    world.learn_the_servers_time();
    world.list();
    world.engine.list_lag = list_lag;
    world.meanwhile("Issue", |world| {
        world.engine.rows[0].workspace.name = "moved".into();
    });
    world.fault("Issue", Fault::AnswerLost, 1);
    world.reconcile("acme").unwrap();
    world
}

/// Promise: rule.orphan
/// The answer was lost, and others made one of the name within its window, which a list that lags shows first. The deletion of
/// the object names one of them.
#[test]
fn of_two_that_an_issue_may_have_made_neither_is_deleted() {
    for lag in [0, 25] {
        let mut world = lost_while_the_name_was_away(Duration::from_secs(lag));
        world
            .engine
            .make(earlier(world.now, Duration::from_secs(1)), "acme");
        assert_eq!(world.engine.names(), ["moved", "acme", "acme"]);
        world.advance(24);
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.count("Delete"), 0, "{lag} {:?}", world.kinds());
        world.delete("acme");
        world.live("acme", Duration::from_secs(3600));
        assert_eq!(world.ready("acme"), "DeletionBlocked");
        assert!(world.message("acme").contains("nothing can tell"));
    }
}

/// Promise: rule.orphan
/// Its issue was the first call of the reconcile. The Organization's list has told the server's time before.
#[test]
fn an_orphan_beside_the_recorded_workspace_is_removed() {
    let mut world = lost_while_the_name_was_away(Duration::ZERO);
    world.engine.rows[0].workspace.name = "acme".into();
    assert_eq!(world.engine.names(), ["acme", "acme"]);
    world.list();
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.engine.names(), ["acme"], "{:?}", world.kinds());
    assert_eq!(world.id("acme"), Some("ws-1".into()));
}

/// Promise: rule.orphan
/// Whoever makes one of the name while the recorded workspace is away keeps it: our own clock tells nothing of the server's.
#[test]
fn no_orphan_is_deleted_by_our_own_clock() {
    let mut world = World::with_acme_due();
    world.engine.date = Told::No;
    world.fault("Issue", Fault::Answers(FailureClass::Unknown, 504), 1);
    world.reconcile("acme").unwrap();
    world.engine.rows[0].workspace.name = "moved".into();
    world.engine.make(world.now, "acme");
    world.list();
    world.live("acme", Duration::from_secs(7200));
    assert_eq!(world.count("Delete"), 0, "{:?}", world.kinds());
}

/// Promise: rule.unanswered-issue
/// The deletion waits as long as an issue without an answer may take effect.
#[test]
fn a_late_issue_finds_the_workspace_before_its_deletion() {
    let mut world = World::with_acme();
    world.advance(900);
    world.fault("Issue", Fault::Answers(FailureClass::Unknown, 504), 1);
    world.reconcile("acme").unwrap();
    world.delete("acme");
    for _ in 0..59 {
        world.live("acme", Duration::from_secs(1));
        world.engine.issue(world.now, &WorkspaceName::from("acme"));
    }
    assert_eq!(world.engine.rows.len(), 1, "{:?}", world.kinds());
    world.live("acme", Duration::from_secs(60));
    assert!(world.objects.is_empty());
    assert_eq!(world.engine.names(), [""; 0]);
}

/// Its search showed it as ours, and the GET shows that another client has renamed it since.
#[test]
fn an_orphan_that_was_renamed_meanwhile_is_left_alone() {
    let mut world = renamed_just_before_the_issue();
    world.fault("Verify", Fault::AnswerLost, 1);
    world.meanwhile("Search", |world| {
        world.meanwhile("Get", |world| {
            let kept = world.engine.row(&"ws-2".into()).unwrap();
            kept.name = WorkspaceName::from("kept");
        });
    });
    world.live("acme", Duration::from_secs(3600));
    assert_eq!(world.count("Delete"), 0, "{:?}", world.kinds());
    assert!(world.engine.names().contains(&"kept"));
}

/// Ready, before its deletion: an issue in doubt, and what a search under its name showed.
fn before_its_deletion(former: bool, rows: Option<Vec<RemoteWorkspace>>, late: bool) -> Orphans {
    let mut world = World::with_acme();
    if former {
        world.restart();
    }
    let mut view = world.view("acme");
    let record = view.record().unwrap();
    let issue = if former {
        doubt::former_issue(&view, &record).unwrap()
    } else {
        let issue = view.progress.clock.lost_issue(&record.name, view.now);
        view.memory.unresolved.push(issue.clone());
        issue
    };
    if late {
        view.now = issue.resolved_at;
    }
    let search = rows.map(|rows| NameSearch {
        name: record.name.clone(),
        asked_at: view.now,
        rows,
    });
    view.progress
        .searches
        .extend(search.map(|search| (search.name.clone(), search)));
    orphan::before_its_record_goes(&view, &record)
}

/// It is searched for at once, and once more when it is resolved. The recorded workspace and older ones are none of its making.
#[test]
fn before_a_deletion_an_issue_in_doubt_is_searched_for() {
    let row = |id: &str, created: i64| RemoteWorkspace {
        id: id.into(),
        created_at: Some(at(created)),
        ..World::with_acme().engine.rows[0].workspace.clone()
    };
    let search = Orphans::Next(EngineCall::Search("acme".into()));
    assert_eq!(before_its_deletion(false, None, false), search);
    let recorded = vec![row("ws-1", 0)];
    assert_eq!(
        before_its_deletion(false, Some(recorded.clone()), false),
        Orphans::Wait
    );
    assert_eq!(
        before_its_deletion(false, Some(recorded.clone()), true),
        Orphans::None
    );
    let older = vec![row("ws-1", 0), row("ws-2", -86_400)];
    assert_eq!(before_its_deletion(true, Some(older), true), Orphans::None);
    let suspect = row("ws-2", -60);
    let both = vec![row("ws-1", 0), suspect.clone()];
    assert_eq!(
        before_its_deletion(true, Some(both), true),
        Orphans::Uncertain(suspect)
    );
}

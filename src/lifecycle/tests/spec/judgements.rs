//! What a view says of a workspace, as tables: each at the very instant at which it changes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::crd::workspace::{MissingWorkspace, WorkspaceStatus};
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId};
use crate::domain::object::Deletion;
use crate::domain::reason::Reason;
use crate::domain::remote::{TokenScope, WorkspaceState};
use crate::domain::time::{CLOCK_SLACK, earlier, later, shifted};
use crate::lifecycle::Aspect;
use crate::lifecycle::aspect::Problem;
use crate::lifecycle::effect::{TokenSlot, WorkspaceChange};
use crate::lifecycle::facts::{Content, OrganizationFacts, SecretContent, SecretFacts};
use crate::lifecycle::findings;
use crate::lifecycle::judge::drift::{self, Drift};
use crate::lifecycle::judge::token::{self, Need};
use crate::lifecycle::judge::{doubt, failure, identity, token_secret, wish};
use crate::lifecycle::memory::Altered;
use crate::lifecycle::plan;
use crate::lifecycle::progress::{
    Issued, NameSearch, Observation, PermitProgress, Remote, Removal, Sighting, TokenProgress,
};
use crate::lifecycle::rules;
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::step::Step;
use crate::lifecycle::tests::harness::fake_engine::fallback;
use crate::lifecycle::tests::harness::world::{Fault, World, org, spec};
use crate::lifecycle::view::View;
use crate::limits::FailedAttempt;
use crate::tenancy::Access;

const MOMENT: Duration = Duration::from_nanos(1);

fn recorded() -> View {
    World::with_acme().view("acme")
}

fn read(view: &mut View, remote: Remote, requested_at: Timestamp) {
    let id = view.record().unwrap().id;
    let row = match &remote {
        Remote::Present(row) => Some(row.clone()),
        Remote::Gone => None,
    };
    let read = Some(Observation { requested_at, remote });
    view.progress.workspaces.insert(id, Sighting { read, row });
}

/// One that was begun after the doubt, or within the last minute, and after we saw the workspace; none of the future.
#[test]
fn a_list_confirms_a_loss_if_it_is_young_enough() {
    let day = Duration::from_secs(86_400);
    for (doubted, listed, seen, confirmed) in [
        // Before the doubt, within the minute or not.
        (-100, (-100, 0), None, false),
        (-100, (-100, 1), None, true),
        (-10, (-60, 0), None, true),
        (-10, (-60, -1), None, false),
        // We saw the workspace when the list was requested, or a moment before.
        (-10, (-60, 0), Some((-60, 0)), false),
        (-10, (-60, 0), Some((-60, -1)), true),
        // The clock was set back since, or is read out of order.
        (-10, (1, 0), None, true),
        (-10, (1, 1), None, false),
    ] {
        let mut world = World::with_acme();
        world.now = later(world.now, day);
        world.list();
        let mut view = world.view("acme");
        let instant = |(seconds, nanos): (i64, i64)| {
            shifted(
                view.now,
                SignedDuration::from_secs(seconds) + SignedDuration::from_nanos(nanos),
            )
        };
        assert_eq!(CLOCK_SLACK, Duration::from_secs(1));
        let (since, requested_at, present) = (instant((doubted, 0)), instant(listed), seen.map(instant));
        view.stored.missing = Some(MissingWorkspace {
            since: Time(since),
            confirmed: false,
        });
        view.memory.lists_count_after.present = present;
        let entry = view.listed.as_mut().unwrap();
        (entry.row, entry.requested_at) = (None, requested_at);
        let now = view.now;
        read(&mut view, Remote::Gone, now);
        let record = view.record().unwrap();
        let missing = identity::missing(&view, &record).unwrap();
        assert_eq!(missing.confirmed, confirmed, "{doubted} {listed:?} {seen:?}");
    }
}

/// Our own update says nothing of it; a GET does.
#[test]
fn another_organization_is_told_until_a_read_says_otherwise() {
    let theirs = OrganizationId::from("org-2");
    let told = |sighting: fn(&mut Sighting)| {
        let world = World::with_acme();
        let row = world.engine.rows[0].workspace.clone();
        let mut view = world.view("acme");
        view.stored.observed_organization_id = Some(OrganizationId::from("org-2"));
        let now = view.now;
        read(&mut view, Remote::Present(row), now);
        let record = view.record().unwrap();
        sighting(view.progress.workspaces.get_mut(&record.id).unwrap());
        identity::other_organization(&view, &record)
    };
    assert_eq!(told(|_| ()), None);
    assert_eq!(told(|seen| seen.read = None), None, "an update of ours");
    assert_eq!(told(|seen| *seen = Sighting::default()), Some(theirs));
}

/// Also one for an object without a workspace: it was handled by a search, or a GET.
#[test]
fn a_request_is_handled_by_a_read_or_where_nothing_can_be_read() {
    type Case = fn(&mut View);
    let failed: Case = |view| view.progress.failures.sync = Some(findings::throttled());
    let ends: Case = |view| {
        view.progress.failures.last = Some(Problem {
            aspect: Aspect::Token,
            finding: findings::throttled(),
        });
    };
    let no_permit: Case = |view| view.progress.permit = PermitProgress::NotBefore(view.now);
    let rests: Case = |view| {
        let (now, cause, uid) = (view.uptime(), view.cause(Aspect::Sync), view.object.uid.clone());
        view.memory
            .sync
            .failed(now, cause, FailedAttempt::normal(1), &uid);
    };
    let nothing: Case = |_| ();
    let seen: Case = |view| {
        view.progress
            .workspaces
            .insert(WorkspaceId::from("ws-1"), Sighting::default());
        if view.recorded_id().is_some() {
            let now = view.now;
            read(view, Remote::Gone, now);
        }
    };
    let asked_later: Case = |view| {
        view.progress
            .workspaces
            .insert(WorkspaceId::from("ws-1"), Sighting::default());
        if view.recorded_id().is_some() {
            let now = view.now;
            read(view, Remote::Gone, now);
        }
        view.progress.request = Some("before".to_owned());
    };
    let blocked = Finding::new(Reason::NameNotGranted, "not granted");
    for (case, stored, handled) in [
        (seen, &blocked, true),
        (seen, &findings::as_declared(), true),
        (asked_later, &blocked, false),
        (nothing, &blocked, true),
        (nothing, &findings::as_declared(), false),
        (failed, &blocked, false),
        (ends, &blocked, false),
        (no_permit, &blocked, false),
        (rests, &blocked, false),
    ] {
        let mut new = World::new();
        new.apply("acme", spec("acme"));
        for mut view in [recorded(), new.view("acme")] {
            view.object.reconcile_at = Some("now".to_owned());
            view.progress.request = Some("now".to_owned());
            case(&mut view);
            let answer = identity::handled_request(&view, stored);
            let known = view.recorded_id().is_some();
            assert_eq!(
                answer.is_some(),
                handled,
                "{known} {stored:?} {:?}",
                view.progress
            );
        }
    }
}

/// Nothing is left that the failed call was about.
#[test]
fn a_failed_call_stops_no_workspace_that_is_as_declared() {
    let world = World::with_acme();
    let row = world.engine.rows[0].workspace.clone();
    let mut view = world.view("acme");
    view.progress.failures.sync = Some(findings::throttled());
    let record = view.record().unwrap();
    assert_eq!(
        drift::drift(&view, &record),
        Drift::Blocked(findings::throttled()),
        "unread"
    );
    let now = view.now;
    read(&mut view, Remote::Present(row), now);
    assert_eq!(drift::drift(&view, &record), Drift::None);
}

#[test]
fn a_change_that_was_taken_as_asked_is_kept() {
    let world = World::with_acme();
    let row = &world.engine.rows[0].workspace;
    let rename = |name: &str| WorkspaceChange::Rename(name.into());
    let kept = |change| failure::kept_otherwise(&change, row).is_none();
    assert!(kept(rename("acme")) && !kept(rename("Acme")));
    assert!(kept(WorkspaceChange::State(WorkspaceState::Active)));
    assert!(!kept(WorkspaceChange::State(WorkspaceState::Inactive)));
}

/// A former process may have sent an issue as late as it ended.
#[test]
fn an_issue_is_in_doubt_until_it_is_resolved() {
    let mut world = World::with_acme();
    world.restart();
    let mut view = world.view("acme");
    let record = view.record().unwrap();
    let former = doubt::former_issue(&view, &record).unwrap();
    view.now = earlier(former.resolved_at, MOMENT);
    assert_eq!(doubt::unresolved_until(&view, &record), Some(former.resolved_at));
    view.now = former.resolved_at;
    assert_eq!(doubt::unresolved_until(&view, &record), None);
    view.memory.unresolved.push(former.clone());
    assert_eq!(view.memory.unresolved_until(view.now), None);
    view.now = earlier(former.resolved_at, MOMENT);
    assert_eq!(view.memory.unresolved_until(view.now), Some(former.resolved_at));
}

#[test]
fn a_rename_in_doubt_settles_after_45_seconds() {
    let mut view = recorded();
    let sent = view.now;
    view.memory.rename_unclear_at = Some(sent);
    let settled = later(sent, Duration::from_secs(45));
    view.now = earlier(settled, MOMENT);
    assert_eq!(doubt::rename_settles_at(&view), Some(settled));
    view.now = settled;
    assert_eq!(doubt::rename_settles_at(&view), None);
    assert!(doubt::shows_the_name(&view, settled));
    assert!(!doubt::shows_the_name(&view, earlier(settled, MOMENT)));
}

/// What is as declared is not woken for an issue that nobody knows of.
#[test]
fn what_would_make_a_twin_waits_for_a_former_issue() {
    type Wish = fn(&mut View);
    let wishes: [(Wish, bool); 4] = [
        (|_| (), false),
        (|view| view.object.deletion = Deletion::Requested, true),
        (
            |view| view.object.recreate = view.stored.workspace_id.clone(),
            true,
        ),
        (|view| view.declared.name = "zenith".into(), true),
    ];
    for (wish, waits) in wishes {
        let mut world = World::with_acme();
        world.restart();
        let mut view = world.view("acme");
        wish(&mut view);
        assert_eq!(doubt::waits_until(&view).is_some(), waits);
    }
}

/// The status of an object whose record is not its own is none.
#[test]
fn a_record_is_whole_or_none() {
    let view = recorded();
    assert_eq!(view.record().unwrap().organization_id, org());
    let parts: [fn(&mut WorkspaceStatus); 4] = [
        |status| status.uid = None,
        |status| status.workspace_id = None,
        |status| status.organization_id = None,
        |status| status.name = None,
    ];
    for part in parts {
        let mut view = recorded();
        part(&mut view.stored);
        assert_eq!(view.record(), None);
    }
}

/// Ready, with the view of its own Secret.
fn with_secret(change: impl FnOnce(&mut SecretFacts)) -> View {
    let mut view = recorded();
    change(view.secrets.target.as_mut().unwrap());
    view
}

fn rest(view: &mut View, aspect: Aspect) {
    let (now, cause, uid) = (view.uptime(), view.cause(aspect), view.object.uid.clone());
    let backoff = match aspect {
        Aspect::Sync => &mut view.memory.sync,
        Aspect::Token => &mut view.memory.token,
    };
    backoff.failed(now, cause, FailedAttempt::normal(1), &uid);
}

fn need(view: &View) -> &'static str {
    match token::need(view, &view.record().unwrap()) {
        Need::None(_) => "None",
        Need::Next(_) => "Next",
        Need::Later(_) => "Later",
        Need::Blocked(_) => "Blocked",
    }
}

/// A token that lived shorter than the least time between two issues has ended, and its next one waits.
#[test]
fn a_token_is_needed_no_sooner_than_its_time() {
    let now = recorded().now;
    let short = |ago| TokenTimes {
        server_ahead: None,
        issued_at: earlier(now, Duration::from_secs(10)),
        expires_at: earlier(now, Duration::from_secs(ago)),
    };
    assert_eq!(need(&recorded()), "None");
    assert_eq!(need(&with_secret(|facts| facts.times = Some(short(5)))), "Later");
    let bare = |facts: &mut SecretFacts| {
        facts.labels.clear();
        facts.decoration_mark = None;
    };
    for (rests, bared, needs) in [
        (false, false, "None"),
        (true, false, "None"),
        (false, true, "None"),
        (true, true, "Later"),
    ] {
        let mut view = with_secret(|facts| {
            if bared {
                bare(facts);
            }
        });
        view.memory.decoration = None;
        if rests {
            rest(&mut view, Aspect::Token);
        }
        assert_eq!(need(&view), needs, "{rests} {bared}");
    }
}

/// As it was asked for, and stored.
#[test]
fn a_secret_is_altered_if_it_is_just_as_it_was_stored() {
    let view = recorded();
    let facts = view.secrets.target.clone().unwrap();
    let Content::Whole(asked) = facts.content.clone() else {
        panic!("damaged")
    };
    let stored = Altered {
        asked: asked.clone(),
        name: facts.name.clone(),
        content: facts.content.clone(),
        times: facts.times,
    };
    let other_asked = SecretContent {
        api_url: "https://other.example".to_owned(),
        ..asked
    };
    for (altered, is_altered) in [
        (stored.clone(), true),
        (
            Altered {
                asked: other_asked,
                ..stored.clone()
            },
            false,
        ),
        (
            Altered {
                name: "other".to_owned(),
                ..stored.clone()
            },
            false,
        ),
        (
            Altered {
                content: Content::Damaged,
                ..stored.clone()
            },
            false,
        ),
        (
            Altered {
                times: None,
                ..stored
            },
            false,
        ),
    ] {
        let mut view = recorded();
        view.memory.altered = Some(altered.clone());
        let record = view.record().unwrap();
        assert_eq!(
            token_secret::is_altered(&view, &record, &facts),
            is_altered,
            "{altered:?}"
        );
    }
}

/// I1: a verified token goes into the Secret of the workspace and of the organization that it opens.
#[test]
fn a_token_is_published_for_the_record_that_it_opens() {
    let scope = |id: &str, organization: Option<&str>| TokenScope {
        workspace_id: id.into(),
        organization_id: organization.map(OrganizationId::from),
        workspace_name: None,
    };
    for (scope, published) in [
        (scope("ws-1", None), true),
        (scope("ws-1", Some("org-1")), true),
        (scope("ws-1", Some("org-2")), false),
        (scope("ws-2", None), false),
        (scope("ws-2", Some("org-1")), false),
    ] {
        let mut view = recorded();
        let issued = Issued {
            slot: TokenSlot(9),
            finished: view.now,
            took: Duration::ZERO,
            date: None,
            times: TokenTimes::issued(view.now, Duration::from_secs(1200)),
        };
        view.progress.token = TokenProgress::Verified(issued, scope.clone());
        let step = rules::token::publish_verified_token(&view, &view.record().unwrap());
        assert_eq!(step.is_some(), published, "{scope:?}");
    }
}

/// A DELETE without a clear answer is settled first.
#[test]
fn without_a_permit_an_object_waits_but_for_an_unclear_deletion() {
    for (removal, waits) in [
        (None, true),
        (Some(Removal::Done), true),
        (Some(Removal::Unclear), false),
    ] {
        let mut view = recorded();
        view.progress.permit = PermitProgress::NotBefore(later(view.now, MOMENT));
        let id = view.record().unwrap().id;
        view.progress
            .removals
            .extend(removal.map(|removal| (id, removal)));
        assert_eq!(
            rules::preconditions::give_way(&view).is_some(),
            waits,
            "{removal:?}"
        );
    }
}

/// A creation in flight whose intent is stored.
fn begun() -> View {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashBefore, 1);
    assert!(world.reconcile("acme").is_none());
    world.view("acme")
}

fn kind(step: &Step) -> &'static str {
    match step {
        Step::Act(_, effect) => effect.kind(),
        Step::Settle(_) => "Settle",
        Step::Store(_) => "Store",
        Step::Leave => "Leave",
    }
}

/// Suspended, or without its grant, it is searched for.
#[test]
fn an_intent_is_issued_for_while_that_is_wanted_and_granted() {
    type Change = fn(&mut View);
    let changes: [(Change, &str); 4] = [
        (|_| (), "Issue"),
        (|view| view.declared.suspend = Some(true), "Search"),
        (
            |view| {
                if let OrganizationFacts::Readable(organization) = &mut view.organization {
                    organization.access = Access::none();
                }
            },
            "Search",
        ),
        (
            |view| {
                if let TokenProgress::MayIssue(of) = &mut view.progress.token {
                    of.name = "other".into();
                }
            },
            "Search",
        ),
    ];
    for (number, (change, expected)) in changes.into_iter().enumerate() {
        let mut view = begun();
        view.progress.token = TokenProgress::MayIssue(view.intent().unwrap().clone());
        change(&mut view);
        assert_eq!(kind(&plan(&view).step), expected, "{number}");
    }
}

/// A search that was asked too early is repeated as soon as one must show what was made; whoever wants it.
#[test]
fn a_creation_that_is_not_found_is_searched_for_when_that_tells() {
    for deletion in [Deletion::NotRequested, Deletion::Requested] {
        let mut view = begun();
        view.object.deletion = deletion;
        let intent = view.intent().unwrap().clone();
        let resolved_at = doubt::issue_of(&view, &intent).resolved_at;
        let search = NameSearch {
            name: intent.name.clone(),
            asked_at: earlier(resolved_at, MOMENT),
            rows: Vec::new(),
        };
        view.progress.searches.insert(intent.name, search);
        view.now = earlier(resolved_at, MOMENT);
        assert_eq!(kind(&plan(&view).step), "Settle", "{deletion:?}");
        view.now = resolved_at;
        assert_eq!(kind(&plan(&view).step), "Search", "{deletion:?}");
        let search = view.progress.searches.values_mut().next().unwrap();
        search.asked_at = resolved_at;
        // Another workspace shows that the organization hides nothing.
        search.rows = vec![fallback()];
        assert_ne!(kind(&plan(&view).step), "Search", "it tells: {deletion:?}");
    }
}

/// A 404 is not the last word on what a search showed, while the creation is unresolved.
#[test]
fn a_creation_found_and_read_as_gone_is_let_go_when_it_is_resolved() {
    let mut world = World::new();
    world.apply("acme", spec("acme"));
    world.fault("Issue", Fault::CrashAfter, 1);
    assert!(world.reconcile("acme").is_none());
    world.delete("acme");
    let mut view = world.view("acme");
    let row = world.engine.rows[0].workspace.clone();
    let intent = view.intent().unwrap().clone();
    let resolved_at = doubt::issue_of(&view, &intent).resolved_at;
    let search = NameSearch {
        name: intent.name.clone(),
        asked_at: resolved_at,
        rows: vec![row.clone()],
    };
    view.progress.searches.insert(intent.name, search);
    let gone = Sighting {
        read: Some(Observation {
            requested_at: resolved_at,
            remote: Remote::Gone,
        }),
        row: None,
    };
    view.progress.workspaces.insert(row.id, gone);
    view.now = earlier(resolved_at, MOMENT);
    assert_eq!(kind(&plan(&view).step), "Settle");
    view.now = resolved_at;
    assert_eq!(kind(&plan(&view).step), "RemoveFinalizer");
}

/// A list that lacks it and was begun after the 404 confirms, and so does another 404 a while later.
#[test]
fn a_wish_that_is_not_found_is_confirmed_by_a_later_list() {
    for (listed, lacks, confirmed) in [
        (Some(0), true, false),
        (Some(1), true, true),
        (Some(1), false, false),
        (None, true, false),
    ] {
        let mut world = World::with_acme();
        world.list();
        let mut view = world.view("acme");
        view.stored.uid = Some(Uid::from("another"));
        let id = view.wish().unwrap().clone();
        let asked_at = view.now;
        let gone = Observation {
            requested_at: asked_at,
            remote: Remote::Gone,
        };
        let sighting = Sighting {
            read: Some(gone),
            row: None,
        };
        view.progress.workspaces.insert(id, sighting);
        view.listed = view.listed.filter(|_| listed.is_some());
        if let (Some(entry), Some(nanos)) = (&mut view.listed, listed) {
            entry.requested_at = later(asked_at, Duration::from_nanos(nanos));
            if lacks {
                entry.row = None;
            }
        }
        let missing = wish::missing(&view).unwrap();
        assert_eq!(missing.confirmed, confirmed, "{listed:?} {lacks}");
    }
}

//! What a view says of a workspace, as tables: each at the very instant at which it changes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::crd::workspace::{MissingWorkspace, WorkspaceStatus};
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceId};
use crate::domain::reason::Reason;
use crate::domain::remote::WorkspaceState;
use crate::domain::time::{earlier, later, shifted};
use crate::lifecycle::Aspect;
use crate::lifecycle::aspect::Problem;
use crate::lifecycle::effect::WorkspaceChange;
use crate::lifecycle::findings;
use crate::lifecycle::judge::drift::{self, Drift};
use crate::lifecycle::judge::{doubt, failure, identity};
use crate::lifecycle::progress::{Observation, PermitProgress, Remote, Sighting};
use crate::lifecycle::tests::harness::world::{World, org, spec};
use crate::lifecycle::view::View;
use crate::limits::{CLOCK_SLACK, FailedAttempt};

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
        let (cause, uid) = (view.cause(Aspect::Sync), view.object.uid.clone());
        view.memory
            .sync
            .failed(view.now, cause, FailedAttempt::normal(1), &uid);
    };
    let nothing: Case = |_| ();
    let seen: Case = |view| {
        view.progress
            .workspaces
            .insert(WorkspaceId::from("ws-1"), Sighting::default());
        if view.record().is_some() {
            let now = view.now;
            read(view, Remote::Gone, now);
        }
    };
    let asked_later: Case = |view| {
        view.progress
            .workspaces
            .insert(WorkspaceId::from("ws-1"), Sighting::default());
        if view.record().is_some() {
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
            let known = view.record().is_some();
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
        (
            |view| view.object.deletion = crate::domain::object::Deletion::Requested,
            true,
        ),
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

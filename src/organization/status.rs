//! What is said of an Organization: to reconciles over Workspaces, and in its status. Made here and nowhere else.

use std::time::Duration;

use crate::crd::conditions::{self, ConditionDraft, ConditionStatus, READY, RECONCILING, STALLED};
use crate::crd::organization::{OrganizationStatus, RequestRateStatus};
use crate::domain::finding::Finding;
use crate::domain::rate::RateReason;
use crate::domain::reason::{Kstatus, Reason};
use crate::domain::verification::Verification;
use crate::organization::effect::{Publication, Wake};
use crate::organization::facts::Published;
use crate::organization::findings::{self, PinnedBy};
use crate::organization::judge::holder;
use crate::organization::judge::listing::{is_listable, many_missing, missing};
use crate::organization::judge::news::{News, news};
use crate::organization::judge::pause;
use crate::organization::judge::readiness::{Readiness, is_in_use, readiness};
use crate::organization::judge::verification::{Owner, owner};
use crate::organization::progress::Attempt;
use crate::organization::view::View;
use crate::tenancy::holding;

/// A rate alone is written no sooner after the last write.
const RATE_INTERVAL: Duration = Duration::from_secs(60);

/// What reconciles over Workspaces are to see. Only a change of what an attempt depends on begins the budgets of failing
/// Workspaces over: a list that fails and works in turn does not.
pub fn publication(view: &View, wake: Wake) -> Publication {
    let news = news(view);
    Publication {
        published: Published {
            verification: verification(view),
            missing: missing(view),
            revision: view.published.revision + u64::from(news == News::Changed),
            recovered_at: match news {
                News::Recovered => Some(view.uptime()),
                News::Changed | News::None => view.published.recovered_at,
            },
            reason: Some(readiness(view).reason()),
            endpoint: view.memory.made_of.as_ref().map(|made| made.endpoint.clone()),
            server_time: view.memory.server_time,
        },
        snapshot: view.progress.new_list.as_ref().map(|list| list.snapshot.clone()),
        wake,
    }
}

/// The status, if it differs from the stored one and was not tried to be written yet.
pub fn unwritten(view: &View) -> Option<OrganizationStatus> {
    if view.progress.status != Attempt::NotMade || holder::is_left_to_another(view) {
        return None;
    }
    let status = status(view);
    let is_due = is_news(view, &status) || has_moved(view) || pause::is_news(view);
    let rate = |rate| RequestRateStatus::of(rate, pause::status(view));
    is_due.then(|| OrganizationStatus {
        request_rate: view.progress.rate.map(rate),
        ..status
    })
}

/// Whether the stored status is to be replaced.
fn is_news(view: &View, status: &OrganizationStatus) -> bool {
    let (holder, stored) = (view.stored.operator.as_ref(), &view.stored);
    holding::is_news(holder, stored, status, |unheld| unheld.operator = None)
}

/// Whether the rate has doubled or halved since a status told it. One that was not tried since the start of the process is no
/// news.
fn has_moved(view: &View) -> bool {
    let written = view.memory.rate_written_at;
    let may_write = written.is_none_or(|at| view.uptime().since(at) >= RATE_INTERVAL);
    match (&view.progress.rate, &view.stored.request_rate) {
        (Some(now), Some(told)) if may_write && now.reason != RateReason::Untried => {
            let (now, told) = (i64::from(now.per_second), told.per_second);
            now >= told.saturating_mul(2) || told >= now.saturating_mul(2)
        }
        (_, _) => false,
    }
}

/// The event of a status that was just written: there is one for each change of the Ready reason, and the status remembers
/// what was told.
pub fn event(view: &View, written: &OrganizationStatus) -> Option<Finding> {
    (ready_reason(written) != ready_reason(&view.stored)).then(|| finding(view))
}

fn ready_reason(status: &OrganizationStatus) -> Option<&str> {
    conditions::reason(&status.conditions, READY)
}

/// Equal to the stored one if nothing has changed.
fn status(view: &View) -> OrganizationStatus {
    let generation = view.object.generation;
    let complete = view.memory.listing.complete.as_ref();
    OrganizationStatus {
        observed_generation: Some(generation),
        operator: Some(holder::ours(view)),
        organization_id: match owner(view) {
            Owner::Verified(id) => Some(id.clone()),
            Owner::Unknown(_) | Owner::Changed { .. } => view.stored.organization_id.clone(),
        },
        workspaces: complete.map(|list| list.counts).or(view.stored.workspaces),
        request_rate: view.stored.request_rate.clone(),
        missing_workspaces: many_missing(view).and_then(|count| i64::try_from(count).ok()),
        last_handled_reconcile_at: handled_request(view),
        conditions: conditions::set_conditions(
            &view.stored.conditions,
            &drafts(&finding(view)),
            generation,
            view.now,
        ),
    }
}

/// The reconcile request that was handled last: a complete list answered it, or what Ready says allows none.
fn handled_request(view: &View) -> Option<String> {
    let request = &view.object.reconcile_at;
    let answered = *request == view.memory.answered;
    let reason = readiness(view).reason();
    let a_person_must_act = reason == Reason::CredentialsMissing || reason.kstatus() == Kstatus::Stalled;
    let impossible = !is_listable(view) && a_person_must_act;
    if request.is_none() || answered || impossible {
        request.clone()
    } else {
        view.stored.last_handled_reconcile_at.clone()
    }
}

fn finding(view: &View) -> Finding {
    let readiness = readiness(view);
    let pinned_by = match &view.stored.organization_id {
        Some(verified)
            if view
                .declared
                .organization_id
                .as_ref()
                .is_none_or(|id| id == verified) =>
        {
            PinnedBy::Status
        }
        Some(_) | None => PinnedBy::Spec,
    };
    let finding = findings::ready(readiness, &view.declared, pinned_by);
    if is_in_use(view) && readiness != Readiness::InUse {
        findings::held_in_use(finding)
    } else {
        finding
    }
}

fn verification(view: &View) -> Verification {
    match owner(view) {
        Owner::Unknown(unknown) => Verification::Pending {
            why: findings::unverified(unknown, &view.declared),
        },
        Owner::Verified(id) => Verification::Verified(id.clone()),
        Owner::Changed { pinned, found } => Verification::Changed {
            pinned: pinned.clone(),
            found: found.clone(),
        },
    }
}

fn drafts(finding: &Finding) -> Vec<ConditionDraft> {
    let draft = |kind, status| ConditionDraft {
        kind,
        status,
        reason: finding.reason.as_str(),
        message: finding.message.clone(),
    };
    match finding.reason.kstatus() {
        Kstatus::Ready => vec![draft(READY, ConditionStatus::True)],
        Kstatus::Reconciling => vec![
            draft(READY, ConditionStatus::False),
            draft(RECONCILING, ConditionStatus::True),
        ],
        Kstatus::Stalled => vec![
            draft(READY, ConditionStatus::False),
            draft(STALLED, ConditionStatus::True),
        ],
    }
}

//! The one place that makes a verdict and a status: the conditions of both aspects, and the records that make a crash
//! harmless.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime};

use crate::crd::conditions::{self, ConditionDraft, ConditionStatus, READY, SYNCED, TOKEN_READY};
use crate::crd::workspace::{Creation, WorkspaceStatus};
use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::domain::object::Deletion;
use crate::domain::reason::{Kstatus, Reason};
use crate::lifecycle::aspect::{Aspect, Problem};
use crate::lifecycle::findings;
use crate::lifecycle::judge::drift::{self, Drift};
use crate::lifecycle::judge::token::{self, Need};
use crate::lifecycle::judge::{deletion, holding, identity, token_life, token_secret, wish};
use crate::lifecycle::progress::PermitProgress;
use crate::lifecycle::step::{Change, Ending};
use crate::lifecycle::view::{Record, View};
use crate::tenancy;

/// The end of a reconcile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Ready, or why not.
    pub main: Finding,
    pub synced: Finding,
    pub token: Finding,
}

/// The verdict at this ending.
pub fn verdict(view: &View, ending: &Ending) -> Verdict {
    let Some(record) = view.record() else {
        return blocked(
            view,
            match ending {
                Ending::Done => findings::being_created(),
                Ending::Waits(finding) => match view.intent() {
                    Some(intent) if view.object.deletion == Deletion::NotRequested => {
                        findings::creation_in_flight(intent)
                    }
                    Some(_) | None => finding.clone(),
                },
                Ending::Blocked(finding) | Ending::TokenBlocked(finding) => finding.clone(),
                Ending::Failed(problem) => problem.finding.clone(),
            },
        );
    };
    match ending {
        Ending::Done => conclude(
            view,
            synced(view, &record, findings::updating),
            token(view, &record, findings::being_issued),
        ),
        Ending::Waits(finding) if view.object.deletion == Deletion::NotRequested => conclude(
            view,
            synced(view, &record, || finding.clone()),
            token(view, &record, || finding.clone()),
        ),
        Ending::Blocked(finding) | Ending::Waits(finding) => blocked(view, finding.clone()),
        // No token is issued for what is to go.
        Ending::Failed(problem) if view.object.deletion == Deletion::Requested => {
            blocked(view, problem.finding.clone())
        }
        Ending::Failed(Problem {
            aspect: Aspect::Sync,
            finding,
        }) => {
            let synced = lost(view, &record).unwrap_or_else(|| finding.clone());
            conclude(view, synced, token(view, &record, || not_tried_again(view)))
        }
        Ending::TokenBlocked(finding)
        | Ending::Failed(Problem {
            aspect: Aspect::Token,
            finding,
        }) => conclude(
            view,
            synced(view, &record, findings::updating),
            quiet_while_good(view, finding.clone()),
        ),
    }
}

/// The finding stops the whole object.
fn blocked(view: &View, finding: Finding) -> Verdict {
    let token = if token_secret::holds_token(view) && !view.object.is_let_go() {
        token_secret::verified(view)
    } else {
        finding.clone()
    };
    let lost = view.record().and_then(|record| lost(view, &record));
    Verdict {
        main: finding.clone(),
        synced: lost.unwrap_or(finding),
        token,
    }
}

/// I5: Synced reports a lost workspace, whatever else stops the object, until a GET shows it again.
fn lost(view: &View, record: &Record) -> Option<Finding> {
    identity::is_lost(view, record).then(|| findings::not_found(view, record))
}

fn conclude(view: &View, synced: Finding, token: Finding) -> Verdict {
    let conflict = token_secret::name_conflict(view).filter(|_| view.declared.token_enabled());
    let main = [Some(&synced), Some(&token), conflict.as_ref()]
        .into_iter()
        .flatten()
        .find(|finding| !finding.is_ready());
    let main = main.cloned().unwrap_or_else(|| match synced.reason {
        Reason::Suspended => synced.clone(),
        _ => findings::as_declared(),
    });
    Verdict { main, synced, token }
}

/// `next` says that a call about name or state is to be sent.
fn synced(view: &View, record: &Record, next: impl FnOnce() -> Finding) -> Finding {
    if let Some(lost) = lost(view, record) {
        return lost;
    }
    // Seen missing once, it is not as declared before a GET shows it.
    let doubted = identity::is_unread(view, record) || identity::missing(view, record).is_some();
    match drift::drift(view, record) {
        Drift::None if doubted => match view.progress.permit {
            PermitProgress::Open => view.last_word(SYNCED, findings::unread),
            PermitProgress::NotBefore(_) => next(),
        },
        Drift::None if view.declared.is_suspended() => findings::suspended(),
        Drift::None => findings::as_declared(),
        Drift::Next(_) => next(),
        Drift::Blocked(finding) | Drift::Waits(finding) => finding,
    }
}

/// `next` says that the token is to be issued.
fn token(view: &View, record: &Record, next: impl FnOnce() -> Finding) -> Finding {
    match token::need(view, record) {
        Need::None(finding) => finding,
        Need::Next(_) => quiet_while_good(view, next()),
        Need::Later(finding) | Need::Blocked(finding) => quiet_while_good(view, finding),
    }
}

/// Why the last attempt at a token failed is true until the next one.
fn not_tried_again(view: &View) -> Finding {
    if view.has_failed(Aspect::Token) {
        view.last_word(TOKEN_READY, findings::being_issued)
    } else {
        findings::being_issued()
    }
}

/// A renewal that waits is not reported while the declared Secret is as declared, and its token has a good part of its life
/// left.
fn quiet_while_good(view: &View, finding: Finding) -> Finding {
    match finding.reason.kstatus() {
        Kstatus::Reconciling if token_life::is_served(view) => token_secret::verified(view),
        Kstatus::Reconciling | Kstatus::Stalled | Kstatus::Ready => finding,
    }
}

/// Whether the stored status says True of what is not.
pub fn misleads(view: &View, verdict: &Verdict) -> bool {
    [(READY, &verdict.main), (TOKEN_READY, &verdict.token)]
        .into_iter()
        .any(|(kind, finding)| conditions::is_true(&view.stored.conditions, kind) && !finding.is_ready())
}

/// The status to store for a verdict. Equal to the stored one if nothing has changed.
pub fn status(view: &View, verdict: &Verdict) -> WorkspaceStatus {
    let base = WorkspaceStatus {
        observed_generation: Some(view.object.generation),
        operator: Some(holding::ours(view)),
        deletion_policy: Some(deletion::policy(view)),
        last_handled_reconcile_at: identity::handled_request(view, &verdict.main),
        conditions: conditions(view, verdict),
        ..WorkspaceStatus::default()
    };
    match view.record() {
        Some(record) => of_record(view, record, base),
        // A wish stays a wish: with our uid beside it, it would read as a record.
        None if view.wish().is_some() && view.intent().is_none() => WorkspaceStatus {
            uid: view.stored.uid.clone(),
            workspace_id: view.stored.workspace_id.clone(),
            organization_id: view.stored.organization_id.clone(),
            name: view.stored.name.clone(),
            state: view.stored.state,
            origin: view.stored.origin,
            missing: wish::missing(view),
            deletion_policy: view.stored.deletion_policy,
            ..base
        },
        None => WorkspaceStatus {
            uid: Some(view.object.uid.clone()),
            // An intent whose issue was not answered stays, beside `CreationInFlight`.
            creation: view.intent().filter(|intent| !view.is_void(intent)).cloned(),
            ..base
        },
    }
}

fn of_record(view: &View, record: Record, base: WorkspaceStatus) -> WorkspaceStatus {
    let current = drift::current(view, &record);
    let token_secret_name = token::in_use(view, &record)
        .filter(|_| !token_secret::only_status_names_it(view))
        .or_else(|| token_secret::recorded_name(view));
    WorkspaceStatus {
        uid: Some(view.object.uid.clone()),
        missing: identity::missing(view, &record),
        observed_organization_id: identity::other_organization(view, &record),
        workspace_id: Some(record.id),
        organization_id: Some(record.organization_id),
        name: Some(current.name),
        state: current.state,
        origin: Some(record.origin),
        token_secret_name,
        ..base
    }
}

/// Whether the stored status is to be replaced.
pub fn is_news(view: &View, status: &WorkspaceStatus) -> bool {
    let (holder, stored) = (view.stored.operator.as_ref(), &view.stored);
    tenancy::holding::is_news(holder, stored, status, |unheld| unheld.operator = None)
}

/// The status that is true once `change` is stored.
pub fn after(view: &View, change: &Change) -> WorkspaceStatus {
    let ending = match change {
        Change::Held => {
            return WorkspaceStatus {
                operator: Some(holding::ours(view)),
                ..view.stored.clone()
            };
        }
        Change::Recorded(_) | Change::CreationBegins(_) | Change::CreationVoid | Change::TokenSecret => {
            Ending::Done
        }
        Change::Replaced(record) => Ending::Blocked(findings::replacing(&record.id)),
        Change::Deleting => Ending::Blocked(findings::deletion_unanswered()),
    };
    let mut next = view.clone();
    next.stored = match change {
        Change::Recorded(record) => WorkspaceStatus {
            workspace_id: Some(record.id.clone()),
            organization_id: Some(record.organization_id.clone()),
            name: Some(record.name.clone()),
            state: record.state,
            origin: Some(record.origin),
            ..without_record(view)
        },
        Change::CreationBegins(organization) => WorkspaceStatus {
            creation: Some(intent(view, organization)),
            ..without_record(view)
        },
        Change::CreationVoid => WorkspaceStatus {
            creation: None,
            ..view.stored.clone()
        },
        Change::Replaced(_) => without_record(view),
        Change::TokenSecret | Change::Deleting | Change::Held => view.stored.clone(),
    };
    status(&next, &verdict(&next, &ending))
}

/// The intent of an issue for the declared name that begins now.
fn intent(view: &View, organization: &OrganizationId) -> Creation {
    let (at, clock) = view.progress.clock.stamp(view.now);
    Creation {
        uid: view.object.uid.clone(),
        organization_id: organization.clone(),
        name: view.declared.name.clone(),
        at: MicroTime(at),
        clock,
    }
}

/// A status with our uid, without workspace and creation. Conditions keep their times.
fn without_record(view: &View) -> WorkspaceStatus {
    WorkspaceStatus {
        uid: Some(view.object.uid.clone()),
        conditions: view.stored.conditions.clone(),
        ..WorkspaceStatus::default()
    }
}

/// kstatus: Reconciling or Stalled stand only beside a Ready that is False, and never together.
fn conditions(view: &View, verdict: &Verdict) -> Vec<Condition> {
    let draft = |kind, status, finding: &Finding| ConditionDraft {
        kind,
        status,
        reason: finding.reason.as_str(),
        message: finding.message.clone(),
    };
    let ready = if verdict.main.is_ready() && view.recorded_id().is_some() {
        ConditionStatus::True
    } else {
        ConditionStatus::False
    };
    let synced = match verdict.synced.reason {
        Reason::Suspended => ConditionStatus::Unknown,
        _ if verdict.synced.is_ready() => ConditionStatus::True,
        _ => ConditionStatus::False,
    };
    let token = if verdict.token.reason == Reason::TokenVerified {
        ConditionStatus::True
    } else {
        ConditionStatus::False
    };
    let mut drafts = vec![draft(conditions::READY, ready, &verdict.main)];
    match verdict.main.reason.kstatus() {
        Kstatus::Ready => {}
        Kstatus::Reconciling => {
            drafts.push(draft(
                conditions::RECONCILING,
                ConditionStatus::True,
                &verdict.main,
            ));
        }
        Kstatus::Stalled => drafts.push(draft(conditions::STALLED, ConditionStatus::True, &verdict.main)),
    }
    drafts.push(draft(conditions::SYNCED, synced, &verdict.synced));
    drafts.push(draft(conditions::TOKEN_READY, token, &verdict.token));
    conditions::set_conditions(&view.stored.conditions, &drafts, view.object.generation, view.now)
}

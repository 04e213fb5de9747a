//! The status that is true now: by aspect, as conditions, and as the records that make a crash harmless.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime};

use crate::crd::conditions::{self, ConditionDraft, ConditionStatus};
use crate::crd::workspace::{Creation, WorkspaceStatus};
use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::domain::reason::{Kstatus, Reason};
use crate::lifecycle::rules::state::{self, Drift};
use crate::lifecycle::rules::token::{self, Need};
use crate::lifecycle::rules::{deletion, identity, token_secret};
use crate::lifecycle::schedule::Freshness;
use crate::lifecycle::verdict::{Aspect, Problem, Verdict};
use crate::lifecycle::view::{Content, Ownership, Record, SecretFacts, View};

/// The end of a reconcile that found nothing more to do.
pub fn settled(view: &View) -> Verdict {
    let Some(record) = view.record() else {
        return blocked(
            view,
            Finding::new(Reason::Creating, "the workspace is being created"),
        );
    };
    let synced = synced(view, &record);
    let token = token(view, &record);
    conclude(view, synced, token)
}

/// The end of a reconcile at something that concerns the whole object.
pub fn blocked(view: &View, finding: Finding) -> Verdict {
    let token = if holds_token(view) {
        proven()
    } else {
        finding.clone()
    };
    Verdict {
        main: finding.clone(),
        synced: still_gone(view).unwrap_or(finding),
        token,
    }
}

/// I5: what was found gone stays said, beside whatever else stops the object, until the workspace is seen again.
fn still_gone(view: &View) -> Option<Finding> {
    let record = view.record()?;
    let gone = identity::was_gone(view) && view.present(&record.id).is_none();
    gone.then(|| view.stored_finding(conditions::SYNCED)).flatten()
}

/// The end of a reconcile whose last effect failed.
pub fn failed(view: &View, problem: &Problem) -> Verdict {
    let Some(record) = view.record() else {
        return blocked(view, problem.finding.clone());
    };
    match problem.aspect {
        Aspect::Sync => {
            let synced = still_gone(view).unwrap_or_else(|| problem.finding.clone());
            conclude(view, synced, token(view, &record))
        }
        Aspect::Token => token_failed(view, problem.finding.clone()),
    }
}

/// The end of a reconcile that could not renew the token.
pub fn token_failed(view: &View, finding: Finding) -> Verdict {
    let Some(record) = view.record() else {
        return blocked(view, finding);
    };
    conclude(view, synced(view, &record), quiet_while_good(view, finding))
}

fn conclude(view: &View, synced: Finding, token: Finding) -> Verdict {
    let name_conflict = token_secret::name_conflict(view).filter(|_| view.declared.token_enabled());
    let main = [Some(&synced), Some(&token), name_conflict.as_ref()]
        .into_iter()
        .flatten()
        .find(|finding| !finding.is_ready());
    let main = main.cloned().unwrap_or_else(|| match synced.reason {
        Reason::Suspended => synced.clone(),
        _ => Finding::new(Reason::AsDeclared, "the workspace is as declared"),
    });
    Verdict { main, synced, token }
}

fn synced(view: &View, record: &Record) -> Finding {
    if let Some(gone) = still_gone(view) {
        return gone;
    }
    if view.declared.is_suspended() {
        return Finding::new(
            Reason::Suspended,
            "spec.suspend is set: name and status are left alone",
        );
    }
    match state::drift(view, record) {
        Drift::AsDeclared => Finding::new(Reason::AsDeclared, "the workspace is as declared"),
        Drift::Next(_) => Finding::new(
            Reason::Updating,
            "the workspace is being brought to what is declared",
        ),
        Drift::Blocked(finding) => finding,
    }
}

fn token(view: &View, record: &Record) -> Finding {
    match token::need(view, record) {
        Need::None(finding) => finding,
        Need::Next(_) => quiet_while_good(
            view,
            Finding::new(Reason::TokenPending, "a token is being issued"),
        ),
        Need::Later(finding) | Need::Blocked(finding) => quiet_while_good(view, finding),
    }
}

/// While the token in use has a good part of its life left, a renewal that has to wait is nobody's concern.
fn quiet_while_good(view: &View, finding: Finding) -> Finding {
    match finding.reason.kstatus() {
        Kstatus::Reconciling if holds_token(view) => proven(),
        Kstatus::Reconciling | Kstatus::Stalled | Kstatus::Ready => finding,
    }
}

fn proven() -> Finding {
    Finding::new(
        Reason::TokenVerified,
        "a token proven to open this workspace is in the Secret",
    )
}

/// Whether the object was found as declared, for the spec that it has now, and its token has a good part of its life left.
pub fn stands(view: &View) -> bool {
    let ready = |condition: &Condition| {
        condition.type_ == conditions::READY && condition.status == ConditionStatus::True.as_str()
    };
    let token = holds_token(view) || view.stored.token_secret_name.is_none();
    token
        && view.stored.observed_generation == Some(view.object.generation)
        && view.stored.conditions.iter().any(ready)
}

/// Whether a Secret of ours holds a token that is not about to end.
fn holds_token(view: &View) -> bool {
    let Some(record) = view.record() else {
        return false;
    };
    let mut known = view.secrets.target.iter().chain(&view.secrets.others);
    known.any(|facts| is_good(view, &record, facts))
}

/// The Secret that the token goes to, if it holds one that is wanted and not about to end.
pub fn in_use(view: &View) -> Option<String> {
    let record = view.record()?;
    token::wanted(view, &record).ok()?;
    let name = token_secret::secret_name(view);
    token_secret::secret_named(view, &name)
        .is_some_and(|facts| is_good(view, &record, facts))
        .then_some(name)
}

fn is_good(view: &View, record: &Record, facts: &SecretFacts) -> bool {
    let opens = match &facts.content {
        Content::Whole(content) => content.workspace_id == record.id,
        Content::Damaged => false,
    };
    let lasts = facts
        .times
        .is_some_and(|times| match times.freshness(&view.object.uid, view.now) {
            Freshness::Fresh | Freshness::Due => true,
            Freshness::Urgent | Freshness::Expired => false,
        });
    facts.ownership == Ownership::Ours && opens && lasts
}

/// The status to store for a verdict. Equal to the stored one where nothing has changed.
pub fn status(view: &View, verdict: &Verdict) -> WorkspaceStatus {
    let record = view.record();
    let base = WorkspaceStatus {
        observed_generation: Some(view.object.generation),
        deletion_policy: Some(deletion::policy(view)),
        last_handled_reconcile_at: view.object.reconcile_at.clone(),
        conditions: fold(view, verdict),
        ..WorkspaceStatus::default()
    };
    match record {
        Some(record) => {
            let current = state::current(view, &record);
            let token_secret_name = in_use(view)
                .filter(|_| !token_secret::only_status_names_it(view))
                .or_else(|| token_secret::recorded_name(view));
            WorkspaceStatus {
                uid: Some(view.object.uid.clone()),
                workspace_id: Some(record.id),
                organization_id: Some(record.organization_id),
                name: Some(current.name),
                state: current.state,
                origin: Some(record.origin),
                token_secret_name,
                ..base
            }
        }
        // A wish stays a wish: with our uid beside it, it would read as a record.
        None if view.wish().is_some() && view.intent().is_none() => WorkspaceStatus {
            uid: view.stored.uid.clone(),
            workspace_id: view.stored.workspace_id.clone(),
            organization_id: view.stored.organization_id.clone(),
            name: view.stored.name.clone(),
            state: view.stored.state,
            origin: view.stored.origin,
            deletion_policy: view.stored.deletion_policy,
            ..base
        },
        None => WorkspaceStatus {
            uid: Some(view.object.uid.clone()),
            creation: view.intent().filter(|_| !view.progress.nothing_made).cloned(),
            ..base
        },
    }
}

/// The status that records a workspace and ends its creation. True as the one final write, where the Secret is there.
pub fn recorded(view: &View, record: &Record) -> WorkspaceStatus {
    with(
        view,
        WorkspaceStatus {
            workspace_id: Some(record.id.clone()),
            organization_id: Some(record.organization_id.clone()),
            name: Some(record.name.clone()),
            state: record.state,
            origin: Some(record.origin),
            ..without_record(view)
        },
        settled,
    )
}

/// The status that says: an issue for this name begins now. Written before it is sent.
pub fn stamped(view: &View, organization: &OrganizationId) -> WorkspaceStatus {
    let (at, clock) = view.progress.clock.stamp(view.now);
    let creation = Creation {
        uid: view.object.uid.clone(),
        organization_id: organization.clone(),
        name: view.declared.name.clone(),
        at: MicroTime(at),
        clock,
    };
    with(
        view,
        WorkspaceStatus {
            creation: Some(creation),
            ..without_record(view)
        },
        settled,
    )
}

/// The status after a creation that turned out not to be ours.
pub fn without_intent(view: &View) -> WorkspaceStatus {
    with(
        view,
        WorkspaceStatus {
            creation: None,
            ..view.stored.clone()
        },
        settled,
    )
}

/// The status after the user allowed a lost workspace to be replaced.
pub fn forgotten(view: &View, record: &Record) -> WorkspaceStatus {
    let finding = Finding::new(
        Reason::Creating,
        format!("the lost workspace {} is being replaced, as allowed", record.id),
    );
    with(view, without_record(view), |next| blocked(next, finding))
}

/// Ours, with neither a workspace nor a creation; conditions keep their times.
fn without_record(view: &View) -> WorkspaceStatus {
    WorkspaceStatus {
        uid: Some(view.object.uid.clone()),
        conditions: view.stored.conditions.clone(),
        ..WorkspaceStatus::default()
    }
}

/// The status that is true once `stored` is.
fn with(view: &View, stored: WorkspaceStatus, verdict: impl FnOnce(&View) -> Verdict) -> WorkspaceStatus {
    let mut next = view.clone();
    next.stored = stored;
    status(&next, &verdict(&next))
}

fn fold(view: &View, verdict: &Verdict) -> Vec<Condition> {
    conditions::set_conditions(
        &view.stored.conditions,
        &drafts(view, verdict),
        view.object.generation,
        view.now,
    )
}

/// kstatus: Reconciling or Stalled stand only beside a Ready that is False, and never together.
pub fn drafts(view: &View, verdict: &Verdict) -> Vec<ConditionDraft> {
    let draft = |kind, status, finding: &Finding| ConditionDraft {
        kind,
        status,
        reason: finding.reason.as_str(),
        message: finding.message.clone(),
    };
    let exists = view.record().is_some();
    let ready = if verdict.main.is_ready() && exists {
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
        Kstatus::Reconciling => drafts.push(draft(
            conditions::RECONCILING,
            ConditionStatus::True,
            &verdict.main,
        )),
        Kstatus::Stalled => drafts.push(draft(conditions::STALLED, ConditionStatus::True, &verdict.main)),
    }
    drafts.push(draft(conditions::SYNCED, synced, &verdict.synced));
    drafts.push(draft(conditions::TOKEN_READY, token, &verdict.token));
    drafts
}

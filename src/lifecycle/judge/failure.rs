//! What a failed call means: the finding for people, and whether the failure ends the reconcile.

use crate::crd::conditions::SYNCED;
use crate::domain::finding::Finding;
use crate::domain::reason::Reason;
use crate::domain::remote::{Failure, FailureClass, RemoteWorkspace};
use crate::lifecycle::aspect::{Aspect, Problem};
use crate::lifecycle::effect::{EngineCall, WorkspaceChange};
use crate::lifecycle::findings;
use crate::lifecycle::progress::{PermitProgress, TokenProgress};
use crate::lifecycle::view::View;

/// The failure that ends the reconcile. While no permit is free, a failed sync call also ends it, or an issue that cannot be
/// sent.
pub fn problem(view: &View) -> Option<Problem> {
    let progress = &view.progress;
    if progress.failures.last.is_some() {
        return progress.failures.last.clone();
    }
    if progress.permit == PermitProgress::Open {
        return None;
    }
    let no_permit = || {
        let may_issue = matches!(progress.token, TokenProgress::MayIssue(_));
        may_issue.then(|| findings::no_permit(progress.scarcity))
    };
    Some(Problem {
        aspect: Aspect::Sync,
        finding: of_sync(view).or_else(no_permit)?,
    })
}

/// Why a call about existence, name or state failed in this reconcile. Only a GET is sent while they rest, and what they rest for is
/// true still.
pub fn of_sync(view: &View) -> Option<Finding> {
    let failed = view.progress.failures.sync.as_ref()?;
    Some(match view.rests(Aspect::Sync) {
        true => view.last_word(SYNCED, || failed.clone()),
        false => failed.clone(),
    })
}

/// Of a call made while there is no record: an issue then is a creation.
pub fn of_creation(call: &EngineCall, failure: &Failure) -> Finding {
    match (failure.class, call) {
        (FailureClass::Unknown | FailureClass::Malformed, EngineCall::Issue { name, .. }) => {
            findings::answer_lost(name)
        }
        (
            FailureClass::Denied | FailureClass::Rejected | FailureClass::Conflict,
            EngineCall::Issue { name, .. },
        ) if is_of_plan(failure) => findings::plan_limit(name, &failure.detail),
        (
            FailureClass::Denied | FailureClass::Rejected | FailureClass::Conflict,
            EngineCall::Issue { name, .. },
        ) => findings::creation_refused(name, &failure.detail),
        _ => of_call(call, failure),
    }
}

/// Of any other call.
pub fn of_call(call: &EngineCall, failure: &Failure) -> Finding {
    let detail = &failure.detail;
    match failure.class {
        FailureClass::Denied if matches!(call, EngineCall::Verify(_)) => {
            findings::token_refused_at_once(detail)
        }
        FailureClass::Throttled(_) => findings::throttled(),
        FailureClass::Denied => findings::credential_may_not(call, detail),
        FailureClass::Rejected | FailureClass::Conflict => findings::call_rejected(call, detail),
        FailureClass::Transient | FailureClass::Missing | FailureClass::Malformed | FailureClass::Unknown => {
            findings::call_failed(call, detail)
        }
    }
}

/// An API that trims or folds names would otherwise be sent renames without end.
pub fn kept_otherwise(change: &WorkspaceChange, row: &RemoteWorkspace) -> Option<Finding> {
    match change {
        WorkspaceChange::Rename(wanted) if row.name != *wanted => {
            Some(findings::name_kept_otherwise(wanted, &row.name))
        }
        WorkspaceChange::State(wanted) if row.known_state() != Some(*wanted) => {
            Some(findings::change_ignored(*wanted, row.state))
        }
        WorkspaceChange::Rename(_) | WorkspaceChange::State(_) => None,
    }
}

/// The API refused a change of name or state.
pub fn of_change(change: &WorkspaceChange, failure: &Failure) -> Finding {
    let reason = match failure.class {
        FailureClass::Denied => Reason::AccessDenied,
        _ => Reason::Rejected,
    };
    findings::change_refused(reason, change, &failure.detail)
}

/// The API documents no code for a plan's end: 402 and 403 mean it. No words are documented either, and other refusals speak
/// of limits too (of a name's length).
fn is_of_plan(failure: &Failure) -> bool {
    matches!(failure.status, Some(402 | 403))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::remote::{RemoteState, WorkspaceState};

    #[test]
    fn a_status_that_no_answer_tells_is_not_one_that_was_kept() {
        for (state, said) in [
            (RemoteState::Known(WorkspaceState::Active), "did not change"),
            (RemoteState::Unknown, "cannot be seen"),
        ] {
            let row = RemoteWorkspace {
                id: "ws-1".into(),
                name: "acme".into(),
                organization_id: None,
                state,
                tombstone: false,
                created_at: None,
            };
            let finding = kept_otherwise(&WorkspaceChange::State(WorkspaceState::Inactive), &row);
            let message = finding.expect("a finding").message;
            assert!(message.contains(said), "{message}");
        }
    }
}

//! What a failed call means for people: the reason, what was not done, what to do.

use crate::domain::finding::Finding;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::{Failure, FailureClass, RemoteWorkspace};
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall, WorkspaceChange};

/// Of a call made while there is no record: an issue then is a creation.
pub(super) fn of_creation(effect: &Effect, failure: &Failure) -> Finding {
    match (failure.class, effect) {
        (FailureClass::Unknown | FailureClass::Malformed, Effect::Engine(EngineCall::Issue { name, .. })) => {
            in_flight(name)
        }
        (
            FailureClass::Denied | FailureClass::Rejected | FailureClass::Conflict,
            Effect::Engine(EngineCall::Issue { name, .. }),
        ) => creation_refused(name, failure),
        _ => of_call(effect, failure),
    }
}

/// Of any other call.
pub(super) fn of_call(effect: &Effect, failure: &Failure) -> Finding {
    let detail = &failure.detail;
    match failure.class {
        FailureClass::Denied if matches!(effect, Effect::Engine(EngineCall::Verify(_))) => Finding::new(
            Reason::AccessDenied,
            format!(
                "Agent Engine refused the token that it had just issued: {detail}; nothing was handed out"
            ),
        ),
        FailureClass::Throttled(_) => Finding::new(
            Reason::Throttled,
            "Agent Engine asked to slow down; it is tried again when it allows",
        ),
        FailureClass::Denied => Finding::new(
            Reason::AccessDenied,
            format!(
                "the operator's credential may not {}: {detail}. It needs administrator rights",
                verb(effect)
            ),
        ),
        FailureClass::Rejected | FailureClass::Conflict => Finding::new(
            Reason::Rejected,
            format!("the API refused to {}: {detail}", verb(effect)),
        ),
        FailureClass::Transient | FailureClass::Missing | FailureClass::Malformed | FailureClass::Unknown => {
            Finding::new(
                Reason::ApiUnavailable,
                format!("Agent Engine did not {}: {detail}", verb(effect)),
            )
        }
    }
}
/// An API that trims or folds names would otherwise be renamed at for ever.
pub(super) fn kept_otherwise(change: &WorkspaceChange, row: &RemoteWorkspace) -> Option<Finding> {
    match change {
        WorkspaceChange::Rename(wanted) if row.name != *wanted => Some(Finding::new(
            Reason::Rejected,
            format!(
                "asked to name the workspace {:?}, the API made it {:?}; declare that name",
                wanted.as_str(),
                row.name.as_str()
            ),
        )),
        WorkspaceChange::State(wanted) if super::rules::state::known(row) != Some(*wanted) => {
            Some(Finding::new(
                Reason::Rejected,
                format!("the API took the change of status to {wanted:?}, but the workspace did not change"),
            ))
        }
        WorkspaceChange::Rename(_) | WorkspaceChange::State(_) => None,
    }
}

pub(super) fn refused(change: &WorkspaceChange, failure: &Failure) -> Finding {
    let what = match change {
        WorkspaceChange::Rename(name) => format!("the name {:?}", name.as_str()),
        WorkspaceChange::State(state) => format!("the status {state:?}"),
    };
    match failure.class {
        FailureClass::Denied => Finding::new(
            Reason::AccessDenied,
            format!("the operator's credential may not set {what}: {}", failure.detail),
        ),
        _ => Finding::new(
            Reason::Rejected,
            format!("the API refused {what}: {}", failure.detail),
        ),
    }
}

fn in_flight(name: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::CreationInFlight,
        format!(
            "the answer to the creation of {:?} was lost; it is looked for until it must have come to light, then tried anew",
            name.as_str()
        ),
    )
}

/// The API has no code of its own for a plan's end: 402 and 403 mean it, and others where their words do.
fn creation_refused(name: &WorkspaceName, failure: &Failure) -> Finding {
    let words = failure.detail.to_lowercase();
    let of_plan = ["plan", "limit", "quota", "subscription"]
        .iter()
        .any(|word| words.contains(word));
    let reason = match failure.status {
        Some(402 | 403) => Reason::PlanLimit,
        _ if of_plan => Reason::PlanLimit,
        _ => Reason::Rejected,
    };
    let advice = match reason {
        Reason::PlanLimit => "Raise the plan, remove workspaces, or give the credential administrator rights",
        _ => "WorkspaceChange what is declared",
    };
    Finding::new(
        reason,
        format!(
            "the API refused to create {:?}: {}. {advice}",
            name.as_str(),
            failure.detail
        ),
    )
}

fn verb(effect: &Effect) -> String {
    let of = |what: &str, id: &WorkspaceId| format!("{what} the workspace {id}");
    match effect {
        Effect::Engine(EngineCall::Search(name)) => format!("search for the name {:?}", name.as_str()),
        Effect::Engine(EngineCall::Get(id)) => of("read", id),
        Effect::Engine(EngineCall::Issue { name, .. }) => format!("issue a token for {:?}", name.as_str()),
        Effect::Engine(EngineCall::Verify(_)) => "prove the token".to_owned(),
        Effect::Engine(EngineCall::Update { id, .. }) => of("update", id),
        Effect::Engine(EngineCall::Delete(id)) => of("delete", id),
        Effect::Cluster(ClusterEffect::ReadObject)
        | Effect::Cluster(ClusterEffect::AddFinalizer)
        | Effect::Cluster(ClusterEffect::RemoveFinalizer)
        | Effect::Cluster(ClusterEffect::WriteStatus(_))
        | Effect::Cluster(ClusterEffect::ReadSecret { .. })
        | Effect::Cluster(ClusterEffect::WriteSecret(_))
        | Effect::Cluster(ClusterEffect::DeleteSecret { .. })
        | Effect::Cluster(ClusterEffect::ReadCrd) => effect.kind().to_owned(),
    }
}

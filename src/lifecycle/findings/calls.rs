//! What came of calls that did not do what was asked.

use crate::domain::finding::Finding;
use crate::domain::ids::WorkspaceName;
use crate::domain::reason::Reason;
use crate::domain::remote::{RemoteState, WorkspaceState};
use crate::lifecycle::effect::{EngineCall, WorkspaceChange};
use crate::lifecycle::progress::Scarcity;

pub(in crate::lifecycle) fn throttled() -> Finding {
    Finding::new(
        Reason::Throttled,
        "Agent Engine asked to slow down; the operator tries again when it allows",
    )
}

/// There is no permit. The words name no instant: each change of them would be a write.
pub(in crate::lifecycle) fn no_permit(scarcity: Scarcity) -> Finding {
    match scarcity {
        Scarcity::Pause => throttled(),
        Scarcity::Away => Finding::new(
            Reason::ApiUnavailable,
            "Agent Engine fails every request of the organization; the operator asks it every few seconds, and goes on by \
             itself when it answers",
        ),
        Scarcity::Queue => Finding::new(
            Reason::Queued,
            "waiting for the rate limit of the organization: other objects are before this one. The operator goes on by itself",
        ),
    }
}

/// No reconcile of the object may begin yet.
pub(in crate::lifecycle) fn no_slot() -> Finding {
    Finding::new(
        Reason::Queued,
        "waiting for a slot of the operator: other objects are before this one, or the API of the organization answers slowly. \
         The operator goes on by itself",
    )
}

pub(in crate::lifecycle) fn token_refused_at_once(detail: &str) -> Finding {
    Finding::new(
        Reason::AccessDenied,
        format!("Agent Engine refused the token that it had just issued: {detail}; nothing was handed out"),
    )
}

pub(in crate::lifecycle) fn credential_may_not(call: &EngineCall, detail: &str) -> Finding {
    // A search is a list, and that is how an organization without access to Agents answers it.
    let also = match call {
        EngineCall::Search(_) => "; a 403 can also mean that the organization is not enabled for Agents",
        EngineCall::Get(_)
        | EngineCall::Issue { .. }
        | EngineCall::Verify(_)
        | EngineCall::Update { .. }
        | EngineCall::Delete(_) => "",
    };
    Finding::new(
        Reason::AccessDenied,
        format!(
            "the operator's credential may not {}: {detail}. It needs administrator rights{also}",
            verb(call)
        ),
    )
}

pub(in crate::lifecycle) fn call_rejected(call: &EngineCall, detail: &str) -> Finding {
    Finding::new(
        Reason::Rejected,
        format!("the API refused to {}: {detail}; it is tried again", verb(call)),
    )
}

pub(in crate::lifecycle) fn call_failed(call: &EngineCall, detail: &str) -> Finding {
    Finding::new(
        Reason::ApiUnavailable,
        format!("Agent Engine did not {}: {detail}", verb(call)),
    )
}

pub(in crate::lifecycle) fn plan_limit(name: &WorkspaceName, detail: &str) -> Finding {
    refusal(
        Reason::PlanLimit,
        name,
        detail,
        "Raise the plan, remove workspaces, or give the credential administrator rights",
    )
}

pub(in crate::lifecycle) fn creation_refused(name: &WorkspaceName, detail: &str) -> Finding {
    refusal(
        Reason::Rejected,
        name,
        detail,
        "Change what is declared; or raise the plan, if its limit is the cause",
    )
}

fn refusal(reason: Reason, name: &WorkspaceName, detail: &str, advice: &str) -> Finding {
    Finding::new(
        reason,
        format!(
            "the API refused to create {:?}: {detail}. {advice}",
            name.as_str()
        ),
    )
}

pub(in crate::lifecycle) fn change_refused(
    reason: Reason,
    change: &WorkspaceChange,
    detail: &str,
) -> Finding {
    let what = match change {
        WorkspaceChange::Rename(name) => format!("the name {:?}", name.as_str()),
        WorkspaceChange::State(state) => format!("the status {state:?}"),
    };
    let message = match reason {
        Reason::AccessDenied => format!(
            "the operator's credential may not set {what}: {detail}; the workspace was left as it is. Give the credential \
             administrator rights"
        ),
        _ => format!("the API refused {what}: {detail}; the workspace was left as it is. Declare another"),
    };
    Finding::new(reason, message)
}

pub(in crate::lifecycle) fn name_kept_otherwise(wanted: &WorkspaceName, made: &WorkspaceName) -> Finding {
    Finding::new(
        Reason::Rejected,
        format!(
            "asked to name the workspace {:?}, the API made it {:?}; declare that name",
            wanted.as_str(),
            made.as_str()
        ),
    )
}

/// The answer to a change shows another status than the one asked for, or one that this version does not know.
pub(in crate::lifecycle) fn change_ignored(wanted: WorkspaceState, shown: RemoteState) -> Finding {
    let seen = match shown {
        RemoteState::Known(_) => "the workspace did not change",
        RemoteState::Unknown => {
            "its answers tell no status that this version knows, so the change cannot be seen"
        }
    };
    Finding::new(
        Reason::Rejected,
        format!("the API took the change of status to {wanted:?}, but {seen}"),
    )
}

pub(in crate::lifecycle) fn kubernetes_failed(effect: &str, detail: &str) -> Finding {
    Finding::new(
        Reason::KubernetesApiError,
        format!("the Kubernetes API did not carry out {effect}: {detail}"),
    )
}

/// A reconcile in a loop.
pub(in crate::lifecycle) fn too_many_steps() -> Finding {
    Finding::new(
        Reason::InternalError,
        "the reconcile of this object was ended after 32 steps: the object changes again and again, or the operator runs in a \
         loop. It is tried again later; report it with the log",
    )
}

pub(in crate::lifecycle) fn stamp_too_late() -> Finding {
    Finding::new(
        Reason::KubernetesApiError,
        "the Kubernetes API took too long to store that a creation begins; nothing was sent, and the operator tries again",
    )
}

pub(in crate::lifecycle) fn permit_too_late() -> Finding {
    Finding::new(
        Reason::Throttled,
        "the permit for the creation came too late; nothing was sent, and the operator tries again",
    )
}

fn verb(call: &EngineCall) -> String {
    match call {
        EngineCall::Search(name) => format!("search for the name {:?}", name.as_str()),
        EngineCall::Get(id) => format!("read the workspace {id}"),
        EngineCall::Issue { name, .. } => format!("issue a token for {:?}", name.as_str()),
        EngineCall::Verify(_) => "verify the token".to_owned(),
        EngineCall::Update { id, .. } => format!("update the workspace {id}"),
        EngineCall::Delete(id) => format!("delete the workspace {id}"),
    }
}

//! What people are told of a call that failed: the reason, and words that fit it.

use crate::domain::finding::Finding;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::{Failure, FailureClass, WorkspaceState};
use crate::lifecycle::effect::{EngineCall, TokenSlot, WorkspaceChange};
use crate::lifecycle::judge::failure::{of_call, of_change, of_creation};
use crate::lifecycle::tests::harness::fake_engine::failure;

fn creation_refused(class: FailureClass, status: u16, detail: &str) -> Finding {
    let issue = EngineCall::Issue {
        name: WorkspaceName::from("acme"),
        region: None,
    };
    let failure = Failure {
        detail: detail.to_owned(),
        ..failure(class, status)
    };
    of_creation(&issue, &failure)
}

/// The answer's status tells, never its words.
#[test]
fn a_creation_refused_for_the_plan_says_so() {
    let plan = "Raise the plan, remove workspaces";
    let other = "Change what is declared; or raise the plan";
    for (class, status, detail, reason, advice) in [
        (FailureClass::Denied, 402, "no", Reason::PlanLimit, plan),
        (FailureClass::Denied, 403, "no", Reason::PlanLimit, plan),
        (
            FailureClass::Rejected,
            422,
            "the name exceeds the limit of 64 characters",
            Reason::Rejected,
            other,
        ),
        (
            FailureClass::Rejected,
            400,
            "workspace limit reached",
            Reason::Rejected,
            other,
        ),
        (
            FailureClass::Conflict,
            409,
            "quota exceeded",
            Reason::Rejected,
            other,
        ),
        (FailureClass::Conflict, 409, "taken", Reason::Rejected, other),
    ] {
        let finding = creation_refused(class, status, detail);
        assert_eq!(finding.reason, reason, "{status} {detail}");
        assert!(
            finding.message.contains(advice) && finding.message.contains(detail),
            "{}",
            finding.message
        );
    }
}

/// It was refused as soon as it was issued.
#[test]
fn a_token_refused_at_once_is_no_fault_of_the_credential() {
    let denied = failure(FailureClass::Denied, 403);
    let finding = of_call(&EngineCall::Verify(TokenSlot(1)), &denied);
    assert_eq!(finding.reason, Reason::AccessDenied);
    assert!(
        finding.message.contains("nothing was handed out"),
        "{}",
        finding.message
    );
    let finding = of_call(&EngineCall::Get(WorkspaceId::from("ws-1")), &denied);
    assert_eq!(finding.reason, Reason::AccessDenied);
    assert!(
        finding.message.contains("administrator rights"),
        "{}",
        finding.message
    );
}

/// The credential may not make it.
#[test]
fn a_denied_change_is_no_fault_of_the_spec() {
    let changes = [
        (
            WorkspaceChange::Rename(WorkspaceName::from("zenith")),
            "the name \"zenith\"",
        ),
        (
            WorkspaceChange::State(WorkspaceState::Inactive),
            "the status Inactive",
        ),
    ];
    for (change, what) in changes {
        for (class, reason, says) in [
            (
                FailureClass::Denied,
                Reason::AccessDenied,
                "credential may not set",
            ),
            (FailureClass::Rejected, Reason::Rejected, "the API refused"),
            (FailureClass::Conflict, Reason::Rejected, "the API refused"),
        ] {
            let finding = of_change(&change, &failure(class, 400));
            assert_eq!(finding.reason, reason);
            assert!(
                finding.message.contains(&format!("{says} {what}")),
                "{}",
                finding.message
            );
        }
    }
}

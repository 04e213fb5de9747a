//! The token and its Secret.

use crate::crd::metadata_keys::WORKSPACE_LABEL;
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::lifecycle::facts::{Differing, Key};
use crate::lifecycle::view::Record;

pub(in crate::lifecycle) fn verified() -> Finding {
    Finding::new(
        Reason::TokenVerified,
        "a token verified to open this workspace is in the Secret",
    )
}

/// Labels and annotations that the operator leaves alone, because they were changed again after its write.
pub(in crate::lifecycle) fn verified_and_contested(secret: &str, differing: &Differing) -> Finding {
    let keys: Vec<_> = differing
        .keys()
        .map(|key| match key {
            Key::Label(key) => format!("label {key:?}"),
            Key::Annotation(key) => format!("annotation {key:?}"),
        })
        .collect();
    Finding::new(
        Reason::TokenVerified,
        format!(
            "{}; an admission policy or another client keeps other values of {}, which the operator leaves alone: `kubectl \
             get secret {secret} --output yaml --show-managed-fields` names a client, or the operator where a policy changes \
             its write",
            verified().message,
            keys.join(", ")
        ),
    )
}

pub(in crate::lifecycle) fn secret_altered(secret: &str) -> Finding {
    Finding::new(
        Reason::SecretAltered,
        format!(
            "the API server stored the Secret {secret:?} otherwise than it was written: an admission policy changes its keys \
             or the annotations of the operator. The token in it is not vouched for, and is renewed when it is due. Exempt \
             the Secret from that policy (label {WORKSPACE_LABEL}), then delete it: it is made again at once"
        ),
    )
}

pub(in crate::lifecycle) fn being_issued() -> Finding {
    Finding::new(Reason::TokenPending, "a token is being issued")
}

pub(in crate::lifecycle) fn waits() -> Finding {
    Finding::new(Reason::TokenPending, "the token is waiting for its next attempt")
}

pub(in crate::lifecycle) fn rename_unclear() -> Finding {
    Finding::new(
        Reason::TokenPending,
        "a rename is unclear; the token is renewed when it has settled",
    )
}

/// Two programs fight over a Secret.
pub(in crate::lifecycle) fn secret_fight(name: &str) -> Finding {
    Finding::new(
        Reason::TokenPending,
        format!(
            "another client keeps deleting or changing the Secret {name:?}; it is restored at most once a minute. Find that \
             client (audit log, managedFields)"
        ),
    )
}

pub(in crate::lifecycle) fn disabled() -> Finding {
    Finding::new(Reason::TokenDisabled, "spec.tokenSecret.enabled is false")
}

pub(in crate::lifecycle) fn declared_inactive() -> Finding {
    Finding::new(
        Reason::WorkspaceInactive,
        "the workspace is declared inactive: no workload is handed access",
    )
}

pub(in crate::lifecycle) fn inactive() -> Finding {
    Finding::new(
        Reason::WorkspaceInactive,
        "the workspace is inactive: no workload is handed access",
    )
}

pub(in crate::lifecycle) fn unknown_state() -> Finding {
    Finding::new(
        Reason::WorkspaceInactive,
        "the workspace is in a state that this version does not know: no workload is handed access",
    )
}

/// What is known of the name is its beginning, and an issue under that would make another workspace.
pub(in crate::lifecycle) fn name_too_long() -> Finding {
    Finding::new(
        Reason::Rejected,
        format!(
            "the workspace's name at Agent Engine is longer than {} characters; no token is issued under it. Rename the \
             workspace there; or let the operator do it, by removing spec.suspend",
            WorkspaceName::LONGEST
        ),
    )
}

pub(in crate::lifecycle) fn secret_not_owned(name: &str) -> Finding {
    Finding::new(
        Reason::SecretNotOwned,
        format!(
            "a Secret {name:?} exists and does not belong to this Workspace; it was left untouched. Remove it, or choose \
             another spec.tokenSecret.name"
        ),
    )
}

/// Another Workspace uses the Secret, or is to use it.
pub(in crate::lifecycle) fn secret_of_another(name: &str, workspace: &str) -> Finding {
    Finding::new(
        Reason::SecretNotOwned,
        format!(
            "the Secret {name:?} is marked as that of the Workspace object {workspace:?}; it was left untouched. Choose another \
             spec.tokenSecret.name. Two objects exchange theirs by way of a third: set another name here, and the wanted one \
             once the other is Ready"
        ),
    )
}

pub(in crate::lifecycle) fn verified_of_another_organization(
    record: &Record,
    other: &OrganizationId,
) -> Finding {
    Finding::new(
        Reason::IdentityMismatch,
        format!(
            "a token for the workspace {} says that it belongs to organization {other}, recorded is {}; the token was dropped \
             and nothing handed out",
            record.id, record.organization_id
        ),
    )
}

//! The token and its Secret.

use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::domain::reason::Reason;
use crate::lifecycle::view::Record;

pub(in crate::lifecycle) fn verified() -> Finding {
    Finding::new(
        Reason::TokenVerified,
        "a token verified to open this workspace is in the Secret",
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

pub(in crate::lifecycle) fn secret_not_owned(name: &str) -> Finding {
    Finding::new(
        Reason::SecretNotOwned,
        format!(
            "a Secret {name:?} exists and does not belong to this Workspace; it was left untouched. Remove it, or choose \
             another spec.tokenSecret.name"
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

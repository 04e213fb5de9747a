//! Organizations that cannot be used.

use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::domain::reason::Reason;

pub(in crate::lifecycle) fn not_found(name: &str, searched: &str) -> Finding {
    Finding::new(
        Reason::OrganizationNotFound,
        format!(
            "no Organization {name:?} in namespace {searched:?}, the only one that Organizations are read from; create it \
             there, or delete this object and create it again with the right spec.organization, which cannot be changed"
        ),
    )
}

pub(in crate::lifecycle) fn not_decodable(name: &str) -> Finding {
    Finding::new(
        Reason::OrganizationNotReady,
        format!("the Organization {name:?} cannot be decoded; see its events, and correct it"),
    )
}

pub(in crate::lifecycle) fn not_ready(name: &str, why: &str) -> Finding {
    Finding::new(
        Reason::OrganizationNotReady,
        format!("the Organization {name:?} is not ready: {why}"),
    )
}

/// The credential was swapped for another organization's.
pub(in crate::lifecycle) fn changed(pinned: &OrganizationId, found: &OrganizationId) -> String {
    format!(
        "the Organization's credential belongs to organization {found}, but it stands for {pinned}; nothing was asked of \
         {found}. Restore the credential of {pinned}; or, where spec.organizationId of the Organization is wrong, correct or \
         remove it"
    )
}

pub(in crate::lifecycle) fn mismatch(pinned: &OrganizationId, found: &OrganizationId) -> Finding {
    Finding::new(Reason::OrganizationMismatch, changed(pinned, found))
}

//! Whether an Organization's credential belongs to the Agent Engine organization that it should, and whether that
//! organization's list is credible.

use super::ids::OrganizationId;

/// Whether the credential is known to belong to the Agent Engine organization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verification {
    Pending {
        why: String,
    },
    Verified(OrganizationId),
    /// The credential belongs to another organization than the pinned one. No call is made to that one.
    Changed {
        pinned: OrganizationId,
        found: OrganizationId,
    },
}

impl Verification {
    /// The verified Agent Engine organization.
    pub fn verified(&self) -> Option<&OrganizationId> {
        match self {
            Verification::Verified(id) => Some(id),
            Verification::Pending { .. } | Verification::Changed { .. } => None,
        }
    }
}

/// How many workspaces are missing from the list at once: with many, the operator doubts the whole list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    Few,
    Many,
}

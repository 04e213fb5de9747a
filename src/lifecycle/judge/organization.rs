//! Whether Agent Engine can be asked at all: an Organization that is there, readable, and verified.

use crate::crd::conditions::{self, READY};
use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::domain::verification::Verification;
use crate::lifecycle::facts::{OrganizationFacts, ReadableOrganization};
use crate::lifecycle::findings;
use crate::lifecycle::progress::StatusProgress;
use crate::lifecycle::view::View;

/// Why the Organization cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unusable<'a> {
    NotFound {
        name: &'a str,
        searched: &'a str,
    },
    NotDecodable {
        name: &'a str,
    },
    Pending {
        name: &'a str,
        why: &'a str,
    },
    Changed {
        pinned: &'a OrganizationId,
        found: &'a OrganizationId,
    },
}

/// The Organization with the id that it was verified to be, or why it cannot be used.
pub fn usable(view: &View) -> Result<(&ReadableOrganization, &OrganizationId), Unusable<'_>> {
    let organization = match &view.organization {
        OrganizationFacts::NotFound { name, searched } => return Err(Unusable::NotFound { name, searched }),
        OrganizationFacts::Unreadable { name } => return Err(Unusable::NotDecodable { name }),
        OrganizationFacts::Readable(organization) => organization,
    };
    match &organization.verification {
        Verification::Verified(id) => Ok((organization, id)),
        Verification::Pending { why } => Err(Unusable::Pending {
            name: &organization.name,
            why,
        }),
        Verification::Changed { pinned, found } => Err(Unusable::Changed { pinned, found }),
    }
}

impl Unusable<'_> {
    pub fn finding(&self) -> Finding {
        match self {
            Unusable::NotFound { name, searched } => findings::organization_not_found(name, searched),
            Unusable::NotDecodable { name } => findings::not_decodable(name),
            Unusable::Pending { name, why } => findings::not_ready(name, why),
            Unusable::Changed { pinned, found } => findings::mismatch(pinned, found),
        }
    }
}

/// The finding if the verified organization is not `bound`, the recorded or intended one.
pub fn mismatch(view: &View, bound: &OrganizationId) -> Option<Finding> {
    let verified = view.verified()?;
    (bound != verified).then(|| findings::mismatch(bound, verified))
}

/// The Organization's name, while this process knows nothing of it yet.
pub fn being_verified(view: &View) -> Option<&str> {
    match usable(view) {
        Err(Unusable::Pending { name, .. }) => Some(name).filter(|_| {
            view.readable()
                .is_some_and(|organization| organization.revision == 0)
        }),
        Ok(_) | Err(Unusable::NotFound { .. } | Unusable::NotDecodable { .. } | Unusable::Changed { .. }) => {
            None
        }
    }
}

/// Whether this process knows nothing of the Organization yet, and the stored status is of the current generation.
pub fn is_untold(view: &View, organization: &ReadableOrganization) -> bool {
    let spoken = view.progress.status == StatusProgress::Unwritten
        && view.stored.observed_generation == Some(view.object.generation);
    organization.revision == 0 && spoken
}

/// Whether the stored status says Ready for the spec of now.
pub fn was_ready(view: &View) -> bool {
    view.stored.observed_generation == Some(view.object.generation)
        && conditions::is_true(&view.stored.conditions, READY)
}

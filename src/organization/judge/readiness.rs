//! The one thing that Ready says.

use crate::domain::ids::OrganizationId;
use crate::domain::object::Deletion;
use crate::domain::reason::Reason;
use crate::organization::judge::demand::{Shortage, shortage};
use crate::organization::judge::listing::many_missing;
use crate::organization::judge::trouble::Trouble;
use crate::organization::judge::verification::{Owner, Unknown, owner};
use crate::organization::memory::NoClient;
use crate::organization::view::View;

/// In this order, the first that holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Readiness<'a> {
    /// It is being deleted, and Workspaces still name it.
    InUse,
    /// To which organization the credential belongs is not known.
    Unknown(Unknown<'a>),
    /// The credential belongs to another organization.
    Changed {
        pinned: &'a OrganizationId,
        found: &'a OrganizationId,
    },
    /// So many workspaces are missing from the list that it is doubted.
    ManyMissing(usize),
    ListFailed(Trouble<'a>),
    /// Verified, but the declared rate is too low for what is managed.
    RateTooLow(Shortage),
    Verified,
}

/// Whether it is being deleted while Workspaces name it.
pub fn is_in_use(view: &View) -> bool {
    view.object.deletion == Deletion::Requested && view.users > 0
}

/// What Ready says. What holds the Workspaces of one that is being deleted comes first: they hold it.
pub fn readiness(view: &View) -> Readiness<'_> {
    match cause(view) {
        Readiness::Verified if is_in_use(view) => Readiness::InUse,
        cause => cause,
    }
}

fn cause(view: &View) -> Readiness<'_> {
    match owner(view) {
        Owner::Unknown(unknown) => return Readiness::Unknown(unknown),
        Owner::Changed { pinned, found } => return Readiness::Changed { pinned, found },
        Owner::Verified(_) => {}
    }
    if let Some(count) = many_missing(view) {
        return Readiness::ManyMissing(count);
    }
    match &view.memory.listing.failure {
        Some(failure) => Readiness::ListFailed(Trouble::of_list(failure)),
        None => shortage(view).map_or(Readiness::Verified, Readiness::RateTooLow),
    }
}

impl Readiness<'_> {
    /// Its reason.
    pub fn reason(&self) -> Reason {
        match self {
            Readiness::InUse => Reason::InUse,
            Readiness::Unknown(unknown) => unknown.reason(),
            Readiness::Changed { .. } => Reason::OrganizationMismatch,
            Readiness::ManyMissing(_) => Reason::ManyWorkspacesMissing,
            Readiness::ListFailed(trouble) => of_list(trouble),
            Readiness::RateTooLow(_) => Reason::RateTooLow,
            Readiness::Verified => Reason::Verified,
        }
    }
}

impl Unknown<'_> {
    /// Its reason.
    pub fn reason(&self) -> Reason {
        match self {
            Unknown::NoClient(NoClient::Missing { .. }) => Reason::CredentialsMissing,
            Unknown::NoClient(NoClient::Unread { .. }) => Reason::KubernetesApiError,
            Unknown::NoClient(NoClient::Unusable { .. }) => Reason::InvalidConfiguration,
            Unknown::NotExchanged => Reason::ApiUnavailable,
            Unknown::ExchangeFailed(Trouble::Refused(_)) => Reason::CredentialsRejected,
            Unknown::Paused | Unknown::ExchangeFailed(Trouble::Throttled) => Reason::Throttled,
            Unknown::ExchangeFailed(Trouble::Unreached(_)) => Reason::ApiUnavailable,
            Unknown::ListFailed(trouble) => of_list(trouble),
            Unknown::Unnamed => Reason::OrganizationUnknown,
        }
    }
}

fn of_list(trouble: &Trouble<'_>) -> Reason {
    match trouble {
        Trouble::Refused(_) => Reason::AccessDenied,
        Trouble::Throttled => Reason::Throttled,
        Trouble::Unreached(_) => Reason::ApiUnavailable,
    }
}

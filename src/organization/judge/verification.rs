//! To which organization the credential belongs.

use crate::domain::ids::OrganizationId;
use crate::organization::judge::pause;
use crate::organization::judge::trouble::Trouble;
use crate::organization::memory::{Credential, NoClient};
use crate::organization::view::View;

/// The organization that the credential belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Owner<'a> {
    Unknown(Unknown<'a>),
    Verified(&'a OrganizationId),
    /// Another one than this Organization is pinned to.
    Changed {
        pinned: &'a OrganizationId,
        found: &'a OrganizationId,
    },
}

/// Why it is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unknown<'a> {
    NoClient(&'a NoClient),
    NotExchanged,
    /// It was not exchanged, because Agent Engine has asked for no requests.
    Paused,
    ExchangeFailed(Trouble<'a>),
    /// The answer to the exchange names none, and the list, whose rows might, failed.
    ListFailed(Trouble<'a>),
    /// Neither the answer to the exchange nor the list names one.
    Unnamed,
}

/// To which organization the credential belongs, from what the exchange and the list named. Pinned is what is declared, else
/// what was verified before.
pub fn owner(view: &View) -> Owner<'_> {
    let listing = &view.memory.listing;
    let by_exchange = match &view.memory.credential {
        Credential::NoClient(none) => return Owner::Unknown(Unknown::NoClient(none)),
        Credential::NotExchanged if pause::lasting(view).is_some() => return Owner::Unknown(Unknown::Paused),
        Credential::NotExchanged => return Owner::Unknown(Unknown::NotExchanged),
        Credential::Refused(failure) => {
            return Owner::Unknown(Unknown::ExchangeFailed(Trouble::of_exchange(failure)));
        }
        Credential::Accepted { organization_id } => organization_id.as_ref(),
    };
    let by_rows = || listing.complete.as_ref()?.organization_id.as_ref();
    let Some(found) = by_exchange.or_else(by_rows) else {
        return Owner::Unknown(match &listing.failure {
            Some(failure) => Unknown::ListFailed(Trouble::of_list(failure)),
            None => Unknown::Unnamed,
        });
    };
    let declared = view.declared.organization_id.as_ref();
    match declared.or(view.stored.organization_id.as_ref()) {
        Some(pinned) if pinned != found => Owner::Changed { pinned, found },
        Some(_) | None => Owner::Verified(found),
    }
}

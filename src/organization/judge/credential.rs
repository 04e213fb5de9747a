//! Whether the credential works, as far as is known.

use std::time::Duration;

use crate::organization::judge::trouble::Trouble;
use crate::organization::judge::verification::{Owner, owner};
use crate::organization::memory::{Credential, NoClient};
use crate::organization::progress::List;
use crate::organization::view::View;

/// How long a credential of another organization is left alone. Such a question costs two calls at most, twice an hour.
const OWNER_HOLDS: Duration = Duration::from_secs(29 * 60);

/// Whether the last exchange was accepted.
pub fn is_accepted(view: &View) -> bool {
    match view.memory.credential {
        Credential::Accepted { .. } => true,
        Credential::NoClient(_) | Credential::NotExchanged | Credential::Refused(_) => false,
    }
}

/// Whether something is wrong that only another call to Agent Engine can mend.
pub fn is_failing(view: &View) -> bool {
    match &view.memory.credential {
        Credential::Refused(_) | Credential::NoClient(NoClient::Unread { .. }) => true,
        Credential::NoClient(NoClient::Missing { .. } | NoClient::Unusable { .. }) => false,
        Credential::NotExchanged | Credential::Accepted { .. } => view.memory.listing.failure.is_some(),
    }
}

/// Whether a credential that belonged to another organization may have been let in again: that is asked now and then.
pub fn may_belong_again(view: &View) -> bool {
    let exchanged_at = view.memory.exchanged_at;
    let due = exchanged_at.is_none_or(|at| at.later(OWNER_HOLDS) <= view.uptime());
    (due || view.is_reconcile_requested()) && matches!(owner(view), Owner::Changed { .. })
}

/// Whether this reconcile's list was denied to a credential that was accepted: it may have been taken back.
pub fn is_in_doubt(view: &View) -> bool {
    let failure = view.memory.listing.failure.as_ref();
    let denied = failure.is_some_and(|failure| matches!(Trouble::of_list(failure), Trouble::Refused(_)));
    denied && view.progress.list == List::Failed && is_accepted(view)
}

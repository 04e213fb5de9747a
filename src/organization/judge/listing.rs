//! When the shared list is due, and what it says about missing workspaces.

use std::time::Duration;

use crate::domain::time::Uptime;
use crate::domain::verification::Missing;
use crate::organization::judge::credential::is_accepted;
use crate::organization::judge::verification::{Owner, owner};
use crate::organization::snapshot::Comparison;
use crate::organization::view::View;

/// Lists are at least this far apart, however many ask for one before its time, and however the last one failed. Only a
/// reconcile request does not wait for it.
pub const LISTS_APART: Duration = Duration::from_secs(15);

/// Whether there is a list to take: not with a credential that does not work, nor with one of another organization.
pub fn is_listable(view: &View) -> bool {
    is_accepted(view) && !matches!(owner(view), Owner::Changed { .. })
}

/// When the next list is due, apart from reconcile requests; at once if there was none yet.
pub fn list_due_at(view: &View) -> Uptime {
    let Some(listed_at) = view.memory.listed_at else {
        return view.uptime();
    };
    let hurried = view.memory.listing.failure.is_some() || is_list_wanted(view);
    let interval = view.declared.poll_interval();
    let wait = if hurried {
        interval.min(LISTS_APART)
    } else {
        interval
    };
    listed_at.later(wait)
}

/// Whether the list is wanted before its time: by a reconcile over a Workspace since the last one was begun, or by whoever
/// confirms that the missing workspaces were really deleted.
fn is_list_wanted(view: &View) -> bool {
    let by_workspace = view.list_wanted_at > view.memory.listed_at;
    let complete = view.memory.listing.complete.as_ref();
    let by_confirmation = complete.is_some_and(|list| {
        list.missing == Missing::Many && view.object.confirm_missing == Some(list.missing_count)
    });
    by_workspace || by_confirmation
}

/// How many workspaces are missing at once, if they are so many that the list is doubted. Until a complete list says
/// otherwise, that is as the status has it, from the process before this one.
pub fn many_missing(view: &View) -> Option<usize> {
    match &view.memory.listing.complete {
        Some(list) => (list.missing == Missing::Many).then_some(list.missing_count),
        None => view
            .stored
            .missing_workspaces
            .and_then(|count| usize::try_from(count).ok()),
    }
}

/// The same in the word that Workspaces know.
pub fn missing(view: &View) -> Missing {
    many_missing(view).map_or(Missing::Few, |_| Missing::Many)
}

/// What a comparison says: many are doubted, unless someone has confirmed exactly that many.
pub fn missing_in(comparison: &Comparison, confirmed: Option<usize>) -> Missing {
    if comparison.are_many_missing() && confirmed != Some(comparison.missing) {
        Missing::Many
    } else {
        Missing::Few
    }
}

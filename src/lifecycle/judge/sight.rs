//! I7: whether the organization shows its workspaces to us. One that hides them answers 200 with no row, and 404 by id: it
//! says of each workspace what it says of a deleted one. Any row shows that it does not.

use crate::crd::workspace::MissingWorkspace;
use crate::lifecycle::judge::identity;
use crate::lifecycle::view::{Record, View};

/// Whether a search of this reconcile shows any workspace. Those from before a "not found" are dropped with it.
pub fn shows_any(view: &View) -> bool {
    let mut rows = view.progress.searches.values().flat_map(|search| &search.rows);
    rows.any(|row| !row.tombstone)
}

/// Whether a list that was begun after the recorded workspace was first not found shows others.
pub fn has_listed_since(view: &View, record: &Record) -> bool {
    identity::missing(view, record).is_some_and(|missing| lists_others_since(view, &missing))
}

/// The same of any workspace that is missing.
pub fn lists_others_since(view: &View, missing: &MissingWorkspace) -> bool {
    let listed = view.listed.as_ref().filter(|listed| listed.row.is_none());
    listed.is_some_and(|listed| {
        listed.length > 0 && listed.begun_at > missing.since.0 && !identity::are_many_missing(view)
    })
}

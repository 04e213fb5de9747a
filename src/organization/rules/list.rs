//! The shared list: when it is taken, and how it is brought to its end.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::time::elapsed;
use crate::organization::effect::{ClusterEffect, EngineCall, Part};
use crate::organization::judge::listing::{is_listable, list_due_at};
use crate::organization::judge::rest::rest;
use crate::organization::progress::{List, Store};
use crate::organization::step::Step;
use crate::organization::view::View;

/// How often a store is asked that has not seen our own last writes.
pub const STORE_AGAIN: Duration = Duration::from_millis(250);

/// One list an interval, whatever the number of objects; sooner if it failed or is wanted, and at once if a reconcile is
/// requested.
pub fn take_the_list(view: &View) -> Option<Step> {
    let due = list_due_at(view) <= view.uptime() || view.is_reconcile_requested();
    let may = view.progress.list == List::NotBegun && is_listable(view) && rest(view).is_none();
    (due && may).then_some(Step::act(EngineCall::List(Part::First)))
}

/// All or nothing: a part of a list does not show that a workspace is missing.
pub fn read_the_next_page(view: &View) -> Option<Step> {
    matches!(view.progress.list, List::Partial { .. }).then_some(Step::act(EngineCall::List(Part::Next)))
}

/// The records are gathered after the list was read: a workspace that was created while it was read shall not count as
/// missing.
pub fn compare_with_what_is_recorded(view: &View) -> Option<Step> {
    let List::Complete { store, .. } = &view.progress.list else {
        return None;
    };
    // An instant further ahead is from before the clock was set back.
    let is_ahead = |at: Timestamp| at > view.now && elapsed(view.now, at) <= STORE_AGAIN;
    Some(match store {
        Store::Behind { again_at, .. } if is_ahead(*again_at) => Step::Wait(*again_at),
        Store::Behind { .. } | Store::NotAsked => Step::act(ClusterEffect::ReadRecords),
    })
}

//! The shared list: when it is taken, and how it is brought to its end.

use crate::organization::effect::{Effect, Part};
use crate::organization::plan::Step;
use crate::organization::view::{List, View};

/// One list an interval, whatever the number of objects; sooner where it failed, where it is wanted, and at once where a
/// reconcile is asked for.
pub fn take_the_list(view: &View) -> Option<Step> {
    let due = view.list_due_at() <= view.now || view.is_asked();
    let may = view.progress.list == List::NotBegun && view.is_listable() && view.rests_until().is_none();
    (due && may).then_some(Step::Act(Effect::List(Part::First)))
}

/// All or nothing: what a part of the list lacks says nothing.
pub fn read_the_next_page(view: &View) -> Option<Step> {
    matches!(view.progress.list, List::Partial { .. }).then_some(Step::Act(Effect::List(Part::Next)))
}

/// What is recorded is gathered after the list was read: what was made while it was read shall not read as missing.
pub fn compare_with_what_is_recorded(view: &View) -> Option<Step> {
    if !matches!(view.progress.list, List::Complete { .. }) {
        return None;
    }
    Some(match view.progress.records_again_at {
        Some(at) if at > view.now => Step::Wait(at),
        Some(_) | None => Step::Act(Effect::ReadRecords),
    })
}

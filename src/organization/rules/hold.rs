//! Holding an Organization while Workspaces use it, and letting it go.

use std::time::Duration;

use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::Reason;
use crate::organization::effect::ClusterEffect;
use crate::organization::judge::holder;
use crate::organization::progress::{Attempt, Incarnation};
use crate::organization::step::Step;
use crate::organization::view::View;
use crate::organization::wakeups::{Wakeup, Why};

/// The written object begins the next reconcile; this is for a missed event.
const ITS_EVENT_COMES_WITHIN: Duration = Duration::from_secs(5);

/// Finalizers of others may hold it longer, and a write that failed is tried again.
const GOES_WITHIN: Duration = Duration::from_secs(30);

/// The name is another object's by now. That one has a reconcile of its own.
pub fn leave_what_was_replaced(view: &View) -> Option<Step> {
    (view.progress.object == Incarnation::Replaced).then(|| {
        Step::Leave(
            Reason::Deleting,
            Wakeup::after(view.now, Duration::ZERO, Why::Replaced),
        )
    })
}

/// An Organization that no Workspace names any more may go. Nothing is asked of Agent Engine for it.
pub fn let_it_go(view: &View) -> Option<Step> {
    if view.object.deletion != Deletion::Requested || view.users > 0 {
        return None;
    }
    let leave = |why| Step::Leave(Reason::Deleting, Wakeup::after(view.now, GOES_WITHIN, why));
    if holder::is_left_to_another(view) {
        return Some(leave(Why::WaitsForOthers));
    }
    Some(match (view.object.finalizer, view.progress.finalizer) {
        (Finalizer::Present, Attempt::NotMade) => Step::act(ClusterEffect::RemoveFinalizer),
        (Finalizer::Present, Attempt::Failed) => leave(Why::FinalizerUnwritten),
        (Finalizer::Absent, _) | (Finalizer::Present, Attempt::Done) => leave(Why::WaitsForOthers),
    })
}

/// Our finalizer is there before anything is done with the Organization. If it cannot be written, the rest goes on.
pub fn hold_by_finalizer(view: &View) -> Option<Step> {
    let is_held = view.object.finalizer == Finalizer::Present || holder::is_left_to_another(view);
    if view.object.deletion == Deletion::Requested || is_held {
        return None;
    }
    match view.progress.finalizer {
        Attempt::NotMade => Some(Step::act(ClusterEffect::AddFinalizer)),
        Attempt::Done => Some(Step::Leave(
            Reason::Updating,
            Wakeup::after(view.now, ITS_EVENT_COMES_WITHIN, Why::FinalizerWritten),
        )),
        Attempt::Failed => None,
    }
}

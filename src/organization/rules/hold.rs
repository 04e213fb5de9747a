//! Holding an Organization while Workspaces use it, and letting it go.

use std::time::Duration;

use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::Reason;
use crate::organization::effect::Effect;
use crate::organization::plan::Step;
use crate::organization::view::{Attempt, View};

/// The written object begins the next reconcile; this is for a missed event.
const ITS_EVENT_COMES_WITHIN: Duration = Duration::from_secs(5);

/// Others' finalizers may hold it longer, and a write that failed is tried again.
const GOES_WITHIN: Duration = Duration::from_secs(30);

/// An Organization that nobody names any more may go. Nothing is asked of Agent Engine for it.
pub fn let_it_go(view: &View) -> Option<Step> {
    if view.object.deletion != Deletion::Requested || view.users > 0 {
        return None;
    }
    match (view.object.finalizer, view.progress.finalizer) {
        (Finalizer::Present, Attempt::NotMade) => Some(Step::Act(Effect::RemoveFinalizer)),
        (Finalizer::Absent, _) | (Finalizer::Present, Attempt::Done | Attempt::Failed) => {
            Some(Step::Leave(Reason::Deleting, GOES_WITHIN))
        }
    }
}

/// Our finalizer is there before anything is done with the Organization. Where it cannot be written, the rest goes on.
pub fn hold_by_finalizer(view: &View) -> Option<Step> {
    if view.object.deletion == Deletion::Requested || view.object.finalizer == Finalizer::Present {
        return None;
    }
    match view.progress.finalizer {
        Attempt::NotMade => Some(Step::Act(Effect::AddFinalizer)),
        Attempt::Done => Some(Step::Leave(Reason::Updating, ITS_EVENT_COMES_WITHIN)),
        Attempt::Failed => None,
    }
}

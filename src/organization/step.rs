//! What a rule may name.

use jiff::Timestamp;

use crate::domain::reason::Reason;
use crate::organization::effect::{Effect, Wake};
use crate::organization::wakeups::Wakeup;

/// The one next thing to do, or the end.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Act(Effect),
    /// Let reconciles over Workspaces see what is known now, and wake these.
    Publish(Wake),
    /// Until this instant, a moment away.
    Wait(Timestamp),
    /// The reconcile ends here, and the status stays as it is.
    Leave(Reason, Wakeup),
    /// Nothing is left to do: the status is written if it differs, and the reconcile ends.
    Settle,
}

impl Step {
    /// An effect of either family.
    pub fn act(effect: impl Into<Effect>) -> Self {
        Step::Act(effect.into())
    }
}

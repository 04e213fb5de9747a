//! What back-off charges an Organization for.

use crate::limits::{FailedAttempt, Urgency};
use crate::organization::effect::{EngineCall, Part};
use crate::organization::judge::credential::is_failing;
use crate::organization::judge::rest::{cause, rest};
use crate::organization::view::View;

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Nothing is wrong: back-off is forgotten.
    Well,
    /// Something is wrong or at rest, but nothing was tried.
    Waits,
    /// Something was tried and failed: its calls are charged.
    Failed,
}

/// How it ended.
pub fn ended(view: &View) -> Ended {
    if view.progress.has_failed() {
        Ended::Failed
    } else if rest(view).is_none() && !is_failing(view) {
        Ended::Well
    } else {
        Ended::Waits
    }
}

/// How many of the requests of a call are charged. A large organization is no dearer for failing: of a list that is one page.
pub fn charged(call: EngineCall, requests: u32) -> u32 {
    match call {
        EngineCall::List(Part::Next) => 0,
        EngineCall::Exchange | EngineCall::ExchangeUnnamed | EngineCall::List(Part::First) => requests,
    }
}

/// Charges the reconcile to the back-off.
pub(super) fn charge(view: &mut View) {
    match ended(view) {
        Ended::Well => view.memory.backoff.succeeded(),
        Ended::Waits => {}
        Ended::Failed => {
            let (cause, now) = (cause(view), view.uptime());
            let backoff = &mut view.memory.backoff;
            let attempt = FailedAttempt {
                calls: view.progress.calls,
                urgency: Urgency::Organization,
                fault: view.progress.fault.unwrap_or(backoff.fault()),
            };
            backoff.failed(now, cause, attempt, &view.object.uid);
        }
    }
}

//! When an Organization is reconciled again, and why. Pure.

use std::time::Duration;

use jiff::Timestamp;
use strum::IntoStaticStr;

use crate::domain::time::later;
use crate::limits::Fault;
use crate::organization::judge::listing::{is_listable, list_due_at};
use crate::organization::judge::rest::{Rest, Resting, rest};
use crate::organization::progress::Attempt;
use crate::organization::view::View;

/// No Organization goes without a reconcile for longer: a missed event heals by then.
pub const POLL: Duration = Duration::from_secs(30 * 60);

/// A status that could not be written is written again then, should no event come first.
const STATUS_AGAIN: Duration = Duration::from_secs(30);

/// An Organization that rests after a failure of the server's asks the rate limiter then whether the server is well.
const RELIEVED_WITHIN: Duration = Duration::from_secs(300);

/// The next reconcile, unless an event begins one before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wakeup {
    pub at: Timestamp,
    pub why: Why,
}

/// What the next reconcile is for.
#[derive(Clone, Copy, Debug, Eq, IntoStaticStr, PartialEq)]
#[strum(serialize_all = "snake_case")]
pub enum Why {
    /// Nothing is due; an event may have been missed.
    Poll,
    /// The shared list is due.
    ListDue,
    /// Something failed and is tried again.
    Retry,
    /// The rate limiter grants a call.
    PermitGranted,
    /// Agent Engine takes requests again.
    Throttled,
    /// The status could not be written.
    StatusUnwritten,
    /// The finalizer was written; the event of that write may be missed.
    FinalizerWritten,
    /// The finalizer could not be taken off.
    FinalizerUnwritten,
    /// It is released, and someone else's finalizer holds it.
    WaitsForOthers,
    /// Another object has its name.
    Replaced,
}

impl Wakeup {
    /// After this time.
    pub fn after(now: Timestamp, wait: Duration, why: Why) -> Self {
        let at = later(now, wait);
        Self { at, why }
    }
}

impl Why {
    /// Stable name for logs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The earliest wake-up of a reconcile that has done all it could.
pub fn next(view: &View) -> Wakeup {
    let poll = Wakeup::after(view.now, POLL, Why::Poll);
    let unwritten = (view.progress.status == Attempt::Failed)
        .then(|| Wakeup::after(view.now, STATUS_AGAIN, Why::StatusUnwritten));
    [next_call(view), unwritten, may_be_relieved(view)]
        .into_iter()
        .flatten()
        .fold(
            poll,
            |first, other| if other.at < first.at { other } else { first },
        )
}

/// The server may be well again before the rest is over.
fn may_be_relieved(view: &View) -> Option<Wakeup> {
    let rests = rest(view).is_some_and(|rest| rest.why == Resting::BackOff);
    (rests && view.memory.backoff.fault() == Fault::Server)
        .then(|| Wakeup::after(view.now, RELIEVED_WITHIN, Why::Retry))
}

/// When Agent Engine is asked again: at the end of the rest, and not before a list is due, if there is one to take.
fn next_call(view: &View) -> Option<Wakeup> {
    let rested = rest(view).map(|Rest { until: at, why }| Wakeup { at, why: why.into() });
    let list = is_listable(view).then(|| Wakeup {
        at: view.by_the_wall_clock(list_due_at(view)),
        why: Why::ListDue,
    });
    match (rested, list) {
        (Some(rested), Some(list)) if list.at > rested.at => Some(list),
        (rested, list) => rested.or(list),
    }
}

impl From<Resting> for Why {
    fn from(why: Resting) -> Self {
        match why {
            Resting::BackOff => Why::Retry,
            Resting::NoPermit => Why::PermitGranted,
            Resting::Throttled => Why::Throttled,
        }
    }
}

//! Until when Agent Engine is left alone.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use crate::organization::view::View;

/// Until when it is left alone, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rest {
    pub until: Timestamp,
    pub why: Resting,
}

/// Why it is left alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resting {
    /// Something failed, and back-off allows no other attempt yet.
    BackOff,
    /// The rate limiter has no permit yet.
    NoPermit,
    /// Agent Engine has asked for no requests.
    Throttled,
}

/// The longest rest that is not over yet.
pub fn rest(view: &View) -> Option<Rest> {
    let backoff = view.memory.backoff.not_before(cause(view));
    let rests = [
        (backoff.map(|at| view.by_the_wall_clock(at)), Resting::BackOff),
        (view.progress.permit_at, Resting::NoPermit),
        (view.progress.paused_until, Resting::Throttled),
    ];
    rests
        .into_iter()
        .filter_map(|(until, why)| until.map(|until| Rest { until, why }))
        .max_by_key(|rest| rest.until)
        .filter(|rest| rest.until > view.now)
}

/// A fingerprint of what a failed attempt depended on: if it changes, back-off starts over. A touch of the Secret that leaves
/// its keys changes nothing.
pub fn cause(view: &View) -> u64 {
    let mut hasher = DefaultHasher::new();
    view.object.generation.hash(&mut hasher);
    view.object.reconcile_at.hash(&mut hasher);
    view.memory.keys.hash(&mut hasher);
    hasher.finish()
}

//! When a failing object may call Agent Engine again. One value per object, kept across its passes.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::ids::Uid;

/// How much is at stake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Urgency {
    Normal,
    /// A token in use is about to end.
    Token,
}

/// The back-off of one object.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    streak: Option<Streak>,
}

#[derive(Clone, Debug)]
struct Streak {
    cause: u64,
    until: Timestamp,
}

impl Backoff {
    /// A pass failed, having made `calls` calls to Agent Engine. Returns when the next may be made. `cause` is a
    /// fingerprint of the inputs: a changed cause starts anew.
    pub fn failed(
        &mut self,
        now: Timestamp,
        cause: u64,
        calls: u32,
        _urgency: Urgency,
        _who: &Uid,
    ) -> Timestamp {
        let until = now
            .checked_add(Duration::from_secs(600) * calls.max(1))
            .unwrap_or(Timestamp::MAX);
        self.streak = Some(Streak { cause, until });
        until
    }

    /// The object is as it should be: nothing is remembered.
    pub fn succeeded(&mut self) {
        self.streak = None;
    }

    /// None: free to try. Some: not before this instant, as long as the cause is the same.
    pub fn not_before(&self, cause: u64) -> Option<Timestamp> {
        self.streak
            .as_ref()
            .filter(|streak| streak.cause == cause)
            .map(|streak| streak.until)
    }
}

//! The right to act, shared by the election, which moves it, and by all that begins something. It only asks the time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::right::Right;

/// Clones share it.
#[derive(Clone, Debug)]
pub struct Fence {
    /// The instants of its rights count from here.
    base: Instant,
    right: Arc<watch::Sender<Right>>,
}

impl Fence {
    /// A fence that is never closed, for a process that shares its work with no other.
    pub fn unfenced() -> Self {
        Self::with(Right::Unfenced)
    }

    /// A fence of a process that does not lead yet.
    pub fn closed() -> Self {
        Self::with(Right::Closed)
    }

    fn with(right: Right) -> Self {
        Self {
            base: Instant::now(),
            right: Arc::new(watch::Sender::new(right)),
        }
    }

    /// Where the instants of its rights count from.
    pub fn base(&self) -> Instant {
        self.base
    }

    /// From now on the process has this right.
    pub fn set(&self, right: Right) {
        self.right.send_replace(right);
    }

    /// Whether something new may begin.
    pub fn is_open(&self) -> bool {
        self.right.borrow().is_open(self.base.elapsed())
    }

    /// Whether what has begun goes on.
    pub fn goes_on(&self) -> bool {
        self.right.borrow().goes_on(self.base.elapsed())
    }

    /// Whether a request that takes `at_most` would end before another process can lead. Waits for the next renewal where it
    /// would not: a leader whose renewal is late has no failure to tell.
    pub async fn covers(&self, at_most: Duration) -> bool {
        let mut moved = self.right.subscribe();
        loop {
            let (right, now) = (*moved.borrow_and_update(), self.base.elapsed());
            let closes = match right {
                _ if right.covers(now, at_most) => return true,
                Right::Leads { begins_until, .. } if right.is_open(now) => begins_until,
                _ => return false,
            };
            tokio::select! {
                renewed = moved.changed() => if renewed.is_err() { return false },
                () = sleep_until(self.base + closes) => return false,
            }
        }
    }
}

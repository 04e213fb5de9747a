//! Until when this process may act, for all who act. It only asks the time and compares.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

/// Shared by the election, which moves it, and by all that begins something. Clones share it.
#[derive(Clone, Debug)]
pub struct Fence(Arc<RwLock<State>>);

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nobody else may act: tools, tests, a client of its own.
    Unfenced,
    Closed,
    Leads {
        begins_until: Instant,
        ends: Instant,
    },
}

impl Fence {
    /// A fence that is never closed, for a process that shares its work with no other.
    pub fn unfenced() -> Self {
        Self(Arc::new(RwLock::new(State::Unfenced)))
    }

    /// A fence of a process that does not lead yet.
    pub fn closed() -> Self {
        Self(Arc::new(RwLock::new(State::Closed)))
    }

    /// The process leads: it begins nothing after `begins_until`, and nothing of it goes on after `ends`.
    pub fn lead(&self, begins_until: Instant, ends: Instant) {
        self.set(State::Leads { begins_until, ends });
    }

    /// The process leads no longer.
    pub fn close(&self) {
        self.set(State::Closed);
    }

    /// Whether something new may begin.
    pub fn is_open(&self) -> bool {
        match self.state() {
            State::Unfenced => true,
            State::Closed => false,
            State::Leads { begins_until, .. } => Instant::now() < begins_until,
        }
    }

    /// Whether a request that takes `at_most` would end before another process can lead.
    pub fn covers(&self, at_most: Duration) -> bool {
        match self.state() {
            State::Unfenced => true,
            State::Closed => false,
            State::Leads { begins_until, ends } => {
                let now = Instant::now();
                now < begins_until && now + at_most <= ends
            }
        }
    }

    fn state(&self) -> State {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

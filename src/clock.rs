//! Wall time: the system's, or a virtual clock that follows tokio's (pausable) time.

use jiff::Timestamp;
use tokio::time::Instant;

/// A source of wall time. Cheap to clone; clones of a virtual clock agree.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Virtual { epoch: Timestamp, since: Instant },
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `epoch` now and moves with tokio's time, so that it stands still while that is paused.
    /// Call it inside a tokio runtime.
    pub fn virtual_from(epoch: Timestamp) -> Self {
        Self(Source::Virtual {
            epoch,
            since: Instant::now(),
        })
    }

    /// The wall time.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Virtual { epoch, since } => {
                // Saturates at the end of representable time (the year 9999).
                epoch.checked_add(since.elapsed()).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

//! Liveness as a heartbeat: the main runtime beats; a silence that no load explains means that it hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Long enough for any load and short of what users would wait for.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// Far below [`LONGEST_SILENCE`].
const INTERVAL: Duration = Duration::from_secs(5);

/// When the main runtime last beat; its creation counts as a beat. Clones share it.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    began: Instant,
    /// Milliseconds after `began`.
    last: Arc<AtomicU64>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            last: Arc::new(AtomicU64::new(0)),
        }
    }
}

impl Heartbeat {
    /// Beats as long as the runtime that it runs on makes progress.
    pub async fn keep_beating(&self) {
        loop {
            self.beat();
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// One beat.
    fn beat(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Time since the last beat, if that is too long.
    pub fn silence(&self) -> Option<Duration> {
        self.silence_after(self.began.elapsed())
    }

    fn silence_after(&self, elapsed: Duration) -> Option<Duration> {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        Some(elapsed.saturating_sub(last)).filter(|silence| *silence > LONGEST_SILENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_silence_that_no_load_explains_is_reported() {
        let heart = Heartbeat::default();
        assert_eq!(heart.silence_after(LONGEST_SILENCE), None);
        assert_eq!(
            heart.silence_after(Duration::from_secs(61)),
            Some(Duration::from_secs(61))
        );
        heart.last.store(30_000, Ordering::Relaxed);
        assert_eq!(heart.silence_after(Duration::from_secs(61)), None);
    }
}

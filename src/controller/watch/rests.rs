//! How long a watch rests after a failure.

use std::time::Duration;

use backon::ExponentialBuilder;
use kube::runtime::utils::{Backoff, ResetTimerBackoff};
use kube::runtime::watcher::ExponentialBackoff;

/// The first rest; doubled after each failure. Chance adds as much again at most, so that not all watches ask at once.
const FIRST: Duration = Duration::from_millis(800);

/// A watch of each kind in each watched namespace fails while the API server is away, and is needed soon after it is back.
const LONGEST: Duration = Duration::from_secs(10);

/// After so long without a failure the next rest is the first one again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(120);

/// The rests of one watch, reset by time alone.
///
/// The backoff that kube brings takes each event for a success, and its watcher tells `Init` before each list that it tries: it
/// never grows while lists fail.
pub(super) struct Rests(ResetTimerBackoff<ExponentialBackoff>);

impl Default for Rests {
    fn default() -> Self {
        let doubling = ExponentialBuilder::new()
            .with_min_delay(FIRST)
            .with_max_delay(LONGEST)
            .with_factor(2.0)
            .with_jitter()
            .without_max_times();
        Self(ResetTimerBackoff::new(doubling.into(), FORGOTTEN_AFTER))
    }
}

impl Iterator for Rests {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next()
    }
}

impl Backoff for Rests {
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use futures::stream::{self, StreamExt};
    use kube::runtime::WatchStreamExt;
    use kube::runtime::watcher::{Error, Event};
    use tokio::time::{Instant, advance};

    use super::{Duration, FIRST, FORGOTTEN_AFTER, LONGEST, Rests};

    /// What kube's watcher tells while no list succeeds.
    fn failing() -> impl stream::Stream<Item = Result<Event<()>, Error>> {
        let attempt = || stream::iter([Ok(Event::Init), Err(Error::NoResourceVersion)]);
        stream::repeat_with(attempt).flatten()
    }

    /// Promise: rule.watch-rests: While the API server is away, each watch asks less and less, down to once in ten seconds
    #[tokio::test(start_paused = true)]
    async fn rests_grow_while_lists_fail() {
        let mut events = failing().backoff(Rests::default()).boxed();
        let mut rests = Vec::new();
        let mut before = Instant::now();
        // The first attempt follows no failure.
        for _ in 0..2 {
            events.next().await;
        }
        for _ in 0..8 {
            events.next().await;
            events.next().await;
            rests.push(before.elapsed());
            before = Instant::now();
        }
        for (number, rest) in rests.iter().enumerate() {
            let least = (FIRST * 2_u32.pow(u32::try_from(number).unwrap())).min(LONGEST);
            assert!(
                (least..=least * 2 + MILLISECOND).contains(rest),
                "{number}: {rest:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_was_well_rests_briefly() {
        let mut rests = Rests::default();
        assert!(rests.by_ref().take(8).all(|rest| rest >= FIRST));
        advance(FORGOTTEN_AFTER + MILLISECOND).await;
        let rest = rests.next().unwrap();
        assert!(rest <= FIRST * 2, "{rest:?}");
    }

    /// What a timer may be late.
    const MILLISECOND: Duration = Duration::from_millis(1);
}

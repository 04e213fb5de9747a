//! Waiting for a condition, with a deadline and an account of what was seen instead.

use std::{fmt::Display, future::Future, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

/// For what takes one reconcile of a controller on a busy machine.
pub const SHORT: Duration = Duration::from_secs(20);
/// For what goes through the garbage collector, a namespace's deletion or a process's start.
pub const LONG: Duration = Duration::from_secs(60);
/// So long after a start, the process before may have sent a token request: nothing is renamed or deleted.
pub const IN_DOUBT: Duration = Duration::from_secs(60);

/// For what waits until a call in doubt is resolved, by its deadline and an allowance for lists that lag: a minute and more.
pub const RESOLVED: Duration = Duration::from_secs(180);

/// Whoever writes nothing for so long has nothing to write.
pub const PAUSE: Duration = Duration::from_secs(4);

const POLL: Duration = Duration::from_millis(75);

/// Asks again and again until `look` answers `Ok`, and returns what it found. An `Err` says what was seen
/// instead; the last one is shown when `deadline` passes.
pub async fn eventually<T, E: Display, Look: Future<Output = Result<T, E>>>(
    what: &str,
    deadline: Duration,
    mut look: impl FnMut() -> Look,
) -> T {
    let until = Instant::now() + deadline;
    let mut last = String::from("nothing; the first look did not end");
    // What never waits would never meet the timeout, hence the condition.
    while Instant::now() < until {
        match timeout_at(until, look()).await {
            Ok(Ok(found)) => return found,
            Ok(Err(seen)) => last = seen.to_string(),
            Err(_) => break,
        }
        sleep(POLL).await;
    }
    panic!("waited {} s for {what}; last seen: {last}", deadline.as_secs());
}

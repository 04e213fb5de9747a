//! The fewest acts that still break a law: parts of a history are left out as long as the same law stays broken.

use super::history::History;
use super::laws::Law;
use super::run::run;

/// The history without acts that it does not need to break this law.
pub fn shrink(history: &History, law: Law) -> History {
    let mut least = history.clone();
    let breaks = |history: &History| {
        run(history, false)
            .violation
            .is_some_and(|violation| violation.law == law)
    };
    let mut part = least.acts.len().div_ceil(2).max(1);
    loop {
        let mut start = 0;
        while start < least.acts.len() {
            let end = (start + part).min(least.acts.len());
            if let Some(shorter) = without(&least, start, end)
                .into_iter()
                .find(|shorter| breaks(shorter))
            {
                least = shorter;
            } else {
                start = end;
            }
        }
        if part == 1 {
            return least;
        }
        part = part.div_ceil(2);
    }
}

/// Without some acts: the others stay at their instants, or move up.
fn without(history: &History, start: usize, end: usize) -> [History; 2] {
    let mut still = history.clone();
    let time: i64 = still.acts[start..end].iter().map(|timed| timed.after).sum();
    still.acts.drain(start..end);
    let closer = still.clone();
    if let Some(next) = still.acts.get_mut(start) {
        next.after += time;
    }
    [closer, still]
}

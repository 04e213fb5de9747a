//! A simulator of the whole system, seeded and synchronous: the real pure values of this crate run inside models of Agent Engine,
//! of Kubernetes and of the process between them, each of which can be slow, late, stale or wrong.
//!
//! | file | what it is |
//! |---|---|
//! | `history` | what happens from outside: a setup and a row of acts, drawn from a seed |
//! | `agent_engine`, `weather` | the model of Agent Engine: rows with their makers, lists that lag; how its answers come |
//! | `cluster`, `feed` | the model of Kubernetes: objects, versions, finalizers; watches that lag and die |
//! | `process` | the model of the operator's process: stores, queue, slots, and what reconciles share |
//! | `perform`, `requests` | sends the effects of reconciles on their way |
//! | `kubernetes`, `calls` | carries them out in the models |
//! | `without_slot` | tells of objects that wait for a slot |
//! | `replicas` | several processes: the election, the fence, what befalls one and not the other |
//! | `acts` | carries out acts |
//! | `world` | all of it, in true time beside a clock that jumps |
//! | `run`, `reconciles` | one event after the other; the reconciles in the process |
//! | `laws` | what must hold, asked at every instant and when all is calm again |
//! | `found` | the seeds that found something |
//! | `shrink` | the fewest acts that still break a law |
//!
//! Same seed, same history, same story.

#![expect(
    clippy::expect_used,
    reason = "a model that breaks is a failed run; nothing of this ships"
)]

mod acts;
pub mod agent_engine;
mod calls;
mod cluster;
mod feed;
pub mod found;
pub mod history;
mod kubernetes;
pub mod laws;
pub mod outage;
mod perform;
mod process;
mod reconciles;
pub mod replicas;
mod requests;
pub mod run;
pub mod shrink;
mod weather;
mod without_slot;
mod world;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;

/// True time since the beginning of a history, in milliseconds.
pub type Millis = i64;

/// The wall time that a clock shows which was never set.
pub fn wall(at: Millis) -> Timestamp {
    const BEGINNING: Millis = 1_800_000_000_000;
    Timestamp::from_millisecond(BEGINNING + at).expect("an instant of this century")
}

/// The namespaces of objects.
const NAMESPACES: [&str; 2] = ["team", "crew"];

/// The labels of a namespace.
fn namespace_labels(namespace: &str) -> &'static BTreeMap<String, String> {
    static LABELS: LazyLock<[BTreeMap<String, String>; 2]> = LazyLock::new(|| {
        ["gold", "silver"].map(|tier| BTreeMap::from([("tier".to_owned(), tier.to_owned())]))
    });
    &LABELS[usize::from(namespace != NAMESPACES[0])]
}

/// How long until `at` from `now`, in milliseconds; zero once it is over.
fn millis_until(now: Timestamp, at: Timestamp) -> Millis {
    Millis::try_from(at.duration_since(now).as_millis())
        .unwrap_or(Millis::MAX / 4)
        .max(0)
}

#[cfg(test)]
mod tests;

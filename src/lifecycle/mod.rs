//! What to do about one workspace. Pure: no Kubernetes client, no HTTP, no clock, no randomness, no token.
//!
//! [`view`] is all that is known, [`plan`] the rules in order, [`reconcile`] one reconcile sans-IO: data walks
//! *view → step → effect → outcome → view* until the reconcile is settled.

mod absorb;
mod claim;
pub mod creation_window;
pub mod effect;
pub mod facts;
mod failures;
pub mod memory;
pub mod plan;
pub mod progress;
pub mod reconcile;
pub mod report;
pub mod rules;
pub mod schedule;
pub mod undecodable;
pub mod verdict;
pub mod view;

pub use crate::domain::reason::{self, Kstatus, Reason};
pub use effect::{Effect, Outcome, TokenSlot};
pub use memory::Memory;
pub use plan::{Step, plan};
pub use reconcile::{Next, Reconcile, Settled, SharedList};
pub use view::View;

#[cfg(test)]
mod tests;

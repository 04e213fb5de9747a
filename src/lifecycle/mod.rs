//! What to do about one workspace. Pure: no Kubernetes client, no HTTP, no clock, no randomness, no token.
//!
//! [`view`] is all that is known, [`plan`] the rules in order, [`pass`] one pass sans-IO: data walks
//! *view → step → effect → outcome → view* until the pass is settled.

mod absorb;
mod claim;
pub mod clock;
pub mod effect;
pub mod facts;
mod failures;
pub mod found;
pub mod memory;
pub mod pass;
pub mod plan;
pub mod report;
pub mod rules;
pub mod schedule;
pub mod unreadable;
pub mod verdict;
pub mod view;

pub use crate::api::reason::{self, Reason, Weight};
pub use effect::{Effect, Outcome, TokenSlot};
pub use memory::Memory;
pub use pass::{Next, Pass, Settled, SharedList};
pub use plan::{Step, plan};
pub use view::View;

#[cfg(test)]
mod tests;

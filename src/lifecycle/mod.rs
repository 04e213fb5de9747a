//! What to do about one workspace. Pure: no Kubernetes client, no HTTP, no clock, no randomness, no token.
//!
//! Data walks *view → rule → effect → outcome → view* until the reconcile is settled. Three floors, none reaches up:
//!
//! **Judgements**
//! - [`view`]: everything that is known; [`facts`] from stores, [`memory`] from earlier reconciles, [`progress`] from this one.
//! - [`judge`]: what it means. Facts and enums.
//! - [`schedule`], [`creation_window`]: the times of a token, and of a creation.
//! - [`effect`], [`aspect`]: what may be done, and what may come of it; what it is for.
//! - `findings`: every sentence for people.
//!
//! **Rules**
//! - [`step`]: what a rule may answer.
//! - [`rules`]: a chapter a file. [`mod@plan`]: their order.
//!
//! **On top**
//! - [`status`]: the one place that makes a verdict and a status.
//! - `apply`: what an outcome adds to the view.
//! - [`reconcile`]: drives. [`budget`]: what a reconcile costs. [`wakeups`]: when it is due again, and why.
//! - [`mod@priority`]: how urgent a reconcile is, before it runs.
//! - [`without_slot`]: what is true of an object that waits for a slot, and no reconcile tells.
//! - [`undecodable`]: what follows for an object that this version cannot decode.

mod apply;
pub mod aspect;
pub mod budget;
pub mod creation_window;
pub mod effect;
pub mod facts;
mod findings;
pub mod judge;
pub mod memory;
pub mod plan;
pub mod priority;
pub mod progress;
pub mod reconcile;
pub mod rules;
pub mod schedule;
pub mod status;
pub mod step;
pub mod undecodable;
pub mod view;
pub mod wakeups;
pub mod without_slot;

pub use aspect::Aspect;
pub use effect::{Effect, Outcome, TokenSlot};
pub use memory::Memory;
pub use plan::plan;
pub use reconcile::{Next, Reconcile, Settled, SharedList};
pub use view::View;

#[cfg(test)]
mod tests;

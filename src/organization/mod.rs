//! What to do about an Organization, and what its shared list says about its workspaces. Pure: no Kubernetes client, no
//! HTTP, no clock, no randomness, no credential.
//!
//! One reconcile is *view → rule → effect → outcome → view*, until it is settled. Reading order:
//! - [`view`]: everything that a decision may depend on, in three parts: [`facts`] are what the stores know, [`memory`] is
//!   what the process remembers between reconciles, [`progress`] is what this reconcile has done and read so far.
//! - [`snapshot`]: the shared list, and how it compares with what objects record.
//! - [`judge`]: what the view means, as facts and enums.
//! - [`findings`]: what people are told, in sentences.
//! - [`rules`], each a function that names at most one [`step`]; [`plan`] is their order.
//! - [`status`]: what Workspaces and the object's status are told.
//! - [`effect`]: what a step may ask for, and what may come of it; [`apply`] folds that into the view.
//! - [`wakeups`], [`budget`]: when the Organization is reconciled again and why, and what back-off charges for.
//! - [`reconcile`]: drives all this, sans-IO.
//! - [`undecodable`]: what follows for an Organization that this version cannot decode.

mod apply;
pub mod budget;
pub mod effect;
pub mod facts;
pub mod findings;
pub mod judge;
pub mod memory;
pub mod plan;
pub mod progress;
pub mod reconcile;
pub mod rules;
pub mod snapshot;
pub mod status;
pub mod step;
pub mod undecodable;
pub mod view;
pub mod wakeups;

pub use effect::{Effect, Outcome};
pub use facts::Published;
pub use memory::{Memory, NoClient};
pub use reconcile::{Next, Reconcile, Settled};
pub use snapshot::{Managed, Snapshot};
pub use view::View;

#[cfg(test)]
mod tests;

//! What to do about an Organization, and what its shared list says about its workspaces. Pure: no Kubernetes client, no
//! HTTP, no clock, no randomness, no credential.
//!
//! Data walks *view → rule → effect → outcome → view* until the reconcile is settled. Three floors, none reaches up:
//!
//! **Judgements**
//! - [`view`]: everything that is known; [`facts`] from stores, [`memory`] from earlier reconciles, [`progress`] from this one.
//! - [`snapshot`]: the shared list, and how it compares with what objects record.
//! - [`judge`]: what it means. Facts and enums.
//! - `findings`: every sentence for people.
//!
//! **Rules**
//! - [`step`], [`effect`]: what a rule may answer; what may be done, and what may come of it.
//! - [`rules`]: a chapter a file. [`mod@plan`]: their order.
//!
//! **On top**
//! - [`status`]: the one place that makes what Workspaces are told, and the status.
//! - `apply`: what an outcome adds to the view.
//! - [`reconcile`]: drives. [`budget`]: what back-off charges for. [`wakeups`]: when it is due again, and why.
//! - [`undecodable`]: what follows for an Organization that this version cannot decode.

mod apply;
pub mod budget;
pub mod effect;
pub mod facts;
mod findings;
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
pub use memory::{KeysDigest, Memory, NoClient};
pub use reconcile::{Next, Reconcile, Settled};
pub use snapshot::{Managed, Snapshot};
pub use view::View;

#[cfg(test)]
mod tests;

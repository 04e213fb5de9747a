//! What to do about an Organization, and what its shared list says about its workspaces. Pure: no Kubernetes client, no
//! HTTP, no clock, no randomness, no credential.
//!
//! [`view`] is all that is known, [`judge`] what that means, [`plan`] the rules in order, [`reconcile`] one reconcile sans-IO.

mod absorb;
pub mod effect;
pub mod judge;
pub mod plan;
pub mod reconcile;
pub mod rules;
pub mod snapshot;
pub mod undecodable;
pub mod view;

pub use effect::{Effect, Outcome};
pub use judge::{Credential, Judgement, Listing, NoClient, Whole, judge};
pub use reconcile::{Next, Reconcile, Settled};
pub use snapshot::{Managed, Snapshot};
pub use view::{Memory, Published, View};

#[cfg(test)]
mod tests;

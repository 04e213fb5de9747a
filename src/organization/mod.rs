//! What to do about an Organization, and what its shared list says about its workspaces. Pure.

pub mod judge;
pub mod snapshot;

pub use judge::{Credential, Facts, Judgement, Listing, Whole, judge};
pub use snapshot::{Comparison, Managed, Snapshot};

//! Who may use which name: canonical names, grants and claims. Pure: no clock, no input, no output.

pub mod claims;
pub mod grants;
pub mod names;
mod pattern;
mod selector;

pub use claims::{Basis, ClaimKey, ClaimResult, Claimant, Claims};
pub use grants::{Access, Grant, entry_to_ask_for};
pub use names::{CanonicalName, canonical, is_default};

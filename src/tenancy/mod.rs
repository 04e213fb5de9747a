//! Which object may use which name, and which operator an object is left to. Pure: no clock, no input, no output.
//!
//! | question | file |
//! |---|---|
//! | what makes two objects claim one name? | [`names`] (when two names are one), [`claims`] (which object wins) |
//! | may a namespace use a name? | [`grants`], by the patterns in `pattern` and the namespaces in `selector` |
//! | which of several operators does anything for an object? | [`holding`] |

pub mod claims;
pub mod grants;
pub mod holding;
pub mod names;
mod pattern;
mod selector;

pub use claims::{Basis, ClaimKey, ClaimResult, Claimant, Claims};
pub use grants::{Access, Grant, entry_to_ask_for};
pub use names::{CanonicalName, canonical, fallback_name, is_default, tidied};

//! The words that every room shares. Depends on no other room.
//!
//! Reading order:
//! - [`ids`]: identities, each a type of its own.
//! - [`remote`]: workspaces as Agent Engine shows them, answers and failures.
//! - [`rate`]: how many requests a second, and why.
//! - [`reason`]: the one table of reasons.
//! - [`finding`]: a reason with its message for people.
//! - [`object`]: facts about any Kubernetes object of ours.
//! - [`operators`]: this operator, and which others are gone.
//! - [`verification`]: whose credential it is, and whether too many workspaces are missing at once.
//! - [`time`]: arithmetic on instants that cannot panic.
//! - `testing` (tests): what tests of several rooms use.

pub mod finding;
pub mod ids;
pub mod object;
pub mod operators;
pub mod rate;
pub mod reason;
pub mod remote;
pub mod server_time;
#[cfg(test)]
pub(crate) mod testing;
pub mod time;
pub mod verification;

pub use finding::Finding;
pub use reason::{Kstatus, Reason};

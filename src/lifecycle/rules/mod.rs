//! The rules, a chapter a file. What they share about names is here.

pub mod attribution;
pub mod creation;
pub mod creation_findings;
pub mod deletion;
pub mod identity;
pub mod naming;
pub mod orphan;
pub mod preconditions;
pub mod state;
pub mod token;
pub mod token_secret;

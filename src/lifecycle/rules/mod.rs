//! The rules, a chapter a file. What they share about names is here.

pub mod creation;
pub mod creation_findings;
pub mod deletion;
pub mod gates;
pub mod identity;
pub mod naming;
pub mod state;
pub mod stray;
pub mod token;
pub mod token_secret;
pub mod whose;

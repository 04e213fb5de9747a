//! The rules, a chapter a file: `rules/drift.rs` acts on what `judge/drift.rs` judges, and so on. A rule is a function of the view, and of the record where there is one; it answers with a
//! step or has no opinion. Their order is in [`mod@super::plan`]; what they ask is judged in [`super::judge`].

pub mod creation;
pub mod deletion;
pub mod drift;
pub mod identity;
pub mod orphan;
pub mod preconditions;
pub mod token;
pub mod token_secret;

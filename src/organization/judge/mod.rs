//! What the view means: facts and enums. No step, no status and no sentence is made here.
//!
//! - [`trouble`]: what a failure of Agent Engine means.
//! - [`credential`]: whether the credential works.
//! - [`demand`]: whether the declared rate suffices for what is managed.
//! - [`verification`]: to which organization it belongs.
//! - [`holder`]: which operator writes to it, where several share its namespace.
//! - [`listing`]: when the shared list is due, and what it says about missing workspaces.
//! - [`pause`]: what the next process is to know of a pause, and what this one knows of the one before.
//! - [`rest`]: until when Agent Engine is left alone.
//! - [`readiness`]: the one thing that Ready says.
//! - [`news`]: what of this Workspaces do not know yet.

pub mod credential;
pub mod demand;
pub mod holder;
pub mod listing;
pub mod news;
pub mod pause;
pub mod readiness;
pub mod rest;
pub mod trouble;
pub mod verification;

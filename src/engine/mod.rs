//! The Agent Engine API as typed calls. Each call says what happened in the classes that decisions are made of
//! ([`crate::api::remote`]); what to do about it is decided elsewhere, and when to call is too (there is no pace here).
//!
//! Reading order:
//! - [`config`]: what a client needs to know, checked.
//! - [`calls`]: the calls themselves; [`listing`] pages through lists.
//! - `operation`, `request`, `wire`: which calls there are, how they are asked, how answers read.
//! - `failure`, `error_text`, `retry_after`: what a call that did not succeed means.
//! - `stack`: the order of the layers; `authorize` (with its `application_token`), `retry`, [`observe`], [`transport`]: one layer each.
//! - `token_life`, `needle`, `scrub`: small laws of their own.

pub mod calls;
pub mod config;
pub mod listing;
pub mod observe;
pub mod transport;

mod application_token;
mod authorize;
mod error_text;
mod failure;
mod needle;
mod operation;
mod request;
mod retry;
mod retry_after;
mod scrub;
mod stack;
mod token_life;
mod wire;

pub use calls::{Authenticated, Change, Engine, ScopedToken};
pub use config::{ConfigError, Credentials, Endpoint, EngineConfig, TOTAL_DEADLINE, Timeouts};
pub use listing::{ListFilter, Pages};
pub use observe::{Call, CallOutcome, Observer};
pub use operation::Operation;
pub use scrub::Scrub;
pub use transport::{Http, in_process};

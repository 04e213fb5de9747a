//! The Agent Engine API as typed calls. Each call says what happened in the classes that decisions are made of
//! ([`crate::domain::remote`]); what to do about it is decided elsewhere, and when to call is too (there is no pace here).
//!
//! Reading order:
//! - [`config`]: what a client needs to know, checked.
//! - [`client`]: the calls themselves; [`listing`] pages through lists.
//! - `operation`, `request`, `wire`: which calls there are, how they are asked, how answers read.
//! - `failure`, `error_text`, `retry_after`: what a call that did not succeed means.
//! - `stack`: the order of the layers; `authorize` (with its `application_token`), `retry`, [`instrument`], [`transport`]: one layer each.
//! - `token_life`, `name_search`, `redact`: small laws of their own.

pub mod client;
pub mod config;
pub mod instrument;
pub mod listing;
pub mod transport;

mod application_token;
mod authorize;
mod error_text;
mod failure;
mod name_search;
mod operation;
mod redact;
mod request;
mod retry;
mod retry_after;
mod stack;
mod token_life;
mod wire;

pub use client::{Authenticated, Client, ScopedToken, UpdateFields};
pub use config::{ClientConfig, ConfigError, Credentials, Endpoint, TOTAL_DEADLINE, Timeouts};
pub use instrument::{Call, CallOutcome, Observer};
pub use listing::{ListFilter, Pages};
pub use operation::Operation;
pub use redact::Redactor;
pub use transport::{Http, in_process};

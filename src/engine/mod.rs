//! The Agent Engine API as typed calls. Each call says what happened in the classes that decisions are made of
//! ([`crate::domain::remote`]); what to do about it, and when to call, is decided elsewhere.
//!
//! Reading order:
//! - [`config`]: what a client needs to know, checked.
//! - [`client`]: the calls themselves; `by_id` holds those on one workspace, [`listing`] pages through lists.
//! - `operation`, `request`, `wire`: which calls there are, how they are asked, how answers read.
//! - `failure`, `error_text`, `retry_after`: what a call that did not succeed means; `not_found`, `calibration`: what a 404
//!   does.
//! - `stack`: the order of the layers; `authorize` (with its `application_token`), `retry`, `instrument`, [`transport`]:
//!   one layer each; `fault`, `tags`, `observer`: what they tell one another and the caller.
//! - `token_life`, `name_search`, `redact`: small laws of their own.
//!
//! | question | file |
//! |---|---|
//! | where is a credential exchanged? | `application_token` |
//! | what does a 403 (or any status) mean? | `failure` |
//! | when does a 404 mean that a workspace is missing? | `not_found` |
//! | what is sent twice? | `retry` |
//! | how long may a call take? | [`config`] |
//! | what keeps secrets out of messages? | `redact` |

pub mod client;
pub mod config;
pub mod listing;
pub mod transport;

mod application_token;
mod authorize;
mod by_id;
mod calibration;
mod error_text;
mod failure;
mod fault;
mod instrument;
mod list_bounds;
mod name_search;
mod not_found;
mod observer;
mod operation;
mod redact;
mod request;
mod retry;
mod retry_after;
mod stack;
mod tags;
mod token_life;
mod wire;

pub use by_id::UpdateFields;
pub use client::{Authenticated, Client, ScopedToken};
pub use config::{
    ATTEMPT_TIMEOUT, ClientConfig, ConfigError, Credentials, Endpoint, TOTAL_DEADLINE, Timeouts,
};
pub use listing::Pages;
pub use observer::{Call, CallOutcome, Observer};
pub use operation::{ListFilter, Operation};
pub use redact::Redactor;
pub use transport::{Http, in_process};

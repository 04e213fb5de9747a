//! Airbyte Agent Engine workspaces as Kubernetes objects.
//!
//! Reading order:
//! - [`api`]: the kinds as users see them, and the plain words that all rooms share.
//! - [`lifecycle`]: what to do about one workspace. Pure.
//! - [`organization`]: what to do about an Organization, and its shared list. Pure.
//! - [`tenancy`]: who may use which name. Pure.
//! - [`limits`]: whose turn it is to call Agent Engine. Pure.
//! - [`engine`]: the Agent Engine API as typed calls.
//! - [`clock`]: where wall time comes from.
//! - [`controller`]: Kubernetes: streams, stores, the loops, performing effects.
//! - [`admin`]: probes and metrics.
//! - [`cli`], [`settings`], [`logging`], [`stopping`], [`run`]: from the command line to a running process and its end.
//! - `emulator` (feature): Agent Engine, emulated, for tests and the demo.
//! - `laws` (tests): how many cases property tests draw.
#![warn(unreachable_pub)]
#![warn(
    clippy::expect_used,
    clippy::get_unwrap,
    clippy::unwrap_used,
    clippy::unreachable,
    clippy::panic
)]
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod admin;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod crd;
pub mod domain;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod engine;
#[cfg(test)]
mod laws;
pub mod lifecycle;
pub mod limits;
pub mod logging;
pub mod organization;
pub mod run;
pub mod settings;
pub mod tenancy;

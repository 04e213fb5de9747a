//! A Kubernetes operator for Airbyte Agent Engine workspaces.
//!
//! A reconcile walks straight through the rooms: the controller makes a view of what is stored and observed; a pure room
//! names the next effect; the controller performs it, against the cluster or through the engine; its outcome goes back into
//! the view.
//!
//! Rooms, from the ground up. A room takes only from rooms above it in this table.
//!
//! | room | what it is |
//! |---|---|
//! | [`clock`] | wall time, real or virtual |
//! | [`domain`] | the words that all rooms share: ids, answers, failures, reasons |
//! | [`crd`] | the two kinds as Kubernetes sees them |
//! | [`limits`] | what may run and call, and when. Pure |
//! | [`tenancy`] | which object may use which name. Pure |
//! | [`lifecycle`] | what to do about one Workspace. Pure |
//! | [`organization`] | what to do about an Organization and its list. Pure |
//! | [`engine`] | the Agent Engine API as typed calls |
//! | [`admin`] | probes and metrics |
//! | [`settings`], [`logging`] | what a run is told; how it logs |
//! | [`controller`] | Kubernetes: watches, stores, the loops, performing effects |
//! | [`cli`], [`run`] | from the command line to a running process and its end |
//! | `emulator` (feature) | an emulated Agent Engine for tests and the demo; takes from [`clock`] alone |
//!
//! Questions, and the file that answers them:
//!
//! | question | file |
//! |---|---|
//! | when is a token renewed? | [`lifecycle::schedule`] |
//! | what makes two objects claim one name? | [`tenancy::names`], [`tenancy::claims`] |
//! | may a namespace use a name? | [`tenancy::grants`] |
//! | where is a credential exchanged? | `engine/application_token.rs` |
//! | what does an HTTP status mean? | `engine/failure.rs` |
//! | when is a failing object tried again? | [`limits::backoff`] |
//! | when may a request go out? | [`limits::rate_limiter`] |
//! | which metric counts what? | [`admin::metrics`] |
//! | what does a reason mean? | [`domain::reason`] |
//! | what do the fields of a spec mean? | [`crd::workspace`], [`crd::organization`] |
//! | what does the API server refuse? | [`crd::schema`] |
//! | what does the operator write beside fields? | [`crd::metadata_keys`] |
//! | what happens on SIGTERM? | [`run`] |
//! | which calls does the emulator answer? | `emulator/api/` |
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
pub mod lifecycle;
pub mod limits;
pub mod logging;
pub mod organization;
pub mod run;
pub mod settings;
pub mod tenancy;

//! A Kubernetes operator for Airbyte Agent Engine workspaces.
//!
//! A reconcile is a loop through the rooms: the controller makes a view of what is stored and observed; a pure room
//! names the next effect; the controller performs it, against the cluster or through the engine; its outcome goes back into
//! the view.
//!
//! Rooms, from the ground up. A room takes only from rooms above it in this table.
//!
//! | room | what it is |
//! |---|---|
//! | [`clock`] | wall time, real or virtual |
//! | [`domain`] | the words that all rooms share: ids, answers, failures, reasons. Pure |
//! | [`crd`] | the two kinds as Kubernetes sees them |
//! | [`leadership`] | which of several processes acts, and until when |
//! | [`limits`] | what may run and call, and when. Pure |
//! | [`tenancy`] | which object may use which name. Pure |
//! | [`lifecycle`] | what to do about one Workspace. Pure |
//! | [`organization`] | what to do about an Organization and its list. Pure |
//! | [`engine`] | the Agent Engine API as typed calls |
//! | [`admin`] | probes and metrics |
//! | [`settings`], [`logging`] | what a run is told; how it logs |
//! | [`controller`] | Kubernetes: watches, stores, the loops, performing effects |
//! | [`cli`], [`run`] | from the command line to a running process and its end |
//! | `simulation` (feature) | the whole system in virtual time, from a seed, and the laws that it must keep |
//! | `emulator` (feature) | an emulated Agent Engine for tests and the demo; takes from [`clock`] alone |
//!
//! Why it is built so, and what was rejected: `docs/architecture.md`. How a reconcile runs, step by step: `docs/stories/`.
//!
//! Questions about a Workspace, and the file that answers them:
//!
//! | question | file |
//! |---|---|
//! | which rules are there, and in which order? | [`mod@lifecycle::plan`] |
//! | when is a token renewed? | [`lifecycle::schedule`]; what else makes it unfit, [`lifecycle::judge::token_secret`], `is_current` |
//! | what stops a rename? | [`lifecycle::judge::drift`], `rename` |
//! | what stops a token? | [`lifecycle::judge::token`], `need` |
//! | what does a failed call lead to, such as a 403 to a rename? | `lifecycle/apply/answers.rs`; the words stand in `lifecycle/findings/calls.rs` |
//! | why is an object reconciled again, in five minutes for example? | [`lifecycle::wakeups`] |
//! | when is a failed attempt repeated, a deletion for example? | [`lifecycle::budget`] says what is charged for what, [`limits::backoff`] when the next one is due |
//! | what is written into status, for example when the answer to a creation is lost? | [`lifecycle::status`]; the reason and its words `lifecycle/findings/creation.rs` |
//! | where does the message of a reason stand, `NameNotGranted` for example? | `lifecycle/findings/`, a chapter a file (`names.rs`); of an Organization `organization/findings.rs` |
//! | whose is a workspace that appeared during a creation? | [`lifecycle::judge::attribution`], [`lifecycle::creation_window`] |
//! | what becomes of the workspace when its object goes? | [`lifecycle::judge::deletion`], [`lifecycle::rules::deletion`] |
//! | what makes two objects claim one name? | [`tenancy::claims`] (the key, and who wins), [`tenancy::names`] (which names are one), [`lifecycle::judge::claims`] (what an object claims) |
//! | may a namespace use a name? | [`tenancy::grants`] |
//!
//! Questions about the rest:
//!
//! | question | file |
//! |---|---|
//! | when is a list taken, a credential exchanged? | [`mod@organization::plan`], [`organization::rules`] |
//! | where is an Organization's credential exchanged for a token? | the rule in [`organization::rules::credential`]; the call in `engine/application_token.rs` |
//! | when are too many workspaces missing at once? | [`organization::snapshot`] |
//! | what does an HTTP status mean? | `engine/failure.rs` |
//! | when may a request go out? | [`limits::rate_limiter`] |
//! | which object of which organization is reconciled next? | [`limits::queue`], by the urgency that [`lifecycle::priority`] sees |
//! | which metric counts what? | [`admin::metrics`] |
//! | what does a reason mean? | [`domain::reason`] |
//! | what do the fields of a spec mean? | [`crd::workspace`], [`crd::organization`] |
//! | what does the API server refuse? | [`crd::schema`] |
//! | what does the operator write beside fields? | [`crd::metadata_keys`] |
//! | what wakes an object? | `controller/watch/handlers.rs` |
//! | what if a reconcile crashes or takes too long? | `controller/runner.rs` |
//! | what happens on SIGTERM? | [`run`] |
//! | which process leads, and what stops one that does no longer? | [`leadership::Elector`], [`leadership::Fence`]; the Lease itself `controller/lease.rs` |
//! | which laws does the whole system keep, and what finds out? | `simulation/laws/`, `docs/simulation.md` |
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
pub mod leadership;
pub mod lifecycle;
pub mod limits;
pub mod logging;
pub mod organization;
pub mod run;
pub mod settings;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod tenancy;

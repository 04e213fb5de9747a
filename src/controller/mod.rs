//! Kubernetes: streams and stores, the loops, performing effects, events. No decisions about workspaces.
//!
//! Data walks straight through: *watch event → store → view → reconcile → effect → outcome → reconcile*. In that order:
//!
//! | part | what it does |
//! |---|---|
//! | `watch/` | streams of events feed the stores, and wake the objects that a change concerns |
//! | `context` | the stores, the queues, and the values that reconciles share: `secret_index`, `own_writes` |
//! | `runner` | the loop of both kinds: the queue, one task for each reconcile, its timeout, its log and its metrics |
//! | `workspaces/` | a Workspace's reconcile: claims, view, effects |
//! | `organizations/` | an Organization's reconcile: view, client, effects |
//!
//! The other files serve these: `lag` (a store that has not seen our last write), `metadata` and `reduced_secret` (objects as
//! they are kept), `patch`, `events` and `report` (writes), `error_text` and `subject` (words for people), `gauges`, and `permits`
//! (wakes the objects whose permit has come near). `door` lets a request leave while this process leads. `lease` keeps the Lease by which one of several processes leads;
//! `others_leases` reads those of other operators, of which `others` knows who is gone.

mod context;
mod door;
mod error_text;
mod events;
mod gauges;
mod lag;
mod lease;
mod metadata;
mod organizations;
mod others;
mod others_leases;
pub(crate) mod own_writes;
mod patch;
mod permits;
mod reduced_secret;
mod report;
mod runner;
mod secret_index;
mod subject;
mod watch;
mod workspaces;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::admin::AdminState;
use crate::leadership::Fence;
use crate::settings::Settings;

pub use context::Context;
pub use lease::Election;
pub use watch::WatchEnded;

/// Runs both controllers until cancelled; then no new reconcile begins and the running ones finish.
///
/// # Errors
/// When a watch ends before that, because its store is no longer fed.
pub async fn run(
    client: kube::Client,
    settings: Settings,
    admin: AdminState,
    fence: Fence,
    cancel: CancellationToken,
) -> Result<(), WatchEnded> {
    let gate = admin.readiness.gate("stores");
    let client = door::fenced(client, fence.clone());
    let (mut context, queues, stores) = Context::new(client, settings, admin);
    context.fence = fence;
    let context = Arc::new(context);
    let mut watches = watch::start(&context, stores, &gate);
    tokio::select! {
        ready = watches.ready() => ready?,
        () = cancel.cancelled() => return Ok(()),
    }
    gate.open();
    tracing::info!("caches synced, reconciling starts");
    let counting = tokio::spawn(gauges::keep_counting(context.clone()));
    let calling = tokio::spawn(permits::keep_calling(context.clone()));
    let asking = tokio::spawn(others_leases::keep_asking(context.clone()));
    let reconciles = async {
        tokio::join!(
            workspaces::run(context.clone(), queues.workspaces, cancel.clone()),
            organizations::run(context.clone(), queues.organizations, cancel),
        );
    };
    let ended = watches.during(reconciles).await;
    counting.abort();
    calling.abort();
    asking.abort();
    ended
}

#[cfg(test)]
mod tests;

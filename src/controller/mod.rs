//! Kubernetes: streams and stores, the loops, performing effects, events. No decisions about workspaces.
//!
//! Data walks straight through: *watch event → store → view → reconcile → effect → outcome → reconcile*.

mod context;
mod error_text;
mod events;
mod gauges;
mod lag;
mod metadata;
mod organizations;
mod own_writes;
mod patch;
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
use crate::settings::Settings;

pub use context::Context;
pub use watch::WatchEnded;

/// Runs both controllers until told to stop; then no new reconcile begins and the running ones finish.
///
/// # Errors
/// When a watch ends before that: what reconciles see is then no longer kept in step.
pub async fn run(
    client: kube::Client,
    settings: Settings,
    served: AdminState,
    cancel: CancellationToken,
) -> Result<(), WatchEnded> {
    let gate = served.readiness.gate("stores");
    let (context, queues, stores) = Context::new(client, settings, served);
    let context = Arc::new(context);
    let mut watches = watch::start(&context, stores, &gate);
    tokio::select! {
        ready = watches.ready() => ready?,
        () = cancel.cancelled() => return Ok(()),
    }
    gate.open();
    tracing::info!("caches synced, reconciling starts");
    let counting = tokio::spawn(gauges::keep_counting(context.clone()));
    let reconciles = async {
        tokio::join!(
            workspaces::run(context.clone(), queues.workspaces, cancel.clone()),
            organizations::run(context.clone(), queues.organizations, cancel),
        );
    };
    let ended = watches.during(reconciles).await;
    counting.abort();
    ended
}

#[cfg(test)]
mod tests;

//! A running operator from start to end: connects, serves probes, runs the controllers, stops on a signal. Decides
//! nothing about workspaces.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::admin::{self, AdminError, AdminState};
use crate::controller::{self, Election, WatchEnded};
use crate::leadership::{Fence, NOBODY, Standing};
use crate::settings::Settings;

/// How long a connection to the Kubernetes API may be silent. A watch without events is closed by the server earlier, so a
/// longer silence means a dead connection.
const READ_TIMEOUT: Duration = Duration::from_secs(230);

/// Why the operator could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source's text names both ways that were tried; its own sources only repeat it.
    #[error("no access to the Kubernetes API is configured: {0}")]
    Config(String),
    #[error("cannot make a client for the Kubernetes API")]
    Client(#[from] kube::Error),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error(transparent)]
    Watch(#[from] WatchEnded),
    #[error("cannot listen to signals")]
    Signals(#[source] std::io::Error),
    #[error(
        "this process leads no longer: its Lease could not be renewed in time, or was taken; the next start stands by"
    )]
    LeadershipLost,
    #[error("stopped at once by a second signal; the next start continues what was under way")]
    Aborted,
}

/// Runs until SIGTERM or SIGINT, then lets running reconciles finish within the drain timeout. A second signal ends at once.
///
/// # Errors
/// When it cannot begin, when a watch ends, and when a second signal cut it short.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let mut signals = Signals::new().map_err(RunError::Signals)?;
    // Reads files only: probes are served before the cluster is asked anything.
    let config = kube::Config::infer()
        .await
        .map_err(|error| RunError::Config(error.to_string()))?;
    let admin = AdminState::default();
    let listener = admin::start(settings.listen, admin.clone())?;
    tracing::info!(listen = %listener.address(), version = env!("CARGO_PKG_VERSION"), "listening");
    // A connection of its own: the Lease is kept however the others hang.
    let leases = client(config.clone(), READ_TIMEOUT)?;
    let client = client(config, READ_TIMEOUT)?;

    let heartbeat = admin.heartbeat.clone();
    let heart = tokio::spawn(async move { heartbeat.keep_beating().await });
    let ended = lead(&mut signals, [client, leases], settings, admin).await;
    heart.abort();
    ended
        .inspect(|()| tracing::info!("stopped"))
        .inspect_err(|error| tracing::error!(%error, "stopped by an error"))
}

/// Stands by until this process leads, then runs the controllers. Who has led and lost begins again as a new process: what
/// it remembers may be outdated.
async fn lead(
    signals: &mut Signals,
    [client, leases]: [kube::Client; 2],
    settings: Settings,
    admin: AdminState,
) -> Result<(), RunError> {
    let (fence, release) = (Fence::closed(), CancellationToken::new());
    let (election, mut standing) = Election::new(leases, &settings, admin.clone(), fence.clone());
    let electing = tokio::spawn(election.run(release.clone()));
    let released = async {
        release.cancel();
        // A panic of that task was already printed.
        let _ = electing.await;
    };
    tokio::select! {
        leads = leads(&mut standing) => leads?,
        name = signals.next() => {
            tracing::info!(signal = name, "stopping: this process did not lead");
            released.await;
            return Ok(());
        }
    }
    tracing::info!("this process leads");
    let cancel = CancellationToken::new();
    let drain_timeout = settings.drain_timeout;
    let controllers = controller::run(client, settings, admin, fence, cancel.clone());
    tokio::pin!(controllers);
    let drained = tokio::select! {
        ended = &mut controllers => ended.map_err(RunError::from),
        () = lost(&mut standing) => Err(RunError::LeadershipLost),
        name = signals.next() => {
            tracing::info!(signal = name, "stopping: no new reconcile begins");
            cancel.cancel();
            tokio::select! {
                ended = &mut controllers => ended.map_err(RunError::from),
                // What is under way may go on at Agent Engine: the lease is left to end by itself.
                () = drained(drain_timeout) => return Ok(()),
                () = lost(&mut standing) => Err(RunError::LeadershipLost),
                _ = signals.next() => Err(RunError::Aborted),
            }
        }
    };
    drained?;
    released.await;
    Ok(())
}

/// Returns when this process leads.
async fn leads(standing: &mut watch::Receiver<Standing>) -> Result<(), RunError> {
    loop {
        match &*standing.borrow_and_update() {
            Standing::Leads { .. } => return Ok(()),
            Standing::StandsBy { holder: Some(holder) } if holder == NOBODY => tracing::info!(
                "standing by: the Lease is new; this process leads once a process that led by one before cannot count on it any more"
            ),
            Standing::StandsBy { holder: Some(holder) } => {
                tracing::info!(holder, "standing by: {holder} leads");
            }
            Standing::StandsBy { holder: None } | Standing::Lost => {}
        }
        if standing.changed().await.is_err() {
            return Err(RunError::LeadershipLost);
        }
    }
}

/// Returns when this process leads no longer.
async fn lost(standing: &mut watch::Receiver<Standing>) {
    // The election ends only after this process was told to, or in a panic.
    let _ = standing
        .wait_for(|standing| !matches!(standing, Standing::Leads { .. }))
        .await;
}

fn client(mut config: kube::Config, silence: Duration) -> kube::Result<kube::Client> {
    // Reconciles decide what is repeated and when; kube's own retries would repeat writes.
    config.default_retry = false;
    config.read_timeout = Some(silence);
    // The timeout counts from the request, not from the connection's last use.
    config.reset_reader_on_write = true;
    kube::Client::try_from(config)
}

async fn drained(limit: Duration) {
    tokio::time::sleep(limit).await;
    tracing::warn!(
        limit_s = limit.as_secs(),
        "drain timeout reached; the next start continues unfinished reconciles"
    );
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Namespace;
    use kube::Api;
    use kube::api::ListParams;
    use tokio::net::TcpListener;

    use super::*;

    /// Promise: rule.silent-kubernetes: A Kubernetes API that takes a request and does not answer is given up
    #[tokio::test]
    async fn a_silent_api_server_ends_a_request_by_its_timeout() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taking = tokio::spawn(async move {
            let mut taken = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                taken.push(connection);
            }
        });
        let config = kube::Config::new(url.parse().unwrap());
        let client = client(config, Duration::from_millis(50)).unwrap();
        let namespaces = Api::<Namespace>::all(client);
        let params = ListParams::default();
        let listed = tokio::time::timeout(Duration::from_secs(60), namespaces.list(&params)).await;
        listed.expect("the request ends").unwrap_err();
        taking.abort();
    }
}

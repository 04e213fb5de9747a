//! A running operator from start to end: connects, serves probes, runs the controllers, stops when told to. Decides
//! nothing about workspaces.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::admin::{self, AdminState, ServeError};
use crate::controller::{self, WatchEnded};
use crate::settings::Settings;
use crate::stopping;

/// For so long the Kubernetes API may say nothing to a request. A watch where nothing happens ends by itself before; what
/// is silent for longer is gone, and nobody told us.
const SILENCE: Duration = Duration::from_secs(230);

/// Why the operator could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The text of the source names both ways that were tried, and its own sources only repeat it.
    #[error("no way to the Kubernetes API is configured: {0}")]
    Config(String),
    #[error("cannot make a client for the Kubernetes API")]
    Client(#[from] kube::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Watch(#[from] WatchEnded),
    #[error("cannot listen to signals")]
    Signals(#[source] std::io::Error),
    #[error("stopped at once by a second signal: what was under way is continued by the next start")]
    Aborted,
}

/// Runs until SIGTERM or SIGINT, then lets running reconciles finish within the drain time-out. A second signal ends at once.
///
/// # Errors
/// When it cannot begin, when a watch ends, and when a second signal cut it short.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let mut signals = Signals::new().map_err(RunError::Signals)?;
    // Reads files only: probes are served before the cluster is asked anything.
    let config = kube::Config::infer()
        .await
        .map_err(|error| RunError::Config(error.to_string()))?;
    let served = AdminState::default();
    let serving = admin::start(settings.listen, served.clone())?;
    tracing::info!(listen = %serving.address(), version = env!("CARGO_PKG_VERSION"), "listening");
    let client = client(config, SILENCE)?;

    let heartbeat = served.heartbeat.clone();
    let heart = tokio::spawn(async move { heartbeat.keep_beating().await });
    let (stop, stopping) = stopping::channel();
    let drain_timeout = settings.drain_timeout;
    let controllers = controller::run(client, settings, served, stopping);
    tokio::pin!(controllers);

    let ended = tokio::select! {
        ended = &mut controllers => ended.map_err(RunError::from),
        name = signals.next() => {
            tracing::info!(signal = name, "stopping: no new work begins");
            stop.begin();
            tokio::select! {
                ended = &mut controllers => ended.map_err(RunError::from),
                () = drained(drain_timeout) => Ok(()),
                _ = signals.next() => Err(RunError::Aborted),
            }
        }
    };
    heart.abort();
    ended
        .inspect(|()| tracing::info!("stopped"))
        .inspect_err(|error| tracing::error!(%error, "stopped by an error"))
}

fn client(mut config: kube::Config, silence: Duration) -> kube::Result<kube::Client> {
    // Reconciles decide what is repeated and when; a layer below them would repeat writes on its own.
    config.default_retry = false;
    config.read_timeout = Some(silence);
    // Counted from the request, not from when its connection was idle last.
    config.reset_reader_on_write = true;
    kube::Client::try_from(config)
}

async fn drained(limit: Duration) {
    tokio::time::sleep(limit).await;
    tracing::warn!(
        limit_s = limit.as_secs(),
        "work under way is left unfinished; the next start continues it"
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

    #[tokio::test]
    async fn no_request_waits_for_ever_for_an_api_server_that_took_it_and_says_nothing() {
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

//! Probes and metrics, on a listener, a thread and a runtime of their own, so that they answer however busy the operator
//! is. Decides nothing: other rooms open gates, beat and count.
//!
//! | question | file |
//! |---|---|
//! | when is the operator ready? | `readiness`; its gates are opened in `controller/mod.rs` |
//! | when is it restarted? | `liveness` |
//! | which metric counts what? | [`mod@metrics`]; the values of labels in its `labels` |

mod liveness;
pub mod metrics;
mod readiness;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::oneshot;

pub use liveness::Heartbeat;
pub use metrics::Metrics;
pub use readiness::{Readiness, ReadinessGate};

/// `EAFNOSUPPORT` of Linux: there is no IPv6.
const AF_UNSUPPORTED: i32 = 97;

/// The state that the listener reports.
#[derive(Clone, Debug, Default)]
pub struct AdminState {
    pub readiness: Readiness,
    pub heartbeat: Heartbeat,
    pub metrics: Arc<Metrics>,
}

/// Why probes and metrics cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("cannot listen on {address} for probes and metrics; choose another --listen")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("cannot start the thread for probes and metrics")]
    Thread(#[from] io::Error),
}

/// A listener at work. Stops when dropped.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// The actual address, also for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was already printed.
            let _ = thread.join();
        }
    }
}

/// Starts to serve `/livez`, `/readyz` and `/metrics`.
///
/// # Errors
/// When the address cannot be bound, or the thread cannot be started.
pub fn start(address: SocketAddr, state: AdminState) -> Result<Listener, AdminError> {
    let bind = |source| AdminError::Bind { address, source };
    let listener = listen(address).map_err(bind)?;
    listener.set_nonblocking(true).map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new()
        .name("admin".to_owned())
        .spawn(move || {
            // Not a graceful shutdown: a scraper that keeps its connection open must not keep the process alive.
            runtime.block_on(async {
                tokio::select! {
                    ended = axum::serve(listener, router(state)) => {
                        if let Err(error) = ended {
                            tracing::error!(%error, "probes and metrics are no longer served");
                        }
                    }
                    _ = stopped => {}
                }
            });
        })?;
    Ok(Listener {
        address,
        stop: Some(stop),
        thread: Some(thread),
    })
}

/// Every address of both families, where the machine has both.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).or_else(|error| {
        let has_no_ipv6 = matches!(
            error.kind(),
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
        ) || error.raw_os_error() == Some(AF_UNSUPPORTED);
        match address {
            SocketAddr::V6(v6) if v6.ip().is_unspecified() && has_no_ipv6 => {
                TcpListener::bind((Ipv4Addr::UNSPECIFIED, v6.port()))
            }
            SocketAddr::V6(_) | SocketAddr::V4(_) => Err(error),
        }
    })
}

fn router(state: AdminState) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(state)
}

async fn livez(State(state): State<AdminState>) -> Response {
    match state.heartbeat.silence() {
        None => (StatusCode::OK, "ok\n").into_response(),
        Some(silence) => {
            let text = format!("no sign of life from the main loop for {} s\n", silence.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

async fn readyz(State(state): State<AdminState>, RawQuery(query): RawQuery) -> Response {
    let is_verbose = query.is_some_and(|query| query.split('&').any(|key| key == "verbose"));
    let told = if is_verbose {
        state.readiness.told()
    } else {
        String::new()
    };
    let closed = state.readiness.closed();
    if closed.is_empty() {
        return (StatusCode::OK, format!("{told}ok\n")).into_response();
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("{told}not ready: {}\n", closed.join(", ")),
    )
        .into_response()
}

async fn metrics(State(state): State<AdminState>) -> Response {
    match state.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests;

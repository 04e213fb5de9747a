//! Probes and metrics, on a listener, a thread and a runtime of their own: however busy the operator is, it can still
//! say so. Decides nothing; others open gates, beat and count.

mod liveness;
pub mod metrics;
mod readiness;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::oneshot;

pub use liveness::Heartbeat;
pub use metrics::Metrics;
pub use readiness::{Gate, Readiness};

/// What the listener answers from.
#[derive(Clone, Debug, Default)]
pub struct AdminState {
    pub readiness: Readiness,
    pub heartbeat: Heartbeat,
    pub metrics: Arc<Metrics>,
}

/// Why probes and metrics cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address} for probes and metrics; choose another --listen")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("cannot start the thread for probes and metrics")]
    Thread(#[from] io::Error),
}

/// A listener at work. Ends when dropped.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// The real address, also where port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was already printed, and there is nothing to do about it here.
            let _ = thread.join();
        }
    }
}

/// Begins to serve `/livez`, `/readyz` and `/metrics`.
///
/// # Errors
/// When the address is taken or not ours, or when no thread is to be had.
pub fn start(address: SocketAddr, served: AdminState) -> Result<Serving, ServeError> {
    let bind = |source| ServeError::Bind { address, source };
    let listener = TcpListener::bind(address).map_err(bind)?;
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
        .name("serve".to_owned())
        .spawn(move || {
            // Not a graceful shutdown: a scraper that keeps its connection open must not keep the process alive.
            runtime.block_on(async {
                tokio::select! {
                    served = axum::serve(listener, router(served)) => {
                        if let Err(error) = served {
                            tracing::error!(%error, "probes and metrics are no longer served");
                        }
                    }
                    _ = stopped => {}
                }
            });
        })?;
    Ok(Serving {
        address,
        stop: Some(stop),
        thread: Some(thread),
    })
}

fn router(served: AdminState) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(served)
}

async fn livez(State(served): State<AdminState>) -> Response {
    match served.heartbeat.silence() {
        None => (StatusCode::OK, "ok\n").into_response(),
        Some(silence) => {
            let text = format!("no sign of life from the main loop for {} s\n", silence.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

async fn readyz(State(served): State<AdminState>) -> Response {
    let closed = served.readiness.closed();
    if closed.is_empty() {
        return (StatusCode::OK, "ok\n").into_response();
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("not ready: {}\n", closed.join(", ")),
    )
        .into_response()
}

async fn metrics(State(served): State<AdminState>) -> Response {
    match served.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests;

//! A small server of our own around the router: only it can close a connection without an answer and leave `Date` out.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;

use super::answer::Severed;
use crate::emulator::Emulator;

/// A served emulator; dropping it closes the listener and all connections.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves at an address; port 0 takes a free one.
pub async fn serve(address: impl ToSocketAddrs, emulator: &Emulator) -> io::Result<Running> {
    serve_on(TcpListener::bind(address).await?, emulator)
}

/// Serves on a listener.
pub fn serve_on(listener: TcpListener, emulator: &Emulator) -> io::Result<Running> {
    let address = listener.local_addr()?;
    let router = emulator.router();
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection(stream, router.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        // Out of file descriptors, most likely: give others time to close theirs.
                        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok(Running { address, task })
}

async fn connection(stream: TcpStream, router: Router) {
    // Answers are small and each is waited for.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move { unless_severed(router.oneshot(request.map(Body::new)).await) }
    });
    let served = http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}

/// An error makes hyper close the connection with nothing sent.
fn unless_severed(response: Result<Response, std::convert::Infallible>) -> io::Result<Response> {
    let Ok(response) = response;
    match response.extensions().get::<Severed>() {
        Some(Severed) => Err(io::Error::other("closed by the emulator")),
        None => Ok(response),
    }
}

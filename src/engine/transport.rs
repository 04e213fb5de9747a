//! The leaf of the stack: one request out, one whole answer back, over the network or into a router in process.
//! Follows no redirect, repeats nothing, and reads no more of an answer than its limit.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;
use tower::timeout::error::Elapsed;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt, service_fn};

use super::config::{ClientConfig, ConfigError};
use super::fault::{BODY_LIMIT, Fault, TransportError};
use super::retry_after::http_date;
use super::tags::SendTracker;
use crate::leadership::Fence;

/// Anything that answers requests: the network, or a router in process.
pub type Http = BoxCloneSyncService<Request<Bytes>, Response<Bytes>, BoxError>;

/// Idle connections are closed before common load balancers drop them silently (60 s).
const IDLE_CONNECTION: Duration = Duration::from_secs(50);

/// Tracks what a leaf sends, and sends nothing that might outlast the right to act: `at_most` is the longest that it takes.
pub(super) fn tracking_sends(leaf: Http, fence: Fence, at_most: Duration) -> Http {
    BoxCloneSyncService::new(service_fn(move |request: Request<Bytes>| {
        let leaf = leaf.clone();
        let sends = SendTracker::of(&request);
        let fence = fence.clone();
        async move {
            if !fence.covers(at_most).await {
                return Err(BoxError::from(TransportError::Fenced));
            }
            sends.sent();
            // A process that was frozen while it connected sends nothing when it wakes, whatever is ready first.
            let deadline = Instant::now() + at_most;
            let mut answer = pin!(leaf.oneshot(request));
            let answer = poll_fn(|context| match Instant::now() < deadline {
                true => answer.as_mut().poll(context),
                false => Poll::Ready(Err(Elapsed::new().into())),
            })
            .await;
            if let Err(error) = &answer
                && let Fault::Transport(TransportError::NotConnected(_)) = Fault::of(error)
            {
                sends.clear();
            }
            answer
        }
    }))
}

/// The network. Trusts the system's roots and the configured ones, honours the system's proxy (not for loopback).
pub(super) fn network(config: &ClientConfig) -> Result<Http, ConfigError> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(config.timeouts.connect)
        .pool_idle_timeout(IDLE_CONNECTION);
    if let Some(pem) = &config.ca_bundle {
        let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
            .ok()
            .filter(|roots| !roots.is_empty())
            .ok_or(ConfigError::InvalidCaBundle)?;
        builder = builder.tls_certs_merge(roots);
    }
    if config.endpoint.is_loopback() {
        builder = builder.no_proxy();
    }
    // A root that parses as PEM but not as a certificate is found out only here.
    let client = builder.build().map_err(|error| match config.ca_bundle {
        Some(_) => ConfigError::InvalidCaBundle,
        None => ConfigError::Client(root_cause(&error)),
    })?;
    Ok(BoxCloneSyncService::new(service_fn(
        move |request: Request<Bytes>| {
            let client = client.clone();
            async move { over_network(client, request).await.map_err(BoxError::from) }
        },
    )))
}

async fn over_network(
    client: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, TransportError> {
    let request = reqwest::Request::try_from(request)
        .map_err(|error| TransportError::NotConnected(root_cause(&error)))?;
    let mut answer = client.execute(request).await.map_err(|error| {
        if error.is_connect() {
            TransportError::NotConnected(root_cause(&error))
        } else {
            TransportError::Lost {
                cause: root_cause(&error),
                date: None,
            }
        }
    })?;
    let date = server_date(answer.headers());
    let mut body = BytesMut::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => {
                return Err(TransportError::TooLarge { date });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                return Err(TransportError::Lost {
                    cause: root_cause(&error),
                    date,
                });
            }
        }
    }
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

/// A router in this process, for tests, the emulator and the simulator. Same limits, no sockets.
pub fn in_process(router: Router) -> Http {
    BoxCloneSyncService::new(service_fn(move |request: Request<Bytes>| {
        let router = router.clone();
        async move { into_router(router, request).await.map_err(BoxError::from) }
    }))
}

async fn into_router(router: Router, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
    let (parts, body) = match router.oneshot(request.map(Body::from)).await {
        Ok(response) => response.into_parts(),
        Err(never) => match never {},
    };
    let date = server_date(&parts.headers);
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(Response::from_parts(parts, body.to_bytes())),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(TransportError::TooLarge { date })
        }
        Err(error) => Err(TransportError::Lost {
            cause: error.to_string(),
            date,
        }),
    }
}

/// The server's time, from its `Date` header. A server may be hours off, and its times of creation with it; what is not of
/// this century is the `Date` of a machine without a clock.
pub(super) fn server_date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = http_date(headers.get(http::header::DATE)?.to_str().ok()?)?;
    let year = date.to_zoned(TimeZone::UTC).year();
    (2020..2100).contains(&year).then_some(date)
}

/// The innermost text of an error: the outer ones repeat the address and say nothing that the call does not know.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if cause.is::<reqwest::Error>() && error.is_timeout() {
        "timed out".to_owned()
    } else {
        cause.to_string()
    }
}

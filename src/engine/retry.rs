//! The one repeat: of a read, once, when the connection failed or a gateway said so. Never of a write, never of a
//! refusal; longer waits are the caller's to plan.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::time::{Sleep, sleep};
use tower::BoxError;
use tower::retry::Policy;

use super::fault::{Fault, TransportError};
use super::operation::Operation;
use super::retry_after;

/// Long enough for a gateway to take another backend, short beside any deadline.
const PAUSE: Duration = Duration::from_millis(250);

/// Repeats a request at most once.
#[derive(Clone, Copy, Debug)]
pub(super) enum RepeatOnce {
    Fresh,
    Repeated,
}

impl Policy<Request<Bytes>, Response<Bytes>, BoxError> for RepeatOnce {
    type Future = Sleep;

    fn retry(
        &mut self,
        request: &mut Request<Bytes>,
        result: &mut Result<Response<Bytes>, BoxError>,
    ) -> Option<Sleep> {
        match self {
            Self::Repeated => None,
            Self::Fresh if may_repeat(request) && is_transient(result) => {
                *self = Self::Repeated;
                Some(sleep(PAUSE))
            }
            Self::Fresh => None,
        }
    }

    fn clone_request(&mut self, request: &Request<Bytes>) -> Option<Request<Bytes>> {
        may_repeat(request).then(|| request.clone())
    }
}

fn may_repeat(request: &Request<Bytes>) -> bool {
    match request.extensions().get::<Operation>() {
        // The exchange inside it is repeated already.
        Some(Operation::Authenticate) | None => false,
        Some(operation) => operation.is_safe(),
    }
}

fn is_transient(result: &Result<Response<Bytes>, BoxError>) -> bool {
    match result {
        Ok(answer) => match answer.status() {
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => true,
            StatusCode::SERVICE_UNAVAILABLE => !retry_after::is_named(answer.headers()),
            // Successes, refusals, and errors that a second try would only meet again.
            _ => false,
        },
        Err(error) => match Fault::of(error) {
            Fault::Transport(TransportError::NotConnected(_) | TransportError::Lost { .. }) => true,
            Fault::Transport(TransportError::TooLarge { .. } | TransportError::Fenced)
            | Fault::TimedOut
            | Fault::Exchange(_)
            | Fault::Other => false,
        },
    }
}

//! Tells what was called and how it went, to the log and to whoever counts. Knows names of operations and numbers, never
//! an address, a header or a body.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt, service_fn};
use tracing::Instrument;

use super::operation::Operation;
use super::transport::{Fault, Http, TransportError};

/// A call that ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Call {
    pub operation: Operation,
    pub outcome: CallOutcome,
    /// Waiting for a slot, an exchange and a repeat included.
    pub took: Duration,
}

/// How a call ended, for counting.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum CallOutcome {
    /// An answer with this HTTP status.
    Status(u16),
    NotConnected,
    /// The answer was lost, or too large.
    Lost,
    TimedOut,
    /// Not made, for want of an application token.
    NoToken,
}

impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::NotConnected => f.write_str("not_connected"),
            Self::Lost => f.write_str("lost"),
            Self::TimedOut => f.write_str("timed_out"),
            Self::NoToken => f.write_str("no_token"),
        }
    }
}

/// Counts calls. Called once per call, from within it: must not block.
pub trait Observer: Send + Sync {
    fn ended(&self, call: &Call);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn ended(&self, _: &Call) {}
}

/// Puts the observer and the log around a service.
pub(super) fn observed(inner: Http, observer: Arc<dyn Observer>) -> Http {
    BoxCloneSyncService::new(service_fn(move |request: Request<Bytes>| {
        let (inner, observer) = (inner.clone(), Arc::clone(&observer));
        async move {
            let Some(operation) = request.extensions().get::<Operation>().copied() else {
                return inner.oneshot(request).await;
            };
            let span = tracing::debug_span!("engine_call", operation = operation.as_str());
            let since = Instant::now();
            let answer = inner.oneshot(request).instrument(span.clone()).await;
            let call = Call {
                operation,
                outcome: outcome(&answer),
                took: since.elapsed(),
            };
            span.in_scope(|| {
                tracing::debug!(
                    outcome = %call.outcome,
                    duration_ms = call.took.as_millis(),
                    "agent engine call ended"
                );
            });
            observer.ended(&call);
            answer
        }
    }))
}

fn outcome(answer: &Result<Response<Bytes>, BoxError>) -> CallOutcome {
    match answer {
        Ok(answer) => CallOutcome::Status(answer.status().as_u16()),
        Err(error) => match Fault::of(error) {
            Fault::Transport(TransportError::NotConnected(_)) => CallOutcome::NotConnected,
            Fault::Transport(TransportError::Lost { .. } | TransportError::TooLarge { .. })
            | Fault::Other => CallOutcome::Lost,
            Fault::TimedOut => CallOutcome::TimedOut,
            Fault::Exchange(_) => CallOutcome::NoToken,
        },
    }
}

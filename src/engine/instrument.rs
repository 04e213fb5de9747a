//! The layer that reports every call to the log and to the observer.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt, service_fn};
use tracing::Instrument;

use super::fault::{Fault, TransportError};
use super::observer::{Call, CallOutcome, Observer};
use super::operation::Operation;
use super::transport::Http;

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
            observer.call_ended(&call);
            answer
        }
    }))
}

fn outcome(answer: &Result<Response<Bytes>, BoxError>) -> CallOutcome {
    match answer {
        Ok(answer) => CallOutcome::Status(answer.status().as_u16()),
        Err(error) => match Fault::of(error) {
            Fault::Transport(TransportError::NotConnected(_) | TransportError::Fenced) => {
                CallOutcome::NotConnected
            }
            Fault::Transport(TransportError::Lost { .. } | TransportError::TooLarge { .. })
            | Fault::Other => CallOutcome::Lost,
            Fault::TimedOut => CallOutcome::TimedOut,
            Fault::Exchange(_) => CallOutcome::NoToken,
        },
    }
}

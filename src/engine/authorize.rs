//! The layer that authorizes requests: adds the application token, and replaces it once when it is refused. Requests that
//! carry a token of their own go through unchanged.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use tower::{BoxError, Service, ServiceExt};

use super::application_token::{Account, Source, Token};
use super::failure;
use super::fault::ExchangeFailed;
use super::operation::Operation;
use super::request::bearer;
use super::tags::{Bearer, SendTracker, UsedBearer};
use super::transport::Http;

/// A 403 may also mean that the token has ended (the API documents neither status for that). A 403 drops a token older
/// than this: at most one more exchange a minute, however many calls a plan refuses.
const DROPPED_ON_403_AFTER: Duration = Duration::from_secs(60);

/// The layer. `calls` and `exchanges` end in the same leaf.
#[derive(Clone)]
pub(super) struct Authorize {
    pub(super) calls: Http,
    pub(super) exchanges: Http,
    pub(super) account: Arc<Account>,
}

impl Service<Request<Bytes>> for Authorize {
    type Response = Response<Bytes>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Bytes>, BoxError>>;

    /// Always ready: waiting for a slot below happens within the call, where the deadline counts.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let this = self.clone();
        let sends = SendTracker::of(&request);
        async move {
            match request.extensions().get().copied().unwrap_or(Bearer::Application) {
                Bearer::Own => this.calls.oneshot(request).await,
                Bearer::Exchange => {
                    let mut held = this.account.held.lock().await;
                    let exchanged = this.account.exchange(&this.exchanges, &mut held, &sends).await;
                    exchanged.answer
                }
                Bearer::Application => this.with_application_token(request, &sends).await,
            }
        }
        .boxed()
    }
}

impl Authorize {
    async fn with_application_token(
        self,
        request: Request<Bytes>,
        sends: &SendTracker,
    ) -> Result<Response<Bytes>, BoxError> {
        let first = self.account.token(&self.exchanges, sends).await?;
        let answer = self.carrying(&first.token, request.clone()).await?;
        match (answer.status(), first.source) {
            (StatusCode::UNAUTHORIZED, Source::Cached) => {}
            // Fresh and refused, or refused for what may be another cause: no replay.
            _ => return Ok(answer),
        }
        sends.clear();
        let second = self.account.token(&self.exchanges, sends).await?;
        self.carrying(&second.token, request).await
    }

    /// Sends a request with this token, and stops using the token if the answer casts doubt on it.
    async fn carrying(
        &self,
        token: &Token,
        mut request: Request<Bytes>,
    ) -> Result<Response<Bytes>, BoxError> {
        let header = bearer(&token.secret).ok_or_else(|| ExchangeFailed {
            failure: failure::of_body(
                Operation::Exchange,
                StatusCode::OK,
                "the application token has characters that cannot be sent in a header",
            ),
            date: None,
        })?;
        request.headers_mut().insert(AUTHORIZATION, header);
        let mut answer = self.calls.clone().oneshot(request).await?;
        let doubtful = match answer.status() {
            StatusCode::UNAUTHORIZED => true,
            StatusCode::FORBIDDEN => token.since.elapsed() >= DROPPED_ON_403_AFTER,
            // Any other status is about the request.
            _ => false,
        };
        if doubtful {
            self.account.drop_token(token).await;
        }
        answer.extensions_mut().insert(UsedBearer(token.secret.clone()));
        Ok(answer)
    }
}

//! The layer that authorises requests: gives them the application token, and replaces it once where it is refused. Calls
//! that carry a token of their own reconcile untouched.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use secrecy::SecretString;
use tower::{BoxError, Service, ServiceExt};

use super::application_token::{Account, ExchangeFailed, Source, Token};
use super::failure;
use super::operation::Operation;
use super::request::bearer;
use super::transport::{Http, SendTracker};

/// A 403 may also mean a token that is no longer good (which of 401 and 403 says so is not documented). A token older
/// than this is dropped on one: at most one exchange a minute more, however many calls a plan refuses.
const DOUBTED_AFTER: Duration = Duration::from_secs(60);

/// What a request is authorised by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bearer {
    /// The application token (also for requests that do not say).
    Application,
    /// A token that the request carries already.
    Own,
    /// The request *is* an exchange, made whether or not a good token is at hand.
    Exchange,
}

/// On an answer: the token that its request carried, for scrubbing.
#[derive(Clone)]
pub(super) struct UsedBearer(pub(super) SecretString);

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
        let departure = SendTracker::of(&request);
        async move {
            match request.extensions().get().copied().unwrap_or(Bearer::Application) {
                Bearer::Own => this.calls.oneshot(request).await,
                Bearer::Exchange => {
                    let mut held = this.account.held.lock().await;
                    let exchanged = this
                        .account
                        .exchange(&this.exchanges, &mut held, &departure)
                        .await;
                    exchanged.answer
                }
                Bearer::Application => this.with_application_token(request, &departure).await,
            }
        }
        .boxed()
    }
}

impl Authorize {
    async fn with_application_token(
        self,
        request: Request<Bytes>,
        departure: &SendTracker,
    ) -> Result<Response<Bytes>, BoxError> {
        let first = self.account.token(&self.exchanges, departure).await?;
        let answer = self.carrying(&first.token, request.clone()).await?;
        match (answer.status(), first.source) {
            (StatusCode::UNAUTHORIZED, Source::Cached) => {}
            // Fresh and refused, or refused for what may be another cause: no replay.
            _ => return Ok(answer),
        }
        departure.clear();
        let second = self.account.token(&self.exchanges, departure).await?;
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
            StatusCode::FORBIDDEN => token.since.elapsed() >= DOUBTED_AFTER,
            // Whatever else is said is said about the request.
            _ => false,
        };
        if doubtful {
            self.account.drop_token(token).await;
        }
        answer.extensions_mut().insert(UsedBearer(token.secret.clone()));
        Ok(answer)
    }
}

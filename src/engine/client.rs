//! The calls: typed arguments in, typed answers out, each with its times and the server's `Date`.
//! None is repeated here, and none decides what to do next.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tower::ServiceExt;

use super::application_token::read_exchange;
use super::calibration::Calibration;
use super::config::{ClientConfig, ConfigError};
use super::fault::{Fault, TransportError};
use super::not_found::Evidence;
use super::operation::Operation;
use super::redact::Redactor;
use super::request::{NO_HEADER, Requests, bearer};
use super::stack::stack;
use super::tags::SendTracker;
use super::transport::{Http, network, server_date};
use super::wire::{IssueAnswer, VerifyAnswer};
use super::{failure, token_life, wire};
use crate::clock::Clock;
use crate::domain::ids::{OrganizationId, RegionId, WorkspaceName};
use crate::domain::remote::{Answer, Failure, TokenScope};

/// A client of the Agent Engine API for one organization. Cheap to clone; clones share token, slots and connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: Http,
    requests: Requests,
    clock: Clock,
    redactor: Redactor,
    calibration: Mutex<Calibration>,
}

/// What verified credentials belong to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authenticated {
    /// Absent when the answer did not say.
    pub organization_id: Option<OrganizationId>,
}

/// A token that opens one workspace; which one is known once it is verified.
#[derive(Clone)]
pub struct ScopedToken {
    pub secret: SecretString,
    /// From the start of the issue. At most twenty minutes; can be absurdly short, even zero.
    pub lifetime: Duration,
}

impl fmt::Debug for ScopedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedToken")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// An answer, or why there is none.
pub(super) struct Reply {
    pub(super) date: Option<Timestamp>,
    pub(super) requests: u32,
    pub(super) size: Size,
    pub(super) result: Result<Response<Bytes>, Failure>,
}

/// Whether an answer was read to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Size {
    Fits,
    TooLarge,
}

impl Client {
    /// A client over the network.
    ///
    /// # Errors
    /// [`ConfigError`] when something in `config` cannot be used. Sends nothing.
    pub fn new(config: &ClientConfig) -> Result<Self, ConfigError> {
        Self::over(network(config)?, config)
    }

    /// A client over a leaf of the caller's: a router in process, a recorder, a simulated network.
    ///
    /// # Errors
    /// As for [`Client::new`].
    pub fn over(leaf: Http, config: &ClientConfig) -> Result<Self, ConfigError> {
        if config.concurrency == 0 {
            return Err(ConfigError::NoConcurrency);
        }
        let requests = Requests::new(config)?;
        let http = stack(config, &requests, leaf);
        let redactor = Redactor::new(config.credentials.client_secret.clone());
        Ok(Self(Arc::new(Inner {
            http,
            requests,
            clock: config.clock.clone(),
            redactor,
            calibration: Mutex::default(),
        })))
    }

    /// The same client, from now on naming the organization with every call. Shares token, slots and connections.
    ///
    /// # Errors
    /// [`ConfigError`] when the id cannot stand in a header.
    pub fn within(&self, organization: &OrganizationId) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(Inner {
            http: self.0.http.clone(),
            requests: self.0.requests.within(organization)?,
            clock: self.0.clock.clone(),
            redactor: self.0.redactor.clone(),
            // Of another organization nothing was seen yet.
            calibration: Mutex::default(),
        })))
    }

    /// Exchanges the credentials now, whatever token is at hand; what comes of it serves later calls.
    pub async fn authenticate(&self) -> Answer<Authenticated> {
        let request = self.0.requests.authenticate();
        self.call(Operation::Authenticate, request, |answer| {
            let read = read_exchange(answer, &self.0.redactor, self.now())?;
            Ok(Authenticated {
                organization_id: read.organization_id.map(OrganizationId::new),
            })
        })
        .await
    }

    /// Issues a token for the workspace of that name, and creates that workspace if there is none. Never repeated;
    /// [`Unknown`](crate::domain::remote::FailureClass::Unknown) whenever it may have been carried out without us learning so.
    pub async fn issue(&self, name: &WorkspaceName, region: Option<&RegionId>) -> Answer<ScopedToken> {
        let request = self.0.requests.issue(name, region);
        self.call(Operation::Issue, request, |answer| {
            let IssueAnswer { token } = decode(Operation::Issue, answer)?;
            if token.is_empty() {
                return Err(failure::of_body(
                    Operation::Issue,
                    answer.status(),
                    "the token is empty",
                ));
            }
            let lifetime = token_life::of(&token, server_date(answer.headers()));
            let secret = SecretString::from(token);
            if bearer(&secret).is_none() {
                return Err(failure::of_body(Operation::Issue, answer.status(), NO_HEADER));
            }
            Ok(ScopedToken { secret, lifetime })
        })
        .await
    }

    /// Asks which workspace a scoped token opens.
    pub async fn verify(&self, token: &ScopedToken) -> Answer<TokenScope> {
        let redactor = self.0.redactor.clone().with(Some(token.secret.clone()));
        let request = self.0.requests.verify(&token.secret);
        self.call_redacted(&redactor, Operation::Verify, request, |answer| {
            decode::<VerifyAnswer>(Operation::Verify, answer).map(TokenScope::from)
        })
        .await
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(super) fn redactor(&self) -> &Redactor {
        &self.0.redactor
    }

    pub(super) fn requests(&self) -> &Requests {
        &self.0.requests
    }

    pub(super) fn calibration(&self) -> MutexGuard<'_, Calibration> {
        self.0.calibration.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T>(
        &self,
        operation: Operation,
        request: Result<Request<Bytes>, Failure>,
        read: impl FnOnce(&Response<Bytes>) -> Result<T, Failure>,
    ) -> Answer<T> {
        self.call_redacted(&self.0.redactor, operation, request, read)
            .await
    }

    async fn call_redacted<T>(
        &self,
        redactor: &Redactor,
        operation: Operation,
        request: Result<Request<Bytes>, Failure>,
        read: impl FnOnce(&Response<Bytes>) -> Result<T, Failure>,
    ) -> Answer<T> {
        let began = Instant::now();
        let reply = self.send(redactor, operation, request).await;
        self.answer(began, reply, read)
    }

    pub(super) async fn send_plain(
        &self,
        operation: Operation,
        request: Result<Request<Bytes>, Failure>,
    ) -> Reply {
        self.send(&self.0.redactor, operation, request).await
    }

    async fn send(
        &self,
        redactor: &Redactor,
        operation: Operation,
        request: Result<Request<Bytes>, Failure>,
    ) -> Reply {
        let reply = self.send_any(redactor, operation, request).await;
        self.success(redactor, operation, reply, Evidence::None)
    }

    /// The reply, a failure if its status is no success; `evidence` is for a 404.
    pub(super) fn success(
        &self,
        redactor: &Redactor,
        operation: Operation,
        reply: Reply,
        evidence: Evidence,
    ) -> Reply {
        let judged = |answer: Response<Bytes>| {
            if answer.status().is_success() {
                Ok(answer)
            } else {
                let now = self.now();
                Err(failure::of_status(operation, &answer, redactor, now, evidence))
            }
        };
        Reply {
            result: reply.result.and_then(judged),
            ..reply
        }
    }

    /// What a call that began then has come to.
    pub(super) fn answer<T>(
        &self,
        began: Instant,
        reply: Reply,
        read: impl FnOnce(&Response<Bytes>) -> Result<T, Failure>,
    ) -> Answer<T> {
        let result = reply.result.and_then(|answer| read(&answer));
        Answer {
            finished: self.now(),
            took: began.elapsed(),
            date: reply.date,
            requests: reply.requests,
            result,
        }
    }

    /// An answer of any status.
    pub(super) async fn send_any(
        &self,
        redactor: &Redactor,
        operation: Operation,
        request: Result<Request<Bytes>, Failure>,
    ) -> Reply {
        let mut request = match request {
            Ok(request) => request,
            Err(failure) => {
                return Reply {
                    date: None,
                    requests: 0,
                    size: Size::Fits,
                    result: Err(failure),
                };
            }
        };
        let sends = SendTracker::default();
        request.extensions_mut().insert(sends.clone());
        let answer = self.0.http.clone().oneshot(request).await;
        let requests = sends.requests_sent();
        match answer {
            Ok(answer) => Reply {
                date: server_date(answer.headers()),
                requests,
                size: Size::Fits,
                result: Ok(answer),
            },
            Err(error) => {
                let fault = Fault::of(&error);
                let size = match &fault {
                    Fault::Transport(TransportError::TooLarge { .. }) => Size::TooLarge,
                    _ => Size::Fits,
                };
                let (failure, date) = failure::of_fault(operation, &fault, &sends, redactor);
                Reply {
                    date,
                    requests,
                    size,
                    result: Err(failure),
                }
            }
        }
    }
}

pub(super) fn decode<T: DeserializeOwned>(
    operation: Operation,
    answer: &Response<Bytes>,
) -> Result<T, Failure> {
    wire::read(answer.body()).map_err(|why| failure::of_body(operation, answer.status(), why))
}

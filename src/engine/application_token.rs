//! The application token: exchanged once for all calls, and kept until shortly before it ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tower::{BoxError, ServiceExt};

use super::config::Credentials;
use super::failure;
use super::fault::{ExchangeFailed, Fault};
use super::not_found::Evidence;
use super::operation::Operation;
use super::redact::Redactor;
use super::request::{NO_HEADER, Requests, bearer};
use super::tags::SendTracker;
use super::transport::{Http, server_date};
use super::wire::{self, ExchangeAnswer};
use crate::clock::Clock;
use crate::domain::remote::{Failure, FailureClass};

/// A token is replaced this long before its end, so that none ends on the way: more than twice a call's deadline.
const MARGIN: Duration = Duration::from_secs(60);
/// As documented; for an answer without `expires_in`.
const DOCUMENTED_LIFE: Duration = Duration::from_secs(900);
/// No source knows of a life longer than an hour; longer claims are cut.
const LONGEST_LIFE: Duration = Duration::from_secs(3600);

/// The credentials and the token held for them. The lock is held across an exchange, so that concurrent calls wait for
/// it.
pub(super) struct Account {
    credentials: Credentials,
    requests: Requests,
    clock: Clock,
    pub(super) held: Mutex<Held>,
    /// Exchanges finished so far, good or bad.
    finished: AtomicU64,
}

#[derive(Default)]
pub(super) struct Held {
    token: Option<Token>,
    failed: Option<ExchangeFailed>,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    /// Which exchange it is from.
    serial: u64,
    pub(super) since: Instant,
    until: Instant,
}

pub(super) enum Source {
    Cached,
    Exchanged,
}

pub(super) struct Obtained {
    pub(super) token: Token,
    pub(super) source: Source,
}

pub(super) struct Exchanged {
    /// For a call that is itself an exchange.
    pub(super) answer: Result<Response<Bytes>, BoxError>,
    /// For one that needs the token.
    token: Result<Token, ExchangeFailed>,
}

impl Account {
    pub(super) fn new(credentials: Credentials, requests: Requests, clock: Clock) -> Self {
        Self {
            credentials,
            requests,
            clock,
            held: Mutex::default(),
            finished: AtomicU64::new(0),
        }
    }

    /// The call that makes the exchange is charged for it, in `sends`.
    pub(super) async fn token(
        &self,
        exchanges: &Http,
        sends: &SendTracker,
    ) -> Result<Obtained, ExchangeFailed> {
        let seen = self.finished.load(Ordering::SeqCst);
        let mut held = self.held.lock().await;
        if let Some(token) = held.token.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(Obtained {
                token: token.clone(),
                source: Source::Cached,
            });
        }
        // An exchange failed while we waited for it. Its failure is ours too: otherwise each waiting call would repeat it.
        if self.finished.load(Ordering::SeqCst) != seen
            && let Some(failed) = &held.failed
        {
            return Err(failed.clone());
        }
        let token = self.exchange(exchanges, &mut held, sends).await.token?;
        Ok(Obtained {
            token,
            source: Source::Exchanged,
        })
    }

    pub(super) async fn drop_token(&self, refused: &Token) {
        let mut held = self.held.lock().await;
        if held
            .token
            .as_ref()
            .is_some_and(|token| token.serial == refused.serial)
        {
            held.token = None;
        }
    }

    pub(super) async fn exchange(&self, exchanges: &Http, held: &mut Held, sends: &SendTracker) -> Exchanged {
        let since = Instant::now();
        let answer = match self.requests.exchange(&self.credentials) {
            Ok(mut request) => {
                request.extensions_mut().insert(sends.of_its_exchange());
                exchanges.clone().oneshot(request).await
            }
            Err(failure) => Err(ExchangeFailed { failure, date: None }.into()),
        };
        let serial = self.finished.fetch_add(1, Ordering::SeqCst);
        let token = self.read_token(&answer, since, serial);
        held.failed = token.as_ref().err().cloned();
        match &token {
            Ok(token) => held.token = Some(token.clone()),
            // The credentials are refused, so their token is no longer good either.
            Err(ExchangeFailed {
                failure:
                    Failure {
                        class: FailureClass::Denied,
                        ..
                    },
                ..
            }) => held.token = None,
            Err(_) => {} // Other failures say nothing about the token at hand.
        }
        Exchanged { answer, token }
    }

    fn read_token(
        &self,
        answer: &Result<Response<Bytes>, BoxError>,
        since: Instant,
        serial: u64,
    ) -> Result<Token, ExchangeFailed> {
        let redactor = Redactor::new(self.credentials.client_secret.clone());
        match answer {
            Ok(answer) => {
                let date = server_date(answer.headers());
                let read = read_exchange(answer, &redactor, self.clock.now());
                let answer = read.map_err(|failure| ExchangeFailed { failure, date })?;
                let until = since + usable_for(answer.expires_in);
                Ok(Token {
                    secret: answer.access_token.into(),
                    serial,
                    since,
                    until,
                })
            }
            Err(error) => {
                let (failure, date) = failure::of_fault(
                    Operation::Exchange,
                    &Fault::of(error),
                    &SendTracker::default(),
                    &redactor,
                );
                Err(ExchangeFailed { failure, date })
            }
        }
    }
}

/// What an exchange brought.
pub(super) fn read_exchange(
    answer: &Response<Bytes>,
    redactor: &Redactor,
    now: Timestamp,
) -> Result<ExchangeAnswer, Failure> {
    let status = answer.status();
    if !status.is_success() {
        return Err(failure::of_status(
            Operation::Exchange,
            answer,
            redactor,
            now,
            Evidence::None,
        ));
    }
    let body: ExchangeAnswer =
        wire::read(answer.body()).map_err(|why| failure::of_body(Operation::Exchange, status, why))?;
    if body.access_token.is_empty() {
        return Err(failure::of_body(
            Operation::Exchange,
            status,
            "the application token is empty",
        ));
    }
    if bearer(&body.access_token.as_str().into()).is_none() {
        return Err(failure::of_body(Operation::Exchange, status, NO_HEADER));
    }
    Ok(body)
}

/// How long a token is used, from the start of its exchange.
fn usable_for(expires_in: Option<f64>) -> Duration {
    let life = expires_in
        .filter(|seconds| *seconds > 0.0)
        .map_or(DOCUMENTED_LIFE, |seconds| {
            Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_LIFE)
        })
        .min(LONGEST_LIFE);
    // At most half of a short life is margin, or each call would need an exchange.
    life - MARGIN.min(life / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_until_a_minute_before_its_end() {
        let cases = [
            (Some(900.0), 840),
            (Some(3600.0), 3540),
            (Some(60.0), 30),
            (Some(10.0), 5),
            (None, 840),
            (Some(0.0), 840),
            (Some(-5.0), 840),
            (Some(f64::NAN), 840),
            (Some(1e300), 3540),
        ];
        for (said, seconds) in cases {
            assert_eq!(usable_for(said), Duration::from_secs(seconds), "{said:?}");
        }
    }
}

//! What a failed call means: status, body and circumstances in; one class and a line fit to be shown out.
//!
//! Laws: a write whose answer is in doubt is `Unknown`, never `Transient`. `Missing` needs an answer that is surely the
//! API's ([`not_found`]), because the operator gives up what is missing. Status and shape decide; words are only shown.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use jiff::Timestamp;

use super::fault::{Fault, TransportError};
use super::not_found::{Evidence, Shape};
use super::operation::Operation;
use super::redact::Redactor;
use super::tags::{SendTracker, UsedBearer};
use super::transport::server_date;
use super::{error_text, not_found, retry_after};
use crate::domain::remote::{Failure, FailureClass};

/// Judges an answer whose status is no success. `now` is local time, for an answer without a `Date`; `evidence` is for a 404.
pub(super) fn of_status(
    operation: Operation,
    answer: &Response<Bytes>,
    redactor: &Redactor,
    now: Timestamp,
    evidence: Evidence,
) -> Failure {
    let status = answer.status();
    let said = error_text::read(answer.body());
    let class = match operation {
        Operation::Exchange | Operation::Authenticate => class_of_exchange(answer, said.as_deref()),
        Operation::List
        | Operation::Get
        | Operation::Issue
        | Operation::Verify
        | Operation::Update
        | Operation::Delete => class_of_call(operation, answer, said.as_deref(), evidence),
    };
    let class = match class {
        Class::Plain(class) => class,
        Class::AskedToWait => {
            let now = server_date(answer.headers()).unwrap_or(now);
            FailureClass::Throttled(retry_after::delay(answer.headers(), now))
        }
    };
    let bearer = answer
        .extensions()
        .get::<UsedBearer>()
        .map(|UsedBearer(secret)| secret.clone());
    let redactor = redactor.clone().with(bearer);
    let code = status.as_u16();
    let mut detail = match said.as_deref() {
        Some("") => format!("HTTP {code}"),
        Some(text) => redactor.redact(&format!("HTTP {code}: {text}")),
        None if status.is_redirection() => format!("HTTP {code}: a redirect, not followed"),
        None => format!("HTTP {code} with {}", kind_of_body(answer)),
    };
    if class == FailureClass::Malformed || (said.is_none() && !answer.body().is_empty()) {
        detail.push_str(place_to_check(operation));
    }
    Failure {
        class,
        status: Some(status.as_u16()),
        detail,
    }
}

enum Class {
    Plain(FailureClass),
    AskedToWait,
}

impl From<FailureClass> for Class {
    fn from(class: FailureClass) -> Self {
        Self::Plain(class)
    }
}

fn class_of_call(
    operation: Operation,
    answer: &Response<Bytes>,
    said: Option<&str>,
    evidence: Evidence,
) -> Class {
    let status = answer.status();
    match (status.as_u16(), operation.is_safe()) {
        (401 | 403, _) => FailureClass::Denied.into(),
        (408, true) => FailureClass::Transient.into(),
        // Some proxies give up so on a request that they had passed on.
        (408, false) => FailureClass::Unknown.into(),
        // Only a proxy says so, of its own credentials, and has passed nothing on.
        (407, _) => FailureClass::Malformed.into(),
        (429, _) => Class::AskedToWait,
        (503, true) if retry_after::is_named(answer.headers()) => Class::AskedToWait,
        (500..=599, true) => FailureClass::Transient.into(),
        (500..=599, false) => FailureClass::Unknown.into(),
        (404 | 410, _) => not_found::class(operation, not_found::shape(answer), evidence).into(),
        (405, _) => FailureClass::Malformed.into(),
        (400..=499, _) if said.is_none() => FailureClass::Malformed.into(),
        (409, _) => FailureClass::Conflict.into(),
        (400..=499, _) => FailureClass::Rejected.into(),
        // 1xx, 2xx that no caller took for success, 3xx, and what is no status at all.
        _ => FailureClass::Malformed.into(),
    }
}

/// What refuses a pair of credentials is not documented: any 4xx does, but for those that speak of time, or of a place
/// where the API is not. 401 and 403 do in any shape; others only in one of the API's, or a proxy's own refusal would read
/// as one of the credential.
fn class_of_exchange(answer: &Response<Bytes>, said: Option<&str>) -> Class {
    match answer.status().as_u16() {
        401 | 403 => FailureClass::Denied.into(),
        407 => FailureClass::Malformed.into(),
        408 => FailureClass::Transient.into(),
        429 => Class::AskedToWait,
        400..=499 if said.is_none() => FailureClass::Malformed.into(),
        404 | 405 if not_found::shape(answer) != Shape::Envelope => FailureClass::Malformed.into(),
        400..=499 => FailureClass::Denied.into(),
        500..=599 => FailureClass::Transient.into(),
        // Redirects and what is no status at all.
        _ => FailureClass::Malformed.into(),
    }
}

fn kind_of_body(answer: &Response<Bytes>) -> &'static str {
    let html = answer
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    match (answer.body().is_empty(), html) {
        (true, _) => "an empty body",
        (false, true) => "an HTML page",
        (false, false) => "a body in no shape of the API's",
    }
}

/// What to do about an answer that may be of another server.
fn place_to_check(operation: Operation) -> &'static str {
    match operation {
        Operation::Issue | Operation::Verify => {
            ", as a proxy or a wrong address may answer; check spec.endpoint and spec.tokenPath of the Organization, and any \
             proxy in between"
        }
        Operation::Exchange
        | Operation::Authenticate
        | Operation::List
        | Operation::Get
        | Operation::Update
        | Operation::Delete => {
            ", as a proxy or a wrong address may answer; check spec.endpoint of the Organization, and any proxy in between"
        }
    }
}

/// Judges a call that ended without an answer.
pub(super) fn of_fault(
    operation: Operation,
    fault: &Fault<'_>,
    sends: &SendTracker,
    redactor: &Redactor,
) -> (Failure, Option<Timestamp>) {
    let in_doubt = !operation.is_safe() && sends.may_have_happened();
    let class = if in_doubt {
        FailureClass::Unknown
    } else {
        FailureClass::Transient
    };
    let (class, detail, date) = match fault {
        Fault::Exchange(exchange) => return (exchange.failure.clone(), exchange.date),
        Fault::Transport(error @ (TransportError::NotConnected(_) | TransportError::Fenced)) => {
            (FailureClass::Transient, redactor.redact(&error.to_string()), None)
        }
        Fault::Transport(error @ TransportError::Lost { date, .. }) => {
            (class, redactor.redact(&error.to_string()), *date)
        }
        Fault::Transport(error @ TransportError::TooLarge { date }) => (
            if in_doubt { class } else { FailureClass::Malformed },
            error.to_string(),
            *date,
        ),
        Fault::TimedOut => (class, "no answer in time".to_owned(), None),
        Fault::Other => (class, "the answer was lost".to_owned(), None),
    };
    (
        Failure {
            class,
            status: None,
            detail,
        },
        date,
    )
}

/// A success whose body is not what was asked for. A write was carried out, or a portal in between answered: unknown.
pub(super) fn of_body(operation: Operation, status: StatusCode, why: &str) -> Failure {
    let class = if operation.is_safe() {
        FailureClass::Malformed
    } else {
        FailureClass::Unknown
    };
    Failure {
        class,
        status: Some(status.as_u16()),
        detail: format!("HTTP {}: {why}", status.as_u16()),
    }
}

/// A request that was not sent because no good address can be made of its arguments.
pub(super) fn not_sent(why: &str) -> Failure {
    Failure {
        class: FailureClass::Rejected,
        status: None,
        detail: format!("{why}; nothing was sent"),
    }
}

//! From the API's reply to an HTTP response: headers, error shapes, and every way in which a fault spoils it.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::unrouted::Unrouted;
use crate::emulator::api::{Allowance, Refusal, Reply};
use crate::emulator::fault::FaultAnswer;
use crate::emulator::knobs::{DateHeader, Knobs, Presence, RetryAfter};

const PAGE: &str = "<!doctype html>\n<html><head><title>Gateway</title></head><body><h1>It works, or it does not</h1></body></html>\n";

/// Marks a response in place of which the connection is closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Severed;

/// What a response depends on beside the reply.
pub(super) struct Dressing<'a> {
    pub knobs: &'a Knobs,
    pub now: Timestamp,
}

/// The response. None: close the connection without one.
pub(super) fn dress(
    reply: Option<Result<Reply, Unrouted>>,
    answer: &FaultAnswer,
    dressing: &Dressing<'_>,
) -> Option<Response> {
    let response = match answer {
        FaultAnswer::Drop => return None,
        FaultAnswer::Pass | FaultAnswer::TokenOf { .. } | FaultAnswer::TokenLifetime { .. } => {
            json_response(&rendered(reply, dressing))
        }
        FaultAnswer::Truncate => truncated(&rendered(reply, dressing)),
        FaultAnswer::Status {
            status,
            body,
            headers,
        } => {
            let body = body.clone().unwrap_or_else(|| injected_error(*status, dressing));
            let mut response = match body {
                Value::String(text) => plain(*status, "text/plain; charset=utf-8", text),
                other => json_response(&Rendered {
                    status: *status,
                    body: Some(other),
                    headers: Vec::new(),
                }),
            };
            for (name, value) in headers {
                insert(&mut response, name, value);
            }
            response
        }
        FaultAnswer::Html { status } => plain(*status, "text/html; charset=utf-8", PAGE.to_owned()),
        FaultAnswer::Redirect { to, status } => {
            let mut response = plain(*status, "text/plain; charset=utf-8", String::new());
            insert(&mut response, LOCATION.as_str(), to);
            response
        }
    };
    Some(dated(response, dressing))
}

/// Stands for no answer at all: `serve` closes the connection, any other server breaks off in the body.
pub(super) fn severed() -> Response {
    let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("closed by the emulator"))]);
    let mut response = Response::new(Body::from_stream(broken));
    response.extensions_mut().insert(Severed);
    response
}

pub(super) fn too_large() -> Response {
    plain(
        413,
        "application/json",
        json!({"detail": "Request body is too large or incomplete"}).to_string(),
    )
}

struct Rendered {
    status: u16,
    /// None: empty, of no content type.
    body: Option<Value>,
    headers: Vec<(HeaderName, String)>,
}

impl Rendered {
    fn text(&self) -> String {
        self.body.as_ref().map(Value::to_string).unwrap_or_default()
    }
}

fn rendered(reply: Option<Result<Reply, Unrouted>>, dressing: &Dressing<'_>) -> Rendered {
    let Some(reply) = reply else {
        // Unreachable by `Fault::check`: an answer that passes needs its effect.
        return Rendered {
            status: 500,
            body: Some(injected_error(500, dressing)),
            headers: Vec::new(),
        };
    };
    let reply = match reply {
        Ok(reply) => reply,
        Err(Unrouted { status, body, header }) => {
            let headers = header.into_iter().collect();
            return Rendered {
                status,
                body,
                headers,
            };
        }
    };
    let (status, body) = match reply.result {
        Ok(answer) => (answer.status, answer.body),
        Err(refusal) => (refusal.status, refusal.body(dressing.knobs.error_shape)),
    };
    let mut headers = Vec::new();
    if status == 401 && dressing.knobs.www_authenticate == Presence::Present {
        headers.push((WWW_AUTHENTICATE, "Bearer".to_owned()));
    }
    if let Some(allowance) = reply.allowance {
        headers.extend(rate_headers(status, allowance, dressing));
    }
    Rendered {
        status,
        body: Some(body),
        headers,
    }
}

fn rate_headers(status: u16, allowance: Allowance, dressing: &Dressing<'_>) -> Vec<(HeaderName, String)> {
    let Allowance { limit, left, seconds } = allowance;
    let mut headers = Vec::new();
    if dressing.knobs.rate_limit_headers == Presence::Present {
        headers.push((HeaderName::from_static("x-ratelimit-limit"), limit.to_string()));
        headers.push((HeaderName::from_static("x-ratelimit-remaining"), left.to_string()));
        headers.push((HeaderName::from_static("x-ratelimit-reset"), seconds.to_string()));
    }
    let value = match dressing.knobs.retry_after {
        RetryAfter::Int => Some(seconds.to_string()),
        RetryAfter::Zero => Some("0".to_owned()),
        RetryAfter::Huge => Some("999999999999".to_owned()),
        RetryAfter::Absent => None,
        RetryAfter::Date => {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            dressing
                .now
                .checked_add(SignedDuration::from_secs(seconds))
                .ok()
                .and_then(http_date)
        }
    };
    if let (429, Some(value)) = (status, value) {
        headers.push((RETRY_AFTER, value));
    }
    headers
}

fn json_response(rendered: &Rendered) -> Response {
    let mut response = plain(rendered.status, "application/json", rendered.text());
    if rendered.body.is_none() {
        response.headers_mut().remove(CONTENT_TYPE);
    }
    for (name, value) in &rendered.headers {
        insert(&mut response, name.as_str(), value);
    }
    response
}

/// Promises the whole length, sends half, breaks off.
fn truncated(rendered: &Rendered) -> Response {
    let whole = json_response(rendered);
    let text = rendered.text();
    let half = Bytes::copy_from_slice(text.as_bytes().get(..text.len() / 2).unwrap_or_default());
    // The pause lets the server send what it has before it learns of the break.
    let broken = stream::once(async {
        tokio::task::yield_now().await;
        Err(std::io::Error::other("truncated by the emulator"))
    });
    let parts = stream::iter([Ok(half)]).chain(broken);
    let mut response = whole.map(|_| Body::from_stream(parts));
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    response
}

fn plain(status: u16, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn dated(mut response: Response, dressing: &Dressing<'_>) -> Response {
    let instant = match dressing.knobs.date {
        DateHeader::Absent => return response,
        DateHeader::Exact => Some(dressing.now),
        DateHeader::Skewed => dressing
            .now
            .checked_add(SignedDuration::from_secs(dressing.knobs.date_skew.0))
            .ok(),
    };
    if let Some(text) = instant.and_then(http_date) {
        insert(&mut response, DATE.as_str(), &text);
    }
    response
}

fn http_date(instant: Timestamp) -> Option<String> {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&instant).ok()
}

/// Headers that cannot be written were refused when the fault was given.
fn insert(response: &mut Response, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        response.headers_mut().insert(name, value);
    }
}

/// The body of an error that a fault or a knob made, not the API.
fn injected_error(status: u16, dressing: &Dressing<'_>) -> Value {
    Refusal::new(status, "Injected by the emulator").body(dressing.knobs.error_shape)
}

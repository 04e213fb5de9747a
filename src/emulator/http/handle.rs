//! Handles one request: journal, fault, latency, hold, the API's answer, hold, response. Runs in a task of its own, because a held
//! request goes on when its client is gone.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request as HttpRequest;
use axum::response::Response;
use http::header::HOST;
use http::{HeaderMap, Method, Uri};
use tokio::sync::oneshot;

use super::answer::{self, Dressing};
use super::unrouted::Unrouted;
use crate::emulator::api::{Arrival, Body, Principal, Reply, Request, Tampering};
use crate::emulator::fault::{Effect, Fault, FaultAnswer, Phase, Subject};
use crate::emulator::hold::Then;
use crate::emulator::journal::{self, Entry, Outcome};
use crate::emulator::knobs::AfterCommit;
use crate::emulator::operation::{Route, route};
use crate::emulator::state::{Shared, State};

/// The real service's limit is not known; no request of this API comes near it.
const MOST_BYTES: usize = 1 << 20;

/// Between the search for a free name and the creation, where overlapping calls may create duplicates: they must overlap.
const RACE: Duration = Duration::from_millis(100);

/// A request that has arrived and is in the journal.
struct Arrived {
    seq: u64,
    call: Result<Request, Unrouted>,
    fault: Fault,
    latency: Duration,
}

/// Answers a request.
pub(super) async fn handle(shared: Arc<Shared>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        // Too large, or the client went away while sending.
        let mut state = shared.lock();
        let fault = None;
        let seq = note(&mut state, &parts.method, &parts.uri, &parts.headers, &[], fault);
        let response = answer::too_large();
        state.finish(seq, Some(response.status().as_u16()));
        return response;
    };
    let (reply, answered) = oneshot::channel();
    tokio::spawn(async move {
        let arrived = arrive(
            &mut shared.lock(),
            &parts.method,
            &parts.uri,
            &parts.headers,
            &body,
        );
        let response = process(&shared, arrived).await;
        // The client may be gone; the request is carried out all the same.
        let _ = reply.send(response);
    });
    answered.await.unwrap_or_else(|_| answer::severed())
}

fn arrive(state: &mut State, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Arrived {
    let now = state.clock.now();
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    let route = route(method.as_str(), path, &state.knobs);
    let operation = route.as_ref().ok().map(|route| route.operation);
    let text = String::from_utf8_lossy(body);
    let subject = Subject {
        operation,
        method: method.as_str(),
        path,
        query,
        body: &text,
    };
    let taken = state.faults.take(&subject);
    let id = taken.as_ref().map(|(id, _)| *id);
    let seq = note(state, method, uri, headers, body, id);
    let fault = taken.map(|(_, fault)| fault).unwrap_or_default();
    let route = route.map_err(|no_route| Unrouted::new(no_route, uri, &origin(uri, headers)));
    let mut latency = Duration::from_millis(fault.latency_ms.saturating_add(state.knobs.latency_ms.0));
    let call = route.map(|route| {
        let mut call = read(route, uri, headers, body);
        call.tampering = match &fault.answer {
            FaultAnswer::TokenOf { workspace_id } => Tampering::TokenOf(workspace_id.clone()),
            FaultAnswer::TokenLifetime { seconds } => Tampering::Lifetime(*seconds),
            FaultAnswer::Pass
            | FaultAnswer::Status { .. }
            | FaultAnswer::Drop
            | FaultAnswer::Truncate
            | FaultAnswer::Html { .. }
            | FaultAnswer::Redirect { .. } => Tampering::None,
        };
        call.arrival = state.world.find_at_arrival(&call, &state.knobs, now);
        if call.arrival == Arrival::NameFree {
            latency = latency.max(RACE);
        }
        call
    });
    Arrived {
        seq,
        call,
        fault,
        latency,
    }
}

/// Writes a request into the journal; returns its number.
fn note(
    state: &mut State,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    fault: Option<u64>,
) -> u64 {
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    let route = route(method.as_str(), path, &state.knobs);
    let operation = route.as_ref().ok().map(|route| route.operation);
    let secrets = state.secrets();
    let named = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let entry = Entry {
        seq: 0,
        at: state.clock.now(),
        method: method.to_string(),
        path: journal::redacted_text(path, &secrets),
        family: route.as_ref().ok().map(|route| route.family),
        operation,
        query: journal::redacted_text(query, &secrets),
        principal: Principal::None,
        headers: journal::redacted_headers(named, &secrets),
        body: journal::redacted_body(body, &secrets),
        status: None,
        outcome: Outcome::Running,
        applied: false,
        organization_id: None,
        workspace_id: None,
        fault,
    };
    state.journal.begin(entry)
}

fn read(route: Route, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Request {
    let header = |name: &str| {
        headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    Request {
        operation: route.operation,
        family: route.family,
        id: route.id,
        query,
        authorization: header("authorization"),
        organization: header("x-organization-id"),
        body: match body {
            [] => Body::Absent,
            _ if says_json(header("content-type").as_deref()) => Body::Json(body.to_vec()),
            _ => Body::Foreign,
        },
        origin: origin(uri, headers),
        arrival: Arrival::Unseen,
        tampering: Tampering::None,
    }
}

/// The emulator's address as the client spells it.
fn origin(uri: &Uri, headers: &HeaderMap) -> String {
    let host = headers
        .get(HOST)
        .map(|host| String::from_utf8_lossy(host.as_bytes()));
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str().into()));
    format!("http://{}", host.unwrap_or_default())
}

/// Whether a content type is `application/json` or `application/…+json`, whatever its parameters.
fn says_json(content_type: Option<&str>) -> bool {
    let kind = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind.strip_prefix("application/")
        .is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

async fn process(shared: &Shared, arrived: Arrived) -> Response {
    let Arrived {
        seq,
        call,
        fault,
        latency,
    } = arrived;
    // Dropped at the end of this function, when the journal is complete: that is what a release waits for.
    let (over, finished) = oneshot::channel::<()>();
    let mut finished = Some(finished);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if let (Some(Phase::Before), Some(finished)) = (
        fault.hold,
        finished.take_if(|_| fault.hold == Some(Phase::Before)),
    ) && shared.hold(seq, Phase::Before, finished).await == Then::Drop
    {
        shared.lock().finish(seq, None);
        return answer::severed();
    }
    let reply = match fault.effect() {
        Effect::Applied => Some(apply(&mut shared.lock(), seq, &call)),
        Effect::Skipped => None,
    };
    if let (Some(Phase::After), Some(finished)) = (fault.hold, finished)
        && shared.hold(seq, Phase::After, finished).await == Then::Drop
    {
        shared.lock().finish(seq, None);
        return answer::severed();
    }
    let mut state = shared.lock();
    let now = state.clock.now();
    let dressing = Dressing {
        knobs: &state.knobs,
        now,
    };
    let writes = call.as_ref().is_ok_and(|call| call.operation.writes());
    let replaced = match (&reply, state.knobs.after_commit) {
        (Some(Ok(Reply { result: Ok(_), .. })), after) if writes && fault.answer == FaultAnswer::Pass => {
            match after {
                AfterCommit::Answer => FaultAnswer::Pass,
                AfterCommit::ServerError => status(500),
                AfterCommit::BadGateway => status(502),
                AfterCommit::Lost => FaultAnswer::Drop,
            }
        }
        _ => fault.answer, // a refusal is answered as it is, and a fault outranks the knob
    };
    let response = answer::dress(reply, &replaced, &dressing);
    state.finish(seq, response.as_ref().map(|response| response.status().as_u16()));
    drop(over);
    response.unwrap_or_else(answer::severed)
}

fn apply(state: &mut State, seq: u64, call: &Result<Request, Unrouted>) -> Result<Reply, Unrouted> {
    let now = state.clock.now();
    let knobs = state.knobs.clone();
    let reply = match call {
        Ok(call) => state.world.answer(call, &knobs, now),
        Err(unrouted) => return Err(unrouted.clone()),
    };
    if let Some(entry) = state.journal.entry_mut(seq) {
        entry.applied = true;
        entry.principal = reply.principal;
        entry.organization_id.clone_from(&reply.organization_id);
        entry.workspace_id.clone_from(&reply.workspace_id);
    }
    Ok(reply)
}

fn status(status: u16) -> FaultAnswer {
    FaultAnswer::Status {
        status,
        body: None,
        headers: std::collections::BTreeMap::new(),
    }
}

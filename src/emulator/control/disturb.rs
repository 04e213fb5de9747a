//! Knobs, faults, holds, and the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shelf;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Body, Id, Parameters, Refused};
use crate::emulator::fault::Fault;
use crate::emulator::hold::Then;
use crate::emulator::journal::{Filter, Page};
use crate::emulator::knobs::{Knobs, TABLE};
use crate::emulator::state::Shared;

pub(super) async fn knobs(Shelf(shared): Shelf<Arc<Shared>>) -> Json<Value> {
    Json(knobs_shown(&shared.lock().knobs))
}

/// Values may be texts or numbers.
pub(super) async fn set_knobs(
    Shelf(shared): Shelf<Arc<Shared>>,
    Body(values): Body<BTreeMap<String, Value>>,
) -> Answered {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let values = values
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect();
    let mut state = shared.lock();
    state.knobs.set_all(&values).map_err(Refused::invalid)?;
    Ok(Json(knobs_shown(&state.knobs)))
}

fn knobs_shown(knobs: &Knobs) -> Value {
    let rows: Vec<Value> = TABLE
        .iter()
        .map(|knob| {
            json!({
                "name": knob.name,
                "value": knobs.get(knob.name),
                "default": (knob.default)(),
                "allowed": (knob.allowed)(),
                "samples": (knob.samples)(),
                "unknowns": knob.unknowns,
                "meaning": knob.meaning,
            })
        })
        .collect();
    json!({"knobs": rows})
}

pub(super) async fn faults(Shelf(shared): Shelf<Arc<Shared>>) -> Json<Value> {
    Json(json!({"faults": shared.lock().faults.all()}))
}

pub(super) async fn add_fault(Shelf(shared): Shelf<Arc<Shared>>, Body(fault): Body<Fault>) -> Answered {
    let id = shared.lock().faults.add(fault).map_err(Refused::invalid)?;
    Ok(Json(json!({"id": id})))
}

pub(super) async fn clear_faults(Shelf(shared): Shelf<Arc<Shared>>) -> Json<Value> {
    shared.lock().faults.clear();
    Json(json!({"faults": []}))
}

pub(super) async fn remove_fault(Shelf(shared): Shelf<Arc<Shared>>, Id(id): Id<u64>) -> Answered {
    match shared.lock().faults.remove(id) {
        Some(fault) => Ok(Json(json!(fault))),
        None => Err(Refused::missing(format!("there is no fault {id}"))),
    }
}

/// How long a reader waits for held requests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Patience {
    wait_for: usize,
    timeout_ms: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            wait_for: 0,
            timeout_ms: 10_000,
        }
    }
}

pub(super) async fn holds(
    Shelf(shared): Shelf<Arc<Shared>>,
    Parameters(patience): Parameters<Patience>,
) -> Answered {
    let waiting = tokio::time::timeout(
        Duration::from_millis(patience.timeout_ms),
        shared.held(patience.wait_for),
    );
    match waiting.await {
        Ok(held) => Ok(Json(json!({"holds": held}))),
        Err(_) => {
            let there = shared.lock().holds.all().len();
            let message = format!("{there} requests are held, not {}", patience.wait_for);
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, message))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    then: Then,
}

pub(super) async fn release_all(Shelf(shared): Shelf<Arc<Shared>>, Body(how): Body<Release>) -> Json<Value> {
    Json(json!({"released": shared.release(None, how.then).await}))
}

pub(super) async fn release(
    Shelf(shared): Shelf<Arc<Shared>>,
    Id(id): Id<u64>,
    Body(how): Body<Release>,
) -> Answered {
    match shared.release(Some(id), how.then).await {
        0 => Err(Refused::missing(format!(
            "no request {id} is held; GET /_emulator/holds lists them"
        ))),
        released => Ok(Json(json!({"released": released}))),
    }
}

pub(super) async fn journal(
    Shelf(shared): Shelf<Arc<Shared>>,
    Parameters(filter): Parameters<Filter>,
) -> Json<Page> {
    Json(shared.lock().journal.read(&filter))
}

pub(super) async fn clear_journal(Shelf(shared): Shelf<Arc<Shared>>) -> Json<Value> {
    shared.lock().journal.clear();
    Json(json!({"entries": []}))
}

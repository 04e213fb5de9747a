//! The emulator as a whole: state, reset, clock, organizations, credentials.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shelf;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answered, Body, Id, Refused, instant};
use crate::emulator::api::{Credential, World};
use crate::emulator::clock::{Clock, Gait};
use crate::emulator::state::Shared;

pub(super) async fn state(Shelf(shared): Shelf<Arc<Shared>>) -> Json<Value> {
    let mut state = shared.lock();
    let now = state.clock.now();
    state.world.settle(now);
    let organizations: Vec<Value> = state
        .world
        .organizations
        .iter()
        .map(|organization| json!({"id": organization.id, "workspaces": organization.workspaces}))
        .collect();
    Json(json!({
        "clock": clock_shown(&state.clock),
        "organizations": organizations,
        "credentials": credentials_shown(&state.world),
    }))
}

pub(super) async fn reset(Shelf(shared): Shelf<Arc<Shared>>) -> Json<Value> {
    shared.lock().reset();
    Json(json!({"status": "reset"}))
}

pub(super) async fn clock(Shelf(shared): Shelf<Arc<Shared>>) -> Json<Value> {
    Json(clock_shown(&shared.lock().clock))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockChange {
    advance_seconds: Option<f64>,
    #[serde(default, deserialize_with = "instant")]
    set: Option<Timestamp>,
    frozen: Option<bool>,
}

/// First stops or starts, then sets, then advances.
pub(super) async fn set_clock(
    Shelf(shared): Shelf<Arc<Shared>>,
    Body(change): Body<ClockChange>,
) -> Answered {
    let by = change
        .advance_seconds
        .map(SignedDuration::try_from_secs_f64)
        .transpose()
        .map_err(Refused::invalid)?;
    let mut state = shared.lock();
    match change.frozen {
        Some(true) => state.clock.walk(Gait::Frozen),
        Some(false) => state.clock.walk(Gait::Running),
        None => {}
    }
    if let Some(instant) = change.set {
        state.clock.set(instant);
    }
    if let Some(by) = by {
        state.clock.advance(by);
    }
    let now = state.clock.now();
    state.world.settle(now);
    Ok(Json(clock_shown(&state.clock)))
}

pub(super) async fn organizations(Shelf(shared): Shelf<Arc<Shared>>) -> Json<Value> {
    let state = shared.lock();
    let ids: Vec<&str> = state
        .world
        .organizations
        .iter()
        .map(|organization| organization.id.as_str())
        .collect();
    Json(json!({"organizations": ids}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrganization {
    id: Option<Uuid>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// Adds an organization with its `default` workspace; with a client id, credentials too.
pub(super) async fn add_organization(
    Shelf(shared): Shelf<Arc<Shared>>,
    Body(new): Body<NewOrganization>,
) -> Answered {
    let mut state = shared.lock();
    let now = state.clock.now();
    let id = match new.id {
        Some(id) if state.world.organization(&id.to_string()).is_some() => {
            return Err(Refused::invalid(format!("organization {id} is there already")));
        }
        Some(id) => id.to_string(),
        None => state.world.next_id(),
    };
    state.world.found(&id, now);
    let mut answer = json!({"id": id});
    if let Some(client_id) = new.client_id {
        let pair = NewCredentials {
            client_id,
            client_secret: new.client_secret,
            organization_ids: Some(vec![id]),
        };
        answer["credentials"] = install(&mut state.world, pair)?;
    }
    Ok(Json(answer))
}

pub(super) async fn credentials(Shelf(shared): Shelf<Arc<Shared>>) -> Json<Value> {
    Json(json!({"credentials": credentials_shown(&shared.lock().world)}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCredentials {
    client_id: String,
    /// Absent: made up, and returned in the answer.
    client_secret: Option<String>,
    /// Absent: those that the client id has already, or the first organization.
    organization_ids: Option<Vec<String>>,
}

pub(super) async fn set_credentials(
    Shelf(shared): Shelf<Arc<Shared>>,
    Body(pair): Body<NewCredentials>,
) -> Answered {
    install(&mut shared.lock().world, pair).map(Json)
}

pub(super) async fn remove_credentials(
    Shelf(shared): Shelf<Arc<Shared>>,
    Id(client_id): Id<String>,
) -> Answered {
    let mut state = shared.lock();
    let before = state.world.credentials.len();
    state
        .world
        .credentials
        .retain(|credential| credential.client_id != client_id);
    if state.world.credentials.len() == before {
        return Err(Refused::missing(format!("there is no client id `{client_id}`")));
    }
    Ok(Json(json!({"removed": client_id})))
}

fn install(world: &mut World, pair: NewCredentials) -> Result<Value, Refused> {
    let unknown = pair
        .organization_ids
        .iter()
        .flatten()
        .find(|id| world.organization(id).is_none());
    if let Some(id) = unknown {
        return Err(Refused::missing(format!("there is no organization {id}")));
    }
    let mut answer = json!({"client_id": pair.client_id});
    let client_secret = pair.client_secret.unwrap_or_else(|| {
        let made = world.next_id();
        answer["client_secret"] = json!(made);
        made
    });
    let first = world
        .organizations
        .first()
        .map(|organization| organization.id.clone());
    match world
        .credentials
        .iter_mut()
        .find(|held| held.client_id == pair.client_id)
    {
        Some(held) => {
            held.client_secret = client_secret;
            held.generation += 1;
            if let Some(organizations) = pair.organization_ids {
                held.organizations = organizations;
            }
        }
        None => world.credentials.push(Credential {
            client_id: pair.client_id,
            client_secret,
            generation: 0,
            organizations: pair
                .organization_ids
                .unwrap_or_else(|| first.into_iter().collect()),
        }),
    }
    Ok(answer)
}

fn credentials_shown(world: &World) -> Value {
    let shown = |held: &Credential| json!({"client_id": held.client_id, "organization_ids": held.organizations, "rotations": held.generation});
    world.credentials.iter().map(shown).collect()
}

fn clock_shown(clock: &Clock) -> Value {
    json!({"now": clock.now(), "frozen": clock.gait() == Gait::Frozen})
}

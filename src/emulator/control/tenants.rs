//! Workspaces changed behind the API's back: seed, show, edit, delete one or many. Checks everything before it changes anything.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shelf;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Body, Id, Parameters, Refused, instant};
use crate::emulator::api::World;
use crate::emulator::api::organization::{Connector, Reach, Restored, Status, Workspace};
use crate::emulator::knobs::Limit;
use crate::emulator::state::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seed {
    #[serde(default)]
    organization_id: Option<String>,
    #[serde(default)]
    workspaces: Vec<Seedling>,
    #[serde(default)]
    many: Option<Many>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seedling {
    name: String,
    #[serde(default)]
    id: Option<uuid::Uuid>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default, deserialize_with = "instant")]
    created_at: Option<Timestamp>,
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    cache_enabled: Option<bool>,
    #[serde(default)]
    connectors: usize,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    cloud_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    prefix: String,
    count: usize,
}

/// More would be a typing error.
const MOST_AT_ONCE: usize = 1_000_000;

pub(super) async fn seed(Shelf(shared): Shelf<Arc<Shared>>, Body(seed): Body<Seed>) -> Answered {
    let mut state = shared.lock();
    let now = state.clock.now();
    let organization = which(&state.world, seed.organization_id)?;
    let many = seed
        .many
        .map(|many| (many.prefix, many.count))
        .unwrap_or_default();
    if many.1 > MOST_AT_ONCE {
        return Err(Refused::invalid(format!(
            "count {} is more than {MOST_AT_ONCE}",
            many.1
        )));
    }
    let width = many.1.saturating_sub(1).to_string().len();
    let numbered = (0..many.1).map(|number| Seedling {
        name: format!("{}{number:0width$}", many.0),
        ..Default::default()
    });
    let all: Vec<Seedling> = seed.workspaces.into_iter().chain(numbered).collect();
    if let Some(taken) = all
        .iter()
        .filter_map(|one| one.id)
        .find(|id| find(&state.world, &id.to_string()).is_some())
    {
        return Err(Refused::invalid(format!(
            "workspace id {taken} is taken; change it with PATCH"
        )));
    }
    let mut planted = Vec::new();
    for one in all {
        let workspace = plant(&mut state.world, &organization, one, now);
        planted.push(json!({"id": workspace.row.id, "name": workspace.row.name}));
        if let Some(organization) = state.world.organization_mut(&organization) {
            organization.add(workspace);
        }
    }
    Ok(Json(json!({"workspaces": planted})))
}

fn plant(world: &mut World, organization: &str, one: Seedling, now: Timestamp) -> Workspace {
    let mut row = world.row(organization, &one.name, now);
    if let Some(id) = one.id {
        row.id = id.to_string();
    }
    row.status = one.status.unwrap_or(Status::Active);
    row.cache_enabled = one.cache_enabled;
    row.created_at = one.created_at.unwrap_or(now);
    row.updated_at = row.created_at;
    let mut workspace = Workspace::settled(row, now);
    workspace.region_id = one.region_id;
    workspace.reach = match (one.cloud_only, one.hidden) {
        (true, _) => Reach::CloudOnly,
        (false, true) => Reach::Hidden,
        (false, false) => Reach::Visible,
    };
    workspace.connectors = connectors(world, one.connectors);
    workspace
}

fn connectors(world: &mut World, count: usize) -> Vec<Connector> {
    (0..count)
        .map(|number| Connector {
            id: world.next_id(),
            name: format!("connector-{number}"),
            enabled: true,
        })
        .collect()
}

pub(super) async fn show(Shelf(shared): Shelf<Arc<Shared>>, Id(id): Id<String>) -> Answered {
    let mut state = shared.lock();
    let now = state.clock.now();
    state.world.settle(now);
    shown(&state.world, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    name: Option<String>,
    status: Option<Status>,
    #[serde(default, deserialize_with = "present")]
    cache_enabled: Presence<Option<bool>>,
    connectors: Option<usize>,
    hidden: Option<bool>,
    tombstone: Option<bool>,
    #[serde(default, deserialize_with = "instant")]
    created_at: Option<Timestamp>,
    cloud_deleted: Option<bool>,
}

/// A member that may be null, and may not be there.
#[derive(Default)]
enum Presence<T> {
    #[default]
    Absent,
    Given(T),
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Presence<Option<bool>>, D::Error> {
    Option::deserialize(deserializer).map(Presence::Given)
}

pub(super) async fn edit(
    Shelf(shared): Shelf<Arc<Shared>>,
    Id(id): Id<String>,
    Body(edit): Body<Edit>,
) -> Answered {
    let mut state = shared.lock();
    let (now, mirror) = (state.clock.now(), state.knobs.cloud_delete_mirror);
    let fresh = edit.connectors.map(|count| connectors(&mut state.world, count));
    let workspace = find_mut(&mut state.world, &id)?;
    if let Some(status) = edit.status.filter(|status| *status != workspace.row.status) {
        workspace.set_status(now, status, Restored::No);
    }
    if let Some(name) = edit.name {
        workspace.change(now, |row| row.name = name);
    }
    if let Presence::Given(cache) = edit.cache_enabled {
        workspace.change(now, |row| row.cache_enabled = cache);
    }
    if let Some(created_at) = edit.created_at {
        workspace.row.created_at = created_at;
    }
    if let Some(fresh) = fresh {
        workspace.connectors = fresh;
    }
    match edit.hidden {
        Some(true) => workspace.reach = Reach::Hidden,
        Some(false) => workspace.reach = Reach::Visible,
        None => {}
    }
    match edit.tombstone {
        Some(true) => workspace.delete(now),
        Some(false) => {
            workspace.change(now, |row| row.tombstone = false);
            workspace.deleted_at = None;
        }
        None => {}
    }
    if let (Some(true), Limit::At(lag)) = (edit.cloud_deleted, mirror) {
        let lag = SignedDuration::from_millis(i64::try_from(lag).unwrap_or(i64::MAX));
        state
            .world
            .delete_later(&id, now.checked_add(lag).unwrap_or(Timestamp::MAX));
    }
    state.world.settle(now);
    shown(&state.world, &id)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct How {
    purge: bool,
}

pub(super) async fn delete(
    Shelf(shared): Shelf<Arc<Shared>>,
    Id(id): Id<String>,
    Parameters(how): Parameters<How>,
) -> Answered {
    let mut state = shared.lock();
    let now = state.clock.now();
    find_mut(&mut state.world, &id)?.delete(now);
    if how.purge {
        state
            .world
            .organizations
            .iter_mut()
            .for_each(|organization| organization.purge(&id));
        return Ok(Json(json!({"id": id, "purged": true})));
    }
    shown(&state.world, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deletion {
    organization_id: Option<String>,
    ids: Option<Vec<String>>,
    name_contains: Option<String>,
    at_most: Option<usize>,
}

/// Deletes live workspaces that all given conditions hold for; never `default`, unless named by its id.
pub(super) async fn delete_many(
    Shelf(shared): Shelf<Arc<Shared>>,
    Body(which_ones): Body<Deletion>,
) -> Answered {
    let Deletion {
        organization_id,
        ids,
        name_contains,
        at_most,
    } = which_ones;
    if ids.is_none() && name_contains.is_none() {
        return Err(Refused::invalid(
            "say which: `ids` or `name_contains` (`\"\"` for all)",
        ));
    }
    let mut state = shared.lock();
    let now = state.clock.now();
    let organization = which(&state.world, organization_id)?;
    let chosen = |workspace: &&mut Workspace| {
        let named = |ids: &Vec<String>| ids.contains(&workspace.row.id);
        workspace.is_live()
            && ids.as_ref().map_or(workspace.row.name != "default", named)
            && name_contains
                .as_ref()
                .is_none_or(|part| workspace.row.name.contains(part.as_str()))
    };
    let workspaces = state
        .world
        .organization_mut(&organization)
        .map(|o| o.workspaces.as_mut_slice())
        .unwrap_or_default();
    let deleted: Vec<Value> = workspaces
        .iter_mut()
        .filter(chosen)
        .take(at_most.unwrap_or(usize::MAX))
        .map(|workspace| {
            workspace.delete(now);
            json!({"id": workspace.row.id, "name": workspace.row.name})
        })
        .collect();
    Ok(Json(json!({"deleted": deleted})))
}

fn which(world: &World, organization: Option<String>) -> Result<String, Refused> {
    match organization {
        Some(id) if world.organization(&id).is_some() => Ok(id),
        Some(id) => Err(Refused::missing(format!(
            "there is no organization {id}; POST /_emulator/organizations adds one"
        ))),
        None => world
            .organizations
            .first()
            .map(|o| o.id.clone())
            .ok_or_else(|| Refused::missing("no organization")),
    }
}

fn find<'a>(world: &'a World, id: &str) -> Option<&'a Workspace> {
    world
        .organizations
        .iter()
        .find_map(|organization| organization.find(id))
}

fn find_mut<'a>(world: &'a mut World, id: &str) -> Result<&'a mut Workspace, Refused> {
    let found = world
        .organizations
        .iter_mut()
        .find_map(|organization| organization.find_mut(id));
    found.ok_or_else(|| {
        Refused::missing(format!(
            "there is no workspace {id}; GET /_emulator/state lists them"
        ))
    })
}

fn shown(world: &World, id: &str) -> Answered {
    match find(world, id) {
        Some(workspace) => Ok(Json(json!(workspace))),
        None => Err(Refused::missing(format!(
            "there is no workspace {id}; GET /_emulator/state lists them"
        ))),
    }
}

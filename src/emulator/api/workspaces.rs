//! W2 to W5: counters, read, change, delete.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::create::{is_default, restored};
use super::organization::{Reach, Row, Status, Workspace};
use super::refusal::{Outcome, Place, Refusal, Validation};
use super::{Body, Call, Trace, World, input, names};
use crate::emulator::knobs::{
    CreatedAt, DefaultProtected, DeletedDelete, DeletedGet, HiddenGet, Knobs, NoopUpdate, NotFoundText,
    NullCache, PutEmpty, PutMember, RenameConflict, SlowDelete, StatsScope, Visibility, WorkspaceMembers,
};

impl World {
    pub(super) fn stats(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let organization = self.application(call, trace)?;
        let counted = |w: &&Workspace| match call.knobs.stats_scope {
            StatsScope::Live | StatsScope::WithTombstones => w.reach != Reach::CloudOnly,
            StatsScope::Visible => w.reach == Reach::Visible,
        };
        let rows = self
            .organization(&organization)
            .map(|o| o.workspaces.as_slice())
            .unwrap_or_default();
        let mut count = [0u64; 2];
        for row in rows
            .iter()
            .filter(counted)
            .filter_map(|w| w.seen(call.now, call.knobs.stats_lag_ms.0))
        {
            if !row.tombstone || call.knobs.stats_scope == StatsScope::WithTombstones {
                count[usize::from(row.status == Status::Inactive)] += 1;
            }
        }
        let [active, inactive] = count;
        Ok((
            200,
            json!({"active_count": active, "inactive_count": inactive, "total_count": active + inactive}),
        ))
    }

    pub(super) fn get(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let organization = self.application(call, trace)?;
        let id = input::path_id(call.request, "workspace_id")?;
        let workspace = self.addressed(&organization, &id, call, trace)?;
        if workspace.row.tombstone {
            return match call.knobs.deleted_get {
                DeletedGet::NotFound => Err(not_found(404, call.knobs)),
                DeletedGet::Gone => Err(not_found(410, call.knobs)),
                DeletedGet::Tombstone => Ok((200, shown(&workspace.row, call.knobs))),
            };
        }
        let age = call.now.duration_since(workspace.appeared_at);
        if age < millis(call.knobs.get_lag_ms.0) {
            return Err(not_found(404, call.knobs));
        }
        Ok((200, shown(&workspace.row, call.knobs)))
    }

    pub(super) fn put(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let organization = self.application(call, trace)?;
        let mut validation = Validation::default();
        let id = validation.take(input::path_id(call.request, "workspace_id"));
        let change = validation.take(UpdateRequest::read(&call.request.body, call.knobs));
        let (Some(id), Some(change)) = (id, change) else {
            return Err(validation.refusal());
        };
        let found = self.addressed(&organization, &id, call, trace)?;
        if found.row.tombstone {
            return Err(not_found(404, call.knobs));
        }
        let old = found.row.clone();
        let renamed = change.name.as_ref().filter(|name| **name != old.name);
        if is_default(&old.name) && (renamed.is_some() || change.status == Some(Status::Inactive)) {
            protect_default(call.knobs)?;
        }
        if let Some(name) = renamed {
            let taken = self.organization(&organization).is_some_and(|o| {
                o.workspaces
                    .iter()
                    .any(|w| !w.row.tombstone && w.row.id != id && names::same(&w.row.name, name, call.knobs))
            });
            let status = match call.knobs.rename_conflict {
                RenameConflict::BadRequest => Some(400),
                RenameConflict::Conflict => Some(409),
                RenameConflict::Unprocessable => Some(422),
                RenameConflict::ServerError => Some(500),
                RenameConflict::Duplicate => None,
            };
            if let (true, Some(status)) = (taken, status) {
                return Err(Refusal::new(status, "A workspace of this name already exists"));
            }
        }
        let workspace = self
            .organization_mut(&organization)
            .and_then(|o| o.find_mut(&id))
            .ok_or_else(|| not_found(404, call.knobs))?;
        let wanted = Row {
            name: change.name.unwrap_or(old.name.clone()),
            status: change.status.unwrap_or(old.status),
            cache_enabled: match change.cache {
                Cache::Keep => old.cache_enabled,
                Cache::Inherit => None,
                Cache::Set(on) => Some(on),
            },
            ..old.clone()
        };
        if wanted != old || call.knobs.noop_update == NoopUpdate::Moves {
            let status = wanted.status;
            if status != old.status {
                workspace.set_status(call.now, status, restored(call.knobs));
            }
            workspace.change(call.now, |row| *row = wanted);
        }
        Ok((200, shown(&workspace.row, call.knobs)))
    }

    pub(super) fn delete(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let organization = self.application(call, trace)?;
        let id = input::path_id(call.request, "workspace_id")?;
        let workspace = self.addressed(&organization, &id, call, trace)?;
        if is_default(&workspace.row.name) {
            protect_default(call.knobs)?;
        }
        if workspace.row.tombstone {
            let at = workspace.deleted_at.unwrap_or(call.now);
            return match call.knobs.deleted_delete {
                DeletedDelete::NotFound => Err(not_found(404, call.knobs)),
                DeletedDelete::Gone => Err(not_found(410, call.knobs)),
                DeletedDelete::Ok => Ok((200, deleted(&workspace.row.id, at, call.knobs))),
            };
        }
        match call.knobs.slow_delete {
            SlowDelete::Off => {
                workspace.delete(call.now);
                Ok((200, deleted(&workspace.row.id, call.now, call.knobs)))
            }
            SlowDelete::Timeout => {
                let due = call
                    .now
                    .checked_add(millis(call.knobs.slow_delete_ms.0))
                    .unwrap_or(Timestamp::MAX);
                let id = workspace.row.id.clone();
                self.delete_later(&id, due);
                Err(Refusal::new(504, "The request timed out"))
            }
        }
    }

    /// The workspace of this id in the caller's organization, deleted ones too.
    fn addressed(
        &mut self,
        organization: &str,
        id: &str,
        call: &Call<'_>,
        trace: &mut Trace,
    ) -> Outcome<&mut Workspace> {
        trace.workspace_id = Some(id.to_owned());
        let found = self.organization_mut(organization).and_then(|o| o.find_mut(id));
        let found = found.ok_or_else(|| not_found(404, call.knobs))?;
        match (found.reach, call.knobs.hidden_get) {
            (Reach::CloudOnly, _) | (Reach::Hidden, HiddenGet::NotFound) => Err(not_found(404, call.knobs)),
            (Reach::Hidden, HiddenGet::Forbidden) => {
                Err(Refusal::new(403, "You do not have access to this workspace"))
            }
            (Reach::Visible, _) | (Reach::Hidden, HiddenGet::Ok) => Ok(found),
        }
    }
}

/// What becomes of `cache_enabled`.
#[derive(Clone, Copy)]
enum Cache {
    Keep,
    Inherit,
    Set(bool),
}

/// A change that W4 asks for; what is not there stays.
struct UpdateRequest {
    name: Option<String>,
    status: Option<Status>,
    cache: Cache,
}

impl UpdateRequest {
    fn read(body: &Body, knobs: &Knobs) -> Outcome<Self> {
        let body = input::object(body)?;
        if body.is_empty() && knobs.put_empty == PutEmpty::Refused {
            return Err(Refusal::invalid_body(
                "value_error",
                "At least one field must be given",
            ));
        }
        let mut validation = Validation::default();
        let name = validation.take(optional(&body, "name", knobs, |_| {
            names::read(&body, "name", knobs)
        }));
        let status = validation.take(optional(&body, "status", knobs, |value| {
            input::status(value.as_str().unwrap_or_default(), Place::Body)
        }));
        let cache = validation.take(Cache::read(body.get("cache_enabled"), knobs));
        let known = validation.take(all_known(&body, knobs));
        match (name, status, cache, known) {
            (Some(name), Some(status), Some(cache), Some(())) => Ok(Self { name, status, cache }),
            _ => Err(validation.refusal()),
        }
    }
}

impl Cache {
    fn read(value: Option<&Value>, knobs: &Knobs) -> Outcome<Self> {
        match (value, knobs.null_cache) {
            (None, _) | (Some(Value::Null), NullCache::Ignored) => Ok(Self::Keep),
            (Some(Value::Null), NullCache::Inherit) => Ok(Self::Inherit),
            (Some(value), _) => input::boolean(value, "cache_enabled").map(Self::Set),
        }
    }
}

/// A member that may be absent, and null if the service takes that.
fn optional<T>(
    body: &Map<String, Value>,
    field: &str,
    knobs: &Knobs,
    read: impl FnOnce(&Value) -> Outcome<T>,
) -> Outcome<Option<T>> {
    match (body.get(field), knobs.put_null) {
        (None, _) | (Some(Value::Null), PutMember::Ignored) => Ok(None),
        (Some(Value::Null), PutMember::Refused) => {
            let message = "Input should not be null";
            Err(Refusal::invalid(Place::Body, field, "none_not_allowed", message))
        }
        (Some(value), _) => read(value).map(Some),
    }
}

fn all_known(body: &Map<String, Value>, knobs: &Knobs) -> Outcome<()> {
    let known = ["name", "status", "cache_enabled"];
    let mut validation = Validation::default();
    for key in body.keys().filter(|key| !known.contains(&key.as_str())) {
        if knobs.put_unknown_member == PutMember::Refused {
            let message = "Extra inputs are not permitted";
            validation.add(Refusal::invalid(Place::Body, key, "extra_forbidden", message));
        }
    }
    validation.done()
}

/// The row as the API shows it.
pub(super) fn shown(row: &Row, knobs: &Knobs) -> Value {
    if knobs.workspace_members == WorkspaceMembers::Minimal {
        return json!({"id": row.id, "name": row.name});
    }
    let mut shown = json!({
        "id": row.id,
        "name": row.name,
        "organization_id": row.organization_id,
        "status": row.status,
        "cache_enabled": row.cache_enabled,
        "tombstone": row.tombstone,
        "color": null,
        "updated_at": time(row.updated_at, knobs),
    });
    match knobs.visibility {
        Visibility::Shared => shown["visibility"] = json!("shared"),
        Visibility::Private => shown["visibility"] = json!("private"),
        Visibility::Absent => {}
    }
    if knobs.created_at != CreatedAt::Absent {
        shown["created_at"] = json!(time(row.created_at, knobs));
    }
    if knobs.workspace_members == WorkspaceMembers::Extended {
        shown["members"] = json!([{"user_id": null, "role": "admin"}]);
        shown["x_future"] = json!({"nested": [1, 2, 3]});
    }
    shown
}

fn deleted(id: &str, at: Timestamp, knobs: &Knobs) -> Value {
    json!({"id": id, "deleted_at": time(at, knobs)})
}

/// An instant, written as asked for.
pub(super) fn time(instant: Timestamp, knobs: &Knobs) -> String {
    match knobs.created_at {
        CreatedAt::Microseconds | CreatedAt::Absent => instant.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        CreatedAt::Seconds => instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// The workspace is not there.
fn not_found(status: u16, knobs: &Knobs) -> Refusal {
    let text = match knobs.not_found_text {
        NotFoundText::Workspace => "Workspace not found",
        NotFoundText::Plain => "Not Found",
        NotFoundText::Empty => "",
    };
    Refusal::new(status, text)
}

fn protect_default(knobs: &Knobs) -> Outcome<()> {
    let status = match knobs.default_protected {
        DefaultProtected::None => return Ok(()),
        DefaultProtected::BadRequest => 400,
        DefaultProtected::Forbidden => 403,
        DefaultProtected::Conflict => 409,
    };
    Err(Refusal::new(status, "The default workspace cannot be changed"))
}

fn millis(count: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(count).unwrap_or(i64::MAX))
}

//! Bodies and parameters read into plain values, refused in the words of the real service's validator.

use serde_json::{Map, Value};

use super::organization::Status;
use super::refusal::{Outcome, Place, Refusal, Validation};
use super::{Body, Request};

/// The body as an object.
pub(super) fn object(body: &Body) -> Outcome<Map<String, Value>> {
    let no_object = || {
        let message = "Input should be a valid dictionary or object to extract fields from";
        Refusal::invalid_body("model_attributes_type", message)
    };
    let missing = || Refusal::invalid_body("missing", "Field required");
    let text = match body {
        Body::Absent => return Err(missing()),
        Body::Foreign => return Err(no_object()),
        Body::Json(text) => text,
    };
    match serde_json::from_slice(text) {
        Ok(Value::Object(members)) => Ok(members),
        // The service's framework cannot tell null from no body.
        Ok(Value::Null) => Err(missing()),
        Ok(_) => Err(no_object()),
        Err(error) => Err(Refusal::invalid_body(
            "json_invalid",
            format!("JSON decode error: {error}"),
        )),
    }
}

/// A member that must be a string.
pub(super) fn string(body: &Map<String, Value>, field: &str) -> Outcome<String> {
    match body.get(field) {
        Some(value) => text(value, field),
        None => Err(Refusal::invalid(Place::Body, field, "missing", "Field required")),
    }
}

fn text(value: &Value, field: &str) -> Outcome<String> {
    let message = "Input should be a valid string";
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| Refusal::invalid(Place::Body, field, "string_type", message))
}

/// A member that may be a list of strings or absent.
pub(super) fn optional_strings(body: &Map<String, Value>, field: &str) -> Outcome<()> {
    let Some(value) = body.get(field) else {
        return Ok(());
    };
    let Value::Array(items) = value else {
        let message = "Input should be a valid list";
        return Err(Refusal::invalid(Place::Body, field, "list_type", message));
    };
    let mut validation = Validation::default();
    for (at, item) in items.iter().enumerate() {
        validation.take(text(item, &format!("{field}.{at}")));
    }
    validation.done()
}

/// A member that may be one of two words or absent.
pub(super) fn optional_word(body: &Map<String, Value>, field: &str, words: [&str; 2]) -> Outcome<()> {
    match body.get(field) {
        None => Ok(()),
        Some(Value::String(text)) if words.contains(&text.as_str()) => Ok(()),
        Some(_) => Err(no_word(Place::Body, field, words)),
    }
}

/// One of the two states.
pub(super) fn status(text: &str, place: Place) -> Outcome<Status> {
    match text {
        "active" => Ok(Status::Active),
        "inactive" => Ok(Status::Inactive),
        _ => Err(no_word(place, "status", ["active", "inactive"])),
    }
}

fn no_word(place: Place, field: &str, [one, other]: [&str; 2]) -> Refusal {
    let message = format!("Input should be '{one}' or '{other}'");
    Refusal::invalid(place, field, "enum", message)
}

/// A boolean, as lax as the service's validator: words and digits stand for one, too.
pub(super) fn boolean(value: &Value, field: &str) -> Outcome<bool> {
    let refused = |code, message| Refusal::invalid(Place::Body, field, code, message);
    let unreadable = || {
        let message = "Input should be a valid boolean, unable to interpret input";
        refused("bool_parsing", message)
    };
    match value {
        Value::Bool(on) => Ok(*on),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "on" | "t" | "true" | "y" | "yes" => Ok(true),
            "0" | "off" | "f" | "false" | "n" | "no" => Ok(false),
            _ => Err(unreadable()),
        },
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Ok(true),
            Some(0.0) => Ok(false),
            Some(_) | None => Err(unreadable()),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(refused("bool_type", "Input should be a valid boolean"))
        }
    }
}

/// A member that may be a UUID, null or absent.
pub(super) fn optional_uuid(body: &Map<String, Value>, field: &str) -> Outcome<Option<String>> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => uuid(text, Place::Body, field).map(Some),
        Some(_) => Err(Refusal::invalid(
            Place::Body,
            field,
            "uuid_type",
            "UUID input should be a string, bytes or UUID object",
        )),
    }
}

/// A UUID, brought to its usual writing.
pub(super) fn uuid(text: &str, place: Place, field: &str) -> Outcome<String> {
    text.parse::<uuid::Uuid>()
        .map(|id| id.to_string())
        .map_err(|_| Refusal::invalid(place, field, "uuid_parsing", "Input should be a valid UUID"))
}

/// The id in the path.
pub(super) fn path_id(request: &Request, field: &str) -> Outcome<String> {
    uuid(request.id.as_deref().unwrap_or_default(), Place::Path, field)
}

/// A query parameter that is a UUID, if it is there.
pub(super) fn uuid_parameter(query: &[(String, String)], name: &str) -> Outcome<Option<String>> {
    let text = parameter(query, name);
    text.map(|text| uuid(&text, Place::Query, name)).transpose()
}

/// A query parameter; the last one counts when it is there twice.
pub(super) fn parameter(query: &[(String, String)], name: &str) -> Option<String> {
    query
        .iter()
        .rev()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.clone())
}

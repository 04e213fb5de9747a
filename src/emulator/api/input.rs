//! Bodies and parameters read into plain values, refused in the words of the real service's validator.

use serde_json::{Map, Value};

use super::organization::Status;
use super::refusal::{Outcome, Place, Refusal, Validation};
use super::{Body, Request};
use crate::emulator::operation::Operation;

/// Refuses a body that cannot be decoded: the service's framework decodes it before anything else is asked, the bearer included.
pub(super) fn decoded(request: &Request) -> Outcome<()> {
    let reads_body = matches!(
        request.operation,
        Operation::T1 | Operation::T2 | Operation::T4 | Operation::W4
    );
    let Body::Json(text) = &request.body else {
        return Ok(());
    };
    if !reads_body {
        return Ok(());
    }
    if std::str::from_utf8(text).is_err() {
        return Err(Refusal::new(400, "There was an error parsing the body"));
    }
    serde_json::from_slice::<Value>(text).map(drop).map_err(no_json)
}

fn no_json(error: serde_json::Error) -> Refusal {
    Refusal::invalid_body("json_invalid", format!("JSON decode error: {error}"))
}

/// The body as an object.
pub(super) fn object(body: &Body) -> Outcome<Map<String, Value>> {
    let no_object = || {
        let message = "Input should be a valid dictionary or object to extract fields from";
        Refusal::invalid_body("model_attributes_type", message)
    };
    let text = match body {
        Body::Absent => return Err(Refusal::invalid_body("missing", "Field required")),
        Body::Foreign => return Err(no_object()),
        Body::Json(text) => text,
    };
    match serde_json::from_slice(text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(no_object()),
        Err(error) => Err(no_json(error)),
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
            Some(other) if other.fract() != 0.0 => {
                Err(refused("bool_type", "Input should be a valid boolean"))
            }
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

/// A whole number, as lax as the service's validator: blanks around it, a sign, `_` between digits and zeros behind a point are
/// taken. A number beyond 64 bits is the greatest or least one.
pub(super) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let (least, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = match digits.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.chars().all(|c| c == '0') => whole,
        Some(_) => return None,
        None => digits,
    };
    let parts: Vec<&str> = digits.split('_').collect();
    if parts
        .iter()
        .any(|part| part.is_empty() || !part.chars().all(|c| c.is_ascii_digit()))
    {
        return None;
    }
    let sign = if least { "-" } else { "" };
    let far = if least { i64::MIN } else { i64::MAX };
    Some(format!("{sign}{}", parts.concat()).parse().unwrap_or(far))
}

/// A query parameter; the last one counts when it is there twice.
pub(super) fn parameter(query: &[(String, String)], name: &str) -> Option<String> {
    query
        .iter()
        .rev()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.clone())
}

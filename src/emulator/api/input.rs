//! Bodies and parameters read into plain values, refused in the words of the real service's validator.

use serde_json::{Map, Value};

use super::Body;
use super::refusal::{Outcome, Refusal};

/// The body as an object.
pub(super) fn object(body: &Body) -> Outcome<Map<String, Value>> {
    let no_object = || {
        let message = "Input should be a valid dictionary or object to extract fields from";
        Refusal::invalid("body", "model_attributes_type", message)
    };
    let text = match body {
        Body::Absent => return Err(Refusal::invalid("body", "missing", "Field required")),
        Body::Foreign => return Err(no_object()),
        Body::Json(text) => text,
    };
    match serde_json::from_slice(text) {
        Ok(Value::Object(members)) => Ok(members),
        // The service's framework cannot tell null from no body.
        Ok(Value::Null) => Err(Refusal::invalid("body", "missing", "Field required")),
        Ok(_) => Err(no_object()),
        Err(error) => Err(Refusal::invalid(
            "body",
            "json_invalid",
            format!("JSON decode error: {error}"),
        )),
    }
}

/// A member that must be a string.
pub(super) fn string(body: &Map<String, Value>, field: &str) -> Outcome<String> {
    match body.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Refusal::invalid(
            field,
            "string_type",
            "Input should be a valid string",
        )),
        None => Err(Refusal::invalid(field, "missing", "Field required")),
    }
}

/// A member that may be a UUID, null or absent.
pub(super) fn optional_uuid(body: &Map<String, Value>, field: &str) -> Outcome<Option<String>> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => uuid(text, field).map(Some),
        Some(_) => Err(Refusal::invalid(
            field,
            "uuid_type",
            "UUID input should be a string, bytes or UUID object",
        )),
    }
}

/// A UUID, brought to its usual writing.
pub(super) fn uuid(text: &str, field: &str) -> Outcome<String> {
    text.parse::<uuid::Uuid>()
        .map(|id| id.to_string())
        .map_err(|_| Refusal::invalid(field, "uuid_parsing", "Input should be a valid UUID"))
}

/// A query parameter; the last one counts when it is there twice.
pub(super) fn parameter(query: &[(String, String)], name: &str) -> Option<String> {
    query
        .iter()
        .rev()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.clone())
}

//! Reads the shapes of the API's error bodies. A body in none of these shapes is not the API's.
//!
//! Shapes: `{"message", "errors": [{"field", "message", …}]}` (current), `{"detail": "…"}` and
//! `{"detail": [{"loc", "msg", …}]}` (older), `{"error": …}` (a draft).

use serde_json::{Map, Value};

/// Of a list of errors, the first few are enough.
const ERRORS_SHOWN: usize = 3;

/// A longer body is not the API's. Read as JSON of any kind, it would take many times its size.
const BODY_LIMIT: usize = 64 * 1024;

/// The API's own words, not redacted; empty when it used a shape of its own but no words. `None`: not the API's.
pub(super) fn read(body: &[u8]) -> Option<String> {
    let Some(Value::Object(body)) = value(body) else {
        return None;
    };
    let candidates = [
        body.get("errors").and_then(list),
        body.get("message").and_then(words),
        body.get("detail")
            .and_then(|detail| words(detail).or_else(|| list(detail))),
        body.get("error")
            .and_then(|error| words(error).or_else(|| error.as_object().and_then(one))),
    ];
    let known = candidates.iter().any(Option::is_some);
    let said = candidates.into_iter().flatten().find(|text| !text.is_empty());
    known.then(|| said.unwrap_or_default())
}

/// The body of an error, if it is JSON and no longer than those of the API.
pub(super) fn value(body: &[u8]) -> Option<Value> {
    (body.len() <= BODY_LIMIT).then(|| serde_json::from_slice(body).ok())?
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Null => Some(String::new()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn list(value: &Value) -> Option<String> {
    let items = value.as_array()?;
    let said: Vec<String> = items.iter().filter_map(|item| one(item.as_object()?)).collect();
    Some(said.into_iter().take(ERRORS_SHOWN).collect::<Vec<_>>().join("; "))
}

/// One error: its words, after the field they are about.
fn one(item: &Map<String, Value>) -> Option<String> {
    let text = ["userPresentableMessage", "message", "msg", "error"]
        .iter()
        .find_map(|key| {
            item.get(*key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        })?;
    Some(match field(item) {
        Some(field) => format!("{field}: {text}"),
        None => text.to_owned(),
    })
}

fn field(item: &Map<String, Value>) -> Option<String> {
    if let Some(field) = item.get("field").and_then(Value::as_str) {
        // `body` alone is the whole request: no news.
        return (!field.is_empty() && field != "body").then(|| field.to_owned());
    }
    let place = item.get("loc")?.as_array()?;
    let steps = place.iter().filter_map(|step| match step {
        Value::String(step) if step != "body" => Some(step.clone()),
        Value::Number(step) => Some(step.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    Some(steps.collect::<Vec<_>>().join(".")).filter(|field| !field.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_error_is_read_and_nothing_else_is() {
        let cases: [(&str, Option<&str>); 17] = [
            (
                r#"{"message":"M","errors":[{"field":"name","message":"too long"}]}"#,
                Some("name: too long"),
            ),
            (
                r#"{"message":"M","errors":[{"field":"body","message":"no","details":null}]}"#,
                Some("no"),
            ),
            (r#"{"message":"M","errors":[]}"#, Some("M")),
            (
                r#"{"message":"M","errors":[{"field":null,"message":null}]}"#,
                Some("M"),
            ),
            (r#"{"message":null,"errors":[]}"#, Some("")),
            (
                r#"{"errors":[{"message":"a"},{"message":"b"},{"message":"c"},{"message":"d"}]}"#,
                Some("a; b; c"),
            ),
            (r#"{"detail":"Workspace not found"}"#, Some("Workspace not found")),
            (
                r#"{"detail":[{"loc":["body","status"],"msg":"bad","type":"enum"}]}"#,
                Some("status: bad"),
            ),
            (
                r#"{"detail":[{"loc":["body","a",0],"msg":"bad"}]}"#,
                Some("a.0: bad"),
            ),
            (r#"{"error":"E","message":"M"}"#, Some("M")),
            (r#"{"error":"E"}"#, Some("E")),
            (r#"{"error":{"message":"E"}}"#, Some("E")),
            (r#"{"id":"x"}"#, None),
            (r#""Not Found""#, None),
            ("<html><title>404</title></html>", None),
            (r#"{"detail":"Workspace not fo"#, None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(read(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}

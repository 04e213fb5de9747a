//! What a 404 or 410 means. The words of the service's own 404 are documented nowhere, and `Not Found` is what frameworks and
//! gateways say too: words decide nothing. What decides is the shape of the body, and what else shows that the route works.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Map, Value};

use super::error_text;
use super::operation::Operation;
use crate::domain::remote::FailureClass;

/// Whose the body of an error can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// `{"message": "…", "errors": [{…}]}`: the service wraps each of its refusals so. No router and no gateway is known to;
    /// those of Kong and AWS say `{"message"}` alone.
    Envelope,
    /// Any other JSON object, or no body, of a JSON type. Older versions of the service answer so, and so does an unrouted path
    /// of its framework (`{"detail": "Not Found"}`), or a gateway that lost its way.
    Json,
    /// A page, a proxy's text, what was cut short: never the API's.
    Foreign,
}

/// What else shows that the route of the call works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Evidence {
    /// To GET by id: it has just answered with another workspace. To PUT and DELETE by id: GET says that the workspace is
    /// missing, and a gateway may know the path for GET alone.
    Confirmed,
    None,
}

/// The class of a 404 or 410.
pub(super) fn class(operation: Operation, shape: Shape, evidence: Evidence) -> FailureClass {
    match (shape, evidence) {
        (Shape::Envelope, _) => FailureClass::Missing,
        (Shape::Json, Evidence::Confirmed) if is_by_id(operation) => FailureClass::Missing,
        (Shape::Json | Shape::Foreign, _) => FailureClass::Malformed,
    }
}

/// Whether the answer is one that evidence decides about.
pub(super) fn needs_evidence(answer: &Response<Bytes>) -> bool {
    matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::GONE) && shape(answer) == Shape::Json
}

/// The shape of an answer's body.
pub(super) fn shape(answer: &Response<Bytes>) -> Shape {
    if !is_json(answer.headers()) {
        return Shape::Foreign;
    }
    if answer.body().is_empty() {
        return Shape::Json;
    }
    match error_text::value(answer.body()) {
        Some(Value::Object(body)) if is_envelope(&body) => Shape::Envelope,
        Some(Value::Object(_)) => Shape::Json,
        Some(_) | None => Shape::Foreign,
    }
}

fn is_envelope(body: &Map<String, Value>) -> bool {
    let errors = body.get("errors").and_then(Value::as_array);
    let listed = errors.is_some_and(|errors| errors.iter().all(Value::is_object));
    listed && body.get("message").is_some_and(Value::is_string)
}

/// `application/json` and its kin (`application/problem+json`), whatever parameters follow.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// The others name no workspace that could be missing.
fn is_by_id(operation: Operation) -> bool {
    match operation {
        Operation::Get | Operation::Update | Operation::Delete => true,
        Operation::Exchange
        | Operation::Authenticate
        | Operation::List
        | Operation::Issue
        | Operation::Verify => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureClass::{Malformed, Missing};
    use Operation::{Delete, Get, Issue, List, Update, Verify};

    const JSON: &str = "application/json";

    #[test]
    fn shape_and_evidence_decide_and_nothing_else() {
        let (by_id, others) = ([Get, Update, Delete], [List, Issue, Verify]);
        let table = [
            (Shape::Envelope, Evidence::None, Missing, Missing),
            (Shape::Envelope, Evidence::Confirmed, Missing, Missing),
            (Shape::Json, Evidence::None, Malformed, Malformed),
            (Shape::Json, Evidence::Confirmed, Missing, Malformed),
            (Shape::Foreign, Evidence::None, Malformed, Malformed),
            (Shape::Foreign, Evidence::Confirmed, Malformed, Malformed),
        ];
        for (shape, evidence, to_id, to_other) in table {
            for operation in by_id {
                assert_eq!(
                    class(operation, shape, evidence),
                    to_id,
                    "{operation:?} {shape:?} {evidence:?}"
                );
            }
            for operation in others {
                assert_eq!(
                    class(operation, shape, evidence),
                    to_other,
                    "{operation:?} {shape:?} {evidence:?}"
                );
            }
        }
    }

    #[test]
    fn the_shape_of_a_body_is_read_without_its_words() {
        let table = [
            (
                JSON,
                r#"{"message":"Workspace not found","errors":[{"message":"Workspace not found"}]}"#,
                Shape::Envelope,
            ),
            (JSON, r#"{"message":"Not Found","errors":[]}"#, Shape::Envelope),
            (
                "application/json; charset=utf-8",
                r#"{"message":"","errors":[],"more":1}"#,
                Shape::Envelope,
            ),
            // Gateways: AWS, Kong, Azure, Spring, a list of texts, a map by field.
            (JSON, r#"{"message":"Not Found"}"#, Shape::Json),
            (
                JSON,
                r#"{"message":"no Route matched with those values","request_id":"1"}"#,
                Shape::Json,
            ),
            (
                JSON,
                r#"{"statusCode":404,"message":"Resource not found"}"#,
                Shape::Json,
            ),
            (
                JSON,
                r#"{"timestamp":"1","status":404,"error":"Not Found","path":"/api"}"#,
                Shape::Json,
            ),
            (
                JSON,
                r#"{"message":"Workspace not found","errors":["Workspace not found"]}"#,
                Shape::Json,
            ),
            (
                JSON,
                r#"{"message":"Workspace not found","errors":{}}"#,
                Shape::Json,
            ),
            (JSON, r#"{"message":null,"errors":[]}"#, Shape::Json),
            (JSON, r#"{"errors":[]}"#, Shape::Json),
            // The framework, routed or not, and a draft.
            (JSON, r#"{"detail":"Not Found"}"#, Shape::Json),
            (JSON, r#"{"detail":"Workspace not found"}"#, Shape::Json),
            (
                "application/problem+json",
                r#"{"title":"Not Found"}"#,
                Shape::Json,
            ),
            (JSON, r#"{"error":"error","message":""}"#, Shape::Json),
            (JSON, "", Shape::Json),
            (JSON, r#""Workspace not found""#, Shape::Foreign),
            (JSON, r#"{"message":"Workspace not found","err"#, Shape::Foreign),
            (
                "text/html; charset=utf-8",
                "<html><title>Workspace not found</title></html>",
                Shape::Foreign,
            ),
            (
                "text/html",
                r#"{"message":"Workspace not found","errors":[]}"#,
                Shape::Foreign,
            ),
            ("text/plain", "404 page not found", Shape::Foreign),
            ("text/plain", "default backend - 404", Shape::Foreign),
            ("", "", Shape::Foreign),
            ("", r#"{"detail":"Workspace not found"}"#, Shape::Foreign),
        ];
        for (kind, body, expected) in table {
            let mut answer = Response::new(Bytes::from_static(body.as_bytes()));
            if !kind.is_empty() {
                answer.headers_mut().insert(CONTENT_TYPE, kind.parse().unwrap());
            }
            assert_eq!(shape(&answer), expected, "{kind}: {body}");
        }
    }
}

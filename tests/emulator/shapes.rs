//! The shapes of the API's answers, as its documentation gives them, and a judge of them. Members that no shape names are refused.

use agent_engine_operator::emulator::operation::{Family, Operation};
use serde_json::Value;

/// What a value may be.
pub enum Shape {
    Text,
    Uuid,
    Time,
    Bool,
    Int,
    Null,
    Word(&'static [&'static str]),
    Either(Vec<Shape>),
    List(Box<Shape>),
    Object(Vec<Member>),
}

pub struct Member {
    name: &'static str,
    need: Need,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Need {
    Required,
    Optional,
}

use Need::{Optional, Required};
use Shape::{Bool, Either, Int, List, Null, Object, Text, Time, Uuid, Word};

fn member(name: &'static str, need: Need, shape: Shape) -> Member {
    Member { name, need, shape }
}

fn or_null(shape: Shape) -> Shape {
    Either(vec![Null, shape])
}

/// The body of a success, by call.
pub fn success(operation: Operation, family: Family) -> Shape {
    match operation {
        Operation::T1 => Object(vec![
            member("access_token", Required, Text),
            member("token_type", Required, Text),
            member("expires_in", Required, Int),
            member("organization_id", Optional, or_null(Uuid)),
        ]),
        Operation::T2 | Operation::T4 => Object(vec![member("token", Required, Text)]),
        Operation::T3 => {
            let mut members = vec![
                member("organization_id", Required, Uuid),
                member("workspace_id", Required, Uuid),
            ];
            if family == Family::Current {
                members.push(member("workspace_name", Required, Text));
            }
            Object(members)
        }
        Operation::W1 => Object(vec![
            member("next", Optional, or_null(Text)),
            member("data", Required, List(Box::new(workspace()))),
        ]),
        Operation::W2 => Object(vec![
            member("active_count", Required, Int),
            member("inactive_count", Required, Int),
            member("total_count", Required, Int),
        ]),
        Operation::W3 | Operation::W4 => workspace(),
        Operation::W5 => Object(vec![
            member("id", Required, Uuid),
            member("deleted_at", Required, Time),
        ]),
        Operation::C1 => Object(vec![member("data", Required, List(Box::new(connector())))]),
        Operation::C2 => Object(vec![member("job_id", Required, Uuid)]),
        Operation::C3 => Object(vec![member(
            "definitions",
            Required,
            List(Box::new(definition())),
        )]),
        Operation::X1 => Object(vec![
            member("is_new_user", Required, Bool),
            member("is_enrolled", Required, Bool),
            member("is_instance_admin", Required, Bool),
            member("organization_id", Required, Uuid),
            member("organization_name", Optional, Text),
        ]),
        Operation::X2 => {
            let organization = vec![
                member("id", Required, Uuid),
                member("organization_name", Required, Text),
            ];
            Object(vec![
                member("organizations", Required, List(Box::new(Object(organization)))),
                member("is_instance_admin", Required, Bool),
            ])
        }
        Operation::X3 => Object(vec![
            member("id", Required, Text),
            member("name", Required, Text),
            member("client_id", Required, Text),
            member("client_secret", Required, Text),
        ]),
        Operation::X4 => Object(vec![member("data", Required, List(Box::new(Object(Vec::new()))))]),
    }
}

fn workspace() -> Shape {
    Object(vec![
        member("id", Required, Uuid),
        member("name", Required, Text),
        member("organization_id", Required, Uuid),
        member("status", Required, Word(&["active", "inactive"])),
        member("cache_enabled", Required, or_null(Bool)),
        member("tombstone", Required, Bool),
        member("visibility", Required, Word(&["shared", "private"])),
        member("color", Required, or_null(Text)),
        member("created_at", Required, Time),
        member("updated_at", Required, Time),
    ])
}

fn connector() -> Shape {
    let template = vec![
        member("id", Required, Text),
        member("name", Required, Text),
        member("icon", Required, or_null(Text)),
        member("actor_definition_id", Required, Uuid),
    ];
    Object(vec![
        member("id", Required, Uuid),
        member("name", Required, Text),
        member("summarized_source_template", Required, Object(template)),
        member("created_at", Required, Time),
        member("updated_at", Required, Time),
    ])
}

fn definition() -> Shape {
    Object(vec![
        member("sourceDefinitionId", Required, Uuid),
        member("name", Required, Text),
        member("iconUrl", Required, or_null(Text)),
        member("supportLevel", Required, Text),
    ])
}

/// The current body of an error.
pub fn envelope() -> Shape {
    let error = vec![
        member("field", Optional, or_null(Text)),
        member("message", Optional, or_null(Text)),
        member("error_code", Optional, or_null(Text)),
        member("details", Optional, or_null(Object(Vec::new()))),
    ];
    Object(vec![
        member("message", Optional, or_null(Text)),
        member("errors", Required, List(Box::new(Object(error)))),
    ])
}

/// The older body of an error.
pub fn detail() -> Shape {
    let part = vec![
        member("loc", Required, List(Box::new(Either(vec![Text, Int])))),
        member("msg", Required, Text),
        member("type", Required, Text),
    ];
    Object(vec![member(
        "detail",
        Required,
        Either(vec![Text, List(Box::new(Object(part)))]),
    )])
}

/// The body of an error in one draft.
pub fn error_and_message() -> Shape {
    Object(vec![
        member("error", Required, Text),
        member("message", Required, Text),
    ])
}

/// What is wrong with a value, none if it has the shape.
pub fn fault(shape: &Shape, value: &Value, at: &str) -> Option<String> {
    let wrong = |wanted: &str| Some(format!("{at}: {value} is not {wanted}"));
    let text = value.as_str();
    match shape {
        Text => text.is_none().then(|| wrong("a text")).flatten(),
        // In its usual writing: the validators of clients differ in what else they take.
        Uuid => text
            .filter(|text| {
                text.parse::<uuid::Uuid>()
                    .is_ok_and(|id| id.to_string() == **text)
            })
            .is_none()
            .then(|| wrong("a UUID"))
            .flatten(),
        Time => {
            let time = text
                .filter(|text| text.ends_with('Z'))
                .and_then(|text| text.parse::<jiff::Timestamp>().ok());
            time.is_none()
                .then(|| wrong("an RFC 3339 instant in UTC"))
                .flatten()
        }
        Bool => (!value.is_boolean()).then(|| wrong("a boolean")).flatten(),
        Int => (!value.is_u64()).then(|| wrong("a whole number")).flatten(),
        Null => (!value.is_null()).then(|| wrong("null")).flatten(),
        Word(words) => (!text.is_some_and(|text| words.contains(&text)))
            .then(|| wrong("a known word"))
            .flatten(),
        Either(shapes) => {
            let faults: Option<Vec<String>> = shapes.iter().map(|shape| fault(shape, value, at)).collect();
            faults.map(|faults| faults.join(", and "))
        }
        List(item) => match value.as_array() {
            Some(items) => items
                .iter()
                .find_map(|value| fault(item, value, &format!("{at}[]"))),
            None => wrong("a list"),
        },
        Object(members) => {
            let Some(object) = value.as_object() else {
                return wrong("an object");
            };
            let unknown = object
                .keys()
                .find(|key| members.iter().all(|member| member.name != *key));
            unknown
                .map(|key| format!("{at}: member `{key}` is in no documentation"))
                .or_else(|| {
                    members.iter().find_map(|member| match object.get(member.name) {
                        Some(value) => fault(&member.shape, value, &format!("{at}.{}", member.name)),
                        None if member.need == Required => {
                            Some(format!("{at}: member `{}` is missing", member.name))
                        }
                        None => None,
                    })
                })
        }
    }
}

#[test]
fn the_judge_finds_what_is_wrong() {
    use serde_json::json;
    let good = json!({"organization_id": "11111111-1111-4111-8111-111111111111",
        "workspace_id": "11111111-1111-4111-8111-111111111111", "workspace_name": "x"});
    let shape = success(Operation::T3, Family::Current);
    assert_eq!(fault(&shape, &good, "T3"), None);
    for (member, value) in [
        ("workspace_name", json!(7)),
        ("workspace_id", json!("w1")),
        ("more", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(fault(&shape, &bad, "T3").is_some(), "{bad}");
    }
    assert!(fault(&success(Operation::T3, Family::Legacy), &good, "T3").is_some());
    assert!(fault(&Time, &json!("2026-04-20 21:57:20"), "t").is_some());
}

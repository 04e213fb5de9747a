//! The shape of conditions, and the bounds of what the operator itself writes.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::add;

/// `metav1.Condition` with bounds, as a list keyed by type.
pub fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "description": "One aspect of the object's state.",
            "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            "properties": {
                "type": {"type": "string", "maxLength": 316, "description": "The aspect, such as Ready."},
                "status": {
                    "type": "string",
                    "enum": ["True", "False", "Unknown"],
                    "description": "True, False or Unknown."
                },
                "reason": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                    "description": "Why, in one word that programs may rely on. The documentation lists them all."
                },
                "message": {
                    "type": "string",
                    "maxLength": 32768,
                    "description": "Why, for people: what is wrong, what was not done, what to do."
                },
                "lastTransitionTime": {
                    "type": "string",
                    "format": "date-time",
                    "description": "When status last changed."
                },
                "observedGeneration": {
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                    "description": "The metadata.generation that the condition speaks of."
                }
            }
        }
    })
}

/// Longest text from elsewhere that a status has room for, in characters.
pub const LONGEST_TEXT: usize = 4096;

/// Text that comes from elsewhere (an id, a name as Agent Engine has it): bounded, otherwise taken as it is, so that
/// the truth can always be written down.
pub fn foreign_text(schema: &mut Schema) {
    add(schema, json!({"maxLength": LONGEST_TEXT}));
}

/// The name of an object in the cluster.
pub fn object_name(schema: &mut Schema) {
    add(schema, json!({"maxLength": 253}));
}

/// A Lease, by namespace and name: 63 and 253 characters at most, and a slash.
pub fn operator(schema: &mut Schema) {
    add(schema, json!({"maxLength": 317}));
}

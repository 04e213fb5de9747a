//! A refusal, and the three shapes of its body that the API is documented or known to use.

use serde_json::{Value, json};

use crate::emulator::knobs::ErrorShape;

/// Why a call is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
    /// The member or parameter at fault, for a 422.
    pub field: Option<String>,
    /// A code for machines, where the documentation shows one.
    pub code: Option<&'static str>,
}

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            field: None,
            code: None,
        }
    }

    /// A validation error.
    pub fn invalid(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: 422,
            message: message.into(),
            field: Some(field.to_owned()),
            code: Some(code),
        }
    }

    /// The body, in this shape.
    pub fn body(&self, shape: ErrorShape) -> Value {
        match shape {
            ErrorShape::Envelope => json!({
                "message": self.message,
                "errors": [{"field": self.field, "message": self.message, "error_code": self.code, "details": null}],
            }),
            ErrorShape::Detail => match &self.field {
                Some(field) => {
                    json!({"detail": [{"loc": ["body", field], "msg": self.message, "type": self.code}]})
                }
                None => json!({"detail": self.message}),
            },
            ErrorShape::Error => json!({"error": self.code.unwrap_or("error"), "message": self.message}),
        }
    }
}

/// What most of this module returns.
pub(super) type Outcome<T> = Result<T, Refusal>;

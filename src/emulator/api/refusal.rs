//! A refusal, and the three shapes of its body that the API is documented or known to use.

use serde_json::{Value, json};

use crate::emulator::knobs::ErrorShape;

/// Why a call is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
    /// What does not validate: all of it, for a 422.
    pub invalid: Vec<Invalid>,
}

/// One value that does not validate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invalid {
    pub place: Place,
    /// The member or parameter, with dots between the steps of its path; none for the whole body.
    pub field: Option<String>,
    pub code: &'static str,
    pub message: String,
}

/// Where a value stands in a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    Body,
    Header,
    Path,
    Query,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Header => "header",
            Self::Path => "path",
            Self::Query => "query",
        }
    }
}

impl Invalid {
    /// `field` in the envelope.
    fn field(&self) -> &str {
        self.field.as_deref().unwrap_or(self.place.word())
    }

    /// `loc` in the older shape: the place, then names and indices.
    fn location(&self) -> Vec<Value> {
        let steps = self.field.iter().flat_map(|field| field.split('.'));
        let steps = steps.map(|step| match step.parse::<u64>() {
            Ok(index) => json!(index),
            Err(_) => json!(step),
        });
        std::iter::once(json!(self.place.word())).chain(steps).collect()
    }
}

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            invalid: Vec::new(),
        }
    }

    /// A validation error of one field.
    pub fn invalid(place: Place, field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::of(vec![Invalid {
            place,
            field: Some(field.to_owned()),
            code,
            message: message.into(),
        }])
    }

    /// A validation error of the body as a whole.
    pub fn invalid_body(code: &'static str, message: impl Into<String>) -> Self {
        Self::of(vec![Invalid {
            place: Place::Body,
            field: None,
            code,
            message: message.into(),
        }])
    }

    fn of(invalid: Vec<Invalid>) -> Self {
        let message = invalid.first().map(|first| first.message.clone());
        Self {
            status: 422,
            message: message.unwrap_or_default(),
            invalid,
        }
    }

    /// The body, in this shape.
    pub fn body(&self, shape: ErrorShape) -> Value {
        match shape {
            ErrorShape::Envelope => json!({"message": self.message, "errors": self.errors()}),
            ErrorShape::Detail if self.invalid.is_empty() => json!({"detail": self.message}),
            ErrorShape::Detail => {
                let detail = self
                    .invalid
                    .iter()
                    .map(|one| json!({"loc": one.location(), "msg": one.message, "type": one.code}));
                json!({"detail": detail.collect::<Vec<_>>()})
            }
            ErrorShape::Error => {
                let code = self.invalid.first().map_or("error", |first| first.code);
                json!({"error": code, "message": self.message})
            }
        }
    }

    fn errors(&self) -> Vec<Value> {
        if self.invalid.is_empty() {
            return vec![
                json!({"field": null, "message": self.message, "error_code": null, "details": null}),
            ];
        }
        self.invalid
            .iter()
            .map(|one| {
                json!({"field": one.field(), "message": one.message, "error_code": one.code, "details": null})
            })
            .collect()
    }
}

/// Collects what does not validate, so that one refusal names all of it.
#[derive(Debug, Default)]
pub(super) struct Validation(Vec<Invalid>);

impl Validation {
    /// The value, if it validates.
    pub(super) fn take<T>(&mut self, read: Outcome<T>) -> Option<T> {
        read.map_err(|refusal| self.add(refusal)).ok()
    }

    /// Notes a refusal's fields.
    pub(super) fn add(&mut self, refusal: Refusal) {
        self.0.extend(refusal.invalid);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses if anything was noted.
    pub(super) fn done(self) -> Outcome<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.refusal())
        }
    }

    pub(super) fn refusal(self) -> Refusal {
        Refusal::of(self.0)
    }
}

/// What most of this module returns.
pub(super) type Outcome<T> = Result<T, Refusal>;

//! What the service may do to names: trim, normalize, fold, refuse.

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use super::input;
use super::refusal::{Outcome, Place, Refusal};
use crate::emulator::knobs::{Acceptance, Charset, Knobs, Limit, NameCase, Normalization, Switch};

/// The member of this name, as it will be kept.
pub(super) fn read(body: &Map<String, Value>, field: &str, knobs: &Knobs) -> Outcome<String> {
    accept(&input::string(body, field)?, field, knobs)
}

/// The name as it will be kept.
fn accept(name: &str, field: &str, knobs: &Knobs) -> Outcome<String> {
    let trimmed = match knobs.name_trim {
        Switch::On => name.trim(),
        Switch::Off => name,
    };
    let name = match knobs.name_normalization {
        Normalization::Nfc => trimmed.nfc().collect(),
        Normalization::None => trimmed.to_owned(),
    };
    let length = u64::try_from(name.chars().count()).unwrap_or(u64::MAX);
    if length == 0 && knobs.name_empty == Acceptance::Refused {
        return Err(Refusal::invalid(
            Place::Body,
            field,
            "string_too_short",
            "String should have at least 1 character",
        ));
    }
    if let Limit::At(most) = knobs.name_max
        && length > most
    {
        let message = format!("String should have at most {most} characters");
        return Err(Refusal::invalid(Place::Body, field, "string_too_long", message));
    }
    if knobs.name_charset == Charset::Printable && name.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            Place::Body,
            field,
            "string_pattern_mismatch",
            "String should not have control characters",
        ));
    }
    Ok(name)
}

/// Whether two names are one to the service.
pub(super) fn same(one: &str, other: &str, knobs: &Knobs) -> bool {
    match knobs.name_case {
        NameCase::Exact => one == other,
        NameCase::Folded => unicase::eq(one, other),
    }
}

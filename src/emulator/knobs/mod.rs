//! Knobs: what the emulator does where the real API is not documented. One table says name, values, default, which
//! unknown, and meaning; flags, the control API and the table of the documentation are made from it.

mod table;
mod value;

use std::collections::BTreeMap;

pub use table::*;
pub use value::{Count, Limit, Signed};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    pub name: &'static str,
    /// What may be set, in words.
    pub allowed: fn() -> String,
    /// Every value of a choice; for a number some that matter. Tests walk through them.
    pub samples: fn() -> Vec<String>,
    pub default: fn() -> String,
    /// The unknowns of the API contract that this answers.
    pub unknowns: &'static str,
    pub meaning: &'static str,
}

/// Why a knob was not set.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KnobError {
    #[error("there is no knob `{0}`; GET /_emulator/knobs lists them")]
    UnknownKnob(String),
    #[error("knob `{name}` cannot be `{value}`; it takes {allowed}")]
    BadValue {
        name: &'static str,
        value: String,
        allowed: String,
    },
    #[error("`{0}` is not of the form NAME=VALUE")]
    NotAPair(String),
}

impl Knobs {
    /// Sets from the form of the command line, `name=value`.
    pub fn set_pair(&mut self, pair: &str) -> Result<(), KnobError> {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| KnobError::NotAPair(pair.to_owned()))?;
        self.set(name.trim(), value.trim())
    }

    /// Sets all or, when one of them is wrong, none.
    pub fn set_all(&mut self, values: &BTreeMap<String, String>) -> Result<(), KnobError> {
        let mut next = self.clone();
        for (name, value) in values {
            next.set(name, value)?;
        }
        *self = next;
        Ok(())
    }
}

/// The table as the documentation shows it.
pub fn markdown() -> String {
    let mut page = String::from("| knob | values | default | unknown | meaning |\n|---|---|---|---|---|\n");
    for knob in TABLE {
        page.push_str(&format!(
            "| `{}` | {} | `{}` | {} | {} |\n",
            knob.name,
            (knob.allowed)(),
            (knob.default)(),
            knob.unknowns,
            knob.meaning
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::{KnobError, Knobs, TABLE, markdown};

    #[test]
    fn every_sample_of_every_knob_is_taken_and_read_back() {
        for knob in TABLE {
            for sample in (knob.samples)() {
                let mut knobs = Knobs::default();
                knobs.set(knob.name, &sample).unwrap();
                assert_eq!(knobs.get(knob.name), Some(sample), "{}", knob.name);
            }
        }
    }

    #[test]
    fn a_wrong_value_is_refused_with_those_that_are_right() {
        let wrong = Knobs::default().set("error_shape", "xml").unwrap_err();
        assert!(matches!(wrong, KnobError::BadValue { .. }));
        assert!(wrong.to_string().contains("`detail`"), "{wrong}");
        assert!(matches!(
            Knobs::default().set("nonsense", "on"),
            Err(KnobError::UnknownKnob(_))
        ));
    }

    #[test]
    fn the_documentation_shows_this_table() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/emulator.md")).unwrap();
        let (_, rest) = page
            .split_once("<!-- knobs:begin")
            .expect("docs/emulator.md has a knobs:begin mark");
        let (_, rest) = rest.split_once("-->\n").unwrap();
        let (table, _) = rest
            .split_once("<!-- knobs:end -->")
            .expect("docs/emulator.md has a knobs:end mark");
        assert!(
            table == markdown(),
            "docs/emulator.md differs; print the table with `agent-engine-emulator knobs`"
        );
    }

    #[test]
    fn every_unknown_of_the_contract_has_a_knob() {
        for number in 1..=31 {
            let unknown = format!("U{number}");
            let known = TABLE
                .iter()
                .any(|knob| knob.unknowns.split(' ').any(|word| word == unknown));
            assert!(known, "{unknown} has no knob");
        }
    }
}

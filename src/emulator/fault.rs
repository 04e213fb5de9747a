//! Faults as data: which requests they apply to, and what they do. This file matches; `http` carries them out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operation::Operation;

/// A fault as a client of the control API gives it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Which requests: all given conditions must hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// `*` stands for any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Occurs in path, query or body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Matching requests that are left alone first.
    pub skip: u64,
    /// How many requests it applies to; absent = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    pub latency_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Phase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    pub answer: FaultAnswer,
}

/// On which side of its effect a request is held.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Before,
    After,
}

/// Whether a request is carried out although its answer is replaced.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Applied,
    Skipped,
}

/// What the client gets.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultAnswer {
    #[default]
    Pass,
    Status {
        status: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    Drop,
    Truncate,
    Html {
        #[serde(default = "ok")]
        status: u16,
    },
    Redirect {
        to: String,
        #[serde(default = "temporary_redirect")]
        status: u16,
    },
    TokenOf {
        workspace_id: String,
    },
    TokenLifetime {
        seconds: i64,
    },
}

fn ok() -> u16 {
    200
}

fn temporary_redirect() -> u16 {
    307
}

/// Why a fault is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FaultError {
    #[error("status {0} is not one of 200 to 599")]
    BadStatus(u16),
    #[error("`{0}` cannot be a header")]
    BadHeader(String),
    #[error("`effect` `skipped` leaves nothing for `{0}` to change")]
    NothingToAnswer(&'static str),
    #[error("`hold` `after` needs the request to take effect: add `\"effect\":\"applied\"`")]
    NothingToHoldAfter,
}

/// The parts of a request that faults match.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub operation: Option<Operation>,
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub body: &'a str,
}

/// A scheduled fault, with its number and its counts.
#[derive(Clone, Debug, Serialize)]
pub struct ScheduledFault {
    pub id: u64,
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests that matched so far, skipped ones included.
    pub matched: u64,
    /// Requests that it applied to so far.
    pub befallen: u64,
}

/// All faults, in the order in which they were given. The first that matches and is not used up applies.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    scheduled: Vec<ScheduledFault>,
    given: u64,
}

impl Fault {
    /// Whether the request is carried out.
    pub fn effect(&self) -> Effect {
        self.effect.unwrap_or(match self.answer {
            FaultAnswer::Pass
            | FaultAnswer::Truncate
            | FaultAnswer::TokenOf { .. }
            | FaultAnswer::TokenLifetime { .. } => Effect::Applied,
            FaultAnswer::Status { .. }
            | FaultAnswer::Drop
            | FaultAnswer::Html { .. }
            | FaultAnswer::Redirect { .. } => Effect::Skipped,
        })
    }

    /// Refuses what could not be carried out.
    pub fn check(&self) -> Result<(), FaultError> {
        match &self.answer {
            FaultAnswer::Status { status, headers, .. } => {
                in_range(*status)?;
                for (name, value) in headers {
                    let fine = http::HeaderName::try_from(name).is_ok()
                        && http::HeaderValue::try_from(value).is_ok();
                    fine.then_some(())
                        .ok_or_else(|| FaultError::BadHeader(format!("{name}: {value}")))?;
                }
            }
            FaultAnswer::Html { status } => in_range(*status)?,
            FaultAnswer::Redirect { to, status } => {
                in_range(*status)?;
                http::HeaderValue::try_from(to).map_err(|_| FaultError::BadHeader(to.clone()))?;
            }
            FaultAnswer::Pass
            | FaultAnswer::Drop
            | FaultAnswer::Truncate
            | FaultAnswer::TokenOf { .. }
            | FaultAnswer::TokenLifetime { .. } => {}
        }
        if self.effect() == Effect::Skipped {
            match self.answer {
                FaultAnswer::Pass => return Err(FaultError::NothingToAnswer("pass")),
                FaultAnswer::Truncate => return Err(FaultError::NothingToAnswer("truncate")),
                FaultAnswer::TokenOf { .. } => return Err(FaultError::NothingToAnswer("token_of")),
                FaultAnswer::TokenLifetime { .. } => {
                    return Err(FaultError::NothingToAnswer("token_lifetime"));
                }
                FaultAnswer::Status { .. }
                | FaultAnswer::Drop
                | FaultAnswer::Html { .. }
                | FaultAnswer::Redirect { .. } => {}
            }
            if self.hold == Some(Phase::After) {
                return Err(FaultError::NothingToHoldAfter);
            }
        }
        Ok(())
    }

    fn matches(&self, seen: &Subject<'_>) -> bool {
        self.operation
            .is_none_or(|operation| seen.operation == Some(operation))
            && self
                .method
                .as_ref()
                .is_none_or(|method| method.eq_ignore_ascii_case(seen.method))
            && self.path.as_ref().is_none_or(|pattern| glob(pattern, seen.path))
            && self.contains.as_ref().is_none_or(|text| {
                [seen.path, seen.query, seen.body]
                    .iter()
                    .any(|place| place.contains(text.as_str()))
            })
    }
}

impl Faults {
    pub fn add(&mut self, fault: Fault) -> Result<u64, FaultError> {
        fault.check()?;
        self.given += 1;
        self.scheduled.push(ScheduledFault {
            id: self.given,
            fault,
            matched: 0,
            befallen: 0,
        });
        Ok(self.given)
    }

    pub fn all(&self) -> &[ScheduledFault] {
        &self.scheduled
    }

    pub fn clear(&mut self) {
        self.scheduled.clear();
    }

    /// Removes one and returns it, if it was there.
    pub fn remove(&mut self, id: u64) -> Option<ScheduledFault> {
        let at = self.scheduled.iter().position(|scheduled| scheduled.id == id)?;
        Some(self.scheduled.remove(at))
    }

    /// The fault that applies to this request; counts the request.
    pub fn take(&mut self, seen: &Subject<'_>) -> Option<(u64, Fault)> {
        for scheduled in &mut self.scheduled {
            let spent = scheduled
                .fault
                .count
                .is_some_and(|count| scheduled.befallen >= count);
            if spent || !scheduled.fault.matches(seen) {
                continue;
            }
            scheduled.matched += 1;
            if scheduled.matched > scheduled.fault.skip {
                scheduled.befallen += 1;
                return Some((scheduled.id, scheduled.fault.clone()));
            }
        }
        None
    }
}

fn in_range(status: u16) -> Result<(), FaultError> {
    if (200..600).contains(&status) {
        Ok(())
    } else {
        Err(FaultError::BadStatus(status))
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| tail.get(at..).is_some_and(|tail| glob(rest, tail)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Fault, FaultAnswer, FaultError, Faults, Operation, Phase, Subject, glob};

    fn seen(path: &str) -> Subject<'_> {
        Subject {
            operation: Some(Operation::W3),
            method: "GET",
            path,
            query: "",
            body: "",
        }
    }

    #[test]
    fn a_fault_applies_to_the_second_and_third_match_alone() {
        let mut faults = Faults::default();
        let fault = Fault {
            skip: 1,
            count: Some(2),
            answer: FaultAnswer::Drop,
            ..Fault::default()
        };
        faults.add(fault).unwrap();
        let taken: Vec<bool> = (0..5).map(|_| faults.take(&seen("/x")).is_some()).collect();
        assert_eq!(taken, [false, true, true, false, false]);
    }

    #[test]
    fn a_star_in_a_path_stands_for_anything() {
        assert!(glob("/api/*/workspaces/*", "/api/v1/workspaces/1"));
        assert!(glob("*", ""));
        assert!(!glob("/api/*/x", "/api/v1/workspaces"));
        assert!(!glob("/api", "/api/v1"));
    }

    #[test]
    fn a_fault_that_could_do_nothing_is_refused() {
        let idle = Fault {
            effect: Some(Effect::Skipped),
            ..Fault::default()
        };
        assert_eq!(idle.check(), Err(FaultError::NothingToAnswer("pass")));
        let hold = Fault {
            answer: FaultAnswer::Drop,
            hold: Some(Phase::After),
            ..Fault::default()
        };
        assert_eq!(hold.check(), Err(FaultError::NothingToHoldAfter));
        assert!(serde_json::from_str::<Fault>(r#"{"opperation":"T1"}"#).is_err());
    }
}

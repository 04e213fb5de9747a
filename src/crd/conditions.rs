//! Conditions as kstatus, Argo CD and Flux read them, and how a new set replaces an old one.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use strum::IntoStaticStr;

/// The whole: usable as declared.
pub const READY: &str = "Ready";
/// The remote workspace is as declared.
pub const SYNCED: &str = "Synced";
/// A verified token is in the Secret.
pub const TOKEN_READY: &str = "TokenReady";
/// Present only while true: work or waiting goes on by itself.
pub const RECONCILING: &str = "Reconciling";
/// Present only while true: a person must change something.
pub const STALLED: &str = "Stalled";

/// `True`, `False` or `Unknown`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, IntoStaticStr)]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

impl ConditionStatus {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A condition without its times.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConditionDraft {
    pub kind: &'static str,
    pub status: ConditionStatus,
    pub reason: &'static str,
    pub message: String,
}

/// The condition of that type.
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// Whether the condition of that type is there, and `True`.
pub fn is_true(conditions: &[Condition], kind: &str) -> bool {
    find(conditions, kind).is_some_and(|condition| condition.status == ConditionStatus::True.as_str())
}

/// The reason of the condition of that type.
pub fn reason<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a str> {
    find(conditions, kind).map(|condition| condition.reason.as_str())
}

/// The new conditions with their times: a transition time moves only when the status of that type changes.
pub fn set_conditions(
    old: &[Condition],
    new: &[ConditionDraft],
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    new.iter()
        .map(|draft| {
            let before = find(old, draft.kind);
            let since = before
                .filter(|c| c.status == draft.status.as_str())
                .map_or_else(|| Time(now), |c| c.last_transition_time.clone());
            Condition {
                type_: draft.kind.to_owned(),
                status: draft.status.as_str().to_owned(),
                reason: draft.reason.to_owned(),
                message: draft.message.clone(),
                observed_generation: Some(generation),
                last_transition_time: since,
            }
        })
        .collect()
}

//! The labels of metrics and their closed sets of values.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};

use crate::domain::reason::{Kstatus, Reason};
use crate::domain::remote::{Failure, FailureClass};

/// The kinds that are reconciled.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, EncodeLabelValue)]
pub enum Kind {
    Workspace,
    Organization,
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, EncodeLabelValue)]
pub enum ReconcileResult {
    /// All is as declared.
    Ready,
    /// Work or a wait goes on without a person.
    Waiting,
    /// A person must change something.
    Stalled,
    /// A change overtook the reconcile, which begins again.
    Overtaken,
    /// The reconcile exceeded `--reconcile-timeout`.
    TimedOut,
    /// A defect of ours.
    Panicked,
}

impl ReconcileResult {
    /// The result of a reconcile that ended with this reason.
    pub fn of(reason: Reason) -> Self {
        match reason.kstatus() {
            Kstatus::Ready => Self::Ready,
            Kstatus::Reconciling => Self::Waiting,
            Kstatus::Stalled => Self::Stalled,
        }
    }
}

/// How an effect ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, EncodeLabelValue)]
pub enum EffectOutcome {
    Done,
    Refused,
    Failed,
    /// It may or may not have happened.
    Unknown,
}

impl EffectOutcome {
    /// The outcome of an effect, from the failure of its call if there is one.
    pub fn of(failure: Option<&Failure>) -> Self {
        match failure.map(|failure| failure.class) {
            None => Self::Done,
            Some(FailureClass::Unknown) => Self::Unknown,
            Some(
                FailureClass::Denied
                | FailureClass::Rejected
                | FailureClass::Conflict
                | FailureClass::Missing
                | FailureClass::Throttled(_),
            ) => Self::Refused,
            Some(FailureClass::Transient | FailureClass::Malformed) => Self::Failed,
        }
    }
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
pub(super) struct Reconcile {
    pub(super) kind: Kind,
    pub(super) result: ReconcileResult,
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
pub(super) struct Effect {
    pub(super) kind: Kind,
    pub(super) effect: &'static str,
    pub(super) outcome: EffectOutcome,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
pub(super) struct OfOperation {
    pub(super) operation: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
pub(super) struct OfKind {
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
pub(super) struct WithReason {
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
pub(super) struct WithRateReason {
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
pub(super) struct OfResource {
    pub(super) resource: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
pub(super) struct OfOperator {
    pub(super) operator: String,
}

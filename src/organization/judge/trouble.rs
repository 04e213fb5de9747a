//! What a failure of Agent Engine means for the whole Organization.

use crate::domain::remote::{Failure, FailureClass};

/// What it means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble<'a> {
    /// The credential is refused for this call.
    Refused(&'a Failure),
    /// Agent Engine asked to slow down.
    Throttled,
    /// There was no answer that says anything of the credential.
    Unreached(&'a Failure),
}

impl<'a> Trouble<'a> {
    /// Of an exchange of the credential: any refusal is one of the credential.
    pub fn of_exchange(failure: &'a Failure) -> Self {
        if failure.class.is_refusal() {
            return Trouble::Refused(failure);
        }
        Trouble::without_refusal(failure)
    }

    /// Of a list: only a denial is a word on the credential.
    pub fn of_list(failure: &'a Failure) -> Self {
        if failure.class == FailureClass::Denied {
            return Trouble::Refused(failure);
        }
        Trouble::without_refusal(failure)
    }

    fn without_refusal(failure: &'a Failure) -> Self {
        match failure.class {
            FailureClass::Throttled(_) => Trouble::Throttled,
            FailureClass::Transient
            | FailureClass::Denied
            | FailureClass::Rejected
            | FailureClass::Conflict
            | FailureClass::Missing
            | FailureClass::Malformed
            | FailureClass::Unknown => Trouble::Unreached(failure),
        }
    }
}

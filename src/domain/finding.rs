//! A reason with the words for people.

use super::reason::{Kstatus, Reason};

/// Why a condition is as it is. The message says what is wrong, what the operator did not do, and what to do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    pub reason: Reason,
    pub message: String,
}

impl Finding {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }

    pub fn is_ready(&self) -> bool {
        self.reason.kstatus() == Kstatus::Ready
    }
}

//! The rate at which an organization is sent requests.

use strum::{EnumIter, IntoStaticStr};

/// Why the rate is as it is.
#[derive(Clone, Copy, Debug, Eq, Hash, IntoStaticStr, Ord, PartialEq, PartialOrd, EnumIter)]
pub enum RateReason {
    /// It was not used up since the operator started.
    Untried,
    /// It is used up and answers are quick, so it grows.
    Growing,
    /// It is not used up.
    Sufficient,
    /// Answers take long, or the server fails.
    SlowAnswers,
    /// Agent Engine answered 429.
    Throttled,
    /// It is as high as it may be.
    AtCeiling,
}

impl RateReason {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The rate at an instant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestRate {
    pub per_second: u32,
    pub reason: RateReason,
}

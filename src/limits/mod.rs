//! What may run and call, and when: a rate limiter for each organization, a back-off for each object, a queue for
//! the slots of the process. Pure: time is an input, and the caller does the waiting.
//!
//! | question | file |
//! |---|---|
//! | when may an organization's next request go out? | [`rate_limiter`], on the algorithm in `gcra` |
//! | how many requests a second, and what does a 429 do? | `rate` |
//! | what is a request for, and what part of the rate may it use? | `lane` |
//! | when is a failing object tried again? | [`backoff`] |
//! | does the server answer at all? | [`availability`] |
//! | which object is reconciled next? | [`queue`] |

pub mod availability;
pub mod backoff;
mod gcra;
mod lane;
pub mod queue;
pub mod rate;
pub mod rate_limiter;

pub use availability::Fault;
pub use backoff::{Backoff, FailedAttempt, Urgency};
pub use lane::Lane;
pub use queue::{Priority, Queue};
pub use rate::{LONG_PAUSE, Pressure};
pub use rate_limiter::{Permit, RateLimiter};

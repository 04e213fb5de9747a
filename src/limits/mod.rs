//! Whose turn it is: the pace of an organization and the back-off of an object. Pure: time is an input.

pub mod backoff;
mod gcra;
pub mod rate_limiter;
pub mod slots;
mod throttle;

pub use backoff::{Backoff, Urgency};
pub use gcra::CLOCK_SLACK;
pub use rate_limiter::{Lane, Permit, RateLimiter};
pub use slots::{Slot, Slots, Work};
pub use throttle::Pressure;

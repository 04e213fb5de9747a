//! Whose turn it is: the pace of an organisation and the back-off of an object. Pure: time is an input.

pub mod backoff;
pub mod pace;
mod schedule;
pub mod slots;
mod throttle;

pub use backoff::{Backoff, Urgency};
pub use pace::{Lane, Pace, Turn};
pub use schedule::CLOCK_SLACK;
pub use slots::{Slot, Slots, Work};
pub use throttle::Pressure;

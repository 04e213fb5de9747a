//! The life of an Organization as sentences, a chapter a file.

mod advice;
mod budget;
mod credential;
mod holding;
mod list;
mod other_operators;
mod pauses;
mod rate_limits;
mod reports;
mod server_time;
mod wakeups;

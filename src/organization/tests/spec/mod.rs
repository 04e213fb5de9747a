//! The life of an Organization as sentences, a chapter a file.

mod advice;
mod budget;
mod clock_set;
mod credential;
mod holding;
mod list;
mod other_operators;
mod rate_limits;
mod reports;
mod wakeups;

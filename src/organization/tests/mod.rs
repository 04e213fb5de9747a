//! The life of an Organization as sentences, a chapter a file, in a small synchronous world; then laws over any life.

mod credential;
mod given;
mod holding;
mod laws;
mod list;
mod rate_limits;
mod reports;
mod world;

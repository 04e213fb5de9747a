//! What is promised of an Organization, in a small synchronous world.
//!
//! - [`harness`]: the world, and what it is given.
//! - [`spec`]: the life of an Organization as sentences, a chapter a file.
//! - [`laws`]: what holds in any life.

mod harness;
mod laws;
mod spec;

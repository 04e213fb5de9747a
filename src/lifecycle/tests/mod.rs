//! The decision core in a small synchronous world.
//!
//! - [`harness`]: the world of the tests, with its fake Agent Engine, its faults, and the words of the stories.
//! - [`spec`]: the rules as sentences, a chapter a file.
//! - [`laws`]: what holds over arbitrary views, ordeals, and crashes at every effect.

mod harness;
mod laws;
mod spec;

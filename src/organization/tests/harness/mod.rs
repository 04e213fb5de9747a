//! The world, what it is given, and what comes of each effect in it.

pub(super) mod given;
mod perform;
pub(super) mod world;

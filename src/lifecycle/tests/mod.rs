//! The rules as sentences, a chapter a file, in a small synchronous world; then laws over arbitrary views.

mod crashes;
mod creation;
mod deletion;
mod engine_model;
mod imports;
mod rename_and_state;
mod tokens;
mod world;

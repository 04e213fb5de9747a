//! The rules as sentences, a chapter a file, in a small synchronous world; then laws over arbitrary views.

mod adoption;
mod asked;
mod claims;
mod cost;
mod crashes;
mod creation;
mod creation_disturbed;
mod deletion;
mod dice;
mod engine_model;
mod fortunes;
mod gates;
mod identity;
mod imports;
mod laws;
mod out_of_sight;
mod pace;
mod perform;
mod rename_and_state;
mod secrets;
mod strays;
mod suspended_in_flight;
mod tokens;
mod world;

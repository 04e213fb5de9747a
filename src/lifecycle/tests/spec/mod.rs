//! The rules as sentences, a chapter a file. Begin with `creation`; `stories` tells six lives from end to end.

mod adoption;
mod advice;
mod budget;
mod claims;
mod clock_set_back;
mod contested_secrets;
mod cost;
mod creation;
mod creation_disturbed;
mod deletion;
mod deletion_that_fails;
mod failures;
mod gone;
mod held_up;
mod identity;
mod orphans;
mod preconditions;
mod rate_limits;
mod rename_and_state;
mod reports;
mod secrets;
mod stories;
mod suspended_in_flight;
mod tokens;
mod unwatched_recorded_secret;
mod whose_id;

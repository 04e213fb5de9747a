//! What holds whatever is stored, answered or disturbed.

mod any_view;
mod crashes;
mod after_deletion;
mod fortunes;
mod recoveries;

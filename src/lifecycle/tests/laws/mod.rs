//! What holds whatever is stored, answered or disturbed.

mod after_deletion;
mod any_view;
mod crashes;
mod crashes_of_steps;
mod recoveries;
mod rivals;
mod untold_names;

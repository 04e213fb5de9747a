//! What holds whatever is stored, answered or disturbed.

mod any_view;
mod crashes;
mod farewells;
mod fortunes;
mod recoveries;

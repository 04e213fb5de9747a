//! What holds in any life of an Organization.

mod any_life;

//! The rules, a chapter a file. Each is a function of the view; their order is in [`crate::organization::plan`].

pub mod credential;
pub mod hold;
pub mod list;
pub mod publication;

//! The Helm chart and the image: what they render, what they refuse, and that an operator started as they say, under
//! the account that they make, does all of its work and may do nothing else. With the real Helm on a real API server.

#[path = "../support/mod.rs"]
mod support;

mod account;
mod definitions;
mod image;
mod missing;
mod permissions;
mod pod;
mod release;
mod render;
mod schema;
mod story;
mod tenants;
mod values;
mod values_reference;

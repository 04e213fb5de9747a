//! Airbyte Agent Engine workspaces as Kubernetes objects.
//!
//! Reading order:
//! - [`api`]: the kinds as users see them, and the plain words that all rooms share.
#![forbid(unsafe_code)]

pub mod api;

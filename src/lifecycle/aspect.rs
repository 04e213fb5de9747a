//! The two aspects of a Workspace fail, and are tried again, apart from each other: a refused rename must not end a token.

use crate::domain::finding::Finding;

/// What a call is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Aspect {
    /// The workspace exists as declared, or is deleted as requested.
    Sync,
    /// A verified token is in the Secret.
    Token,
}

/// An effect that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    pub aspect: Aspect,
    pub finding: Finding,
}

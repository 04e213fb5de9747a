//! What is true of a workspace when a reconcile ends, by aspect, and the problems that end a reconcile early.

use crate::domain::finding::Finding;

/// Two things that fail, and are tried again, apart from each other: a refused rename must not end a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Aspect {
    /// The workspace is there as declared, or gone as asked.
    Sync,
    /// A proven token is in the Secret.
    Token,
}

/// An effect that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    pub aspect: Aspect,
    pub finding: Finding,
}

/// The end of a reconcile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Ready, or why not.
    pub main: Finding,
    pub synced: Finding,
    pub token: Finding,
}

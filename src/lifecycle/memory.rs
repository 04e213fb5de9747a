//! What the process remembers of an object between passes. Losing it costs a few calls, never correctness.

use jiff::Timestamp;

use super::clock::Window;
use super::verdict::Aspect;
use crate::api::ids::WorkspaceName;
use crate::turns::Backoff;

/// Kept by uid while the object lives.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub sync: Backoff,
    pub token: Backoff,
    /// When our last write to the remote workspace had finished, or our last GET that found it began: what a list showed
    /// before says nothing.
    pub known_at: Option<Timestamp>,
    /// When our last GET that did not find it began: a row in a list from before says nothing. That it was missing there
    /// still counts.
    pub missed_at: Option<Timestamp>,
    /// When a rename last ended without a clear answer: it may still take effect for a while.
    pub rename_unclear_at: Option<Timestamp>,
    /// Issues for the recorded workspace of which nobody saw yet that they opened that one, and made nothing else.
    pub unproven: Vec<Unproven>,
}

/// An issue that may have made a stray, or may make one yet, if its name had just moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unproven {
    pub name: WorkspaceName,
    /// What it made was created within.
    pub window: Window,
    /// When nothing that it made can still come to light.
    pub resolved_at: Timestamp,
}

impl Memory {
    /// A pass came to no end: a write that it had sent may be carried out from here on, without anybody telling.
    pub fn lost_track(&mut self, now: Timestamp) {
        self.known_at = Some(now);
        self.rename_unclear_at = Some(now);
    }

    /// Whether what an issue made may still come to light: until then no name is changed.
    pub fn unresolved_at(&self, now: Timestamp) -> Option<Timestamp> {
        let resolved = self.unproven.iter().map(|unproven| unproven.resolved_at);
        resolved.filter(|at| *at > now).max()
    }

    pub fn backoff(&self, aspect: Aspect) -> &Backoff {
        match aspect {
            Aspect::Sync => &self.sync,
            Aspect::Token => &self.token,
        }
    }

    pub fn backoff_mut(&mut self, aspect: Aspect) -> &mut Backoff {
        match aspect {
            Aspect::Sync => &mut self.sync,
            Aspect::Token => &mut self.token,
        }
    }
}

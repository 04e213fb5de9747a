//! What the process remembers of an object between reconciles. Losing it costs a few calls, never correctness.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::ids::{Uid, WorkspaceName};
use crate::domain::time::later;
use crate::lifecycle::creation_window::{ISSUE_DEADLINE, LAG_ALLOWANCE, Window};
use crate::lifecycle::schedule::{Freshness, TokenTimes};
use crate::lifecycle::verdict::Aspect;
use crate::limits::{Backoff, CLOCK_SLACK};

/// So many times in a row a Secret that was taken away or changed is restored at once.
const RESTORED_AT_ONCE: u32 = 10;

/// Then so long after the last time: two programs that fight over a Secret must not use up the organization's limiter.
const RESTORED_AGAIN: Duration = Duration::from_secs(60);

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
    pub last_token: Option<LastToken>,
}

/// The token that was put into the Secret last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LastToken {
    pub at: Timestamp,
    pub times: TokenTimes,
    /// How many in a row were wanted before the one before them was due: somebody takes the Secret away, or changes it.
    pub early_renewals: u32,
}

impl LastToken {
    /// What is remembered of a token that is handed out now, after the last one.
    pub fn after(last: Option<Self>, now: Timestamp, times: TokenTimes, uid: &Uid) -> Self {
        let early_renewals = last.filter(|last| last.times.freshness(uid, now) == Freshness::Fresh);
        Self {
            at: now,
            times,
            early_renewals: early_renewals.map_or(0, |last| last.early_renewals.saturating_add(1)),
        }
    }

    /// When the next one may be handed out. At once, until that has become a habit.
    pub fn next_at(&self) -> Timestamp {
        if self.early_renewals < RESTORED_AT_ONCE {
            self.at
        } else {
            later(self.at, RESTORED_AGAIN)
        }
    }
}

/// An issue that may have made a orphan, or may make one yet, if its name had just moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unproven {
    pub name: WorkspaceName,
    /// What it made was created within.
    pub window: Window,
    /// When nothing that it made can still come to light.
    pub resolved_at: Timestamp,
}

impl Memory {
    /// A reconcile came to no end: a write that it had sent may be carried out from here on, without anybody telling.
    pub fn lost_track(&mut self, now: Timestamp) {
        self.known_at = Some(now);
        self.rename_unclear_at = Some(now);
    }

    /// Whether what an issue made may still come to light: until then no name is changed.
    pub fn unresolved_at(&self, now: Timestamp) -> Option<Timestamp> {
        let resolved = self.unproven.iter().map(|unproven| unproven.resolved_at);
        resolved.filter(|at| *at > now).max()
    }

    /// Time passes. Where the clock was set back, what was noted ahead of it counts as of now: nobody waits for the lost time.
    pub fn tick(&mut self, now: Timestamp) {
        self.sync.tick(now);
        self.token.tick(now);
        let ahead = |at: &Timestamp| *at > later(now, CLOCK_SLACK);
        for stamp in [
            &mut self.known_at,
            &mut self.missed_at,
            &mut self.rename_unclear_at,
        ] {
            if stamp.as_ref().is_some_and(ahead) {
                *stamp = Some(now);
            }
        }
        if let Some(last_token) = &mut self.last_token
            && ahead(&last_token.at)
        {
            last_token.at = now;
        }
        for unproven in &mut self.unproven {
            let as_of_now = later(later(now, ISSUE_DEADLINE), LAG_ALLOWANCE);
            unproven.resolved_at = unproven.resolved_at.min(as_of_now);
        }
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

//! What the process remembers of an object between reconciles. Losing it costs a few calls, never correctness.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::ids::Uid;
use crate::domain::time::later;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::creation_window::{ISSUE_DEADLINE, LAG_ALLOWANCE, UnresolvedIssue};
use crate::lifecycle::schedule::{Freshness, TokenTimes};
use crate::limits::{Backoff, CLOCK_SLACK};

/// So many times in a row a Secret that was taken away or changed is restored at once.
const RESTORED_AT_ONCE: u32 = 10;

/// Then so long after the last time: two programs that fight over a Secret must not use up the organization's rate.
const RESTORED_AGAIN: Duration = Duration::from_secs(60);

/// Kept by uid while the object lives.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub sync: Backoff,
    pub token: Backoff,
    pub lists_count_after: ListsCountAfter,
    /// When a rename last ended without a clear answer: it may still take effect for a while.
    pub rename_unclear_at: Option<Timestamp>,
    /// Issues for the recorded workspace that are not yet known to have opened that one and made no other.
    pub unresolved: Vec<UnresolvedIssue>,
    pub last_token: Option<LastToken>,
}

/// A list counts only if it was requested after what we know ourselves.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ListsCountAfter {
    /// End of our last write to the workspace, or start of our last GET that found it. Older lists say nothing.
    pub present: Option<Timestamp>,
    /// Start of our last GET that returned "not found". Older lists cannot show that it exists; they can still show that
    /// it is missing.
    pub absent: Option<Timestamp>,
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

impl Memory {
    /// A reconcile came to no end: a write that it had sent may be carried out from here on, without anybody telling.
    pub fn lost_track(&mut self, now: Timestamp) {
        self.lists_count_after.present = Some(now);
        self.rename_unclear_at = Some(now);
    }

    /// Whether what an issue made may still come to light: until then no name is changed.
    pub fn unresolved_until(&self, now: Timestamp) -> Option<Timestamp> {
        let resolved = self.unresolved.iter().map(|issue| issue.resolved_at);
        resolved.filter(|at| *at > now).max()
    }

    /// Time passes. Where the clock was set back, what was noted ahead of it counts as of now: nobody waits for the lost time.
    pub fn tick(&mut self, now: Timestamp) {
        self.sync.tick(now);
        self.token.tick(now);
        let ahead = |at: &Timestamp| *at > later(now, CLOCK_SLACK);
        for stamp in [
            &mut self.lists_count_after.present,
            &mut self.lists_count_after.absent,
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
        for issue in &mut self.unresolved {
            let as_of_now = later(later(now, ISSUE_DEADLINE), LAG_ALLOWANCE);
            issue.resolved_at = issue.resolved_at.min(as_of_now);
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

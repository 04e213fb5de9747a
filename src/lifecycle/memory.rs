//! What the process remembers of an object between reconciles. Losing it costs a few calls, never correctness.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::crd::workspace::Creation;
use crate::domain::ids::{Uid, WorkspaceId, WorkspaceName};
use crate::domain::remote::WorkspaceState;
use crate::domain::time::{CLOCK_SLACK, Uptime, later, set_since, shifted};
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::creation_window::UnresolvedIssue;
use crate::lifecycle::effect::SecretDraft;
use crate::lifecycle::facts::{Content, Differing, SecretContent, SecretFacts};
use crate::lifecycle::schedule::{Freshness, TokenTimes};
use crate::limits::{Backoff, FailedAttempt, Fault, Urgency};

/// How many times in a row the operator restores at once a Secret that another client deleted or changed.
const RESTORED_AT_ONCE: u32 = 10;

/// The interval of restorations after that: another client must not make us use up the organization's rate limit.
const RESTORED_AGAIN: Duration = Duration::from_secs(60);

/// Kept by uid while the object lives.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// When the process began, by the wall clock as it was set then: in-flight writes are waited for by the time that has passed.
    pub process_began: Option<Timestamp>,
    pub sync: Backoff,
    pub token: Backoff,
    pub lists_count_after: ListsCountAfter,
    /// When a rename last ended without a clear answer. It may take effect later.
    pub rename_unclear_at: Option<Timestamp>,
    /// Issues for the recorded workspace without a verified token: each may have created another workspace.
    pub unresolved: Vec<UnresolvedIssue>,
    /// The last intent that this process has stored.
    pub intended: Option<Intended>,
    /// The recorded workspace for which no issue of the process before is in doubt: this process recorded it, or read it
    /// under its name after such an issue had ended.
    pub free_of_former_issues: Option<WorkspaceId>,
    /// When this process took the object over from another operator, whose writes may be in doubt.
    pub taken_over_at: Option<Timestamp>,
    /// The workspace of which a list, or a GET, showed what the status does not tell: it is read again, whatever a later list says.
    pub unstored: Option<WorkspaceId>,
    /// A status that tells otherwise came later: of a process before this one, or from another client.
    pub last_seen: Option<LastSeen>,
    /// How many reconciles in a row could not store their status.
    pub unwritten_statuses: u32,
    /// The workspace that was deleted before Kubernetes refused to let its object go: nothing more is asked for it.
    pub removed: Option<WorkspaceId>,
    pub last_token: Option<LastToken>,
    /// Since when the object waits, without a verdict, for the rate limiter or for its Organization.
    pub waits_since: Option<Timestamp>,
    pub decoration: Option<LastDecoration>,
    pub altered: Option<Altered>,
    /// What the reconcile that runs has sent. Back-off charges it if the reconcile is cut off.
    pub sent: Sent,
}

/// A recorded workspace as the last answer showed it, in what a status tells of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastSeen {
    pub id: WorkspaceId,
    /// Its name and state. None: a GET by id did not find it.
    pub shown: Option<(WorkspaceName, Option<WorkspaceState>)>,
}

/// An intent that this process has stored: its issue is sent soon after, or never.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Intended {
    pub intent: Creation,
    pub at: Timestamp,
    /// The workspace that the token of its issue opens, once that is verified.
    pub opened: Option<WorkspaceId>,
}

/// How the API server stored the labels and annotations that were written last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastDecoration {
    /// Of what was asked for.
    pub mark: u64,
    /// What the API server stored otherwise.
    pub differing: Differing,
    pub corrected: Corrected,
}

/// Whether the last write of labels and annotations corrected a change by another client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Corrected {
    No,
    Yes,
}

/// The Secret as the API server stored it with the last token, where that is not as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Altered {
    pub asked: SecretContent,
    pub name: String,
    pub content: Content,
    pub times: Option<TokenTimes>,
}

impl Altered {
    /// None if the API server stored what was written.
    pub fn of(draft: &SecretDraft, stored: &SecretFacts) -> Option<Self> {
        let as_written = matches!(&stored.content, Content::Whole(content) if *content == draft.content);
        (!as_written || stored.times != Some(draft.times)).then(|| Self {
            asked: draft.content.clone(),
            name: stored.name.clone(),
            content: stored.content.clone(),
            times: stored.times,
        })
    }
}

/// Calls to Agent Engine, by what they are for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sent {
    pub sync: u32,
    pub token: u32,
}

/// A list counts only if it was requested after our own last read or write.
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
    /// How many tokens in a row were issued before the last one was due: another client deletes or changes the Secret.
    pub early_renewals: u32,
}

impl LastToken {
    /// The memory of a token that is put into the Secret now.
    pub fn after(last: Option<Self>, now: Timestamp, times: TokenTimes, uid: &Uid) -> Self {
        let early_renewals = last.filter(|last| last.times.freshness(uid, now) == Freshness::Fresh);
        Self {
            at: now,
            times,
            early_renewals: early_renewals.map_or(0, |last| last.early_renewals.saturating_add(1)),
        }
    }

    /// When the next token may be issued: at once for the first `RESTORED_AT_ONCE` early ones.
    pub fn next_at(&self) -> Timestamp {
        if self.early_renewals < RESTORED_AT_ONCE {
            self.at
        } else {
            later(self.at, RESTORED_AGAIN)
        }
    }
}

impl Memory {
    /// When this process last saw or wrote the workspace: lists that were requested before say nothing of it. An instant ahead
    /// is from before the clock was set back, and older than any list since.
    pub fn seen_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.lists_count_after
            .present
            .filter(|at| *at <= later(now, CLOCK_SLACK))
    }

    /// A reconcile was cut off: a write that it had sent may take effect at any time from now on, and what it has read of the
    /// recorded workspace is lost.
    pub fn lost_track(&mut self, now: Timestamp, recorded: Option<WorkspaceId>) {
        self.lists_count_after.present = Some(now);
        self.rename_unclear_at = Some(now);
        if self.sent != Sent::default() {
            self.unstored = recorded;
        }
    }

    /// A reconcile that was cut off rests as a failed one, for what it had sent. Returns when its object is due again.
    /// `cause` tells the fingerprint of each aspect.
    pub fn rest_after_loss(
        &mut self,
        now: Uptime,
        cause: impl Fn(Aspect) -> u64,
        urgency: Urgency,
        uid: &Uid,
    ) -> Uptime {
        let Sent { sync, token } = std::mem::take(&mut self.sent);
        let attempt = |urgency| FailedAttempt {
            calls: sync + token,
            urgency,
            fault: Fault::Server,
        };
        if token > 0 {
            let rests = self
                .token
                .failed(now, cause(Aspect::Token), attempt(urgency), uid);
            if sync == 0 {
                return rests;
            }
        }
        self.sync
            .failed(now, cause(Aspect::Sync), attempt(Urgency::Normal), uid)
    }

    /// Until when an unresolved issue of this process may create a workspace, or one may appear in a list.
    pub fn unresolved_until(&self, now: Timestamp) -> Option<Timestamp> {
        let resolved = self.unresolved.iter().map(|issue| issue.resolved_at);
        resolved.filter(|at| *at > now).max()
    }

    /// Moves what a write in doubt is waited for by, where the wall clock was set since the last reconcile, and corrects other
    /// instants that lie in the future since it was set back. Returns how far it was set.
    pub fn tick(&mut self, now: Timestamp, process_began: Timestamp) -> SignedDuration {
        let set_by = set_since(&mut self.process_began, process_began);
        self.follow_the_clock(set_by);
        if set_by.is_negative() && set_by.unsigned_abs() > CLOCK_SLACK {
            // By the clock of now, nothing was seen yet: what lists of before show is read once more.
            self.lists_count_after = ListsCountAfter::default();
        }
        let ahead = |at: &Timestamp| *at > later(now, CLOCK_SLACK);
        for stamp in [&mut self.rename_unclear_at, &mut self.waits_since] {
            if stamp.as_ref().is_some_and(ahead) {
                *stamp = Some(now);
            }
        }
        // Older than any list since.
        let lists = &mut self.lists_count_after;
        for stamp in [&mut lists.present, &mut lists.absent] {
            stamp.take_if(|at| ahead(at));
        }
        if let Some(last_token) = &mut self.last_token
            && ahead(&last_token.at)
        {
            last_token.at = now;
        }
        for issue in &mut self.unresolved {
            issue.tick(now);
        }
        set_by
    }

    fn follow_the_clock(&mut self, set_by: SignedDuration) {
        for stamp in self
            .rename_unclear_at
            .iter_mut()
            .chain(&mut self.taken_over_at)
            .chain(self.intended.iter_mut().map(|of| &mut of.at))
        {
            *stamp = shifted(*stamp, set_by);
        }
        for issue in &mut self.unresolved {
            issue.follow_the_clock(set_by);
        }
    }

    pub fn backoff(&self, aspect: Aspect) -> &Backoff {
        match aspect {
            Aspect::Sync => &self.sync,
            Aspect::Token => &self.token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_before_the_clock_was_set_back_makes_no_list_old() {
        let now = Timestamp::UNIX_EPOCH;
        let seen = |at| Memory {
            lists_count_after: ListsCountAfter {
                present: Some(at),
                absent: None,
            },
            ..Memory::default()
        };
        assert_eq!(seen(now).seen_at(now), Some(now));
        assert_eq!(seen(later(now, Duration::from_secs(3600))).seen_at(now), None);
    }
    use crate::domain::time::elapsed;

    fn rests(sync: u32, token: u32) -> Duration {
        let mut memory = Memory {
            sent: Sent { sync, token },
            ..Memory::default()
        };
        let now = Uptime::default();
        let at = memory.rest_after_loss(now, |_| 7, Urgency::Normal, &Uid::from("u"));
        assert_eq!(memory.sent, Sent::default());
        at.since(now)
    }

    /// One that waited for Kubernetes alone comes again soon.
    #[test]
    fn a_reconcile_that_was_cut_off_rests_for_what_it_sent() {
        let within =
            |rest: Duration, seconds: u64| (seconds..=seconds + seconds / 10).contains(&rest.as_secs());
        assert!(within(rests(0, 0), 5));
        assert!(within(rests(1, 0), 5));
        assert!(within(rests(3, 1), 75));
        assert!(within(rests(0, 4), 75));
    }

    /// The rest is of what was sent: a token that failed keeps no rename back, and a rename no token.
    #[test]
    fn a_cut_off_reconcile_holds_back_only_what_it_sent() {
        for (sync, token, sync_rests, token_rests) in [
            (0, 0, true, false),
            (1, 0, true, false),
            (0, 1, false, true),
            (1, 1, true, true),
        ] {
            let mut memory = Memory {
                sent: Sent { sync, token },
                ..Memory::default()
            };
            let now = Uptime::default();
            memory.rest_after_loss(now, |_| 7, Urgency::Normal, &Uid::from("u"));
            let rests = |backoff: &Backoff| backoff.not_before(7).is_some();
            assert_eq!(rests(&memory.sync), sync_rests, "{sync} {token}");
            assert_eq!(rests(&memory.token), token_rests, "{sync} {token}");
        }
    }

    #[test]
    fn ten_restored_secrets_in_a_row_are_enough_for_a_minute() {
        let now = Timestamp::UNIX_EPOCH;
        let times = TokenTimes {
            server_ahead: None,
            issued_at: now,
            expires_at: later(now, Duration::from_secs(1200)),
        };
        for (early_renewals, rest) in [(0, 0), (9, 0), (10, 60)] {
            let last = LastToken {
                at: now,
                times,
                early_renewals,
            };
            assert_eq!(elapsed(now, last.next_at()).as_secs(), rest, "{early_renewals}");
        }
    }

    /// Reconciles that run side by side read the clock in no particular order.
    #[test]
    fn instants_that_lie_too_far_ahead_are_of_a_clock_set_back() {
        let now = Timestamp::UNIX_EPOCH;
        let slack = later(now, CLOCK_SLACK);
        let ahead = later(slack, Duration::from_nanos(1));
        let ticked = |at| {
            let mut memory = Memory {
                rename_unclear_at: Some(at),
                waits_since: Some(at),
                lists_count_after: ListsCountAfter {
                    present: Some(at),
                    absent: Some(at),
                },
                ..Memory::default()
            };
            memory.tick(now, now);
            let lists = memory.lists_count_after;
            [
                memory.rename_unclear_at,
                memory.waits_since,
                lists.present,
                lists.absent,
            ]
        };
        assert_eq!(ticked(slack), [Some(slack); 4]);
        assert_eq!(ticked(ahead), [Some(now), Some(now), None, None]);
    }
}

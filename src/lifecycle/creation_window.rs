//! The server's time as seen from here. It tells a workspace that our issue created from one that another client created.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::crd::workspace::{Creation, CreationClock};
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::remote::{Answer, RemoteWorkspace};
use crate::domain::server_time::{QUICK, ServerTime, tightest};
use crate::domain::time::{earlier, elapsed, later, shifted};

/// The total time that one issue may take. The transport ends it by then.
pub const ISSUE_DEADLINE: Duration = Duration::from_secs(30);

/// How long after its intent's stamp an issue may still be sent: with the transport's own deadline it is answered within
/// [`ISSUE_DEADLINE`] of the stamp.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);

/// How long the list may lack a new workspace.
pub const LAG_ALLOWANCE: Duration = Duration::from_secs(30);

/// After a search that did not end the doubt; doubled each time.
const SEARCHED_AGAIN: Duration = Duration::from_secs(60);

/// The longest rest between two searches for one issue.
const SEARCHED_AT_LEAST: Duration = Duration::from_secs(3600);

/// `Date` has whole seconds, and clocks of one service differ a little.
const SERVER_SLACK: Duration = Duration::from_secs(2);

/// How far the clocks of two machines that keep time may differ.
const LOCAL_SLACK: Duration = Duration::from_secs(30);

/// How far the server's clock is ahead of ours; `None` until an answer tells.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ServerClock {
    ahead: Option<SignedDuration>,
    /// The same from the middle of any answer: half its length off at most, which the slack of the local clock covers.
    roughly_ahead: Option<SignedDuration>,
    /// An answer with a `Date` was too slow to tell either.
    was_slow: bool,
}

/// A workspace that was created within this span is ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    const NEVER: Self = Self {
        from: Timestamp::MAX,
        to: Timestamp::MIN,
    };

    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }

    fn shifted(self, by: SignedDuration) -> Self {
        Self {
            from: shifted(self.from, by),
            to: shifted(self.to, by),
        }
    }
}

/// An issue that may have created an orphan, or may create one later: its name may have moved just before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnresolvedIssue {
    pub name: WorkspaceName,
    /// The time within which the issue can have created a workspace.
    pub window: Window,
    /// Whose time the window is in.
    pub clock: CreationClock,
    /// From then on a search shows every workspace that the issue created.
    pub resolved_at: Timestamp,
    /// When it is searched for next.
    pub search_at: Timestamp,
    pub searches: u32,
    /// The workspace that its token opens, once that is verified: it made no other.
    pub opened: Option<WorkspaceId>,
}

impl UnresolvedIssue {
    /// Whether this very issue can have made the workspace: exactly its name, created within its window.
    pub fn may_have_made(&self, row: &RemoteWorkspace) -> bool {
        !row.tombstone && row.name == self.name && self.is_of_its_time(row) && self.may_open(row)
    }

    /// Whether the workspace was created within its window.
    pub fn is_of_its_time(&self, row: &RemoteWorkspace) -> bool {
        row.created_at.is_some_and(|at| self.window.contains(at))
    }

    /// Whether its token may open the workspace, as far as that was verified.
    pub fn may_open(&self, row: &RemoteWorkspace) -> bool {
        self.opened.as_ref().is_none_or(|id| *id == row.id)
    }

    /// Whether its window is in the server's time. The window of our own clock is no more than a hint: the two may differ by
    /// any span.
    pub fn is_in_the_servers_time(&self) -> bool {
        match self.clock {
            CreationClock::Server | CreationClock::Estimated => true,
            CreationClock::Local => false,
        }
    }

    /// Whether the workspace, however it is named now, was created at another time, or shows none. A window of the local clock
    /// tells nothing: the server's may be hours off.
    pub fn surely_did_not_make(&self, row: &RemoteWorkspace) -> bool {
        row.created_at.is_none() || (self.is_in_the_servers_time() && !self.is_of_its_time(row))
    }

    /// Moves a window of the local clock, once the server's time is known.
    pub fn move_to_the_servers_time(&mut self, clock: &ServerClock) {
        if self.clock == CreationClock::Local
            && let Some(ahead) = clock.ahead.or(clock.roughly_ahead)
        {
            self.window = self.window.shifted(ahead);
            // As wide as before: another clock has told when it was.
            self.clock = CreationClock::Estimated;
        }
    }

    /// A search or a GET that was asked then shows whatever the issue made.
    pub fn is_shown_by(&self, asked_at: Timestamp) -> bool {
        asked_at >= self.resolved_at
    }

    /// It was searched for: before its resolution once more then, after it ever more rarely.
    pub fn searched(&mut self, asked_at: Timestamp) {
        let rest = SEARCHED_AGAIN.saturating_mul(1 << self.searches.min(6));
        self.search_at = if self.is_shown_by(asked_at) {
            self.searches = self.searches.saturating_add(1);
            later(asked_at, rest.min(SEARCHED_AT_LEAST))
        } else {
            self.resolved_at
        };
    }

    /// The wall clock was set by so much: what is waited for comes no earlier, and no later.
    pub fn follow_the_clock(&mut self, set_by: SignedDuration) {
        self.resolved_at = shifted(self.resolved_at, set_by);
        self.search_at = shifted(self.search_at, set_by);
        if self.clock == CreationClock::Local {
            self.window = self.window.shifted(set_by);
        }
    }

    /// Corrects instants that lie too far ahead since the clock was set back.
    pub fn tick(&mut self, now: Timestamp) {
        let as_of_now = later(later(now, ISSUE_DEADLINE), LAG_ALLOWANCE);
        self.resolved_at = self.resolved_at.min(as_of_now);
        self.search_at = self.search_at.min(later(now, SEARCHED_AT_LEAST));
        if self.clock == CreationClock::Local && self.window.from > now {
            // Nothing tells any more when that was.
            (self.window, self.clock) = (Window::NEVER, CreationClock::Server);
        }
    }
}

impl ServerClock {
    /// As the answers to the Organization told it: its list is taken every few minutes.
    pub fn known(server_time: Option<ServerTime>, process_began: Timestamp) -> Self {
        Self {
            ahead: server_time.and_then(|known| known.exactly_ahead(process_began)),
            ..Self::default()
        }
    }

    /// Learns from a quick answer with a `Date`. In a slow answer, the instant of the stamp is uncertain.
    pub fn learn<T>(&mut self, answer: &Answer<T>) {
        let Some(date) = answer.date else { return };
        self.was_slow = true;
        let took = answer.took;
        if took <= QUICK {
            self.ahead = Some(tightest(self.ahead, date.duration_since(answer.finished)));
        }
        if took <= LOCAL_SLACK {
            self.roughly_ahead = Some(date.duration_since(earlier(answer.finished, took / 2)));
        }
    }

    /// The wall clock was set by so much, and the server's was not.
    pub fn follow_the_clock(&mut self, set_by: SignedDuration) {
        for ahead in [&mut self.ahead, &mut self.roughly_ahead].into_iter().flatten() {
            *ahead = ahead.saturating_sub(set_by);
        }
    }

    /// Whether another answer would tell the server's time, which none has told yet.
    pub fn can_learn(&self) -> bool {
        self.was_slow && !self.is_known()
    }

    /// Whether an answer has told the server's time.
    pub fn is_known(&self) -> bool {
        self.ahead.or(self.roughly_ahead).is_some()
    }

    /// Whether the stamp of an intent tells when it was made, whatever our own clock shows.
    pub fn can_read(&self, intent: &Creation) -> bool {
        match intent.clock {
            CreationClock::Server | CreationClock::Estimated => self.is_known(),
            CreationClock::Local => false,
        }
    }

    /// The stamp for an intent made now.
    pub fn stamp(&self, now: Timestamp) -> (Timestamp, CreationClock) {
        let (ahead, clock) = self.bearing();
        (shifted(now, ahead), clock)
    }

    /// How far the server's clock is ahead as far as it is known, and whose time that makes of ours.
    fn bearing(&self) -> (SignedDuration, CreationClock) {
        match (self.ahead, self.roughly_ahead) {
            (Some(ahead), _) => (ahead, CreationClock::Server),
            (None, Some(ahead)) => (ahead, CreationClock::Estimated),
            (None, None) => (SignedDuration::ZERO, CreationClock::Local),
        }
    }

    /// The window of an issue that this reconcile sent. The transport ended it by its deadline, however much later a process took
    /// the answer that was frozen.
    pub fn live_window(&self, finished: Timestamp, took: Duration, date: Option<Timestamp>) -> Window {
        let started = earlier(finished, took);
        let took = took.min(ISSUE_DEADLINE);
        let (ahead, clock) = self.bearing();
        let (end, slack) = match date {
            Some(date) => (date, SERVER_SLACK),
            None => (shifted(later(started, took), ahead), slack_of(clock)),
        };
        Window {
            from: earlier(earlier(end, took), slack),
            to: later(end, slack),
        }
    }

    /// An issue that was sent at `sent` and was not answered.
    pub fn lost_issue(&self, name: &WorkspaceName, sent: Timestamp) -> UnresolvedIssue {
        self.lost_between(name, sent, later(sent, ISSUE_DEADLINE))
    }

    /// An issue that was sent after the one instant and carried out before the other.
    pub fn lost_between(
        &self,
        name: &WorkspaceName,
        sent: Timestamp,
        deadline: Timestamp,
    ) -> UnresolvedIssue {
        let (ahead, clock) = self.bearing();
        let slack = slack_of(clock);
        UnresolvedIssue {
            name: name.clone(),
            window: Window {
                from: earlier(shifted(sent, ahead), slack),
                to: later(shifted(deadline, ahead), slack),
            },
            clock,
            resolved_at: later(deadline, LAG_ALLOWANCE),
            search_at: sent,
            searches: 0,
            opened: None,
        }
    }

    /// The window of an issue of which only the intent is left. A stamp of the local clock is moved to the server's time once
    /// that is known: the two may be hours apart.
    fn window_of(&self, intent: &Creation) -> Window {
        let slack = slack_of(intent.clock);
        let at = match (intent.clock, self.ahead.or(self.roughly_ahead)) {
            (CreationClock::Local, Some(ahead)) => shifted(intent.at.0, ahead),
            (CreationClock::Local, None) | (CreationClock::Server | CreationClock::Estimated, _) => {
                intent.at.0
            }
        };
        Window {
            from: earlier(at, slack),
            to: later(later(at, ISSUE_DEADLINE), slack),
        }
    }

    /// The issue of an intent.
    pub fn issue_of(&self, intent: &Creation, resolved_at: Timestamp) -> UnresolvedIssue {
        let clock = match (intent.clock, self.ahead.or(self.roughly_ahead)) {
            (CreationClock::Local, Some(_)) => CreationClock::Estimated,
            (clock, _) => clock,
        };
        UnresolvedIssue {
            name: intent.name.clone(),
            window: self.window_of(intent),
            clock,
            resolved_at,
            search_at: resolved_at,
            searches: 0,
            opened: None,
        }
    }

    /// Whether an issue that is sent now also ends within the window of the intent.
    pub fn may_begin(&self, intent: &Creation, now: Timestamp) -> bool {
        elapsed(intent.at.0, self.stamp(now).0) <= BEGINS_WITHIN
    }

    /// From then on, by our own clock, a search shows every workspace that the issue of the intent created.
    pub fn resolved_at(&self, intent: &Creation) -> Timestamp {
        let end = later(later(intent.at.0, ISSUE_DEADLINE), LAG_ALLOWANCE);
        match (intent.clock, self.ahead, self.roughly_ahead) {
            (CreationClock::Server, Some(ahead), _) => later(shifted(end, -ahead), SERVER_SLACK),
            (CreationClock::Estimated, Some(ahead), _)
            | (CreationClock::Server | CreationClock::Estimated, None, Some(ahead)) => {
                later(shifted(end, -ahead), LOCAL_SLACK)
            }
            (CreationClock::Server | CreationClock::Estimated, None, None) => later(end, LOCAL_SLACK),
            (CreationClock::Local, _, _) => end,
        }
    }
}

fn slack_of(clock: CreationClock) -> Duration {
    match clock {
        CreationClock::Server => SERVER_SLACK,
        CreationClock::Estimated | CreationClock::Local => LOCAL_SLACK,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

    use super::*;

    /// Its answer lay there for an hour.
    #[test]
    fn a_process_frozen_while_an_issue_was_answered_widens_no_window() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let hour = Duration::from_secs(3600);
        let clock = ServerClock::default();
        for (date, inside, outside) in [(Some(at(9000)), 8995, 8960), (None, 1005, 1100)] {
            let window = clock.live_window(at(4600), hour, date);
            assert!(window.contains(at(inside)), "{window:?}");
            assert!(!window.contains(at(outside)), "{window:?}");
        }
    }

    fn answer(started: i64, finished: i64, date: i64) -> Answer<()> {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        Answer {
            finished: at(finished),
            took: elapsed(at(started), at(finished)),
            date: Some(at(date)),
            requests: 1,
            result: Ok(()),
        }
    }

    #[test]
    fn the_window_of_a_slow_issue_begins_as_early_as_the_issue_did() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let window = ServerClock::default().live_window(at(120), Duration::from_secs(20), Some(at(520)));
        let within = [497, 498, 522, 523].map(|seconds| window.contains(at(seconds)));
        assert_eq!(within, [false, true, true, false]);
    }

    /// A clock that is set after that moves nothing.
    #[test]
    fn a_lost_issue_keeps_the_servers_time_that_the_first_answer_told() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut issue = ServerClock::default().lost_issue(&"acme".into(), at(100));
        for offset in [400, 340] {
            let mut clock = ServerClock::default();
            clock.learn(&answer(130, 130, 130 + offset));
            issue.move_to_the_servers_time(&clock);
        }
        let within = [469, 470, 560, 561].map(|seconds| issue.window.contains(at(seconds)));
        assert_eq!(within, [false, true, true, false]);
    }

    /// The server's clock, once learnt, serves where an answer has no `Date`.
    #[test]
    fn an_answer_without_a_date_uses_the_learnt_server_time() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut clock = ServerClock::default();
        clock.learn(&answer(100, 101, 501));
        let window = clock.live_window(at(111), Duration::from_secs(1), None);
        let within = [111, 507, 508, 513, 514].map(|seconds| window.contains(at(seconds)));
        assert_eq!(within, [false, false, true, true, false]);
        let intent = Creation {
            uid: "uid".into(),
            organization_id: "org-1".into(),
            name: "acme".into(),
            at: MicroTime(at(510)),
            clock: CreationClock::Server,
        };
        let resolved = at(110) + ISSUE_DEADLINE + LAG_ALLOWANCE + SERVER_SLACK;
        assert_eq!(clock.resolved_at(&intent), resolved, "by our own clock");
    }

    #[test]
    fn a_slow_answer_tells_enough_for_a_stamp_of_the_local_clock() {
        let mut clock = ServerClock::default();
        clock.learn(&answer(100, 110, 3705));
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let intent = Creation {
            uid: "uid".into(),
            organization_id: "org-1".into(),
            name: "acme".into(),
            at: MicroTime(at(90)),
            clock: CreationClock::Local,
        };
        let window = clock.window_of(&intent);
        let within = [90, 3659, 3660, 3750, 3751].map(|seconds| window.contains(at(seconds)));
        assert_eq!(within, [false, false, true, true, false]);
    }

    /// Promise: rule.window
    /// A clock that is far ahead, and seconds of our own clock from the stamp of an intent.
    #[test]
    fn the_less_is_known_of_a_stamp_the_later_its_issue_is_resolved() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let exactly = answer(100, 101, 3701);
        let roughly = answer(100, 110, 3705);
        for (stamped_by, told, resolved_after) in [
            (CreationClock::Server, Some(&exactly), 60 + 2 - 3600),
            (CreationClock::Server, Some(&roughly), 60 + 30 - 3600),
            (CreationClock::Server, None, 60 + 30),
            (CreationClock::Estimated, Some(&exactly), 60 + 30 - 3600),
            (CreationClock::Estimated, Some(&roughly), 60 + 30 - 3600),
            (CreationClock::Estimated, None, 60 + 30),
            (CreationClock::Local, Some(&exactly), 60),
            (CreationClock::Local, None, 60),
        ] {
            let mut clock = ServerClock::default();
            told.into_iter().for_each(|answer| clock.learn(answer));
            let intent = Creation {
                uid: "uid".into(),
                organization_id: "org-1".into(),
                name: "acme".into(),
                at: MicroTime(at(5000)),
                clock: stamped_by,
            };
            let resolved = clock.resolved_at(&intent);
            assert_eq!(resolved, at(5000 + resolved_after), "{stamped_by:?} {told:?}");
        }
    }

    fn in_doubt(clock: CreationClock) -> UnresolvedIssue {
        let mut issue = ServerClock::default().lost_issue(&"acme".into(), Timestamp::UNIX_EPOCH);
        issue.clock = clock;
        issue
    }

    #[test]
    fn an_issue_in_doubt_is_searched_for_more_and_more_rarely() {
        let mut issue = in_doubt(CreationClock::Server);
        let resolved_at = issue.resolved_at;
        issue.searched(earlier(resolved_at, Duration::from_secs(1)));
        assert_eq!(issue.search_at, resolved_at, "too early to show it");
        let rests = [60, 120, 240, 480, 960, 1920, 3600, 3600].map(Duration::from_secs);
        for rest in rests {
            let asked_at = issue.search_at;
            issue.searched(asked_at);
            assert_eq!(elapsed(asked_at, issue.search_at), rest);
        }
    }

    /// Nothing tells when that was. A window of the server's time is none of our clock's.
    #[test]
    fn a_window_that_lies_ahead_of_our_own_clock_tells_nothing() {
        for (clock, ahead, kept) in [
            (CreationClock::Local, 1, false),
            (CreationClock::Local, 0, true),
            (CreationClock::Local, -1, true),
            (CreationClock::Server, 1, true),
        ] {
            let mut issue = in_doubt(clock);
            let window = issue.window;
            issue.tick(shifted(window.from, SignedDuration::from_secs(-ahead)));
            assert_eq!(issue.window == window, kept, "{clock:?} {ahead}");
            assert!(kept || issue.window == Window::NEVER);
        }
    }

    /// Promise: rule.window
    #[test]
    fn a_slow_answer_tells_the_servers_time_roughly() {
        let mut clock = ServerClock::default();
        let now = Timestamp::from_second(120).unwrap();
        assert_eq!(clock.stamp(now), (now, CreationClock::Local));
        clock.learn(&answer(100, 120, 500));
        assert_eq!(
            clock.stamp(now),
            (Timestamp::from_second(510).unwrap(), CreationClock::Estimated)
        );
        clock.learn(&answer(120, 121, 501));
        assert_eq!(
            clock.stamp(now),
            (Timestamp::from_second(500).unwrap(), CreationClock::Server)
        );
    }
}

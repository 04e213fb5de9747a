//! The server's time as seen from here: what tells our own creation from somebody else's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::crd::workspace::{Creation, CreationClock};
use crate::domain::ids::WorkspaceName;
use crate::domain::remote::Answer;
use crate::domain::time::{earlier, elapsed, later, shifted};

/// The total time that one issue may take. The transport ends it by then.
pub const ISSUE_DEADLINE: Duration = Duration::from_secs(30);

/// How long after its intent's stamp an issue may still be sent: with the transport's own deadline it is answered within
/// [`ISSUE_DEADLINE`] of the stamp.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);

/// How long a workspace that was created may stay invisible to the list.
pub const LAG_ALLOWANCE: Duration = Duration::from_secs(30);

/// `Date` has whole seconds, and clocks of one service differ a little.
const SERVER_SLACK: Duration = Duration::from_secs(2);

/// With the whole second of `Date`, what an answer's own time may add without using up the slack.
const QUICK: Duration = Duration::from_secs(1);

/// Between two machines that keep time.
const LOCAL_SLACK: Duration = Duration::from_secs(30);

/// How far the server's clock is ahead of ours, once an answer has said.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ServerClock {
    ahead: Option<SignedDuration>,
}

/// A span of time in which a creation must lie to be ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }
}

/// An issue that may have made an orphan, or may make one yet, if its name had just moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnresolvedIssue {
    pub name: WorkspaceName,
    /// What it made was created within.
    pub window: Window,
    /// When nothing that it made can still come to light.
    pub resolved_at: Timestamp,
}

impl ServerClock {
    /// Learns from a quick answer that carried a `Date`: at which end of a slow one it was stamped, nobody knows.
    pub fn learn<T>(&mut self, answer: &Answer<T>) {
        if let Some(date) = answer.date
            && elapsed(answer.started, answer.finished) <= QUICK
        {
            self.ahead = Some(date.duration_since(answer.finished));
        }
    }

    /// The stamp for an intent made now.
    pub fn stamp(&self, now: Timestamp) -> (Timestamp, CreationClock) {
        match self.ahead {
            Some(ahead) => (shifted(now, ahead), CreationClock::Server),
            None => (now, CreationClock::Local),
        }
    }

    /// The window of an issue that this reconcile sent.
    pub fn live_window(&self, started: Timestamp, finished: Timestamp, date: Option<Timestamp>) -> Window {
        match (date, self.ahead) {
            (Some(date), _) => Window {
                from: earlier(earlier(date, elapsed(started, finished)), SERVER_SLACK),
                to: later(date, SERVER_SLACK),
            },
            (None, Some(ahead)) => Window {
                from: earlier(shifted(started, ahead), SERVER_SLACK),
                to: later(shifted(finished, ahead), SERVER_SLACK),
            },
            (None, None) => Window {
                from: earlier(started, LOCAL_SLACK),
                to: later(finished, LOCAL_SLACK),
            },
        }
    }

    /// An issue that was sent then, and was not answered.
    pub fn lost_issue(&self, name: &WorkspaceName, sent: Timestamp) -> UnresolvedIssue {
        let deadline = later(sent, ISSUE_DEADLINE);
        UnresolvedIssue {
            name: name.clone(),
            window: self.live_window(sent, deadline, None),
            resolved_at: later(deadline, LAG_ALLOWANCE),
        }
    }

    /// The window of an issue of which only the intent is left.
    pub fn window_of(intent: &Creation) -> Window {
        let slack = slack_of(intent);
        Window {
            from: earlier(intent.at.0, slack),
            to: later(later(intent.at.0, ISSUE_DEADLINE), slack),
        }
    }

    /// Whether an issue that is sent now lies within the intent's window to its end.
    pub fn may_begin(&self, intent: &Creation, now: Timestamp) -> bool {
        elapsed(intent.at.0, self.stamp(now).0) <= BEGINS_WITHIN
    }

    /// When nothing that the intent's issue did can still come to light, as an instant of our own clock.
    pub fn resolved_at(&self, intent: &Creation) -> Timestamp {
        let end = later(later(intent.at.0, ISSUE_DEADLINE), LAG_ALLOWANCE);
        match (intent.clock, self.ahead) {
            (CreationClock::Server, Some(ahead)) => later(shifted(end, -ahead), SERVER_SLACK),
            (CreationClock::Server, None) => later(end, LOCAL_SLACK),
            (CreationClock::Local, _) => end,
        }
    }
}

fn slack_of(intent: &Creation) -> Duration {
    match intent.clock {
        CreationClock::Server => SERVER_SLACK,
        CreationClock::Local => LOCAL_SLACK,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

    use super::*;

    fn answer(started: i64, finished: i64, date: i64) -> Answer<()> {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        Answer {
            started: at(started),
            finished: at(finished),
            date: Some(at(date)),
            requests: 1,
            result: Ok(()),
        }
    }

    #[test]
    fn the_window_of_a_slow_issue_begins_as_early_as_the_issue_did() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let window = ServerClock::default().live_window(at(100), at(120), Some(at(520)));
        let within = [497, 498, 522, 523].map(|seconds| window.contains(at(seconds)));
        assert_eq!(within, [false, true, true, false]);
    }

    /// The server's clock, once learnt, serves where an answer has no `Date`.
    #[test]
    fn an_answer_without_a_date_uses_the_learnt_server_time() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut clock = ServerClock::default();
        clock.learn(&answer(100, 101, 501));
        let window = clock.live_window(at(110), at(111), None);
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

    /// Promise: rule.window
    #[test]
    fn a_slow_answer_says_nothing_about_the_servers_clock() {
        let mut clock = ServerClock::default();
        clock.learn(&answer(100, 120, 500));
        let now = Timestamp::from_second(120).unwrap();
        assert_eq!(clock.stamp(now), (now, CreationClock::Local));
        clock.learn(&answer(120, 121, 501));
        assert_eq!(
            clock.stamp(now),
            (Timestamp::from_second(500).unwrap(), CreationClock::Server)
        );
    }
}

//! Whether one watch still brings what happens. Pure: its events and errors, our own writes and the API server's revision go
//! in; that its objects must be listed again comes out.
//!
//! A watch may be alive and deaf: after a restore of the cluster's storage it waits for revisions that are far ahead, and
//! the API server sends nothing and no error.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::time::{elapsed, later};

/// No watch that works takes longer to show a write.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);

/// How many times in a row the API server may refuse to go on with a watch.
const REFUSED_AT_MOST: u8 = 3;

/// The first interval between lists that did not help; doubled each time.
const FIRST_INTERVAL: Duration = Duration::from_secs(30);

/// The longest such interval.
const LONGEST_INTERVAL: Duration = Duration::from_secs(600);

/// What a watch brings, apart from its object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Heard {
    ListBegins,
    /// An object of a list.
    Listed(Option<u64>),
    ListEnds,
    /// A change of an object.
    Changed(Option<u64>),
}

/// How a request of a watch failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// The API server does not know the kind.
    NotServed,
    /// The API server answered, and does not go on with the watch.
    Refused(String),
    /// No answer, a broken stream, or a refused list: the same request is repeated.
    Other,
}

/// Why a watch hears nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Deaf {
    #[error(
        "the API server is at revision {now}, before revision {heard} that was heard of, as after a restore of its storage"
    )]
    Future { heard: u64, now: u64 },
    #[error("it has not shown our own write of {} s ago", SHOWN_WITHIN.as_secs())]
    Silent,
    #[error("the API server refused to go on with it: {0}")]
    Refused(String),
    #[error("the API server does not serve its kind")]
    NotServed,
}

/// One watch.
#[derive(Clone, Debug, Default)]
pub(super) struct Hearing {
    /// The highest version that an event had.
    heard: u64,
    /// The highest revision that the API server was asked for.
    revision: u64,
    /// Our own writes that it has not shown: the first of them, and the last.
    awaited: Option<(OwnWrite, OwnWrite)>,
    list_began: Option<Timestamp>,
    refusals: u8,
    /// Since when its objects are to be listed again.
    deaf: Option<Deaf>,
    /// Lists that did not help.
    in_vain: u32,
    not_before: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct OwnWrite {
    version: u64,
    at: Timestamp,
}

impl Hearing {
    /// An event came.
    pub(super) fn heard(&mut self, what: Heard, now: Timestamp) {
        match what {
            Heard::ListBegins => self.list_began = Some(now),
            Heard::Listed(version) => self.raise(version),
            Heard::ListEnds => self.listed(now),
            Heard::Changed(version) => {
                self.raise(version);
                self.refusals = 0;
                self.in_vain = 0;
            }
        }
        if self.awaited.is_some_and(|(first, _)| first.version <= self.heard) {
            let last = self.awaited.map(|(_, last)| last);
            self.awaited = last
                .filter(|last| last.version > self.heard)
                .map(|last| (last, last));
        }
    }

    fn raise(&mut self, version: Option<u64>) {
        self.heard = self.heard.max(version.unwrap_or_default());
    }

    /// A whole list shows every write that ended before it began.
    fn listed(&mut self, now: Timestamp) {
        let began = self.list_began.take().unwrap_or(now);
        self.awaited = self
            .awaited
            .filter(|(_, last)| last.at > began)
            .map(|(_, last)| (last, last));
        self.refusals = 0;
        self.deaf = None;
    }

    /// We wrote an object that this watch shows.
    pub(super) fn wrote(&mut self, version: u64, now: Timestamp) {
        if version <= self.heard {
            return;
        }
        let write = OwnWrite { version, at: now };
        self.awaited = Some((self.awaited.map_or(write, |(first, _)| first), write));
    }

    /// The highest version known now. A revision that is asked for from now on cannot be lower.
    pub(super) fn floor(&self) -> u64 {
        self.heard.max(self.revision)
    }

    /// The API server is at `revision`; `floor` was known before it was asked.
    pub(super) fn told(&mut self, revision: u64, floor: u64) {
        if revision < floor {
            self.deaf = Some(Deaf::Future {
                heard: floor,
                now: revision,
            });
            (self.heard, self.awaited, self.not_before) = (0, None, None);
        }
        self.revision = revision;
    }

    /// A request failed.
    pub(super) fn failed(&mut self, failure: Failure) {
        match failure {
            Failure::NotServed => self.deaf = Some(Deaf::NotServed),
            Failure::Refused(why) => {
                self.refusals = self.refusals.saturating_add(1);
                if self.refusals >= REFUSED_AT_MOST {
                    self.deaf.get_or_insert(Deaf::Refused(why));
                }
            }
            Failure::Other => {}
        }
    }

    /// Whether the objects are to be listed again now. While a list runs there is no other.
    pub(super) fn list_again(&mut self, now: Timestamp) -> Option<Deaf> {
        if self.list_began.is_some() {
            return None;
        }
        let silent = self
            .awaited
            .is_some_and(|(first, _)| elapsed(first.at, now) >= SHOWN_WITHIN);
        if silent {
            self.deaf.get_or_insert(Deaf::Silent);
        }
        let deaf = self.deaf.clone()?;
        if self.not_before.is_some_and(|at| now < at) {
            return None;
        }
        let interval = FIRST_INTERVAL.saturating_mul(2u32.saturating_pow(self.in_vain.min(8)));
        self.in_vain += 1;
        self.not_before = Some(later(now, interval.min(LONGEST_INTERVAL)));
        self.list_began = Some(now);
        Some(deaf)
    }

    /// Why nothing is heard, until the objects were listed again.
    pub(super) fn trouble(&self) -> Option<&Deaf> {
        self.deaf.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// A watch whose objects were listed; the youngest had version 100.
    fn listed() -> Hearing {
        let mut hearing = Hearing::default();
        for what in [Heard::ListBegins, Heard::Listed(Some(100)), Heard::ListEnds] {
            hearing.heard(what, at(0));
        }
        hearing
    }

    /// Promise: rule.deaf-watch: A watch that brings nothing while it should is listed again within a minute, and readiness closes until then
    #[test]
    fn an_older_revision_of_the_api_server_lists_again_at_once() {
        let mut hearing = listed();
        hearing.told(150, hearing.floor());
        assert_eq!(hearing.list_again(at(1)), None);
        hearing.told(140, hearing.floor());
        let deaf = Deaf::Future { heard: 150, now: 140 };
        assert_eq!(hearing.list_again(at(2)), Some(deaf.clone()));
        assert_eq!(hearing.trouble(), Some(&deaf));
        assert_eq!(hearing.list_again(at(3)), None, "it is being listed");
        for what in [Heard::ListBegins, Heard::Listed(Some(130)), Heard::ListEnds] {
            hearing.heard(what, at(4));
        }
        assert_eq!(hearing.trouble(), None);
        hearing.told(141, hearing.floor());
        assert_eq!(hearing.list_again(at(200)), None);
    }

    /// Also one that was heard of while the API server was being asked.
    #[test]
    fn a_younger_version_heard_meanwhile_is_no_restore() {
        let mut hearing = listed();
        let floor = hearing.floor();
        hearing.heard(Heard::Changed(Some(120)), at(1));
        hearing.told(110, floor);
        assert_eq!(hearing.trouble(), None);
    }

    /// Promise: rule.deaf-watch
    #[test]
    fn an_own_write_that_is_not_shown_lists_again() {
        let mut hearing = listed();
        hearing.wrote(101, at(0));
        hearing.wrote(105, at(20));
        assert_eq!(hearing.list_again(at(29)), None);
        assert_eq!(hearing.list_again(at(30)), Some(Deaf::Silent));
    }

    #[test]
    fn a_write_that_is_shown_is_not_waited_for() {
        let mut hearing = listed();
        hearing.wrote(101, at(0));
        hearing.wrote(105, at(20));
        hearing.heard(Heard::Changed(Some(101)), at(25));
        assert_eq!(
            hearing.list_again(at(45)),
            None,
            "the second has five seconds left"
        );
        hearing.heard(Heard::Changed(Some(105)), at(46));
        hearing.wrote(103, at(47));
        assert_eq!(hearing.list_again(at(900)), None);
    }

    /// An object that was written and deleted before the list is in neither.
    #[test]
    fn a_list_answers_for_every_write_before_it() {
        let mut hearing = listed();
        hearing.wrote(101, at(0));
        hearing.heard(Heard::ListBegins, at(5));
        hearing.wrote(102, at(6));
        hearing.heard(Heard::ListEnds, at(7));
        assert_eq!(hearing.list_again(at(35)), None);
        assert_eq!(hearing.list_again(at(36)), Some(Deaf::Silent));
    }

    /// As where the API server says that the revision is too old, or too large.
    #[test]
    fn three_refusals_in_a_row_list_again() {
        let mut hearing = listed();
        let refused = Failure::Refused("too large resource version".to_owned());
        for n in 0..2 {
            hearing.failed(refused.clone());
            assert_eq!(hearing.list_again(at(n)), None);
        }
        hearing.heard(Heard::Changed(Some(101)), at(2));
        for n in 3..5 {
            hearing.failed(refused.clone());
            assert_eq!(hearing.list_again(at(n)), None);
        }
        hearing.failed(refused);
        assert!(matches!(hearing.list_again(at(6)), Some(Deaf::Refused(_))));
    }

    #[test]
    fn an_api_server_that_is_away_is_waited_for() {
        let mut hearing = listed();
        for n in 0..100 {
            hearing.failed(Failure::Other);
            assert_eq!(hearing.list_again(at(n)), None);
        }
    }

    /// Promise: rule.definition-gone: A definition that goes under a running operator is named in the log and by `/readyz`; work goes on when it is back
    #[test]
    fn a_kind_that_is_not_served_is_trouble_until_it_is_listed() {
        let mut hearing = listed();
        hearing.failed(Failure::NotServed);
        assert_eq!(hearing.list_again(at(0)), Some(Deaf::NotServed));
        hearing.failed(Failure::NotServed);
        assert_eq!(hearing.trouble(), Some(&Deaf::NotServed));
        hearing.heard(Heard::ListBegins, at(10));
        hearing.heard(Heard::ListEnds, at(10));
        assert_eq!(hearing.trouble(), None);
    }

    #[test]
    fn lists_that_do_not_help_become_rare() {
        let mut hearing = listed();
        let mut lists = 0;
        for second in 0..3600u32 {
            hearing.wrote(1000 + u64::from(second), at(i64::from(second)));
            if hearing.list_again(at(i64::from(second))).is_some() {
                lists += 1;
                hearing.heard(Heard::ListBegins, at(i64::from(second)));
                hearing.heard(Heard::ListEnds, at(i64::from(second)));
            }
        }
        assert!((5..=12).contains(&lists), "{lists} lists in an hour");
    }

    proptest! {
        /// A watch that shows each write within the time, and an API server whose revision grows, are never listed again.
        #[test]
        fn a_sound_watch_is_left_alone(steps in prop::collection::vec((0u8..4, 0i64..20), 1..80)) {
            let (mut hearing, mut now, mut revision) = (listed(), 0, 100);
            let mut unshown: Vec<(u64, i64)> = Vec::new();
            for (what, wait) in steps {
                let first = unshown.first().map(|(_, at)| at + 29);
                now = first.map_or(now + wait, |latest: i64| latest.min(now + wait)).max(now);
                if first.is_some_and(|latest| latest <= now) || what == 0 {
                    for (version, _) in unshown.drain(..) {
                        hearing.heard(Heard::Changed(Some(version)), at(now));
                    }
                }
                revision += 1;
                match what {
                    1 => {
                        hearing.wrote(revision, at(now));
                        unshown.push((revision, now));
                    }
                    2 => hearing.told(revision, hearing.floor()),
                    3 => hearing.failed(Failure::Other),
                    _ => {}
                }
                prop_assert_eq!(hearing.list_again(at(now)), None);
            }
        }
    }
}

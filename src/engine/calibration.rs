//! What one client has seen of GET by id, for a 404 to be held against. Other credentials, another endpoint and another
//! organization make another client, which has seen nothing.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::ids::WorkspaceId;
use crate::domain::time::elapsed;

/// How long an answer shows that the route works. A gateway loses its routes at any time, and then says 404 to all.
const CALIBRATED_FOR: Duration = Duration::from_secs(60);
/// Two, so that one is another than the workspace in question.
const KEPT: usize = 2;

/// Workspaces that GET by id has answered with, and some that a list showed.
#[derive(Debug, Default)]
pub(super) struct Calibration {
    read: Vec<Read>,
    listed: Vec<WorkspaceId>,
}

#[derive(Debug)]
struct Read {
    id: WorkspaceId,
    asked_at: Timestamp,
}

/// What is known of the route, apart from the workspace in question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// It has just answered with another workspace.
    Answers,
    /// It is to answer with this one, if it works.
    Ask(WorkspaceId),
    Unknown,
}

impl Calibration {
    /// What tells whether the route works, when it answered 404 for `missing`.
    pub(super) fn route(&self, missing: &WorkspaceId, now: Timestamp) -> Route {
        let others = || self.read.iter().filter(|read| read.id != *missing);
        let just_now = |read: &Read| read.asked_at <= now && elapsed(read.asked_at, now) <= CALIBRATED_FOR;
        if others().any(just_now) {
            return Route::Answers;
        }
        let listed = self.listed.iter().find(|id| *id != missing);
        let known = listed.or_else(|| others().map(|read| &read.id).next());
        known.map_or(Route::Unknown, |id| Route::Ask(id.clone()))
    }

    /// GET by id, asked then, answered with this workspace.
    pub(super) fn was_read(&mut self, id: &WorkspaceId, asked_at: Timestamp) {
        self.read.retain(|read| read.id != *id);
        self.read.insert(
            0,
            Read {
                id: id.clone(),
                asked_at,
            },
        );
        self.read.truncate(KEPT);
    }

    /// A page of a list showed these workspaces.
    pub(super) fn were_listed<'a>(&mut self, ids: impl Iterator<Item = &'a WorkspaceId>) {
        for id in ids.take(KEPT) {
            self.listed.retain(|listed| listed != id);
            self.listed.insert(0, id.clone());
        }
        self.listed.truncate(KEPT);
    }

    /// GET by id answered 404 for this workspace: whatever that means, it is none to ask for.
    pub(super) fn was_not_found(&mut self, id: &WorkspaceId) {
        self.read.retain(|read| read.id != *id);
        self.listed.retain(|listed| listed != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn id(name: &str) -> WorkspaceId {
        WorkspaceId::new(name)
    }

    #[test]
    fn another_workspace_that_was_just_read_shows_that_the_route_works() {
        let mut seen = Calibration::default();
        assert_eq!(seen.route(&id("a"), at(100)), Route::Unknown);
        seen.was_read(&id("a"), at(100));
        assert_eq!(
            seen.route(&id("a"), at(100)),
            Route::Unknown,
            "itself tells nothing"
        );
        for (now, expected) in [
            (100, Route::Answers),
            (160, Route::Answers),
            (161, Route::Ask(id("a"))),
            // The clock was set back.
            (99, Route::Ask(id("a"))),
        ] {
            assert_eq!(seen.route(&id("b"), at(now)), expected, "{now}");
        }
    }

    #[test]
    fn a_listed_workspace_can_be_asked_for_but_tells_nothing_yet() {
        let mut seen = Calibration::default();
        let rows = ["a", "b", "c"].map(id);
        seen.were_listed(rows.iter());
        assert_eq!(seen.route(&id("z"), at(100)), Route::Ask(id("b")));
        assert_eq!(seen.route(&id("b"), at(100)), Route::Ask(id("a")));
        seen.was_not_found(&id("a"));
        assert_eq!(seen.route(&id("b"), at(100)), Route::Unknown);
    }

    #[test]
    fn many_reads_of_one_workspace_leave_another_one_to_ask_for() {
        let mut seen = Calibration::default();
        seen.was_read(&id("a"), at(1));
        for second in 2..10 {
            seen.was_read(&id("b"), at(second));
        }
        assert_eq!(seen.route(&id("b"), at(10)), Route::Answers);
        assert_eq!(seen.route(&id("b"), at(100)), Route::Ask(id("a")));
    }
}

//! Callers that wait for a permit, in a line for each lane.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::domain::ids::Uid;
use crate::domain::time::Uptime;
use crate::limits::Lane;

/// Permits that go to others before one goes to a lane in which somebody waits.
pub(super) const PASSED_OVER: u32 = 32;

/// Where a permit comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pool {
    /// For refreshes, and for deletions while no refresh waits.
    Reserved,
    /// For all lanes.
    Shared,
}

/// A caller's place in its line, and what it knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    at: Position,
    /// When it is its time, as far as could be known when it came.
    pub(super) due: Uptime,
    /// When it was told to ask again.
    pub(super) told: Uptime,
    pub(super) expires: Uptime,
}

/// The earliest end first; of equals, the one that came first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Position {
    /// Of the caller's token, by the wall clock.
    end: Timestamp,
    came: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    refresh: Line,
    create: Line,
    other: Line,
    delete: Line,
    places: HashMap<Uid, (Lane, Place)>,
    came: u64,
}

#[derive(Clone, Debug, Default)]
struct Line {
    waiting: BTreeMap<Position, Uid>,
    passed_over: u32,
}

impl Pool {
    fn lanes(self) -> &'static [Lane] {
        match self {
            Pool::Reserved => &[Lane::Refresh, Lane::Delete],
            Pool::Shared => &[Lane::Refresh, Lane::Create, Lane::Other, Lane::Delete],
        }
    }
}

impl Place {
    /// The same place, of a caller that is to be told another instant.
    pub(super) fn untold(self) -> Self {
        Self {
            due: Uptime::default(),
            told: Uptime::default(),
            expires: Uptime::default(),
            ..self
        }
    }
}

impl Lines {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many may go before the last one in this lane. Deletions have the reserved pool for the most part.
    pub(super) fn ahead_of_last(&self, lane: Lane) -> usize {
        let pool = match lane {
            Lane::Delete => Pool::Reserved,
            Lane::Refresh | Lane::Create | Lane::Other => Pool::Shared,
        };
        let lanes = pool.lanes().iter().filter(|other| **other <= lane);
        let waiting: usize = lanes.map(|lane| self.line(*lane).waiting.len()).sum();
        waiting.saturating_sub(1)
    }

    /// A caller that is in this line keeps its place, unless its end is another one.
    pub(super) fn put(&mut self, who: &Uid, lane: Lane, end: Timestamp) {
        let known = self.places.get(who).copied();
        match known {
            Some((known, place)) if known == lane && place.at.end == end => {}
            Some((_, place)) => {
                self.remove(who);
                let at = Position { end, ..place.at };
                self.put_back(who.clone(), lane, Place { at, ..place });
            }
            None => {
                let place = self.new_place(end);
                self.put_back(who.clone(), lane, place);
            }
        }
    }

    fn new_place(&mut self, end: Timestamp) -> Place {
        self.came += 1;
        Place {
            at: Position { end, came: self.came },
            due: Uptime::default(),
            told: Uptime::default(),
            expires: Uptime::default(),
        }
    }

    pub(super) fn put_back(&mut self, who: Uid, lane: Lane, place: Place) {
        self.line_mut(lane).waiting.insert(place.at, who.clone());
        self.places.insert(who, (lane, place));
    }

    pub(super) fn place_mut(&mut self, who: &Uid) -> Option<&mut Place> {
        self.places.get_mut(who).map(|(_, place)| place)
    }

    /// Returns when it would have expired.
    pub(super) fn remove(&mut self, who: &Uid) -> Option<Uptime> {
        let (lane, place) = self.places.remove(who)?;
        self.line_mut(lane).waiting.remove(&place.at);
        Some(place.expires)
    }

    pub(super) fn any_in(&self, pool: Pool) -> bool {
        pool.lanes()
            .iter()
            .any(|lane| !self.line(*lane).waiting.is_empty())
    }

    /// Takes whoever goes next: of the first lane, unless another one was passed over for too long.
    pub(super) fn pop(&mut self, pool: Pool) -> Option<(Uid, Lane, Place)> {
        let waits = |lane: &&Lane| !self.line(**lane).waiting.is_empty();
        let mut waiting = pool.lanes().iter().filter(waits);
        let first = *waiting.clone().next()?;
        let late = waiting.find(|lane| self.line(**lane).passed_over >= PASSED_OVER);
        let next = late.copied().unwrap_or(first);
        for lane in pool.lanes() {
            let line = self.line_mut(*lane);
            line.passed_over = match line.waiting.is_empty() {
                false if *lane != next => line.passed_over.saturating_add(1),
                _ => 0,
            };
        }
        let (_, who) = self.line_mut(next).waiting.pop_first()?;
        let (_, place) = self.places.remove(&who)?;
        Some((who, next, place))
    }

    fn line(&self, lane: Lane) -> &Line {
        match lane {
            Lane::Refresh => &self.refresh,
            Lane::Create => &self.create,
            Lane::Other => &self.other,
            Lane::Delete => &self.delete,
        }
    }

    fn line_mut(&mut self, lane: Lane) -> &mut Line {
        match lane {
            Lane::Refresh => &mut self.refresh,
            Lane::Create => &mut self.create,
            Lane::Other => &mut self.other,
            Lane::Delete => &mut self.delete,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn who(index: usize) -> Uid {
        Uid::new(format!("uid-{index}"))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_lane_that_was_passed_over_for_long_goes_next() {
        let mut lines = Lines::default();
        for index in 0..100 {
            lines.put(&who(index), Lane::Refresh, Timestamp::MIN);
        }
        lines.put(&who(100), Lane::Create, Timestamp::MIN);
        lines.put(&who(101), Lane::Delete, Timestamp::MIN);
        let next = |lines: &mut Lines| lines.pop(Pool::Shared).map(|(_, lane, _)| lane);
        let lanes: Vec<Option<Lane>> = (0..102).map(|_| next(&mut lines)).collect();
        let position = |lane| lanes.iter().position(|one| *one == Some(lane));
        assert_eq!(position(Lane::Create), Some(32));
        assert_eq!(position(Lane::Delete), Some(33));
    }

    #[test]
    fn a_caller_keeps_its_place_unless_its_end_changes() {
        let mut lines = Lines::default();
        for (index, end) in [(0, 10), (1, 10), (2, 20)] {
            lines.put(&who(index), Lane::Refresh, at(end));
        }
        lines.put(&who(0), Lane::Refresh, at(10));
        lines.put(&who(2), Lane::Refresh, at(5));
        let order: Vec<Uid> = (0..3).map(|_| lines.pop(Pool::Shared).unwrap().0).collect();
        assert_eq!(order, [who(2), who(0), who(1)]);
    }

    #[test]
    fn a_place_that_is_told_again_knows_no_instant() {
        let mut lines = Lines::default();
        let told = |second| Uptime::new(Duration::from_secs(second));
        let known = Place {
            due: told(1),
            told: told(2),
            expires: told(3),
            ..lines.new_place(at(10))
        };
        let untold = known.untold();
        assert_eq!(untold.at, known.at);
        assert_eq!([untold.due, untold.told, untold.expires], [Uptime::default(); 3]);
    }
}

//! Which reconcile may run. While several organizations want slots, none holds more than half of them: a broken
//! organization, whose every call takes its whole deadline, never slows a healthy one. Deletions, whose calls may take
//! long, never hold more than half: thousands of them never keep tokens from being renewed.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::CLOCK_SLACK;
use crate::domain::time::{elapsed, later};

/// An organization that wanted a reconcile this recently is still waiting for more.
const WANTS_FOR: Duration = Duration::from_secs(3);

/// When to ask again. Thousands may ask: seldom enough to cost nothing, soon enough to go unnoticed.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The answer to a reconcile that wants to run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Slot {
    /// Begin; [`Slots::give_back`] must follow.
    Taken,
    /// Ask again after this.
    Later(Duration),
}

/// What a reconcile is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Work {
    Serves,
    Deletes,
}

/// The slots of a process. Plain value.
#[derive(Clone, Debug)]
pub struct Slots {
    half: usize,
    deleting: usize,
    uses: BTreeMap<String, Use>,
}

#[derive(Clone, Copy, Debug)]
struct Use {
    running: usize,
    wanted_at: Timestamp,
}

impl Slots {
    /// `total` reconciles may run at once.
    pub fn new(total: usize) -> Self {
        Self {
            half: (total / 2).max(1),
            deleting: 0,
            uses: BTreeMap::new(),
        }
    }

    /// Asks for a slot for a reconcile of `organization`.
    pub fn take(&mut self, now: Timestamp, organization: &str, work: Work) -> Slot {
        let others_want = self
            .uses
            .iter()
            .any(|(name, other)| name != organization && other.wants_more(now));
        let used = self.uses.entry(organization.to_owned()).or_insert(Use {
            running: 0,
            wanted_at: now,
        });
        used.wanted_at = now;
        let deletes = work == Work::Deletes;
        if (others_want && used.running >= self.half) || (deletes && self.deleting >= self.half) {
            return Slot::Later(ASK_AGAIN);
        }
        used.running += 1;
        self.deleting += usize::from(deletes);
        Slot::Taken
    }

    /// A reconcile ended. Tenants may name any organization, so one that runs nothing and wants nothing is forgotten.
    pub fn give_back(&mut self, now: Timestamp, organization: &str, work: Work) {
        if work == Work::Deletes {
            self.deleting = self.deleting.saturating_sub(1);
        }
        if let Some(used) = self.uses.get_mut(organization) {
            used.running = used.running.saturating_sub(1);
        }
        self.uses
            .retain(|_, used| used.running > 0 || used.wants_more(now));
    }
}

impl Use {
    /// A wish dated after `now` is from before the clock was set back.
    fn wants_more(&self, now: Timestamp) -> bool {
        self.wanted_at <= later(now, CLOCK_SLACK) && elapsed(self.wanted_at, now) < WANTS_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn take(slots: &mut Slots, seconds: i64, organization: &str, times: usize) -> usize {
        (0..times)
            .filter(|_| slots.take(at(seconds), organization, Work::Serves) == Slot::Taken)
            .count()
    }

    #[test]
    fn one_organization_alone_may_use_every_slot() {
        assert_eq!(take(&mut Slots::new(8), 0, "a", 8), 8);
    }

    /// Promise: I9
    #[test]
    fn while_another_waits_an_organization_holds_half_at_most() {
        let mut slots = Slots::new(8);
        assert_eq!(take(&mut slots, 0, "b", 1), 1);
        assert_eq!(take(&mut slots, 1, "a", 8), 4);
        assert_eq!(take(&mut slots, 2, "b", 4), 3);
    }

    #[test]
    fn what_an_idle_organization_once_wanted_holds_no_slot() {
        let mut slots = Slots::new(8);
        assert_eq!(take(&mut slots, 0, "b", 1), 1);
        slots.give_back(at(0), "b", Work::Serves);
        assert_eq!(take(&mut slots, 3, "a", 8), 8);
    }

    #[test]
    fn a_slot_that_is_given_back_can_be_taken() {
        let mut slots = Slots::new(2);
        take(&mut slots, 0, "b", 1);
        assert_eq!(take(&mut slots, 0, "a", 2), 1);
        slots.give_back(at(0), "a", Work::Serves);
        assert_eq!(take(&mut slots, 0, "a", 2), 1);
    }

    #[test]
    fn idle_organizations_are_forgotten_however_many() {
        let mut slots = Slots::new(8);
        for n in 0..1000 {
            let organization = format!("made-up-{n}");
            assert_eq!(slots.take(at(n), &organization, Work::Serves), Slot::Taken);
            slots.give_back(at(n), &organization, Work::Serves);
        }
        assert!(slots.uses.len() <= 4, "{}", slots.uses.len());
        assert_eq!(take(&mut slots, 1000, "running", 1), 1);
        slots.give_back(at(2000), "another", Work::Serves);
        assert_eq!(slots.uses.len(), 1, "what runs is not idle");
    }

    #[test]
    fn a_wish_from_before_the_clock_was_set_back_holds_no_slot() {
        let mut slots = Slots::new(8);
        assert_eq!(take(&mut slots, 7200, "b", 1), 1);
        slots.give_back(at(7200), "b", Work::Serves);
        assert_eq!(take(&mut slots, 0, "a", 8), 8);
    }

    #[test]
    fn deletions_leave_half_of_the_slots_to_other_work() {
        let mut slots = Slots::new(8);
        let deletions = |slots: &mut Slots, organization: &str| {
            (0..8)
                .filter(|_| slots.take(at(0), organization, Work::Deletes) == Slot::Taken)
                .count()
        };
        assert_eq!(deletions(&mut slots, "a"), 4);
        assert_eq!(take(&mut slots, 0, "a", 4), 4, "the other half serves");
        slots.give_back(at(0), "a", Work::Deletes);
        assert_eq!(deletions(&mut slots, "a"), 1);
        slots.give_back(at(0), "a", Work::Serves);
        assert_eq!(
            deletions(&mut slots, "a"),
            0,
            "what served gives back no place of theirs"
        );
    }
}

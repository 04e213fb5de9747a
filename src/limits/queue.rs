//! Which object is reconciled next. Due objects wait here until a slot of the process is free for them. A plain value: it reads
//! no clock and runs nothing, and no operation walks what waits.
//!
//! **Between organizations.** An organization holds no more slots than it leaves free, except for its first. Alone it holds half
//! of them, beside one that holds half a quarter, and so on; where two have work all the time, a third each. What stays free is
//! the reserve: a slot that hangs cannot be taken back, so it must not be given. Of the organizations that may have a slot, the
//! one with the fewest gets it, and of equals the one that was served least recently.
//!
//! **Within an organization.** Renewals go first, the token that ends first before all others; then creations and the rest, in
//! the order of their arrival; then deletions, which share half of the slots by the same law. Work that was passed over so many
//! times goes next whatever waits before it, so each class moves under any load.
//!
//! **Without a slot.** An object that waits for longer than [`PATIENCE`] is named by [`Queue::impatient`], so that its status
//! can tell. Time is that of the process, which no one sets back.

mod share;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use self::share::{Deletions, Share, Ticket};

/// So long an object waits before someone looks at what its status says.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Between two words in the status of an object that waits.
pub const WORDS_APART: Duration = Duration::from_secs(30);

/// How urgent the reconcile of an object is. The order is the precedence within an organization.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    /// Its token is due.
    Renewal {
        expires_at: Timestamp,
    },
    Other,
    Deletion,
}

impl Priority {
    /// Of what was known before and what is known now. A deletion cannot be taken back; else the more urgent one counts.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Deletion, _) | (_, Self::Deletion) => Self::Deletion,
            (one, other) => one.min(other),
        }
    }
}

/// The due objects of a process, and its slots. `K` names an object.
#[derive(Clone, Debug)]
pub struct Queue<K> {
    slots: usize,
    deletion_slots: usize,
    deleting: usize,
    waiting: HashMap<K, Waiting>,
    running: HashMap<K, Running>,
    shares: HashMap<Arc<str>, Share<K>>,
    /// The organizations with work due that is no deletion.
    with_work: BTreeSet<Load>,
    with_deletions: BTreeSet<Load>,
    /// Those of the waiting objects that have an instant to be named at.
    impatient: BTreeMap<Turn, K>,
    /// How many objects were woken or taken so far.
    counted: u64,
}

/// Orders organizations: the fewest slots first, of equals the one that was served least recently.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Load {
    running: usize,
    served: u64,
    organization: Arc<str>,
}

#[derive(Clone, Debug)]
struct Waiting {
    organization: Arc<str>,
    priority: Priority,
    arrived: u64,
    since: Duration,
    /// When it is to be named.
    named_at: Option<Duration>,
}

/// When an object is to be named, and its arrival.
type Turn = (Duration, u64);

#[derive(Clone, Debug)]
struct Running {
    organization: Arc<str>,
    priority: Priority,
    /// It was woken while it runs.
    again: Option<Waiting>,
}

impl<K: Clone + Eq + Hash> Queue<K> {
    /// `slots` objects run at once at most.
    pub fn new(slots: NonZeroUsize) -> Self {
        Self {
            slots: slots.get(),
            deletion_slots: (slots.get() / 2).max(1),
            deleting: 0,
            waiting: HashMap::new(),
            running: HashMap::new(),
            shares: HashMap::new(),
            with_work: BTreeSet::new(),
            with_deletions: BTreeSet::new(),
            impatient: BTreeMap::new(),
            counted: 0,
        }
    }

    /// How many objects wait for a slot. One that runs and was woken meanwhile does not.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The object is due, by the time of the process. One that waits already keeps its place, or gets a better one; one that
    /// runs is due again when it is done.
    pub fn wake(&mut self, object: K, organization: &str, priority: Priority, now: Duration) {
        let organization = self.interned(organization);
        let arrived = self.count();
        if let Some(running) = self.running.get_mut(&object) {
            let before = running.again.take();
            running.again = Some(Waiting::after(
                before.as_ref(),
                organization,
                priority,
                arrived,
                now,
            ));
            return;
        }
        let before = self.remove(&object);
        let waiting = Waiting::after(before.as_ref(), organization, priority, arrived, now);
        self.insert(object, waiting);
    }

    /// The object that is to be reconciled now, if there is one. [`Queue::done`] must follow.
    pub fn take(&mut self) -> Option<K> {
        if self.waiting.is_empty() {
            return None;
        }
        let organization = self.next_organization()?;
        let deletions = self.deletions(&organization);
        let served = self.count();
        let object = self.change(&organization, |share| share.take(deletions, served))?;
        let waiting = self.waiting.remove(&object)?;
        self.hush(&waiting);
        let priority = waiting.priority;
        self.deleting += usize::from(priority == Priority::Deletion);
        let running = Running {
            organization,
            priority,
            again: None,
        };
        self.running.insert(object.clone(), running);
        Some(object)
    }

    /// The reconcile of an object ended, however it did. Nothing happens if it does not run.
    pub fn done(&mut self, object: &K) {
        let Some(running) = self.running.remove(object) else {
            return;
        };
        self.deleting -= usize::from(running.priority == Priority::Deletion);
        self.change(&running.organization, |share| share.give_back(running.priority));
        if let Some(again) = running.again {
            self.insert(object.clone(), again);
        }
    }

    /// The next object that has waited for too long, and since when. It is named once: [`Queue::name_again`] sets another
    /// instant, and so does its next wake.
    pub fn impatient(&mut self, now: Duration) -> Option<(K, Duration)> {
        self.next_impatient().filter(|at| *at <= now)?;
        let (_, object) = self.impatient.pop_first()?;
        let waiting = self.waiting.get_mut(&object)?;
        waiting.named_at = None;
        Some((object, waiting.since))
    }

    /// When [`Queue::impatient`] names an object next.
    pub fn next_impatient(&self) -> Option<Duration> {
        self.impatient.first_key_value().map(|((at, _), _)| *at)
    }

    /// If the object still waits at that instant, it is named again.
    pub fn name_again(&mut self, object: &K, at: Duration) {
        let Some(waiting) = self.waiting.get_mut(object) else {
            return;
        };
        let before = waiting.named_at.map(|at| (at, waiting.arrived));
        let at = waiting.named_at.map_or(at, |known| known.min(at));
        waiting.named_at = Some(at);
        let turn = (at, waiting.arrived);
        if let Some(before) = before {
            self.impatient.remove(&before);
        }
        self.impatient.insert(turn, object.clone());
    }

    fn hush(&mut self, waiting: &Waiting) {
        if let Some(at) = waiting.named_at {
            self.impatient.remove(&(at, waiting.arrived));
        }
    }

    fn next_organization(&self) -> Option<Arc<str>> {
        let free = self.slots - self.running.len();
        let may_run = |load: &&Load| has_share(load.running, free);
        // Of those that are skipped, each has a deletion running.
        let deletes = self
            .with_deletions
            .iter()
            .take_while(may_run)
            .take_while(|_| self.deleting < self.deletion_slots)
            .find(|load| self.deletions(&load.organization) == Deletions::Allowed);
        let works = self.with_work.first().filter(may_run);
        let next = works.into_iter().chain(deletes).min();
        next.map(|load| load.organization.clone())
    }

    fn deletions(&self, organization: &str) -> Deletions {
        let held = self.shares.get(organization).map_or(0, |share| share.deleting);
        if has_share(held, self.deletion_slots - self.deleting) {
            Deletions::Allowed
        } else {
            Deletions::Held
        }
    }

    fn insert(&mut self, object: K, waiting: Waiting) {
        let organization = waiting.organization.clone();
        let ticket = waiting.ticket();
        self.change(&organization, |share| share.put(ticket, object.clone()));
        if let Some(at) = waiting.named_at {
            self.impatient.insert((at, waiting.arrived), object.clone());
        }
        self.waiting.insert(object, waiting);
    }

    fn remove(&mut self, object: &K) -> Option<Waiting> {
        let waiting = self.waiting.remove(object)?;
        self.hush(&waiting);
        self.change(&waiting.organization, |share| share.remove(waiting.ticket()));
        Some(waiting)
    }

    /// Changes the share of an organization, and its place among the others. One that runs nothing and has nothing due is
    /// forgotten: tenants may name any organization.
    fn change<T>(&mut self, organization: &Arc<str>, change: impl FnOnce(&mut Share<K>) -> T) -> T {
        let mut share = self.shares.remove(organization).unwrap_or_default();
        let load = share.load(organization);
        self.with_work.remove(&load);
        self.with_deletions.remove(&load);
        let changed = change(&mut share);
        let load = share.load(organization);
        if share.has_work() {
            self.with_work.insert(load.clone());
        }
        if share.has_deletions() {
            self.with_deletions.insert(load);
        }
        if !share.is_idle() {
            self.shares.insert(organization.clone(), share);
        }
        changed
    }

    fn interned(&self, organization: &str) -> Arc<str> {
        let known = self.shares.get_key_value(organization);
        known.map_or_else(|| Arc::from(organization), |(name, _)| name.clone())
    }

    fn count(&mut self) -> u64 {
        self.counted += 1;
        self.counted
    }
}

impl Waiting {
    /// Woken again, an object keeps the place of its arrival.
    fn after(
        before: Option<&Self>,
        organization: Arc<str>,
        priority: Priority,
        arrived: u64,
        now: Duration,
    ) -> Self {
        let named_at = now + PATIENCE;
        let known = before.and_then(|before| before.named_at);
        Self {
            organization,
            priority: before.map_or(priority, |before| before.priority.and(priority)),
            arrived: before.map_or(arrived, |before| before.arrived),
            since: before.map_or(now, |before| before.since),
            named_at: Some(known.map_or(named_at, |known| known.min(named_at))),
        }
    }

    fn ticket(&self) -> Ticket {
        Ticket {
            priority: self.priority,
            arrived: self.arrived,
        }
    }
}

/// Whether one that holds `held` slots may have another of those that are free.
fn has_share(held: usize, free: usize) -> bool {
    free > 0 && (held == 0 || held + 1 < free)
}

#[cfg(test)]
mod tests;

//! The due work of one organization, and which of it goes next.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Load, Priority};

/// Others that go before a creation, and the like, that is due: of nine reconciles it is one at least.
pub(super) const OTHERS_PASSED_OVER: u32 = 8;
/// As [`OTHERS_PASSED_OVER`], for a deletion.
pub(super) const DELETIONS_PASSED_OVER: u32 = 32;

/// What is due, and what runs.
#[derive(Clone, Debug)]
pub(super) struct Share<K> {
    pub(super) running: usize,
    pub(super) deleting: usize,
    served: u64,
    renewals: BTreeMap<Ticket, K>,
    others: BTreeMap<Ticket, K>,
    deletions: BTreeMap<Ticket, K>,
    others_passed_over: u32,
    deletions_passed_over: u32,
}

/// The place of an object: urgency, then arrival.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Ticket {
    pub(super) priority: Priority,
    pub(super) arrived: u64,
}

/// Whether a deletion may have a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Deletions {
    Allowed,
    Held,
}

impl<K> Default for Share<K> {
    fn default() -> Self {
        Self {
            running: 0,
            deleting: 0,
            served: 0,
            renewals: BTreeMap::new(),
            others: BTreeMap::new(),
            deletions: BTreeMap::new(),
            others_passed_over: 0,
            deletions_passed_over: 0,
        }
    }
}

impl<K> Share<K> {
    pub(super) fn load(&self, organization: &Arc<str>) -> Load {
        Load {
            running: self.running,
            served: self.served,
            organization: organization.clone(),
        }
    }

    pub(super) fn has_work(&self) -> bool {
        !self.renewals.is_empty() || !self.others.is_empty()
    }

    pub(super) fn has_deletions(&self) -> bool {
        !self.deletions.is_empty()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running == 0 && !self.has_work() && !self.has_deletions()
    }

    pub(super) fn put(&mut self, ticket: Ticket, object: K) {
        self.line(ticket.priority).insert(ticket, object);
    }

    pub(super) fn remove(&mut self, ticket: Ticket) {
        self.line(ticket.priority).remove(&ticket);
    }

    /// Takes what goes next. `served` is the number of this service.
    pub(super) fn take(&mut self, deletions: Deletions, served: u64) -> Option<K> {
        let (ticket, object) = self.pop(deletions)?;
        self.running += 1;
        self.deleting += usize::from(ticket.priority == Priority::Deletion);
        self.served = served;
        Some(object)
    }

    pub(super) fn give_back(&mut self, priority: Priority) {
        self.running = self.running.saturating_sub(1);
        if priority == Priority::Deletion {
            self.deleting = self.deleting.saturating_sub(1);
        }
    }

    /// Counts what goes later for it. A deletion that is held is not counted.
    fn pop(&mut self, deletions: Deletions) -> Option<(Ticket, K)> {
        let deletes = deletions == Deletions::Allowed && !self.deletions.is_empty();
        if deletes && (self.deletions_passed_over >= DELETIONS_PASSED_OVER || !self.has_work()) {
            self.deletions_passed_over = 0;
            return self.deletions.pop_first();
        }
        self.deletions_passed_over += u32::from(deletes);
        let others_go = self.others_passed_over >= OTHERS_PASSED_OVER && !self.others.is_empty();
        if self.renewals.is_empty() || others_go {
            self.others_passed_over = 0;
            return self.others.pop_first();
        }
        self.others_passed_over += u32::from(!self.others.is_empty());
        self.renewals.pop_first()
    }

    fn line(&mut self, priority: Priority) -> &mut BTreeMap<Ticket, K> {
        match priority {
            Priority::Renewal { .. } => &mut self.renewals,
            Priority::Other => &mut self.others,
            Priority::Deletion => &mut self.deletions,
        }
    }
}

//! A watch of one kind: brings the changes of a kind to the process's store, in their order, late; while it is dead it brings
//! nothing, and then a whole list.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Millis;

/// One event of a watch.
#[derive(Clone, Debug)]
pub(super) enum Change<K, T> {
    Apply(K, Arc<T>),
    /// With the version at which it went.
    Delete(K, u64),
}

#[derive(Debug)]
pub(super) struct Feed<K, T> {
    sent: VecDeque<(Millis, Change<K, T>)>,
    /// How long an event is on its way.
    pub(super) lag: Millis,
    /// While dead, nothing comes; at the end of that a list does.
    pub(super) dead_until: Option<Millis>,
    last: Millis,
}

/// What a feed brings at an instant.
#[derive(Debug)]
pub(super) enum Brought<K, T> {
    Changes(Vec<Change<K, T>>),
    /// The watch begins again with a list.
    List,
}

impl<K: Clone, T> Feed<K, T> {
    pub(super) fn new(lag: Millis) -> Self {
        Self {
            sent: VecDeque::new(),
            lag,
            dead_until: None,
            last: 0,
        }
    }

    /// A change happened. Returns when to look what the feed brings.
    pub(super) fn send(&mut self, now: Millis, change: Change<K, T>) -> Millis {
        let due = (now + self.lag).max(self.last);
        self.last = due;
        self.sent.push_back((due, change));
        self.dead_until.map_or(due, |until| until.max(due))
    }

    /// Whether a change is on its way.
    pub(super) fn is_behind(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Nothing comes until then. Returns when to look.
    pub(super) fn die(&mut self, until: Millis) -> Millis {
        let until = self.dead_until.map_or(until, |known| known.max(until));
        self.dead_until = Some(until);
        until
    }

    pub(super) fn bring(&mut self, now: Millis) -> Option<Brought<K, T>> {
        match self.dead_until {
            Some(until) if now < until => return None,
            Some(_) => {
                self.dead_until = None;
                self.sent.clear();
                return Some(Brought::List);
            }
            None => {}
        }
        let mut changes = Vec::new();
        while self.sent.front().is_some_and(|(due, _)| *due <= now) {
            changes.extend(self.sent.pop_front().map(|(_, change)| change));
        }
        (!changes.is_empty()).then_some(Brought::Changes(changes))
    }
}

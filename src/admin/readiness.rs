//! Readiness as named gates: ready while all of them are open.

use std::sync::{Arc, Mutex, PoisonError};

/// All gates of a process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    gates: Arc<Mutex<Vec<(&'static str, Position)>>>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Position {
    Closed,
    /// Closed, and this has to be done about it.
    Waits(String),
    Open,
}

/// One thing that must be so before the process is ready.
#[derive(Clone, Debug)]
pub struct Gate {
    readiness: Readiness,
    index: usize,
}

impl Readiness {
    /// Adds a gate, closed. Its name says what is waited for, such as `stores`.
    pub fn gate(&self, name: &'static str) -> Gate {
        let index = self.with(|gates| {
            gates.push((name, Position::Closed));
            gates.len() - 1
        });
        Gate {
            readiness: self.clone(),
            index,
        }
    }

    /// The gates that are closed, in the order in which they were added: their names, and what has to be done.
    pub fn closed(&self) -> Vec<String> {
        let closed = |(name, position): &(&'static str, Position)| match position {
            Position::Open => None,
            Position::Closed => Some((*name).to_owned()),
            Position::Waits(remedy) => Some(format!("{name} ({remedy})")),
        };
        self.with(|gates| gates.iter().filter_map(closed).collect())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<(&'static str, Position)>) -> T) -> T {
        // Nothing that can panic happens under the lock, so a poisoned one holds sound values.
        act(&mut self.gates.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Gate {
    /// It is so.
    pub fn open(&self) {
        self.turn(Position::Open);
    }

    /// It is no longer so.
    pub fn close(&self) {
        self.turn(Position::Closed);
    }

    /// Says what has to be done, where it is closed.
    pub fn waits_for(&self, remedy: &str) {
        self.readiness.with(|gates| match gates.get_mut(self.index) {
            Some((_, Position::Open)) | None => {}
            Some((_, position)) => *position = Position::Waits(remedy.to_owned()),
        });
    }

    fn turn(&self, position: Position) {
        self.readiness.with(|gates| {
            if let Some(gate) = gates.get_mut(self.index) {
                gate.1 = position;
            }
        });
    }
}

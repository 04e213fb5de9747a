//! Readiness as named gates: ready while all of them are open.

use std::sync::{Arc, Mutex, PoisonError};

/// All gates of a process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    gates: Arc<Mutex<Vec<(&'static str, GateState)>>>,
    notes: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum GateState {
    Closed,
    /// Closed, until a person does this.
    Waits(String),
    Open,
}

/// One condition of readiness.
#[derive(Clone, Debug)]
pub struct ReadinessGate {
    readiness: Readiness,
    index: usize,
}

impl Readiness {
    /// Adds a closed gate. Its name says what the process waits for, such as `stores`.
    pub fn gate(&self, name: &'static str) -> ReadinessGate {
        let index = self.with(|gates| {
            gates.push((name, GateState::Closed));
            gates.len() - 1
        });
        ReadinessGate {
            readiness: self.clone(),
            index,
        }
    }

    /// Names of the closed gates, in the order in which they were added, each with what a person has to do.
    pub fn closed(&self) -> Vec<String> {
        let closed = |(name, state): &(&'static str, GateState)| match state {
            GateState::Open => None,
            GateState::Closed => Some((*name).to_owned()),
            GateState::Waits(remedy) => Some(format!("{name} ({remedy})")),
        };
        self.with(|gates| gates.iter().filter_map(closed).collect())
    }

    /// What people should know who ask whether the process is ready. It keeps no gate closed.
    pub fn note(&self, notes: Vec<String>) {
        *self.notes.lock().unwrap_or_else(PoisonError::into_inner) = notes;
    }

    /// Every gate and every note, a line each: `/readyz?verbose`.
    pub fn told(&self) -> String {
        let gates = self.with(|gates| {
            let told = gates.iter().map(|(name, state)| match state {
                GateState::Open => format!("[+]{name} ok\n"),
                GateState::Closed => format!("[-]{name}\n"),
                GateState::Waits(remedy) => format!("[-]{name}: {remedy}\n"),
            });
            told.collect::<String>()
        });
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes
            .iter()
            .fold(gates, |told, note| format!("{told}note: {note}\n"))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<(&'static str, GateState)>) -> T) -> T {
        // Nothing that can panic happens under the lock, so a poisoned one holds sound values.
        act(&mut self.gates.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ReadinessGate {
    /// The condition holds.
    pub fn open(&self) {
        self.set(GateState::Open);
    }

    /// The condition holds no longer, and `/readyz` says why. Returns whether that is new.
    pub fn close(&self, why: &str) -> bool {
        let closed = GateState::Waits(why.to_owned());
        self.readiness.with(|gates| match gates.get_mut(self.index) {
            Some((_, state)) if *state != closed => {
                *state = closed;
                true
            }
            Some(_) | None => false,
        })
    }

    /// While the gate is closed, `/readyz` names this remedy.
    pub fn waits_for(&self, remedy: &str) {
        self.readiness.with(|gates| match gates.get_mut(self.index) {
            Some((_, GateState::Open)) | None => {}
            Some((_, state)) => *state = GateState::Waits(remedy.to_owned()),
        });
    }

    fn set(&self, state: GateState) {
        self.readiness.with(|gates| {
            if let Some(gate) = gates.get_mut(self.index) {
                gate.1 = state;
            }
        });
    }
}

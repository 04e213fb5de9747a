//! All state behind one lock, which is never held across a wait, and the actions that the control API and tests in this process share.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use super::api::organization::Workspace;
use super::api::{Credential, World};
use super::clock::Clock;
use super::fault::{Faults, Phase};
use super::hold::{Held, Holds, Then};
use super::journal::{Journal, Outcome};
use super::knobs::Knobs;
use super::settings::Settings;

/// Everything that changes.
pub struct State {
    pub clock: Clock,
    pub world: World,
    pub knobs: Knobs,
    pub faults: Faults,
    pub holds: Holds,
    pub journal: Journal,
    settings: Settings,
    journal_file: Option<File>,
}

/// The state, shared by all connections.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Notified whenever a request is held or released.
    holds_changed: Notify,
}

impl State {
    pub(super) fn new(settings: Settings, journal_file: Option<File>) -> Self {
        let clock = Clock::new(settings.time.clone());
        let world = begin(&settings, &clock);
        Self {
            clock,
            world,
            knobs: settings.knobs.clone(),
            faults: Faults::default(),
            holds: Holds::default(),
            journal: Journal::default(),
            settings,
            journal_file,
        }
    }

    /// Back to the start. Held requests are dropped; the journal's numbers go on.
    pub fn reset(&mut self) {
        self.clock = Clock::new(self.settings.time.clone());
        self.world = begin(&self.settings, &self.clock);
        self.knobs = self.settings.knobs.clone();
        self.faults.clear();
        self.journal.clear();
        self.holds.release(None, Then::Drop);
    }

    /// The secrets that must not be written anywhere.
    pub(super) fn secrets(&self) -> Vec<&str> {
        self.world
            .credentials
            .iter()
            .map(|credential| credential.client_secret.as_str())
            .collect()
    }

    /// Completes a journal entry and writes it to the file.
    pub(super) fn finish(&mut self, seq: u64, status: Option<u16>) {
        let Some(entry) = self.journal.entry_mut(seq) else {
            return;
        };
        entry.status = status;
        entry.outcome = if status.is_some() {
            Outcome::Answered
        } else {
            Outcome::Dropped
        };
        if let (Some(file), Ok(line)) = (&mut self.journal_file, serde_json::to_string(entry))
            && let Err(error) = writeln!(file, "{line}")
        {
            tracing::warn!(%error, "the journal file could not be written");
        }
    }
}

impl Shared {
    pub(super) fn new(state: State) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(state),
            holds_changed: Notify::new(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds the request of this number until it is released.
    pub(super) async fn hold(&self, seq: u64, phase: Phase, finished: oneshot::Receiver<()>) -> Then {
        let released = {
            let mut state = self.lock();
            let since = state.clock.now();
            let (operation, method, path) = match state.journal.entry_mut(seq) {
                Some(entry) => (entry.operation, entry.method.clone(), entry.path.clone()),
                None => (None, String::new(), String::new()),
            };
            state.holds.hold(
                Held {
                    id: seq,
                    phase,
                    operation,
                    method,
                    path,
                    since,
                },
                finished,
            )
        };
        self.holds_changed.notify_waiters();
        // An error: the emulator, and the held request with it, was dropped.
        released.await.unwrap_or(Then::Drop)
    }

    /// Waits until at least this many requests are held.
    pub(super) async fn held(&self, at_least: usize) -> Vec<Held> {
        loop {
            let changed = self.holds_changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let held = self.lock().holds.all();
            if held.len() >= at_least {
                return held;
            }
            changed.await;
        }
    }

    /// Releases requests and waits until they are over; returns how many there were.
    pub(super) async fn release(&self, which: Option<u64>, then: Then) -> usize {
        let finished = self.lock().holds.release(which, then);
        let count = finished.len();
        for over in finished {
            // An error means the same: the request is over.
            let _ = over.await;
        }
        count
    }
}

fn begin(settings: &Settings, clock: &Clock) -> World {
    let now = clock.now();
    let mut world = World::new(
        settings.seed.unwrap_or_else(Uuid::new_v4),
        settings.canary.clone(),
    );
    world.found(&settings.organization_id, now);
    world.credentials.push(Credential {
        client_id: settings.client_id.clone(),
        client_secret: settings.client_secret.clone(),
        generation: 0,
        organizations: vec![settings.organization_id.clone()],
    });
    for name in &settings.workspaces {
        let row = world.row(&settings.organization_id, name, now);
        if let Some(organization) = world.organization_mut(&settings.organization_id) {
            organization.add(Workspace::settled(row, now));
        }
    }
    world
}

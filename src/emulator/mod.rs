//! Airbyte Agent Engine, emulated: for tests, the demo, and anyone who talks to that API. See `docs/emulator.md`.
//!
//! - [`engine`]: the API as plain state and plain answers, without a network.
//! - [`knobs`]: what the API does where nobody says, as a table.
//! - [`operation`], [`fault`], [`hold`], [`journal`], [`clock`]: recognising, disturbing, stopping and remembering requests, and the time.
//! - `http`, `control`: the two shells, the API's and our own under `/_emulator/`. [`state`] is what they share.

pub mod api;
pub mod clock;
mod control;
pub mod fault;
pub mod hold;
mod http;
pub mod journal;
pub mod knobs;
pub mod operation;
mod settings;
pub mod state;

use std::fs::File;
use std::sync::Arc;

use self::hold::{Held, Then};
pub use self::http::{Running, serve, serve_on};
pub use self::settings::{DEFAULT_ORGANIZATION, Settings, SettingsError};
use self::state::{Shared, State};

/// One emulated Agent Engine. Clones are the same one.
#[derive(Clone)]
pub struct Emulator {
    shared: Arc<Shared>,
}

impl Emulator {
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let settings = settings.check()?;
        let file =
            match &settings.journal_file {
                Some(path) => Some(File::options().create(true).append(true).open(path).map_err(
                    |source| SettingsError::JournalFile {
                        path: path.clone(),
                        source,
                    },
                )?),
                None => None,
            };
        Ok(Self {
            shared: Shared::new(State::new(settings, file)),
        })
    }

    /// The API and the control API. Behind a server other than [`serve`], a connection that is to be closed without an answer breaks off
    /// in the middle of one, and there is no saying whether `Date` is left out.
    pub fn router(&self) -> axum::Router {
        http::router(&self.shared)
    }

    /// Looks at the state or changes it, between two requests.
    pub fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.shared.lock())
    }

    /// Waits until at least so many requests are held.
    pub async fn held(&self, at_least: usize) -> Vec<Held> {
        self.shared.held(at_least).await
    }

    /// Lets one held request go, or all, and waits until they are over; tells how many there were.
    pub async fn release(&self, which: Option<u64>, then: Then) -> usize {
        self.shared.release(which, then).await
    }
}

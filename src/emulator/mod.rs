//! An emulated Airbyte Agent Engine, for tests, the demo, and any client of that API. See `docs/emulator.md`.
//!
//! - [`api`]: the API as plain state and plain answers, without a network.
//! - [`knobs`]: what the API does where its documentation does not say, as a table.
//! - [`operation`]: which call a request is; [`fault`]: what goes wrong with it; [`hold`]: requests that wait for a release;
//!   [`journal`]: all requests; [`clock`]: the emulator's time.
//! - `http`: the API over HTTP; `control`: our own API under `/_emulator/`; [`state`]: what both share.
//!
//! | question | file |
//! |---|---|
//! | which calls are answered? | [`operation`] |
//! | how is a call answered? | `api/`: `issue` (T1 to T4), `list` (W1), `workspaces` (W2 to W5), `connectors` (C1, C2) |
//! | how does a workspace come to be? | `api/create.rs` |
//! | which undocumented behaviour can be chosen? | `knobs/table.rs` |
//! | what happens to one request? | `http/handle.rs` |

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

/// One emulated Agent Engine. Clones share it.
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

    /// The API and the control API. A server other than [`serve`] cannot close a connection without an answer (it breaks off in the
    /// middle of one) and may add a `Date` that was left out.
    pub fn router(&self) -> axum::Router {
        http::router(&self.shared)
    }

    /// Reads or changes the state, between two requests.
    pub fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.shared.lock())
    }

    /// Waits until at least this many requests are held.
    pub async fn held(&self, at_least: usize) -> Vec<Held> {
        self.shared.held(at_least).await
    }

    /// Releases one held request, or all, and waits until they are over; returns how many there were.
    pub async fn release(&self, which: Option<u64>, then: Then) -> usize {
        self.shared.release(which, then).await
    }
}

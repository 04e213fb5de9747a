//! Held requests: stopped before or after their effect until they are released. They outlive the client that sent them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::fault::Phase;
use super::operation::Operation;

/// What becomes of a held request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Then {
    /// It goes on as if it had never been held.
    Apply,
    /// The connection is closed: before the effect, without it.
    Drop,
}

/// What the control API shows of a held request. `id` is its number in the journal.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Held {
    pub id: u64,
    pub phase: Phase,
    pub operation: Option<Operation>,
    pub method: String,
    pub path: String,
    pub since: Timestamp,
}

/// Resolves when a released request is over and its journal entry is complete.
pub type Finished = oneshot::Receiver<()>;

struct HeldRequest {
    held: Held,
    release: oneshot::Sender<Then>,
    finished: Finished,
}

/// All requests held now.
#[derive(Default)]
pub struct Holds {
    requests: Vec<HeldRequest>,
}

impl Holds {
    /// Holds a request, which waits for the returned receiver.
    pub fn hold(&mut self, held: Held, finished: Finished) -> oneshot::Receiver<Then> {
        let (release, released) = oneshot::channel();
        self.requests.push(HeldRequest {
            held,
            release,
            finished,
        });
        released
    }

    pub fn all(&self) -> Vec<Held> {
        self.requests.iter().map(|request| request.held.clone()).collect()
    }

    /// Releases one request, or all. Returns for each what resolves when it is over.
    pub fn release(&mut self, which: Option<u64>, then: Then) -> Vec<Finished> {
        let (freed, kept) = self
            .requests
            .drain(..)
            .partition(|request: &HeldRequest| which.is_none_or(|id| request.held.id == id));
        self.requests = kept;
        freed
            .into_iter()
            .filter_map(|request| request.release.send(then).ok().map(|()| request.finished))
            .collect()
    }
}

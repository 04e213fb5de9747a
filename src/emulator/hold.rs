//! Held requests: stopped before or after their effect until somebody lets them go. They outlive the client that sent them.

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

/// What can be seen of a held request. `id` is its number in the journal.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Held {
    pub id: u64,
    pub phase: Phase,
    pub operation: Option<Operation>,
    pub method: String,
    pub path: String,
    pub since: Timestamp,
}

/// Told when a released request is over and the journal says what came of it.
pub type Finished = oneshot::Receiver<()>;

struct Gate {
    held: Held,
    release: oneshot::Sender<Then>,
    finished: Finished,
}

/// All requests held now.
#[derive(Default)]
pub struct Holds {
    gates: Vec<Gate>,
}

impl Holds {
    /// Holds a request: it waits for the receiver that is returned.
    pub fn hold(&mut self, held: Held, finished: Finished) -> oneshot::Receiver<Then> {
        let (release, released) = oneshot::channel();
        self.gates.push(Gate {
            held,
            release,
            finished,
        });
        released
    }

    pub fn all(&self) -> Vec<Held> {
        self.gates.iter().map(|gate| gate.held.clone()).collect()
    }

    /// Lets one go, or all; what is returned tells when each is over.
    pub fn release(&mut self, which: Option<u64>, then: Then) -> Vec<Finished> {
        let (freed, kept) = self
            .gates
            .drain(..)
            .partition(|gate: &Gate| which.is_none_or(|id| gate.held.id == id));
        self.gates = kept;
        freed
            .into_iter()
            .filter_map(|gate| gate.release.send(then).ok().map(|()| gate.finished))
            .collect()
    }
}

//! What one reconcile has done and read so far. It begins empty and ends with the reconcile.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::finding::Finding;
use crate::domain::ids::Uid;
use crate::domain::rate::RequestRate;
use crate::domain::remote::ListedWorkspace;
use crate::domain::time::Uptime;
use crate::limits::Fault;
use crate::organization::snapshot::Snapshot;

/// What this reconcile has done and read so far.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Set when our finalizer was put on or taken off, or could not be.
    pub finalizer: Attempt,
    /// Set when a client was made, or could not be. Failed: the credential Secret could not be read.
    pub client: Attempt,
    /// Set by each exchange of the credential.
    pub exchange: Exchange,
    /// Set by each page of the shared list, and when it was compared with the records.
    pub list: List,
    /// Set when a list was compared, taken away when it was published.
    pub new_list: Option<NewList>,
    /// Set when the client was told to name the organization.
    pub naming: Attempt,
    /// Set when the client and what is known were published; reset by each change of the client, so that both are published.
    pub publication: Attempt,
    /// Set when the status was written, or could not be.
    pub status: Attempt,
    /// Requests to Agent Engine that back-off charges for if the reconcile fails. Grows with each answer.
    pub calls: u32,
    /// Whose fault the last failed request was.
    pub fault: Option<Fault>,
    /// Set when the rate limiter has no permit before this instant.
    pub permit_at: Option<Timestamp>,
    /// Until when Agent Engine has asked for no requests. Set at each step, as the rate limiter has it then.
    pub paused_until: Option<Timestamp>,
    /// As the rate limiter had it at the last step.
    pub rate: Option<RequestRate>,
    /// Set when a publication finds another object under the name.
    pub object: Incarnation,
    /// Filled when a status with another Ready reason was written.
    pub events: Vec<Finding>,
}

/// Something that is tried once a reconcile.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Attempt {
    #[default]
    NotMade,
    Done,
    Failed,
}

/// How far the exchange of the credential got.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Exchange {
    #[default]
    NotMade,
    /// Refused to the organization that was named. To which organization the credential belongs was not asked yet.
    Refused,
    Failed,
    Done,
}

/// How far the shared list got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum List {
    #[default]
    NotBegun,
    /// There are more pages.
    Partial {
        begun: Begun,
        rows: Vec<ListedWorkspace>,
    },
    /// All pages are read; it is not compared yet.
    Complete {
        begun: Begun,
        rows: Vec<ListedWorkspace>,
        store: Store,
    },
    Failed,
    Done,
}

/// When the first page of a list was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Begun {
    /// As the wall clock was set then.
    pub at: Timestamp,
    pub uptime: Uptime,
}

/// Whether the store has seen our own last writes, so that a list can be compared with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Store {
    NotAsked,
    /// It had not. It is asked again at one instant, and taken as it is from the other on.
    Behind {
        again_at: Timestamp,
        until: Timestamp,
    },
}

/// A list that reconciles over Workspaces do not have yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewList {
    pub snapshot: Arc<Snapshot>,
    /// The objects that differ from it.
    pub differing: BTreeSet<Uid>,
}

/// Whether the name is still that of the object that is reconciled.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Incarnation {
    #[default]
    Current,
    Replaced,
}

impl Progress {
    /// Whether something failed that is tried again when back-off allows.
    pub fn has_failed(&self) -> bool {
        self.client == Attempt::Failed
            || matches!(self.exchange, Exchange::Refused | Exchange::Failed)
            || self.list == List::Failed
    }
}

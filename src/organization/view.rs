//! All that is known about one Organization at one instant. Plain values: rules read them, outcomes are folded into them.

use jiff::Timestamp;

use crate::crd::organization::{OrganizationSpec, OrganizationStatus};
use crate::domain::operators::Operators;
use crate::domain::time::Uptime;
use crate::organization::facts::{ObjectFacts, Published};
use crate::organization::memory::{Ingredients, Memory};
use crate::organization::progress::Progress;

/// Everything that a decision may depend on.
#[derive(Clone, Debug)]
pub struct View {
    pub now: Timestamp,
    /// When this process began, by the wall clock of now.
    pub process_began: Timestamp,
    /// This operator, and which others are gone.
    pub operators: Operators,
    pub object: ObjectFacts,
    pub declared: OrganizationSpec,
    pub stored: OrganizationStatus,
    /// Resource version of the credential Secret, if it exists.
    pub secret_version: Option<String>,
    /// How many Workspaces name this Organization.
    pub users: usize,
    /// When a reconcile over a Workspace last asked for the list before its time.
    pub list_wanted_at: Option<Uptime>,
    /// What reconciles over Workspaces go by.
    pub published: Published,
    pub memory: Memory,
    pub progress: Progress,
}

impl View {
    /// Now, by the time of the process.
    pub fn uptime(&self) -> Uptime {
        Uptime::at(self.now, self.process_began)
    }

    /// What our wall clock shows at that time of the process.
    pub fn by_the_wall_clock(&self, at: Uptime) -> Timestamp {
        at.by_the_wall_clock(self.process_began)
    }

    /// What a client has to be made of now.
    pub fn ingredients(&self) -> Ingredients {
        Ingredients::new(&self.declared, self.secret_version.clone())
    }

    /// Whether the reconcile-request annotation has a value that no reconcile has handled: by the status, or, if that could
    /// not be written, by our memory.
    pub fn is_reconcile_requested(&self) -> bool {
        let requested = &self.object.reconcile_at;
        requested.is_some()
            && *requested != self.stored.last_handled_reconcile_at
            && *requested != self.memory.listed_for
    }
}

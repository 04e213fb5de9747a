//! What the stores know about an Organization, and what its Workspaces know of it.

use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::Reason;
use crate::domain::server_time::ServerTime;
use crate::domain::time::Uptime;
use crate::domain::verification::{Missing, Verification};

/// The Organization object, apart from spec and status.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectFacts {
    pub uid: Uid,
    pub generation: i64,
    pub deletion: Deletion,
    pub finalizer: Finalizer,
    /// Value of the reconcile-request annotation.
    pub reconcile_at: Option<String>,
    /// Value of the annotation that confirms how many missing workspaces were really deleted.
    pub confirm_missing: Option<usize>,
}

/// What reconciles over Workspaces go by, beside the client, the rate limiter and the list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Published {
    pub verification: Verification,
    pub missing: Missing,
    /// Grows whenever something that Workspaces wait for may have changed.
    pub revision: u64,
    /// When it last was ready again, having not been. It allows an attempt before its time, and renews no budget.
    pub recovered_at: Option<Uptime>,
    /// The Ready reason at that time.
    pub reason: Option<Reason>,
    /// Where the client sends its calls: after a change of spec the old one, until a client for the new one is published.
    pub endpoint: Option<String>,
    /// The server's time, once an answer told it.
    pub server_time: Option<ServerTime>,
}

/// Of an Organization that was not reconciled yet.
impl Default for Published {
    fn default() -> Self {
        Self {
            verification: Verification::Pending {
                why: "its credential is being verified".to_owned(),
            },
            missing: Missing::Few,
            revision: 0,
            recovered_at: None,
            reason: None,
            endpoint: None,
            server_time: None,
        }
    }
}

impl Published {
    /// The organization that it was verified to be.
    pub fn verified(&self) -> Option<&OrganizationId> {
        self.verification.verified()
    }
}

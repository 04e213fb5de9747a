//! All that is known about one Organization at one instant, and what the process remembers of it. Plain values: rules
//! read them, outcomes are folded into them.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::crd::organization::{OrganizationSpec, OrganizationStatus};
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::Reason;
use crate::domain::remote::{ListedWorkspace, TokenPath};
use crate::domain::time::later;
use crate::domain::verification::{Missing, Verification};
use crate::limits::{Backoff, CLOCK_SLACK};
use crate::organization::judge::{Credential, Facts, Judgement, Listing, NoClient, judge};
use crate::organization::snapshot::Snapshot;

/// However many want a list before its time, and however it failed, lists are at least this far apart; only a request
/// for a reconcile is not held up by it.
pub const LISTS_APART: Duration = Duration::from_secs(15);

/// Everything that a decision may depend on.
#[derive(Clone, Debug)]
pub struct View {
    pub now: Timestamp,
    pub object: ObjectFacts,
    pub declared: OrganizationSpec,
    pub stored: OrganizationStatus,
    /// Resource version of the credential Secret, where there is one.
    pub secret_version: Option<String>,
    /// How many Workspaces name this Organization.
    pub users: usize,
    /// When a reconcile over a Workspace last wanted the list taken before its time.
    pub list_wanted_at: Option<Timestamp>,
    /// What reconciles over Workspaces go by.
    pub published: Published,
    pub memory: Memory,
    pub progress: Progress,
}

/// The Organization object, apart from spec and status.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectFacts {
    pub uid: Uid,
    pub generation: i64,
    pub deletion: Deletion,
    pub finalizer: Finalizer,
    /// Value of the reconcile-request annotation.
    pub reconcile_at: Option<String>,
    /// How many workspaces somebody says have truly vanished.
    pub confirm_missing: Option<usize>,
}

/// What reconciles over Workspaces go by, beside the client, the pace and the list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Published {
    pub verification: Verification,
    pub vanishing: Missing,
    /// Grows whenever what Workspaces wait for may have changed.
    pub revision: u64,
    pub reason: Option<Reason>,
    /// Where the client sends its calls: with another one in spec, tokens are of this one until it is published.
    pub endpoint: Option<String>,
}

/// As it is of an Organization that no reconcile was made over yet.
impl Default for Published {
    fn default() -> Self {
        Self {
            verification: Verification::Pending {
                why: "its credential is being verified".to_owned(),
            },
            vanishing: Missing::Few,
            revision: 0,
            reason: None,
            endpoint: None,
        }
    }
}

impl Published {
    /// The organization that it was verified to be.
    pub fn verified(&self) -> Option<&OrganizationId> {
        match &self.verification {
            Verification::Verified(id) => Some(id),
            Verification::Pending { .. } | Verification::Changed { .. } => None,
        }
    }
}

/// What is kept of an Organization between its reconciles. Losing it costs an exchange and a list, never correctness.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// What the client at hand was made of, or the last attempt at one.
    pub made_of: Option<Ingredients>,
    /// The organization that the client names with every call.
    pub names: Option<OrganizationId>,
    pub credential: Credential,
    /// When it was last exchanged, whatever came of it.
    pub exchanged_at: Option<Timestamp>,
    pub listing: Listing,
    /// When the last list was begun, however it ended.
    pub listed_at: Option<Timestamp>,
    /// The request for a reconcile that the last list answered.
    pub listed_for: Option<String>,
    /// The generation that was published last.
    pub generation: Option<i64>,
    pub backoff: Backoff,
}

impl Memory {
    /// Time passes. Where the clock was set back, what was done ahead of it is due again: nobody waits for the lost time.
    pub fn tick(&mut self, now: Timestamp) {
        self.backoff.tick(now);
        let is_past = |at: &Timestamp| *at <= later(now, CLOCK_SLACK);
        self.listed_at = self.listed_at.filter(is_past);
        self.exchanged_at = self.exchanged_at.filter(is_past);
    }
}

/// What a client is made of: it is made anew when one of these changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ingredients {
    pub endpoint: String,
    token_path: TokenPath,
    ca_bundle: Option<String>,
    declared: Option<OrganizationId>,
    secret: String,
    secret_version: Option<String>,
}

/// What this reconcile has done and found out so far.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    pub finalizer: Attempt,
    pub client: Attempt,
    pub exchange: Exchange,
    pub list: List,
    /// Until when the store may take to see our own writes before a list is compared, and when it is looked at again.
    pub records_awaited_until: Option<Timestamp>,
    pub records_again_at: Option<Timestamp>,
    pub naming: Attempt,
    pub publication: Attempt,
    pub status: Attempt,
    /// A new list that reconciles over Workspaces do not have yet, and the objects that differ from it.
    pub unpublished: Option<Arc<Snapshot>>,
    pub differing: BTreeSet<Uid>,
    /// Something failed that is tried again when back-off allows.
    pub failed: bool,
    /// Until when Agent Engine is left alone, because the organization's pace has no turn before.
    pub gives_way_until: Option<Timestamp>,
    /// Until when nobody gets a turn, because Agent Engine said so.
    pub paused_until: Option<Timestamp>,
    /// Its name is another Organization's by now.
    pub vanished: bool,
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
    /// Refused to the organization that was named; whose the credential is was not asked yet.
    Refused,
    Over,
}

/// How far the shared list got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum List {
    #[default]
    NotBegun,
    /// There are more pages.
    Partial {
        begun_at: Timestamp,
        rows: Vec<ListedWorkspace>,
    },
    /// All pages are there.
    Complete {
        begun_at: Timestamp,
        rows: Vec<ListedWorkspace>,
    },
    Over,
}

impl View {
    /// What a client is to be made of now.
    pub fn ingredients(&self) -> Ingredients {
        let spec = &self.declared;
        Ingredients {
            endpoint: spec.endpoint().to_owned(),
            token_path: spec.token_path(),
            ca_bundle: spec.ca_bundle.clone(),
            declared: spec.organization_id.clone(),
            secret: spec.credentials_secret_ref.name.clone(),
            secret_version: self.secret_version.clone(),
        }
    }

    /// What is so.
    pub fn judgement(&self) -> Judgement {
        let facts = Facts {
            generation: self.object.generation,
            reconcile_at: self.object.reconcile_at.as_deref(),
            spec: &self.declared,
            stored: &self.stored,
            credential: &self.memory.credential,
            listing: &self.memory.listing,
            users: (self.object.deletion == Deletion::Requested).then_some(self.users),
        };
        judge(&facts, self.now)
    }

    /// Whether the credential works, as far as is known.
    pub fn is_accepted(&self) -> bool {
        match self.memory.credential {
            Credential::Accepted { .. } => true,
            Credential::NoClient(_) | Credential::Unasked | Credential::Refused(_) => false,
        }
    }

    /// Whether there is a list to take: not with a credential that does not work, and none of an organization that this
    /// is not.
    pub fn is_listable(&self) -> bool {
        let elsewhere = matches!(self.judgement().verification, Verification::Changed { .. });
        self.is_accepted() && !elsewhere
    }

    /// Whether something is wrong that only asking Agent Engine again can mend.
    pub fn is_failing(&self) -> bool {
        match &self.memory.credential {
            Credential::Refused(_) | Credential::NoClient(NoClient::Unread { .. }) => true,
            Credential::NoClient(NoClient::Missing { .. } | NoClient::Unusable { .. }) => false,
            Credential::Unasked | Credential::Accepted { .. } => self.memory.listing.failure.is_some(),
        }
    }

    /// Until when Agent Engine is left alone: after a failure, while it says so, or while it is not our turn.
    pub fn rests_until(&self) -> Option<Timestamp> {
        let rests = [
            self.memory.backoff.not_before(self.cause()),
            self.progress.gives_way_until,
            self.progress.paused_until,
        ];
        rests.into_iter().flatten().max().filter(|at| *at > self.now)
    }

    /// When the next list is due, apart from requests for a reconcile; at once where there was none yet.
    pub fn list_due_at(&self) -> Timestamp {
        let Some(listed_at) = self.memory.listed_at else {
            return self.now;
        };
        let hurried = self.memory.listing.failure.is_some() || self.is_list_wanted();
        let interval = self.declared.poll_interval();
        later(
            listed_at,
            if hurried {
                interval.min(LISTS_APART)
            } else {
                interval
            },
        )
    }

    /// Whether somebody wants the list before its time: a reconcile over a Workspace since the last one was begun, or who
    /// says that what vanished has truly gone.
    fn is_list_wanted(&self) -> bool {
        // What was wanted ahead of a clock that was set back has long had its list.
        let wanted_at = self
            .list_wanted_at
            .filter(|at| *at <= later(self.now, CLOCK_SLACK));
        let by_a_pass = wanted_at > self.memory.listed_at;
        let whole = self.memory.listing.whole.as_ref();
        let by_belief = whole.is_some_and(|whole| {
            whole.vanishing == Missing::Many && self.object.confirm_missing == Some(whole.missing)
        });
        by_a_pass || by_belief
    }

    /// Whether a reconcile was asked for that was not made yet: as the status says, or, where it could not be written, as we
    /// remember.
    pub fn is_asked(&self) -> bool {
        let asked = &self.object.reconcile_at;
        asked.is_some() && *asked != self.stored.last_handled_reconcile_at && *asked != self.memory.listed_for
    }

    /// A fingerprint of what a failed attempt depended on: when it changes, back-off starts anew.
    pub fn cause(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.object.generation.hash(&mut hasher);
        self.object.reconcile_at.hash(&mut hasher);
        self.secret_version.hash(&mut hasher);
        hasher.finish()
    }
}

//! Facts about one workspace that stores know: the object, its Organization, its Secrets, the shared list.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::crd::organization::Defaults;
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::remote::RemoteWorkspace;
use crate::domain::server_time::ServerTime;
use crate::domain::time::Uptime;
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::schedule::TokenTimes;
use crate::tenancy::{Access, Claimant};

/// The Workspace object, apart from spec and status.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectFacts {
    pub uid: Uid,
    pub namespace: String,
    pub name: String,
    pub created: Timestamp,
    pub generation: i64,
    pub deletion: Deletion,
    pub finalizer: Finalizer,
    /// Value of the reconcile-request annotation.
    pub reconcile_at: Option<String>,
    /// Value of the recreate annotation: the id that may be replaced.
    pub recreate: Option<WorkspaceId>,
}

impl ObjectFacts {
    /// Whether its deletion was requested and our finalizer is off: it claims nothing, and nothing is done for it.
    pub fn is_let_go(&self) -> bool {
        self.deletion == Deletion::Requested && self.finalizer == Finalizer::Absent
    }

    /// The object as the claims table knows it.
    pub fn claimant(&self) -> Claimant {
        Claimant {
            uid: self.uid.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            created: self.created,
        }
    }
}

/// What is known of the Organization that the object names.
#[derive(Clone, Debug)]
pub enum OrganizationFacts {
    /// The searched namespace has no Organization of that name.
    NotFound {
        name: String,
        searched: String,
    },
    /// In the store, but not decodable. Withdraws no grant.
    Unreadable {
        name: String,
    },
    Readable(ReadableOrganization),
}

/// An Organization whose spec was decoded.
#[derive(Clone, Debug)]
pub struct ReadableOrganization {
    pub name: String,
    pub uid: Uid,
    pub access: Access,
    pub defaults: Defaults,
    pub api_url: String,
    pub verification: Verification,
    pub missing: Missing,
    /// Grows with every change that a waiting Workspace may depend on. Another incarnation begins at zero.
    pub revision: u64,
    /// When Agent Engine last answered it again, having failed.
    pub recovered_at: Option<Uptime>,
    /// The server's time, once an answer told it: marks on Secrets are of it.
    pub server_time: Option<ServerTime>,
}

/// What the shared list says about the recorded workspace. A difference in it only schedules a GET by id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListEntry {
    /// When the page that had (or would have had) the row was requested.
    pub requested_at: Timestamp,
    /// `None` if the list lacks the workspace.
    pub row: Option<RemoteWorkspace>,
    /// When the first page of the list was requested.
    pub begun_at: Timestamp,
    /// Whether the list has another workspace of exactly its name.
    pub name_is_shared: bool,
    /// How many workspaces the list has. One that has none shows nothing of any: it may hide them all.
    pub length: usize,
}

impl ListEntry {
    /// Whether the recorded workspace has this name in the list, and no other one has.
    pub fn shows_alone(&self, name: &WorkspaceName) -> bool {
        self.has_name(name) && !self.name_is_shared
    }

    /// Whether the recorded workspace and another one have this name in the list.
    pub fn shows_shared(&self, name: &WorkspaceName) -> bool {
        self.has_name(name) && self.name_is_shared
    }

    fn has_name(&self, name: &WorkspaceName) -> bool {
        self.row.as_ref().is_some_and(|row| row.name == *name)
    }
}

/// The Secrets around the object.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Under the declared name, as the store has it.
    pub target: Option<SecretFacts>,
    /// Controlled by our uid under other names.
    pub others: Vec<SecretFacts>,
}

/// A Secret without its token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretFacts {
    pub name: String,
    pub resource_version: String,
    pub ownership: Ownership,
    pub content: Content,
    /// `None` if the marks are missing or do not parse.
    pub times: Option<TokenTimes>,
    pub patchable: Patchable,
    /// Labels and annotations as [`kept_value`] shortens them, without our own annotations.
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub kept: Kept,
    /// The mark of the labels and annotations that our last write asked for.
    pub decoration_mark: Option<u64>,
}

/// Whether a patch can change a Secret's content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patchable {
    Yes,
    /// It is immutable, of another type, or the API server refused the change of its content.
    No,
}

/// Whether all labels and annotations of a Secret are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    All,
    /// There are too many: one that is not known may be there.
    Part,
}

/// A label or an annotation.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Key {
    Label(String),
    Annotation(String),
}

/// Labels and annotations that differ from what is asked for, with the value that is there instead.
pub type Differing = BTreeMap<Key, Option<String>>;

/// The longest value of a label or an annotation that is kept as it is.
const LONGEST_KEPT_VALUE: usize = 64;

/// A value as it is kept and compared: a long one by its digest.
pub fn kept_value(value: &str) -> Cow<'_, str> {
    if value.len() <= LONGEST_KEPT_VALUE {
        return Cow::Borrowed(value);
    }
    let digest = Sha256::digest(value);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Cow::Owned(format!("sha256:{hex}"))
}

/// Whose a Secret is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ownership {
    /// Controlled by our uid.
    Ours,
    /// It has no controller, and our label names this object: the operator takes it over and replaces its token.
    Orphaned,
    Foreign,
}

/// What the Secret holds beside the token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// The fingerprint of the content equals the marked one.
    Whole(SecretContent),
    /// Keys are missing or edited.
    Damaged,
}

/// The Secret's keys beside the token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretContent {
    pub workspace_id: WorkspaceId,
    pub workspace_name: WorkspaceName,
    pub organization_id: OrganizationId,
    pub api_url: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::remote::{RemoteState, WorkspaceState};

    fn listed(name: Option<&str>, name_is_shared: bool) -> ListEntry {
        ListEntry {
            requested_at: Timestamp::UNIX_EPOCH,
            begun_at: Timestamp::UNIX_EPOCH,
            row: name.map(|name| RemoteWorkspace {
                id: "ws-1".into(),
                name: name.into(),
                organization_id: None,
                state: RemoteState::Known(WorkspaceState::Active),
                tombstone: false,
                created_at: None,
            }),
            name_is_shared,
            length: 2,
        }
    }

    #[test]
    fn a_list_shows_a_name_for_one_workspace_for_several_or_not() {
        for (entry, alone, shared) in [
            (listed(Some("acme"), false), true, false),
            (listed(Some("acme"), true), false, true),
            (listed(Some("zenith"), false), false, false),
            (listed(Some("zenith"), true), false, false),
            (listed(None, false), false, false),
        ] {
            assert_eq!(entry.shows_alone(&"acme".into()), alone, "{entry:?}");
            assert_eq!(entry.shows_shared(&"acme".into()), shared, "{entry:?}");
        }
    }
}

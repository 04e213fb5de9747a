//! What the process remembers of an Organization between its reconciles. Losing it costs an exchange and a list, never
//! correctness.

use std::fmt;

use sha2::{Digest, Sha256};
use strum::IntoStaticStr;

use crate::crd::organization::{OrganizationSpec, WorkspaceCounts};
use crate::domain::ids::OrganizationId;
use crate::domain::remote::Failure;
use crate::domain::remote::TokenPath;
use crate::domain::server_time::ServerTime;
use crate::domain::time::Uptime;
use crate::domain::verification::Missing;
use crate::limits::Backoff;

/// What is kept between reconciles.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// What the client at hand was made of, or the last attempt at one.
    pub made_of: Option<Ingredients>,
    /// The keys that the client at hand was made of, or the last one before the Secret could not be read.
    pub keys: Option<KeysDigest>,
    /// The organization that the client names with every call.
    pub names: Option<OrganizationId>,
    pub credential: Credential,
    /// When the credential was last exchanged, whether that succeeded or not.
    pub exchanged_at: Option<Uptime>,
    pub listing: Listing,
    /// When the last list was begun, however it ended.
    pub listed_at: Option<Uptime>,
    /// The reconcile request that the last list was taken for, however it ended.
    pub listed_for: Option<String>,
    /// The reconcile request that the last complete list answered.
    pub answered: Option<String>,
    /// The generation that was published last.
    pub generation: Option<i64>,
    pub backoff: Backoff,
    pub server_time: Option<ServerTime>,
    /// When a status with the rate was last written.
    pub rate_written_at: Option<Uptime>,
}

/// What a client is made of. If one of these changes, another client is made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ingredients {
    pub endpoint: String,
    token_path: TokenPath,
    ca_bundle: Option<String>,
    declared: Option<OrganizationId>,
    secret: String,
    secret_version: Option<String>,
}

impl Ingredients {
    /// As declared, with the credential Secret as it is.
    pub fn new(spec: &OrganizationSpec, secret_version: Option<String>) -> Self {
        Self {
            endpoint: spec.endpoint().to_owned(),
            token_path: spec.token_path(),
            ca_bundle: spec.ca_bundle.clone(),
            declared: spec.organization_id.clone(),
            secret: spec.credentials_secret_ref.name.clone(),
            secret_version,
        }
    }

    /// Whether it is the same but for the version of the Secret: then the keys decide whether the client is.
    pub fn is_same_but_for_the_secret(&self, other: &Self) -> bool {
        let of_this_version = Self {
            secret_version: other.secret_version.clone(),
            ..self.clone()
        };
        of_this_version == *other && other.secret_version.is_some()
    }
}

/// A digest of the two keys of a credential: it tells whether they changed. Held in memory only, and never shown.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct KeysDigest([u8; 32]);

impl KeysDigest {
    pub fn of(client_id: &str, client_secret: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(client_id.len().to_be_bytes());
        digest.update(client_id);
        digest.update(client_secret);
        Self(digest.finalize().into())
    }
}

impl fmt::Debug for KeysDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeysDigest(..)")
    }
}

/// How far the credential got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Credential {
    /// There is no client to ask with.
    NoClient(NoClient),
    /// It was not exchanged yet.
    #[default]
    NotExchanged,
    /// The exchange for an application token failed.
    Refused(Failure),
    /// It works. The answer may name its organization.
    Accepted { organization_id: Option<OrganizationId> },
}

/// Why there is no client.
#[derive(Clone, Debug, Eq, IntoStaticStr, PartialEq)]
pub enum NoClient {
    /// The Secret, or a key of it, is missing. `what` says which.
    Missing { what: String },
    /// The Secret could not be read; whether it exists is not known.
    Unread { why: String },
    /// The spec cannot be used as it is.
    Unusable { why: String },
}

/// How the shared list stands. A list that fails takes nothing back of what the last complete one said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listing {
    pub complete: Option<CompleteList>,
    /// Why the latest one failed.
    pub failure: Option<Failure>,
}

/// What the last complete list said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CompleteList {
    /// The organization that its rows name, if they agree.
    pub organization_id: Option<OrganizationId>,
    pub missing: Missing,
    pub missing_count: usize,
    pub counts: WorkspaceCounts,
}

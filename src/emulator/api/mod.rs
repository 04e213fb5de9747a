//! Agent Engine without a network: plain state, and answers to plain requests at a given time. No clock and no socket; all ids and
//! tokens follow from its seed.

mod access;
mod beside;
mod connectors;
mod create;
mod input;
mod issue;
mod list;
mod names;
pub mod organization;
mod refusal;
mod tokens;
mod workspaces;

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

pub use self::access::Principal;
use self::organization::{DEFAULT_WORKSPACE, Organization, Row, Status, Workspace};
use self::refusal::Outcome;
pub use self::refusal::Refusal;
use self::tokens::TokenIssuer;
use crate::emulator::knobs::{CacheEnabled, Knobs};
use crate::emulator::operation::{Family, Operation};

/// A call without its HTTP.
#[derive(Clone, Debug)]
pub struct Request {
    pub operation: Operation,
    pub family: Family,
    /// The id in the path, where there is one.
    pub id: Option<String>,
    pub query: Vec<(String, String)>,
    /// The whole `Authorization` header.
    pub authorization: Option<String>,
    pub organization: Option<String>,
    pub body: Body,
    /// `http://host:port` as the client sees it.
    pub origin: String,
    pub arrival: Arrival,
    pub tampering: Tampering,
}

/// A body as the service takes it: it reads none as JSON that does not say that it is JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    Absent,
    Json(Vec<u8>),
    /// Of another content type, or of none.
    Foreign,
}

/// What a search by name found when the call arrived.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival {
    NameFree,
    NameTaken,
    /// The call did not search at its arrival.
    Unseen,
}

/// What a fault does to the token that a call issues.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Tampering {
    #[default]
    None,
    /// A token of this workspace instead.
    TokenOf(String),
    /// A token that lives this many seconds.
    Lifetime(i64),
}

/// A successful answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// The result of a call, and what the journal notes about it.
#[derive(Clone, Debug)]
pub struct Reply {
    pub result: Result<Answer, Refusal>,
    pub principal: Principal,
    pub organization_id: Option<String>,
    pub workspace_id: Option<String>,
    /// Set when calls are limited: the limit, what is left, and the seconds until there is more.
    pub allowance: Option<Allowance>,
}

/// What is left of an organization's calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Allowance {
    pub limit: u64,
    pub left: u64,
    pub seconds: u64,
}

/// A pair of credentials.
#[derive(Clone, Debug)]
pub struct Credential {
    pub client_id: String,
    pub client_secret: String,
    /// Counts the secrets it has had.
    pub generation: u64,
    pub organizations: Vec<String>,
}

/// All organizations, credentials and tokens.
#[derive(Clone)]
pub struct World {
    pub organizations: Vec<Organization>,
    pub credentials: Vec<Credential>,
    issuer: TokenIssuer,
    namespace: Uuid,
    made: u64,
    recent: HashMap<String, VecDeque<Timestamp>>,
    /// Deletions under way: when each ends, and of which workspace.
    deletions: Vec<(Timestamp, String)>,
}

/// A call in its circumstances.
#[derive(Clone, Copy)]
struct Call<'a> {
    request: &'a Request,
    knobs: &'a Knobs,
    now: Timestamp,
}

/// What was learned about a call, for the journal even if the call is refused later.
#[derive(Debug, Default)]
struct Trace {
    principal: Principal,
    organization_id: Option<String>,
    workspace_id: Option<String>,
    allowance: Option<Allowance>,
}

impl World {
    /// Empty; all ids and tokens follow from `seed`.
    pub fn new(seed: Uuid, canary: Option<String>) -> Self {
        Self {
            organizations: Vec::new(),
            credentials: Vec::new(),
            issuer: TokenIssuer::new(seed.as_bytes(), canary),
            namespace: seed,
            made: 0,
            recent: HashMap::new(),
            deletions: Vec::new(),
        }
    }

    /// Adds an organization with its `default` workspace; one that is there already stays as it is.
    pub fn found(&mut self, id: &str, now: Timestamp) {
        if self.organization(id).is_none() {
            let mut organization = Organization::new(id.to_owned());
            organization.add(Workspace::settled(self.row(id, DEFAULT_WORKSPACE, now), now));
            self.organizations.push(organization);
        }
    }

    /// The workspace that a scoped token was issued for, whatever a call with it would be answered now.
    pub fn opens(&self, token: &str) -> Option<String> {
        self.issuer.workspace(token)
    }

    pub fn organization(&self, id: &str) -> Option<&Organization> {
        self.organizations
            .iter()
            .find(|organization| organization.id == id)
    }

    pub fn organization_mut(&mut self, id: &str) -> Option<&mut Organization> {
        self.organizations
            .iter_mut()
            .find(|organization| organization.id == id)
    }

    /// The next identity.
    pub fn next_id(&mut self) -> String {
        self.made += 1;
        // Looks like version 4, as the real ones are.
        let bytes = *Uuid::new_v5(&self.namespace, &self.made.to_be_bytes()).as_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// The row of a new workspace.
    pub fn row(&mut self, organization_id: &str, name: &str, now: Timestamp) -> Row {
        Row {
            id: self.next_id(),
            name: name.to_owned(),
            organization_id: organization_id.to_owned(),
            status: Status::Active,
            cache_enabled: None,
            tombstone: false,
            created_at: now,
            updated_at: now,
        }
    }

    /// Deletes a workspace at a later time; the first time that was set stands.
    pub fn delete_later(&mut self, id: &str, at: Timestamp) {
        if self.deletions.iter().all(|(_, doomed)| doomed != id) {
            self.deletions.push((at, id.to_owned()));
        }
    }

    /// Carries out the deletions that are due.
    pub fn settle(&mut self, now: Timestamp) {
        let (over, under_way) = self.deletions.drain(..).partition(|(at, _)| *at <= now);
        self.deletions = under_way;
        let over: Vec<(Timestamp, String)> = over;
        for (at, id) in over {
            let found = self
                .organizations
                .iter_mut()
                .find_map(|organization| organization.find_mut(&id));
            if let Some(workspace) = found {
                workspace.delete(at);
            }
        }
    }

    /// Answers a call.
    pub fn answer(&mut self, request: &Request, knobs: &Knobs, now: Timestamp) -> Reply {
        self.settle(now);
        let call = Call { request, knobs, now };
        let mut trace = Trace::default();
        let result = input::decoded(request).and_then(|()| self.perform(&call, &mut trace));
        let Trace {
            principal,
            organization_id,
            workspace_id,
            allowance,
        } = trace;
        let result = result.map(|(status, body)| Answer { status, body });
        Reply {
            result,
            principal,
            organization_id,
            workspace_id,
            allowance,
        }
    }

    fn perform(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        match call.request.operation {
            Operation::T1 => self.application_token(call, trace),
            Operation::T2 => self.scoped_token(call, trace),
            Operation::T3 => self.token_info(call, trace),
            Operation::T4 => self.widget_token(call, trace),
            Operation::W1 => self.list(call, trace),
            Operation::W2 => self.stats(call, trace),
            Operation::W3 => self.get(call, trace),
            Operation::W4 => self.put(call, trace),
            Operation::W5 => self.delete(call, trace),
            Operation::C1 => self.connectors(call, trace),
            Operation::C2 => self.delete_connector(call, trace),
            Operation::C3 => self.definitions(call, trace),
            Operation::X1 => self.enrollment(call, trace),
            Operation::X2 => self.my_organizations(call, trace),
            Operation::X3 => self.my_credentials(call, trace),
            Operation::X4 => self.workflows(call, trace),
        }
    }
}

/// `cache_enabled` of a new workspace.
fn new_cache(knobs: &Knobs) -> Option<bool> {
    match knobs.cache_enabled_new {
        CacheEnabled::Null => None,
        CacheEnabled::True => Some(true),
        CacheEnabled::False => Some(false),
    }
}

//! What may be done about an Organization, and what may come of it. The core names effects; it performs none.

use std::collections::BTreeSet;
use std::sync::Arc;

use strum::IntoStaticStr;

use crate::crd::organization::OrganizationStatus;
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::remote::{Answer, Answered, Page};
use crate::limits::Lane;
use crate::organization::facts::Published;
use crate::organization::memory::{KeysDigest, NoClient};
use crate::organization::snapshot::{Managed, Snapshot};

/// One thing to do: in the cluster and in this process, or at Agent Engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Cluster(ClusterEffect),
    Engine(EngineCall),
}

/// A request to the Kubernetes API, or a change of what this process holds. Every write carries the resource version that
/// it was decided on.
#[derive(Clone, Debug, IntoStaticStr, PartialEq)]
pub enum ClusterEffect {
    AddFinalizer,
    RemoveFinalizer,
    /// Read the credential Secret and make a client of it, which names this organization with every call, if any. The client
    /// at hand is kept if the Secret still holds these keys.
    Connect {
        naming: Option<OrganizationId>,
        keys: Option<KeysDigest>,
    },
    /// Let the client name this organization from now on.
    NameOrganization(OrganizationId),
    /// Gather what the objects of this Organization record of their workspaces, as it is now.
    ReadRecords,
    /// Let reconciles over Workspaces see this and the client, at one instant, and wake those whom it concerns.
    Publish(Box<Publication>),
    WriteStatus(Box<OrganizationStatus>),
}

/// A call to Agent Engine. It needs a permit of the rate limiter.
#[derive(Clone, Copy, Debug, Eq, IntoStaticStr, PartialEq)]
pub enum EngineCall {
    /// Exchange the credential for an application token.
    Exchange,
    /// The same with a client that names no organization, to learn to which one the credential belongs.
    ExchangeUnnamed,
    /// Read a page of the shared list: the first, or the one after the last that was read.
    List(Part),
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    First,
    Next,
}

/// What reconciles over Workspaces are to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    pub published: Published,
    /// A new list. Nothing if they keep the one at hand.
    pub snapshot: Option<Arc<Snapshot>>,
    pub wake: Wake,
}

/// Which Workspaces are woken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wake {
    Nobody,
    These(BTreeSet<Uid>),
    /// All that name the Organization.
    Everybody,
}

/// What objects record, as the store has it.
#[derive(Clone, Debug, Default)]
pub struct Records {
    pub managed: Vec<Managed>,
    /// Of how many of the objects the store has not seen our own last write yet.
    pub behind: usize,
}

/// What came of an effect, in the same two families.
#[derive(Clone, Debug)]
pub enum Outcome {
    Cluster(ClusterOutcome),
    Engine(EngineAnswer),
}

/// What came of a request to the Kubernetes API, or of a change within this process.
#[derive(Clone, Debug, IntoStaticStr)]
pub enum ClusterOutcome {
    /// Carried out: a write, a publication, a naming.
    Done,
    /// Not carried out; the log says why. A conflict is one of these: the newer object begins a reconcile of its own.
    NotDone,
    Client(Result<Connected, NoClient>),
    Records(Records),
}

/// The client after a read of the credential Secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Connected {
    /// Another client was made, of these keys.
    New(KeysDigest),
    /// The keys are those of the client at hand.
    Same,
}

/// What Agent Engine answered.
#[derive(Clone, Debug)]
pub enum EngineAnswer {
    /// With the organization that the answer names, if it does.
    Exchanged(Answer<Option<OrganizationId>>),
    /// The same, of the keys that the Secret held then. None: it could not be read.
    ExchangedUnnamed {
        keys: Option<KeysDigest>,
        answer: Answer<Option<OrganizationId>>,
    },
    Listed(Answer<Page>),
}

impl From<ClusterEffect> for Effect {
    fn from(effect: ClusterEffect) -> Self {
        Self::Cluster(effect)
    }
}

impl From<EngineCall> for Effect {
    fn from(call: EngineCall) -> Self {
        Self::Engine(call)
    }
}

impl Effect {
    /// Name for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Effect::Cluster(effect) => effect.into(),
            Effect::Engine(call) => call.into(),
        }
    }

    /// The lane of the rate limiter in which it asks for a permit. Nothing if it needs none.
    pub fn lane(&self) -> Option<Lane> {
        match self {
            Effect::Cluster(_) => None,
            Effect::Engine(call) => Some(call.lane()),
        }
    }
}

impl EngineCall {
    /// Without an application token no token is renewed and nothing is deleted, so an exchange shares the part of the rate
    /// that is kept for those.
    pub fn lane(self) -> Lane {
        match self {
            EngineCall::Exchange | EngineCall::ExchangeUnnamed => Lane::Refresh,
            EngineCall::List(_) => Lane::Other,
        }
    }
}

impl EngineAnswer {
    /// How many requests it took and whether it failed, whatever the call was.
    pub fn answered(&self) -> Answered<'_> {
        match self {
            EngineAnswer::Exchanged(answer) | EngineAnswer::ExchangedUnnamed { answer, .. } => answer.into(),
            EngineAnswer::Listed(answer) => answer.into(),
        }
    }
}

impl Outcome {
    /// The answer of Agent Engine, if the effect was a call to it.
    pub fn answered(&self) -> Option<Answered<'_>> {
        match self {
            Outcome::Cluster(_) => None,
            Outcome::Engine(answer) => Some(answer.answered()),
        }
    }

    /// What came of it in a word, for logs.
    pub fn summary(&self) -> &'static str {
        match self {
            Outcome::Cluster(ClusterOutcome::Client(Err(none))) => none.into(),
            Outcome::Cluster(outcome) => outcome.into(),
            Outcome::Engine(answer) => answer
                .answered()
                .failure
                .map_or("Answered", |failure| failure.class.as_str()),
        }
    }
}

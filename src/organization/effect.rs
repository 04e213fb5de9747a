//! What may be done about an Organization, and what may come of it. The core names effects; it performs none.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::crd::organization::OrganizationStatus;
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::remote::{Answer, Answered, Page};
use crate::limits::Lane;
use crate::organization::judge::NoClient;
use crate::organization::snapshot::{Managed, Snapshot};
use crate::organization::view::Published;

/// One thing to do. Every write carries the resource version that it was decided on.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    AddFinalizer,
    RemoveFinalizer,
    /// Read the credential Secret and make a client of it, which names this organization with every call, if any.
    Connect {
        naming: Option<OrganizationId>,
    },
    /// Exchange the credential for an application token.
    Exchange,
    /// The same with a client that names no organization, to learn whose the credential is.
    ExchangeUnnamed,
    /// Let the client name this organization from now on.
    NameOrganization(OrganizationId),
    /// Read a page of the shared list: the first, or the one after the last that was read.
    List(Part),
    /// Gather what the objects of this Organization record of their workspaces, as it is now.
    ReadRecords,
    /// Let reconciles over Workspaces see this and the client, at one instant, and wake whom it concerns.
    Publish(Box<Publication>),
    WriteStatus(Box<OrganizationStatus>),
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
    /// A new list. Nothing where the one at hand stays.
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
    /// To how many of the objects the store has not seen our own last write yet.
    pub behind: usize,
}

/// What came of an effect.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Carried out: a write, a publication, a naming.
    Done,
    /// Not carried out; why is in the log. A conflict is one of these: the newer object begins a reconcile of its own.
    NotDone,
    Client(Result<(), NoClient>),
    /// With the organization that the answer names, if it does.
    Exchanged(Answer<Option<OrganizationId>>),
    Listed(Answer<Page>),
    Records(Records),
}

impl Effect {
    /// The lane in which a call to Agent Engine takes its turn. Nothing for what is none. Without an application token
    /// nothing is renewed or deleted, so an exchange shares the part that is kept for those.
    pub fn lane(&self) -> Option<Lane> {
        match self {
            Effect::Exchange | Effect::ExchangeUnnamed => Some(Lane::Refresh),
            Effect::List(_) => Some(Lane::Other),
            Effect::AddFinalizer
            | Effect::RemoveFinalizer
            | Effect::Connect { .. }
            | Effect::NameOrganization(_)
            | Effect::ReadRecords
            | Effect::Publish(_)
            | Effect::WriteStatus(_) => None,
        }
    }

    /// Name for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Effect::AddFinalizer => "AddFinalizer",
            Effect::RemoveFinalizer => "RemoveFinalizer",
            Effect::Connect { .. } => "Connect",
            Effect::Exchange => "Exchange",
            Effect::ExchangeUnnamed => "ExchangeUnnamed",
            Effect::NameOrganization(_) => "NameOrganization",
            Effect::List(_) => "List",
            Effect::ReadRecords => "ReadRecords",
            Effect::Publish(_) => "Publish",
            Effect::WriteStatus(_) => "WriteStatus",
        }
    }
}

impl Outcome {
    /// Nothing where Agent Engine was not asked.
    pub fn answered(&self) -> Option<Answered<'_>> {
        match self {
            Outcome::Exchanged(answer) => Some(answer.into()),
            Outcome::Listed(answer) => Some(answer.into()),
            Outcome::Done | Outcome::NotDone | Outcome::Client(_) | Outcome::Records(_) => None,
        }
    }
}

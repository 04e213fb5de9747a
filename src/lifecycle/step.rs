//! What a rule may answer.

use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::lifecycle::aspect::{Aspect, Problem};
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall};
use crate::lifecycle::view::Record;

/// The one next thing to do, or the end.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Act(Aspect, Effect),
    /// Store the status that is true after this change.
    Store(Change),
    /// The reconcile ends, and the status says so.
    Settle(Ending),
    /// The reconcile ends, and the stored status stands.
    Leave,
}

/// A change of the records in status.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// The workspace is recorded; its creation, if there was one, is over.
    Recorded(Record),
    /// An issue for the declared name begins.
    CreationBegins(OrganizationId),
    /// The creation made no workspace of ours.
    CreationVoid,
    /// The user allowed the lost workspace to be replaced.
    Replaced(Record),
    /// Another Secret holds the token now.
    TokenSecret,
    /// We hold the object.
    Held,
    /// The Secrets are deleted, and whether the workspace is, takes a while to learn.
    Deleting,
}

/// How a reconcile ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Nothing is left to do.
    Done,
    /// Something stops the whole object.
    Blocked(Finding),
    /// The last effect failed.
    Failed(Problem),
    /// The token cannot be renewed; the rest stands.
    TokenBlocked(Finding),
    /// Nothing can be asked of Agent Engine yet. What is stored stands while it is true; see
    /// [`crate::lifecycle::judge::waiting`].
    Waits(Finding),
}

impl Change {
    /// The aspect that the write of this status belongs to.
    pub fn aspect(&self) -> Aspect {
        match self {
            Change::Recorded(_)
            | Change::CreationBegins(_)
            | Change::CreationVoid
            | Change::Replaced(_)
            | Change::Held
            | Change::Deleting => Aspect::Sync,
            Change::TokenSecret => Aspect::Token,
        }
    }
}

impl Step {
    /// A request to the Kubernetes API for name, state or existence.
    pub fn sync(effect: ClusterEffect) -> Self {
        Step::Act(Aspect::Sync, effect.into())
    }

    /// A call to Agent Engine for name, state or existence.
    pub fn call(call: EngineCall) -> Self {
        Step::Act(Aspect::Sync, call.into())
    }

    /// A request to the Kubernetes API for the token.
    pub fn token(effect: ClusterEffect) -> Self {
        Step::Act(Aspect::Token, effect.into())
    }

    /// A call to Agent Engine for the token.
    pub fn token_call(call: EngineCall) -> Self {
        Step::Act(Aspect::Token, call.into())
    }

    pub fn blocked(finding: Finding) -> Self {
        Step::Settle(Ending::Blocked(finding))
    }
}

//! Requests on their way: to Kubernetes and to Agent Engine.

use std::sync::Arc;

use super::Millis;
use super::cluster::{OrganizationObject, WorkspaceObject};
use super::process::Subject;
use super::weather::Request;
use crate::crd::workspace::WorkspaceStatus;
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::remote::{Deleted, Failure, Page, RemoteWorkspace, TokenScope};
use crate::lifecycle::effect::{ClusterEffect, EngineCall};
use crate::organization::effect as of_organization;

/// A request to Kubernetes on its way.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) run: u32,
    pub(super) subject: Subject,
    pub(super) number: u64,
    pub(super) request: ClusterRequest,
    /// The process learns that it failed, whatever came of it.
    pub(super) answer_lost: bool,
    /// It does not arrive.
    pub(super) is_cut_off: bool,
}

#[derive(Clone, Debug)]
pub(super) enum ClusterRequest {
    Workspace {
        object: Arc<WorkspaceObject>,
        effect: ClusterEffect,
        tokens: Vec<u64>,
    },
    Organization {
        object: Arc<OrganizationObject>,
        effect: of_organization::ClusterEffect,
    },
}

/// A call to Agent Engine on its way.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) run: u32,
    pub(super) subject: Subject,
    pub(super) number: u64,
    pub(super) remote: usize,
    pub(super) who: Uid,
    pub(super) what: What,
    pub(super) request: Request,
    pub(super) sent: Millis,
    /// When the server's answer is there, to be taken.
    pub(super) answered: Millis,
    pub(super) failure: Option<Failure>,
    pub(super) result: Option<Result<Value, Failure>>,
    pub(super) requests: u32,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Workspace(EngineCall, Option<u64>),
    Organization(of_organization::EngineCall, usize),
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Rows(Vec<RemoteWorkspace>),
    Row(Option<RemoteWorkspace>),
    Token(u64),
    Scope(TokenScope),
    Updated(RemoteWorkspace),
    Deleted(Deleted),
    Exchanged(Option<OrganizationId>),
    Page(Page),
}

/// What comes back to a reconcile.
#[derive(Debug)]
pub(super) enum Outcome {
    Workspace(crate::lifecycle::Outcome),
    Organization(crate::organization::Outcome),
}

/// A status that tells of a wait for a slot.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) run: u32,
    pub(super) object: Arc<WorkspaceObject>,
    pub(super) status: WorkspaceStatus,
}

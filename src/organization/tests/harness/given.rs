//! What a world is given: the Organization as applied, workspaces, and what objects record of them.

use std::time::Duration;

use crate::crd::organization::{CredentialsSecretRef, OrganizationSpec};
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId};
use crate::domain::remote::{RemoteState, RemoteWorkspace, WorkspaceState};
use crate::organization::Managed;
use crate::organization::snapshot::KnownGone;

pub(in crate::organization::tests) const INTERVAL: Duration = Duration::from_secs(300);

pub(in crate::organization::tests) fn ours() -> OrganizationId {
    OrganizationId::from("ours")
}

pub(in crate::organization::tests) fn theirs() -> OrganizationId {
    OrganizationId::from("theirs")
}

pub(in crate::organization::tests) fn spec() -> OrganizationSpec {
    OrganizationSpec {
        endpoint: None,
        organization_id: None,
        credentials_secret_ref: CredentialsSecretRef {
            name: "credential".to_owned(),
        },
        access: Vec::new(),
        defaults: None,
        token_path: None,
        poll_interval: None,
        requests_per_second: None,
        ca_bundle: None,
    }
}

fn id(n: usize) -> WorkspaceId {
    WorkspaceId::new(format!("workspace-{n}"))
}

pub(in crate::organization::tests) fn uid(n: usize) -> Uid {
    Uid::new(format!("uid-{n}"))
}

pub(in crate::organization::tests) fn row(n: usize) -> RemoteWorkspace {
    RemoteWorkspace {
        id: id(n),
        name: format!("name-{n}").as_str().into(),
        organization_id: Some(ours()),
        state: RemoteState::Known(WorkspaceState::Active),
        tombstone: false,
        created_at: None,
    }
}

pub(in crate::organization::tests) fn record(n: usize) -> Managed {
    Managed {
        uid: uid(n),
        id: id(n),
        organization_id: Some(ours()),
        name: format!("name-{n}").as_str().into(),
        state: Some(WorkspaceState::Active),
        gone: KnownGone::No,
        known_at: None,
    }
}

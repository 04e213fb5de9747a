//! What a world is given: the Organization as applied, workspaces and their records, and the answers of Agent Engine.

use std::time::Duration;

use crate::crd::organization::{CredentialsSecretRef, OrganizationSpec};
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId};
use crate::domain::remote::{
    Answer, Failure, FailureClass, ListedWorkspace, Page, RemoteState, RemoteWorkspace, Rest, WorkspaceState,
};
use crate::limits::Pressure;
use crate::organization::Managed;
use crate::organization::effect::Part;
use crate::organization::snapshot::KnownGone;
use crate::organization::tests::world::World;

pub(super) const INTERVAL: Duration = Duration::from_secs(300);

pub(super) fn ours() -> OrganizationId {
    OrganizationId::from("ours")
}

pub(super) fn theirs() -> OrganizationId {
    OrganizationId::from("theirs")
}

fn failure(class: FailureClass) -> Failure {
    Failure {
        class,
        status: None,
        detail: format!("{class:?}, as told"),
    }
}

pub(super) fn spec() -> OrganizationSpec {
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

pub(super) fn uid(n: usize) -> Uid {
    Uid::new(format!("uid-{n}"))
}

pub(super) fn row(n: usize) -> RemoteWorkspace {
    RemoteWorkspace {
        id: id(n),
        name: format!("name-{n}").as_str().into(),
        organization_id: Some(ours()),
        state: RemoteState::Known(WorkspaceState::Active),
        tombstone: false,
        created_at: None,
    }
}

pub(super) fn record(n: usize) -> Managed {
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

impl World {
    pub(super) fn page(&mut self, part: Part) -> Answer<Page> {
        if part == Part::First {
            self.cursor = 0;
        }
        let requested_at = self.now;
        let page = self.rows.clone().map(|rows| {
            let end = (self.cursor + self.page_size).min(rows.len());
            let of_page = rows[self.cursor.min(end)..end].iter().cloned();
            Page {
                rows: of_page
                    .map(|workspace| ListedWorkspace {
                        requested_at,
                        workspace,
                    })
                    .collect(),
                rest: if end < rows.len() {
                    Rest::More
                } else {
                    Rest::Nothing
                },
            }
        });
        let nth = self.cursor / self.page_size;
        self.cursor += self.page_size;
        let page = match self.fails_after {
            Some(pages) if nth >= pages => Err(FailureClass::Transient),
            Some(_) | None => page,
        };
        let answer = self.answer(self.requests, page);
        if let Some((pages, pause)) = self.others_throttled
            && nth + 1 == pages
        {
            self.others_throttled = None;
            self.limiter.observe(self.now, Pressure::Throttled(pause));
        }
        answer
    }

    pub(super) fn answer<T>(&mut self, requests: u32, result: Result<T, FailureClass>) -> Answer<T> {
        let started = self.now;
        self.advance(self.latency);
        Answer {
            started,
            finished: self.now,
            date: Some(self.now),
            requests,
            result: result.map_err(failure),
        }
    }
}

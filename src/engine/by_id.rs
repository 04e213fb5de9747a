//! The calls on one workspace by its id: read, change, delete. A 404 of theirs means that the workspace is missing where
//! [`not_found`] says so; where its shape leaves that open, one GET more is asked.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::time::Instant;

use super::calibration::Route;
use super::client::{Client, Reply, decode};
use super::failure;
use super::not_found::{self, Evidence};
use super::operation::Operation;
use super::wire::{DeleteAnswer, UpdateRequest, WorkspaceAnswer};
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::remote::{Answer, Deleted, Failure, FailureClass, RemoteWorkspace, WorkspaceState};

/// What is to be changed of a workspace; the rest is not sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UpdateFields {
    pub name: Option<WorkspaceName>,
    pub state: Option<WorkspaceState>,
}

/// What is wrong with the success of a deletion. What a GET said of it follows.
const NOT_ITS_OWN: &str =
    "the answer to a deletion is not the API's, and nothing shows that the workspace is gone";

/// What helps where a 404 has a form that gateways use as well, and the client knows of no other workspace to ask for.
const UNTRUSTED: &str = ". A 404 in this form is trusted once another workspace of the organization can be read; if there is none, make \
                         one at Agent Engine";

impl Client {
    /// Reads one workspace. `None`: missing, said by a 404 of the API's own or by a tombstone.
    pub async fn get(&self, id: &WorkspaceId) -> Answer<Option<RemoteWorkspace>> {
        let began = Instant::now();
        let mut reply = self.send_get(id).await;
        let reply = if open_404(&reply) {
            let evidence = self.evidence_of_the_route(id, &mut reply.requests).await;
            self.judged(Operation::Get, reply, evidence)
        } else {
            self.success(self.redactor(), Operation::Get, reply, Evidence::None)
        };
        let answer = self.answer(began, reply, |answer| workspace(Operation::Get, id, answer));
        answer.with_result(|result| match result {
            Ok(workspace) if workspace.tombstone => Ok(None),
            Ok(workspace) => Ok(Some(workspace)),
            Err(Failure {
                class: FailureClass::Missing,
                ..
            }) => Ok(None),
            Err(failure) => Err(failure),
        })
    }

    /// Changes what `change` names and returns the workspace as it is then. Changing nothing is refused: what an empty
    /// update does is not documented.
    pub async fn update(&self, id: &WorkspaceId, change: &UpdateFields) -> Answer<RemoteWorkspace> {
        let UpdateFields { name, state } = change;
        let request = match (name, state) {
            (None, None) => Err(failure::not_sent("the change is empty")),
            (name, state) => self.requests().update(
                id,
                &UpdateRequest {
                    name: name.as_ref(),
                    status: *state,
                },
            ),
        };
        self.write(Operation::Update, id, request, |answer| {
            workspace(Operation::Update, id, answer)
        })
        .await
    }

    /// Deletes a workspace and all that is in it. Finding it gone is success. A success in another form than the documented
    /// one may be of anything in between: one GET more decides.
    pub async fn delete(&self, id: &WorkspaceId) -> Answer<Deleted> {
        let request = self.requests().delete(id);
        let answer = self
            .write(Operation::Delete, id, request, |answer| Ok(said(id, answer)))
            .await;
        match answer.result {
            Ok(Said::Deleted) => answer.with_result(|_| Ok(Deleted::Removed)),
            Ok(Said::Other(status)) => self.confirm_deletion(id, answer, status).await,
            Err(_) => answer.with_result(|result| match result {
                Err(Failure {
                    class: FailureClass::Missing,
                    ..
                }) => Ok(Deleted::AlreadyGone),
                other => other.map(|_| Deleted::Removed),
            }),
        }
    }

    async fn confirm_deletion(
        &self,
        id: &WorkspaceId,
        mut answer: Answer<Said>,
        status: StatusCode,
    ) -> Answer<Deleted> {
        let seen = self.get(id).await;
        answer.requests = answer.requests.saturating_add(seen.requests);
        answer.finished = seen.finished;
        let open = |why: &str| failure::of_body(Operation::Delete, status, why);
        answer.with_result(|_| match seen.result {
            // The lifecycle searches first: an organization that hides all says the same.
            Ok(None) => Ok(Deleted::AlreadyGone),
            Err(
                failure @ Failure {
                    class: FailureClass::Throttled(_),
                    ..
                },
            ) => Err(failure),
            Ok(Some(_)) => Err(open(&format!("{NOT_ITS_OWN}: it is still there"))),
            Err(failure) => Err(open(&format!("{NOT_ITS_OWN}: {}", failure.detail))),
        })
    }

    async fn write<T>(
        &self,
        operation: Operation,
        id: &WorkspaceId,
        request: Result<Request<Bytes>, Failure>,
        read: impl FnOnce(&Response<Bytes>) -> Result<T, Failure>,
    ) -> Answer<T> {
        let began = Instant::now();
        let mut reply = self.send_any(self.redactor(), operation, request).await;
        if !open_404(&reply) {
            let reply = self.success(self.redactor(), operation, reply, Evidence::None);
            return self.answer(began, reply, read);
        }
        let seen = self.get(id).await;
        reply.requests = reply.requests.saturating_add(seen.requests);
        let evidence = match seen.result {
            Ok(None) => Evidence::Confirmed,
            Ok(Some(_)) | Err(_) => Evidence::None,
        };
        self.answer(began, self.judged(operation, reply, evidence), read)
    }

    /// A 404 that evidence decides about.
    fn judged(&self, operation: Operation, reply: Reply, evidence: Evidence) -> Reply {
        let mut reply = self.success(self.redactor(), operation, reply, evidence);
        if evidence == Evidence::None
            && let Err(failure) = &mut reply.result
        {
            failure.detail.push_str(UNTRUSTED);
        }
        reply
    }

    /// Whether GET by id works, now that it has answered 404 for `missing`: from another workspace read within the last
    /// minute, or from reading one. The read is on the account of this call.
    async fn evidence_of_the_route(&self, missing: &WorkspaceId, requests: &mut u32) -> Evidence {
        let route = self.calibration().route(missing, self.now());
        match route {
            Route::Answers => Evidence::Confirmed,
            Route::Unknown => Evidence::None,
            Route::Ask(other) => {
                let reply = self.send_get(&other).await;
                *requests = requests.saturating_add(reply.requests);
                match self.calibration().route(missing, self.now()) {
                    Route::Answers => Evidence::Confirmed,
                    Route::Ask(_) | Route::Unknown => Evidence::None,
                }
            }
        }
    }

    /// Sends a GET by id and keeps what its answer shows of the route.
    async fn send_get(&self, id: &WorkspaceId) -> Reply {
        let asked_at = self.now();
        let reply = self
            .send_any(self.redactor(), Operation::Get, self.requests().get(id))
            .await;
        if let Ok(answer) = &reply.result {
            let mut calibration = self.calibration();
            match answer.status() {
                StatusCode::OK if workspace(Operation::Get, id, answer).is_ok() => {
                    calibration.was_read(id, asked_at);
                }
                StatusCode::NOT_FOUND | StatusCode::GONE => calibration.was_not_found(id),
                // Any other answer tells nothing of the route.
                _ => {}
            }
        }
        reply
    }
}

/// What the success of a deletion says.
enum Said {
    /// As documented: the workspace, by its id.
    Deleted,
    Other(StatusCode),
}

fn said(id: &WorkspaceId, answer: &Response<Bytes>) -> Said {
    match (answer.status(), decode::<DeleteAnswer>(Operation::Delete, answer)) {
        (StatusCode::OK, Ok(said))
            if said.deleted_at.is_some() && WorkspaceId::new(said.id.clone()) == *id =>
        {
            Said::Deleted
        }
        (status, _) => Said::Other(status),
    }
}

fn open_404(reply: &Reply) -> bool {
    reply.result.as_ref().is_ok_and(not_found::needs_evidence)
}

fn workspace(
    operation: Operation,
    id: &WorkspaceId,
    answer: &Response<Bytes>,
) -> Result<RemoteWorkspace, Failure> {
    let workspace = RemoteWorkspace::from(decode::<WorkspaceAnswer>(operation, answer)?);
    if workspace.id == *id {
        return Ok(workspace);
    }
    let wrong = "the answer is about another workspace";
    Err(failure::of_body(operation, answer.status(), wrong))
}

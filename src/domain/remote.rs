//! What Agent Engine answers, in plain values: workspaces, and the ways in which a call can fail.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use super::time::earlier;

/// A workspace as the API returned it. Only `id` and `name` are certain to be there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteWorkspace {
    pub id: WorkspaceId,
    pub name: WorkspaceName,
    /// Absent when the answer lacked it.
    pub organization_id: Option<OrganizationId>,
    pub state: RemoteState,
    /// True once soft-deleted: the workspace counts as gone.
    pub tombstone: bool,
    /// In the server's time.
    pub created_at: Option<Timestamp>,
}

/// A workspace as a list showed it. It counts only if `requested_at` is after our last write to it had finished.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedWorkspace {
    /// Local time at which the page with this row was asked for.
    pub requested_at: Timestamp,
    pub workspace: RemoteWorkspace,
}

/// A page of a list. It has rows of deleted workspaces too: they take back what an earlier page showed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    pub rows: Vec<ListedWorkspace>,
    pub rest: Rest,
}

/// What comes after a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rest {
    More,
    Nothing,
}

/// What a deletion found. Both mean that the workspace is gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deleted {
    Removed,
    AlreadyGone,
}

/// Whether the workspace works.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorkspaceState {
    Active,
    Inactive,
}

/// The API may grow further states; the operator leaves those alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RemoteState {
    Known(WorkspaceState),
    Unknown,
}

/// Which family of paths issues and verifies scoped tokens.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TokenPath {
    #[default]
    Applications,
    Embedded,
}

/// The workspace that a scoped token opens, as its verification showed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenScope {
    pub workspace_id: WorkspaceId,
    pub organization_id: Option<OrganizationId>,
    /// The older path family leaves it out.
    pub workspace_name: Option<WorkspaceName>,
}

/// An answer with the time it took: the wall clock may be set meanwhile.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// By the wall clock.
    pub finished: Timestamp,
    /// By a monotonic clock.
    pub took: Duration,
    /// The server's `Date` header.
    pub date: Option<Timestamp>,
    /// How many requests it took: a repeat and each further page is one more.
    pub requests: u32,
    pub result: Result<T, Failure>,
}

impl<T> Answer<T> {
    /// The answer of a call that was not made.
    pub fn unsent(now: Timestamp, detail: &str) -> Self {
        Self {
            finished: now,
            took: Duration::ZERO,
            date: None,
            requests: 0,
            result: Err(Failure {
                class: FailureClass::Transient,
                status: None,
                detail: detail.to_owned(),
            }),
        }
    }

    /// When its request was made, by the wall clock as it was set at its end.
    pub fn started(&self) -> Timestamp {
        earlier(self.finished, self.took)
    }

    /// The same answer with another result.
    pub fn with_result<U>(self, read: impl FnOnce(Result<T, Failure>) -> Result<U, Failure>) -> Answer<U> {
        let Self {
            finished,
            took,
            date,
            requests,
            result,
        } = self;
        Answer {
            finished,
            took,
            date,
            requests,
            result: read(result),
        }
    }
}

/// Any answer of Agent Engine, without its content.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// As in [`Answer::requests`].
    pub requests: u32,
    /// All of them together.
    pub took: Duration,
    pub failure: Option<&'a Failure>,
}

impl<'a, T> From<&'a Answer<T>> for Answered<'a> {
    fn from(answer: &'a Answer<T>) -> Self {
        Self {
            requests: answer.requests,
            took: answer.took,
            failure: answer.result.as_ref().err(),
        }
    }
}

/// Why a call did not succeed. `detail` is fit to be shown to people: no header, no body, no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    pub class: FailureClass,
    /// The HTTP status, where an answer came. For messages and for telling refusals apart (402 or 403 to an issue).
    pub status: Option<u16>,
    pub detail: String,
}

/// The classes of failure that decisions depend on.
#[derive(Clone, Copy, Debug, Eq, Hash, IntoStaticStr, PartialEq)]
pub enum FailureClass {
    /// Nothing was done; the same request may succeed later (5xx to a read, refused connection).
    Transient,
    /// The organization is asked to slow down for this long.
    Throttled(Duration),
    /// 401 with a fresh application token, or 403.
    Denied,
    /// 400, 402, 422 and other definite refusals.
    Rejected,
    /// 409.
    Conflict,
    /// 404 or 410 that is surely the API's: the workspace is not there.
    Missing,
    /// An answer that is not the API's: HTML, truncated JSON, a 404 of another server, a redirect.
    Malformed,
    /// A request that may or may not have been carried out (lost answer, 5xx to a write).
    Unknown,
}

impl FailureClass {
    /// The class in a word, for logs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether an issue was certainly not carried out. The API makes the workspace before the token: what it refuses for its
    /// right or its place may have been made.
    pub fn made_nothing(self) -> bool {
        match self {
            FailureClass::Transient | FailureClass::Throttled(_) | FailureClass::Rejected => true,
            FailureClass::Denied
            | FailureClass::Conflict
            | FailureClass::Missing
            | FailureClass::Malformed
            | FailureClass::Unknown => false,
        }
    }

    /// Whether the API understood the request and refused it.
    pub fn is_refusal(self) -> bool {
        match self {
            FailureClass::Denied
            | FailureClass::Rejected
            | FailureClass::Conflict
            | FailureClass::Missing => true,
            FailureClass::Transient
            | FailureClass::Throttled(_)
            | FailureClass::Malformed
            | FailureClass::Unknown => false,
        }
    }
}

impl RemoteWorkspace {
    /// The state, if this version knows it.
    pub fn known_state(&self) -> Option<WorkspaceState> {
        match self.state {
            RemoteState::Known(state) => Some(state),
            RemoteState::Unknown => None,
        }
    }
}

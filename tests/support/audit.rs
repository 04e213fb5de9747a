//! Counts what a user asked of the API server, from the server's own audit log.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use kube::Client;
use serde::Deserialize;

use super::eventually::{SHORT, eventually};

/// The requests of one user after one moment.
pub struct Audit {
    log: PathBuf,
    user: String,
    /// Where in the log they begin, in bytes: a log of many stories is long.
    from: u64,
    admin: Client,
}

impl Audit {
    pub(super) async fn from_now(log: PathBuf, user: String, admin: Client) -> Self {
        let mut audit = Self {
            log,
            user,
            from: 0,
            admin,
        };
        audit.restart().await;
        audit
    }

    /// Forgets what was counted so far.
    pub async fn restart(&mut self) {
        let end = fs::metadata(&self.log).expect("the audit log").len();
        let written = self.written(end).await;
        self.from = end + u64::try_from(written.len()).expect("a length");
    }

    /// Every request of the user that was answered before this call.
    pub async fn requests(&self) -> Requests {
        let log = self.written(self.from).await;
        let requests = log.lines().map(parse).filter(|request| request.user == self.user);
        Requests(
            requests
                .filter(|request| request.stage == request.counted_stage())
                .collect(),
        )
    }

    /// The log from a byte on, with all that was answered before this call: a request is logged just after its answer
    /// is sent, so a later one of our own, found in the log, vouches for the earlier ones.
    async fn written(&self, from: u64) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mark = format!(
            "/version?audit-mark={}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let request = http::Request::get(&mark).body(Vec::new()).expect("a request");
        self.admin
            .request_text(request)
            .await
            .expect("the API server answers");
        let mark = format!("\"requestURI\":\"{mark}\"");
        eventually("the audit log to hold our own request", SHORT, || async {
            let log = whole_lines(&self.log, from);
            if log.contains(&mark) {
                Ok(log)
            } else {
                Err(format!("{} bytes without it", log.len()))
            }
        })
        .await
    }
}

/// The server may be in the middle of a line.
fn whole_lines(log: &Path, from: u64) -> String {
    let mut log = File::open(log).expect("the audit log");
    log.seek(SeekFrom::Start(from)).expect("a place in the audit log");
    let mut bytes = Vec::new();
    log.read_to_end(&mut bytes).expect("the audit log");
    bytes.truncate(
        bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1),
    );
    String::from_utf8(bytes).expect("text")
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub user: String,
    /// As the API server's authorization sees it: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Plural, such as `workspaces`; empty for a path that is no object's, such as `/version`.
    pub resource: String,
    /// Such as `status`; empty for the object itself.
    pub subresource: String,
    pub namespace: String,
    pub name: String,
    /// Path and query.
    pub uri: String,
    /// Of the answer.
    pub code: u16,
    stage: String,
}

impl Request {
    fn is_write(&self) -> bool {
        matches!(
            self.verb.as_str(),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        ) && !self.resource.is_empty()
    }

    /// A watch is counted when it begins, everything else when it is answered.
    fn counted_stage(&self) -> &'static str {
        if self.verb == "watch" {
            "ResponseStarted"
        } else {
            "ResponseComplete"
        }
    }
}

/// `patch workspaces/status`
impl Display for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.subresource.is_empty() {
            write!(f, "/{}", self.subresource)?;
        }
        Ok(())
    }
}

/// Requests, to be narrowed down and counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests(pub Vec<Request>);

impl Requests {
    /// Writes of objects, refused ones too; without events, which have a count of their own, and leases.
    #[must_use]
    pub fn object_writes(&self) -> Self {
        self.only(|r| r.is_write() && r.resource != "events" && r.resource != "leases")
    }

    #[must_use]
    pub fn event_writes(&self) -> Self {
        self.only(|r| r.is_write() && r.resource == "events")
    }

    #[must_use]
    pub fn gets(&self) -> Self {
        self.only(|r| r.verb == "get" && !r.resource.is_empty())
    }

    #[must_use]
    pub fn lists(&self) -> Self {
        self.only(|r| r.verb == "list")
    }

    #[must_use]
    pub fn watches(&self) -> Self {
        self.only(|r| r.verb == "watch")
    }

    #[must_use]
    pub fn of(&self, resource: &str) -> Self {
        self.only(|r| r.resource == resource)
    }

    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        self.only(|r| r.name == name)
    }

    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Self {
        self.only(|r| r.namespace == namespace)
    }

    /// Answered with 4xx or 5xx.
    #[must_use]
    pub fn refused(&self) -> Self {
        self.only(|r| r.code >= 400)
    }

    #[must_use]
    pub fn only(&self, keep: impl Fn(&Request) -> bool) -> Self {
        Self(self.0.iter().filter(|request| keep(request)).cloned().collect())
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// How many of each: `{"create secrets": 1, "patch workspaces/status": 2}`.
    pub fn tally(&self) -> BTreeMap<String, usize> {
        let mut tally = BTreeMap::new();
        for request in &self.0 {
            *tally.entry(request.to_string()).or_default() += 1;
        }
        tally
    }
}

/// What [`Requests::tally`] should be.
pub fn tally<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts
        .into_iter()
        .map(|(what, count)| (what.to_owned(), count))
        .collect()
}

/// An `audit.k8s.io/v1` Event, as far as we count.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    stage: String,
    verb: String,
    #[serde(rename = "requestURI")]
    uri: String,
    user: User,
    #[serde(default)]
    object_ref: ObjectRef,
    response_status: Option<ResponseStatus>,
}

/// Empty for a request that told the API server nobody it knows.
#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

fn parse(line: &str) -> Request {
    let Line {
        stage,
        verb,
        uri,
        user,
        object_ref,
        response_status,
    } = serde_json::from_str(line).unwrap_or_else(|error| panic!("not an audit event ({error}): {line}"));
    let ObjectRef {
        resource,
        subresource,
        namespace,
        name,
    } = object_ref;
    let code = response_status.map_or(0, |status| status.code);
    Request {
        user: user.username,
        verb,
        resource,
        subresource,
        namespace,
        name,
        uri,
        code,
        stage,
    }
}

//! Who wrote, and who led then: from the API server's audit log, which names the Pod of each request. Only of a cluster of our own.

use std::{fs, path::Path};

use jiff::Timestamp;
use serde::Deserialize;

const POD: &str = "authentication.kubernetes.io/pod-name";
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// Writes of the operator's Pods.
pub struct Writes {
    pub all: usize,
    /// Those of a Pod that came after another had taken the Lease, and took effect. A process that is stopped in the middle of a
    /// request sends the rest when it goes on: a write of an object is refused then, for it names the version that it replaces.
    pub of_others: Vec<(Timestamp, String)>,
}

impl Writes {
    /// Of objects, by the Pods with this account. An event tells what was, whenever it comes.
    pub fn read(log: &Path, account: &str) -> Self {
        let log = fs::read_to_string(log).expect("the audit log");
        let mut requests: Vec<Request> = log
            .lines()
            // The server may be in the middle of the last line.
            .filter_map(|line| serde_json::from_str::<Line>(line).ok())
            .filter(|line| line.user.username == account && line.stage == "ResponseComplete")
            .filter(|line| WRITES.contains(&line.verb.as_str()))
            .filter_map(Request::read)
            .collect();
        requests.sort_by_key(|request| request.at);
        let mut leader = None;
        let mut writes = Self {
            all: 0,
            of_others: Vec::new(),
        };
        for Request { at, pod, of } in requests {
            match of {
                Of::Lease => leader = Some(pod),
                Of::Object(object) => {
                    writes.all += 1;
                    if leader.as_ref() != Some(&pod) {
                        writes.of_others.push((at, format!("{pod}: {object}")));
                    }
                }
            }
        }
        writes
    }
}

/// One that took effect.
struct Request {
    /// When a Lease was written, or when another write came.
    at: Timestamp,
    pod: String,
    of: Of,
}

enum Of {
    /// The Pod leads, or led until then.
    Lease,
    Object(String),
}

impl Request {
    fn read(line: Line) -> Option<Self> {
        let Line {
            verb,
            mut user,
            object_ref,
            response_status,
            request_received_timestamp,
            stage_timestamp,
            ..
        } = line;
        let pod = user.extra.remove(POD)?.pop()?;
        if response_status.code >= 400 || object_ref.resource == "events" {
            return None;
        }
        if object_ref.resource == "leases" {
            return Some(Self {
                at: stage_timestamp,
                pod,
                of: Of::Lease,
            });
        }
        let object = format!("{verb} {} {}", object_ref.resource, object_ref.name);
        Some(Self {
            at: request_received_timestamp,
            pod,
            of: Of::Object(object),
        })
    }
}

/// An `audit.k8s.io/v1` Event, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    stage: String,
    verb: String,
    user: User,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: ResponseStatus,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
    #[serde(default)]
    extra: std::collections::HashMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

//! Who lies, and how it ends.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::front::Call::{self, Delete, Exchange, Get, Issue, List, Search, Verify};
use super::front::{ALL, Lie};

/// Another workspace of the organization, there from the start.
pub const OTHER: &str = "0e6f0000-0000-4000-8000-00000000000f";
const FOREIGN_ORGANIZATION: &str = "99999999-9999-4999-8999-999999999999";

/// What is asked of the operator while the lie is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// An Organization is new.
    Connect,
    /// A Workspace is new.
    Create,
    /// The Secret of one that is Ready is missing.
    Renew,
    /// The token of one that is Ready is due, and good for some seconds more.
    RenewInTime,
    /// One that is Ready is asked to be read.
    Read,
    /// One that is Ready is deleted.
    Remove,
}

pub struct Profile {
    pub name: &'static str,
    pub act: Act,
    pub on: &'static [Call],
    pub lie: Lie,
    /// Of the Organization for [`Act::Connect`], else of the Workspace. `AsDeclared` and `Verified`: it is seen through, or
    /// makes no difference.
    pub reason: &'static str,
    /// Requests of any kind from the lie on until some seconds after the reason is shown.
    pub most: usize,
}

const fn profile(
    name: &'static str,
    act: Act,
    on: &'static [Call],
    lie: Lie,
    reason: &'static str,
    most: usize,
) -> Profile {
    Profile {
        name,
        act,
        on,
        lie,
        reason,
        most,
    }
}

#[rustfmt::skip]
pub const PROFILES: &[Profile] = &[
    profile("another-id-of-a-token", Act::Renew, &[Verify], Lie::Body(|said| said["workspace_id"] = json!(OTHER)), "IdentityMismatch", 20),
    profile("another-id-of-a-due-token", Act::RenewInTime, &[Verify], Lie::Body(|said| said["workspace_id"] = json!(OTHER)), "IdentityMismatch", 20),
    profile("no-id-of-a-token", Act::Renew, &[Verify], Lie::Body(|said| said["workspace_id"] = json!("../stats")), "ApiUnavailable", 20),
    profile("no-id-of-a-new-one", Act::Create, &[Verify], Lie::Body(|said| said["workspace_id"] = json!("")), "ApiUnavailable", 20),
    profile("organization-of-a-token", Act::Renew, &[Verify], Lie::Body(|said| said["organization_id"] = json!(FOREIGN_ORGANIZATION)), "IdentityMismatch", 20),
    profile("another-id-by-id", Act::Read, &[Get], Lie::Body(|said| said["id"] = json!(OTHER)), "ApiUnavailable", 20),
    profile("organization-by-id", Act::Renew, &[Get], Lie::Body(|said| said["organization_id"] = json!(FOREIGN_ORGANIZATION)), "IdentityMismatch", 20),
    profile("organization-of-rows", Act::Read, &[List], Lie::Body(|said| of_rows(said, "organization_id", FOREIGN_ORGANIZATION)), "AsDeclared", 20),
    profile("ids-of-a-megabyte", Act::Connect, &[List], Lie::Body(|said| of_rows(said, "id", &"a".repeat(500_000))), "ApiUnavailable", 20),
    profile("name-of-a-megabyte", Act::Connect, &[List, Search], Lie::Body(|said| of_rows(said, "name", &"n".repeat(500_000))), "Verified", 20),
    profile("page-of-html", Act::Read, ALL, Lie::Instead(|_| page(200)), "ApiUnavailable", 20),
    profile("html-for-an-issue", Act::Create, &[Issue], Lie::Instead(|_| page(200)), "CreationInFlight", 20),
    profile("html-after-an-issue", Act::Create, &[Issue], Lie::Afterwards(|_| page(200)), "ApiUnavailable", 20),
    profile("html-after-a-renewal", Act::Renew, &[Issue], Lie::Afterwards(|_| page(200)), "ApiUnavailable", 20),
    profile("login", Act::Connect, ALL, Lie::Instead(|_| login()), "ApiUnavailable", 20),
    profile("login-later", Act::Renew, ALL, Lie::Instead(|_| login()), "ApiUnavailable", 20),
    profile("same-rows", Act::Create, &[Search], Lie::Instead(|nth| rows(0, nth)), "ApiUnavailable", 20),
    profile("rows-without-end", Act::Create, &[Search], Lie::Instead(|nth| rows(nth, nth)), "ApiUnavailable", 2020),
    profile("megabytes", Act::Read, ALL, Lie::Instead(|_| endless()), "ApiUnavailable", 20),
    profile("byte-a-second", Act::Read, &[Get], Lie::Instead(|_| trickling()), "ApiUnavailable", 20),
    profile("retry-after", Act::Create, &[Search], Lie::Instead(|_| slow_down()), "Throttled", 20),
    profile("expires-in-negative", Act::Create, &[Exchange], Lie::Body(|said| said["expires_in"] = json!(-1)), "AsDeclared", 10),
    profile("expires-in-endless", Act::Create, &[Exchange], Lie::Body(|said| said["expires_in"] = json!(1e18)), "AsDeclared", 10),
    profile("date-of-no-form", Act::Create, ALL, Lie::Header("date", "yesterday"), "AsDeclared", 10),
    profile("date-of-no-clock", Act::Create, ALL, Lie::Header("date", "Thu, 01 Jan 1970 00:00:00 GMT"), "AsDeclared", 10),
    profile("clock-ahead", Act::Create, &[], Lie::Header("x-not", "used"), "AsDeclared", 10),
    profile("clock-behind", Act::Create, &[], Lie::Header("x-not", "used"), "AsDeclared", 10),
    profile("proxy-407", Act::Connect, ALL, Lie::Instead(|_| page(407)), "ApiUnavailable", 20),
    profile("proxy-407-later", Act::Renew, ALL, Lie::Instead(|_| page(407)), "ApiUnavailable", 20),
    profile("proxy-502", Act::Renew, &[Issue, Verify], Lie::Instead(|_| page(502)), "ApiUnavailable", 20),
    profile("portal-511", Act::Read, ALL, Lie::Instead(|_| page(511)), "ApiUnavailable", 20),
    profile("portal-deletes", Act::Remove, &[Delete], Lie::Instead(|_| said(200, &json!({"status": "ok"}))), "DeletionBlocked", 20),
    profile("portal-of-nothing", Act::Remove, ALL, Lie::Instead(|_| Response::new(Body::empty())), "DeletionBlocked", 20),
];

fn said(status: u16, body: &Value) -> Response {
    let answer = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    answer.body(Body::from(body.to_string())).expect("an answer")
}

fn page(status: u16) -> Response {
    let answer = Response::builder()
        .status(status)
        .header("content-type", "text/html")
        .header("via", "1.1 squid")
        .header("proxy-authenticate", "Basic realm=\"corp\"");
    answer
        .body(Body::from("<html><title>Sign in</title></html>"))
        .expect("an answer")
}

fn login() -> Response {
    let answer = Response::builder()
        .status(302)
        .header("location", "https://sso.example/login");
    answer.body(Body::empty()).expect("an answer")
}

fn slow_down() -> Response {
    let answer = Response::builder().status(429).header("retry-after", "-1");
    answer.body(Body::empty()).expect("an answer")
}

/// Sets a member of each row.
fn of_rows(said: &mut Value, member: &str, value: &str) {
    for row in said["data"].as_array_mut().into_iter().flatten() {
        row[member] = json!(value);
    }
}

fn rows(first: usize, nth: usize) -> Response {
    let row = json!({"id": format!("row-{first}"), "name": "another", "created_at": "2020-01-01T00:00:00Z"});
    said(200, &json!({"data": [row], "next": nth.to_string()}))
}

fn endless() -> Response {
    let spaces = stream::repeat(()).map(|()| Ok::<_, Infallible>(vec![b' '; 65_536]));
    Response::new(Body::from_stream(spaces))
}

fn trickling() -> Response {
    let spaces = stream::repeat(()).then(|()| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, Infallible>(vec![b' '])
    });
    Response::new(Body::from_stream(spaces))
}

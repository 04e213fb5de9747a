//! `Organization`, but for its access list.

use super::access;
use super::judge::{Case, forbids_change, judge, lets_change, refuses, takes};

/// Promise: input.fields
#[tokio::test]
async fn organizations_are_judged_as_the_table_says() {
    judge("Organization", creations()).await;
}

#[tokio::test]
async fn changes_of_organizations_are_judged_as_the_table_says() {
    judge("Organization", changes()).await;
}

/// A spec that is right but for the members given.
pub fn with(members: &str) -> String {
    format!("{{credentialsSecretRef: {{name: credentials}}, {members}}}")
}

pub fn creations() -> Vec<Case> {
    [
        basics(),
        endpoints(),
        limits(),
        access::grants(),
        access::patterns(),
    ]
    .concat()
}

fn basics() -> Vec<Case> {
    let long = |count| "n".repeat(count);
    vec![
        takes(
            "a credential is enough",
            "{credentialsSecretRef: {name: credentials}}",
        ),
        refuses("no credential", "{}", "spec.credentialsSecretRef: Required value"),
        refuses(
            "a credential without a name",
            "{credentialsSecretRef: {}}",
            "credentialsSecretRef.name: Required value",
        ),
        refuses(
            "a Secret name that cannot be",
            "{credentialsSecretRef: {name: My_Secret}}",
            "must be a name that a Secret can have",
        ),
        refuses(
            "an empty Secret name",
            "{credentialsSecretRef: {name: ''}}",
            "should be at least 1 chars long",
        ),
        takes(
            "an id",
            with("organizationId: 645a183f-b12b-4c6e-8ad3-99e165603450"),
        ),
        refuses(
            "an id that is none",
            with("organizationId: acme"),
            "must be a UUID as Agent Engine prints it",
        ),
        takes(
            "defaults",
            with("defaults: {deletionPolicy: Retain, adoptionPolicy: ByName}"),
        ),
        refuses(
            "defaults that do not exist",
            with("defaults: {deletionPolicy: Keep}"),
            "supported values",
        ),
        takes("both families of paths", with("tokenPath: Embedded")),
        refuses(
            "another family of paths",
            with("tokenPath: V2"),
            "supported values: \"Applications\", \"Embedded\"",
        ),
        takes(
            "null says nothing",
            with("endpoint: null, organizationId: null, access: null, pollInterval: null"),
        ),
        takes("an object name of 63 characters", with("")).named(long(63)),
        refuses(
            "an object name of 64 characters",
            with(""),
            "metadata.name must have at most 63 characters",
        )
        .named(long(64)),
    ]
}

fn endpoints() -> Vec<Case> {
    let secure = "must begin with https://, for credentials are sent to it";
    let bare = "must not contain user information, a query or a fragment";
    let whole = "must not contain a path: write scheme, host, and at most a port";
    let taken = [
        "https://api.airbyte.ai",
        "https://gateway.example.com:8443/",
        "https://[2001:db8::1]:8443",
        "http://localhost:8080",
        "http://127.0.0.1:45001",
        "http://[::1]:45001",
        "http://emulator.tests.svc:8080",
        "http://emulator.tests.svc.cluster.local",
    ];
    let refused = [
        ("http://api.airbyte.ai", secure),
        ("http://localhost.example.com", secure),
        ("http://127.0.0.1.example.com", secure),
        ("http://emulator.svc.example.com", secure),
        ("http://emulator.tests.svc@example.com", bare),
        ("https://user:secret@api.airbyte.ai", bare),
        ("https://api.airbyte.ai?x=y", bare),
        ("https://api.airbyte.ai/#x", bare),
        ("https://api.airbyte.ai/api/v1", whole),
        ("https://gateway.example.com:8443/agent-engine/", whole),
        ("https://api.airbyte.ai//", whole),
        ("http://emulator.tests.svc:8080/x", whole),
        ("api.airbyte.ai", "must be a URL such as https://api.airbyte.ai"),
        ("https://", "must be a URL such as https://api.airbyte.ai"),
        (
            "ftp://api.airbyte.ai",
            "must be a URL such as https://api.airbyte.ai",
        ),
        (
            "HTTPS://api.airbyte.ai",
            "must be a URL such as https://api.airbyte.ai",
        ),
        ("", "should be at least 1 chars long"),
    ];
    let taken = taken.map(|url| takes("an endpoint", with(&format!("endpoint: '{url}'"))));
    let refused = refused.map(|(url, why)| refuses("an endpoint", with(&format!("endpoint: '{url}'")), why));
    [taken.to_vec(), refused.to_vec()].concat()
}

fn limits() -> Vec<Case> {
    let interval = "must be a duration from 30s to 24h";
    let poll = |text: &str| with(&format!("pollInterval: '{text}'"));
    let certificate = "caBundle: '-----BEGIN CERTIFICATE-----'";
    vec![
        takes("the shortest interval", poll("30s")),
        takes("an interval of several units", poll("1h30m")),
        takes("the longest interval", poll("24h")),
        refuses("too short an interval", poll("29s"), interval),
        refuses("too long an interval", poll("24h1s"), interval),
        refuses("an interval without a unit", poll("300"), interval),
        refuses("an interval in days", poll("1d"), interval),
        refuses("an interval backwards", poll("-5m"), interval),
        refuses("an interval of ages", poll("999999h999999h"), interval),
        takes("the fewest requests", with("requestsPerSecond: 1")),
        takes("the most requests", with("requestsPerSecond: 1000")),
        refuses(
            "no requests",
            with("requestsPerSecond: 0"),
            "should be greater than or equal to 1",
        ),
        refuses(
            "too many requests",
            with("requestsPerSecond: 1001"),
            "should be less than or equal to 1000",
        ),
        refuses(
            "half a request",
            with("requestsPerSecond: 0.5"),
            "must be of type integer",
        ),
        takes("certificates", with(certificate)),
        refuses(
            "no certificates",
            with("caBundle: 'MIIB'"),
            "must be PEM with at least one",
        ),
        refuses(
            "a private key among the certificates",
            with("caBundle: '-----BEGIN CERTIFICATE-----  -----BEGIN RSA PRIVATE KEY-----'"),
            "must not contain a private key",
        ),
    ]
}

pub fn changes() -> Vec<Case> {
    let (id, other) = (
        with("organizationId: 645a183f-b12b-4c6e-8ad3-99e165603450"),
        with("organizationId: 745a183f-b12b-4c6e-8ad3-99e165603450"),
    );
    let verified = "{organizationId: 645a183f-b12b-4c6e-8ad3-99e165603450}";
    let fixed = "organizationId cannot be set to another organization than the one that was verified";
    vec![
        lets_change(
            "a credential",
            &with(""),
            "{credentialsSecretRef: {name: rotated}}",
        ),
        lets_change(
            "an endpoint",
            &with(""),
            &with("endpoint: https://eu.example.com"),
        ),
        lets_change("an id added", &with(""), &id),
        lets_change("an id corrected", &id, &other),
        lets_change("an id removed", &id, &with("")),
        lets_change("the verified id added", &with(""), &id).in_status(verified),
        lets_change("the verified id removed", &id, &with("")).in_status(verified),
        // A version before this rule took it.
        lets_change(
            "another field beside a wrong id",
            &other,
            &with("organizationId: 745a183f-b12b-4c6e-8ad3-99e165603450, requestsPerSecond: 5"),
        )
        .in_status(verified),
        forbids_change("another id than the verified one added", &with(""), &other, fixed)
            .in_status(verified),
        forbids_change("the verified id changed", &id, &other, fixed).in_status(verified),
    ]
}

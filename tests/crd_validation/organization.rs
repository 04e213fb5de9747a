//! `Organization`.

use crate::judge::{Case, forbids_change, judge, lets_change, refuses, takes};

#[tokio::test]
async fn organizations_are_judged_as_the_table_says() {
    judge("Organization", creations()).await;
}

#[tokio::test]
async fn changes_of_organizations_are_judged_as_the_table_says() {
    judge("Organization", changes()).await;
}

/// A spec that is right but for the members given.
fn with(members: &str) -> String {
    format!("{{credentialsSecretRef: {{name: credentials}}, {members}}}")
}

/// As [`with`], with one entry of `access`.
fn access(entry: &str) -> String {
    with(&format!("access: [{{{entry}}}]"))
}

/// As [`access`], for one pattern.
fn pattern(text: &str) -> String {
    access(&format!(
        "namespaces: {{selector: {{}}}}, workspaceNames: [{text}]"
    ))
}

/// As [`access`], for one set of namespaces.
fn namespaces(set: &str) -> String {
    access(&format!("namespaces: {set}, workspaceNames: [acme]"))
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(", ")
}

pub fn creations() -> Vec<Case> {
    [basics(), endpoints(), limits(), grants(), patterns()].concat()
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
    let taken = [
        "https://api.airbyte.ai",
        "https://gateway.example.com:8443/agent-engine/",
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

fn grants() -> Vec<Case> {
    let which = "must say which namespaces";
    let no_wildcard = "must be names of namespaces, without wildcards";
    let selects = |requirement: &str| {
        namespaces(&format!(
            "{{selector: {{matchExpressions: [{{{requirement}}}]}}}}"
        ))
    };
    let entry = "{namespaces: {selector: {}}, workspaceNames: [acme]}";
    vec![
        takes("no access", with("access: []")),
        takes(
            "an entry in full",
            access(
                "namespaces: {names: [a, b], selector: {matchLabels: {team: blue}}}, workspaceNames: [acme], adoption: Allowed, deletion: Forbidden",
            ),
        ),
        takes(
            "an entry that grants no name",
            access("namespaces: {names: [a]}, workspaceNames: []"),
        ),
        refuses(
            "an entry without namespaces",
            access("workspaceNames: [acme]"),
            "namespaces: Required value",
        ),
        refuses(
            "an entry without names",
            access("namespaces: {names: [a]}"),
            "workspaceNames: Required value",
        ),
        refuses(
            "a ceiling that does not exist",
            access("namespaces: {names: [a]}, workspaceNames: [acme], adoption: Never"),
            "supported values: \"Forbidden\", \"Allowed\"",
        ),
        takes(
            "64 entries",
            with(&format!("access: [{}]", list(64, |_| entry.to_owned()))),
        ),
        refuses(
            "65 entries",
            with(&format!("access: [{}]", list(65, |_| entry.to_owned()))),
            "must have at most 64 items",
        ),
        refuses("no namespaces", namespaces("{}"), which),
        refuses("an empty list of namespaces", namespaces("{names: []}"), which),
        takes("every namespace", namespaces("{selector: {}}")),
        refuses(
            "every namespace, by a wildcard",
            namespaces("{names: ['*']}"),
            no_wildcard,
        ),
        refuses(
            "a namespace that cannot be",
            namespaces("{names: [Team]}"),
            no_wildcard,
        ),
        refuses(
            "a namespace twice",
            namespaces("{names: [a, a]}"),
            "Duplicate value",
        ),
        takes(
            "256 namespaces",
            namespaces(&format!("{{names: [{}]}}", list(256, |n| format!("n{n}")))),
        ),
        refuses(
            "257 namespaces",
            namespaces(&format!("{{names: [{}]}}", list(257, |n| format!("n{n}")))),
            "must have at most 256 items",
        ),
        takes(
            "a selector by values",
            selects("key: team, operator: NotIn, values: [a, b]"),
        ),
        takes(
            "a selector by presence",
            selects("key: example.com/team, operator: Exists"),
        ),
        refuses(
            "an operator that does not exist",
            selects("key: team, operator: Equals, values: [a]"),
            "supported values",
        ),
        refuses(
            "values missing",
            selects("key: team, operator: In"),
            "operators In and NotIn need at least one value",
        ),
        refuses(
            "values for presence",
            selects("key: team, operator: Exists, values: [a]"),
            "operators Exists and DoesNotExist take no values",
        ),
        refuses(
            "a label key that cannot be",
            selects("key: 'a b', operator: Exists"),
            "must be the key of a label",
        ),
        refuses(
            "a label key that cannot be matched",
            namespaces("{selector: {matchLabels: {'a b': c}}}"),
            "must be keys of labels",
        ),
        refuses(
            "a label value that cannot be",
            namespaces("{selector: {matchLabels: {team: 'a b'}}}"),
            "should match",
        ),
    ]
}

fn patterns() -> Vec<Case> {
    let after =
        "{namespace} must end the pattern or be followed by a separator that no namespace name contains";
    let before =
        "after a '*', {namespace} may stand once, behind a separator that no namespace name contains";
    let braces = "may stand in a pattern only as {namespace}";
    let edges = "a pattern must not begin or end with white space";
    let taken = [
        "acme",
        "'*'",
        "'acme-*'",
        "'{namespace}'",
        "'{namespace}_*'",
        "'{namespace}/*'",
        "'{namespace}.{namespace}'",
        "'{namespace}: *'",
        "'prod-{namespace}'",
        "'*/{namespace}'",
        "'* {namespace}'",
        "'*/{namespace}.prod'",
        "'{namespace}_*_{namespace}'",
        "'app-{namespace}/*'",
    ];
    let refused = [
        ("'{namespace}-*'", after),
        ("'{namespace}*'", after),
        ("'{namespace}-prod'", after),
        ("'{namespace}x'", after),
        ("'{namespace}X'", after),
        ("'{namespace}1'", after),
        ("'{namespace}{namespace}'", after),
        ("'{namespace}_{namespace}-*'", after),
        // The Kelvin sign is a k once case is folded.
        ("\"{namespace}\\u212a\"", after),
        // A sharp s is two of them, a ligature its letters; a mark may join the letter before it.
        ("'{namespace}ß'", after),
        ("\"{namespace}\\ufb01\"", after),
        ("\"{namespace}\\u0301\"", after),
        ("'*{namespace}'", before),
        ("'*_{namespace}_*'", before),
        ("'*_{namespace}_{namespace}'", before),
        ("\"*\\u212a{namespace}\"", before),
        ("'*-{namespace}'", before),
        ("'*x-{namespace}'", before),
        ("'a_*b{namespace}'", before),
        ("'{Namespace}'", braces),
        ("'{namespace'", braces),
        ("'{tenant}'", braces),
        ("' acme'", edges),
        ("\"ac\\tme\"", edges),
        ("''", "should be at least 1 chars long"),
    ];
    let taken = taken.map(|text| takes("a pattern", pattern(text)));
    let refused = refused.map(|(text, why)| refuses("a pattern", pattern(text), why));
    let bounds = vec![
        takes("a pattern of 256 characters", pattern(&"n".repeat(256))),
        refuses(
            "a pattern of 257 characters",
            pattern(&"n".repeat(257)),
            "may not be more than 256",
        ),
        takes("64 patterns", pattern(&list(64, |n| format!("n{n}")))),
        refuses(
            "65 patterns",
            pattern(&list(65, |n| format!("n{n}"))),
            "must have at most 64 items",
        ),
        refuses("a pattern twice", pattern("acme, acme"), "Duplicate value"),
    ];
    [taken.to_vec(), refused.to_vec(), bounds].concat()
}

pub fn changes() -> Vec<Case> {
    let (id, other) = (
        with("organizationId: 645a183f-b12b-4c6e-8ad3-99e165603450"),
        with("organizationId: 745a183f-b12b-4c6e-8ad3-99e165603450"),
    );
    let fixed = "organizationId cannot be changed or removed once set";
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
        forbids_change("an id changed", &id, &other, fixed),
        forbids_change("an id removed", &id, &with(""), fixed),
    ]
}

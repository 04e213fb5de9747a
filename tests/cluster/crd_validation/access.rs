//! The access list of an `Organization`: who may use which names.

use super::judge::{Case, refuses, takes};
use super::organization::with;

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

pub fn grants() -> Vec<Case> {
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

pub fn patterns() -> Vec<Case> {
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
        // In the form in which names are compared: gone, a hyphen, letters.
        ("\"{namespace}\\u200d*\"", after),
        ("\"{namespace}\\uff0d*\"", after),
        ("\"{namespace}\\u2122*\"", after),
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

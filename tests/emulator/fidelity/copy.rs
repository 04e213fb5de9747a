//! Some hundred requests to the emulator and to a plain copy of the public document's routes in the web framework of the real service.
//! What differs is listed here with its reason, and shown in `docs/emulator.md`.

use std::fmt::Write as _;

use serde_json::Value;

use super::run;
use crate::rig::rig;

const JSON: &str = "Python's JSON parser takes it, the emulator's does not";
const EMPTY_NAME: &str =
    "The document sets no least length; the service's own type for a new workspace does. Knob `name_empty`";
const CONNECTORS: &str = "The emulator does not make, read or change connectors";
const HEADER: &str =
    "The emulator names a malformed `X-Organization-Id` alone. Knob `organization_malformed`";

/// The requests whose answers differ, in the order in which they are sent.
const DIFFERENCES: &[(&str, &str)] = &[
    ("T2, NaN beside the name", JSON),
    (
        "T2, bytes that are no UTF-8",
        "The framework answers in its own shape, the emulator in that of the knob `error_shape`",
    ),
    ("T2, a mark of byte order", JSON),
    ("T2, UTF-16", JSON),
    ("T2, half a pair of surrogates", JSON),
    ("T2, lists in lists", "The emulator reads at most 128 levels"),
    ("T2, empty name", EMPTY_NAME),
    ("W4, empty name", EMPTY_NAME),
    (
        "W4, a taken name",
        "The document does not say that names are unique; other pages do. Knob `rename_conflict`",
    ),
    (
        "W1, made-up cursor",
        "The document does not say what a cursor is; a client must not make one up. The copy has no pages",
    ),
    ("POST /api/v1/integrations/connectors", CONNECTORS),
    ("GET /api/v1/integrations/connectors/{nobody}", CONNECTORS),
    ("PUT /api/v1/integrations/connectors/{nobody}", CONNECTORS),
    ("POST /api/v1/integrations/connectors/{nobody}", CONNECTORS),
    ("malformed organization and limit, W1", HEADER),
    ("malformed organization and body, T2", HEADER),
    ("malformed organization, no body, T1", HEADER),
];

#[tokio::test]
async fn the_emulator_is_no_laxer_than_the_framework() {
    let rig = rig().await;
    let results = run("compare.py", &[rig.running.url()], &[]).await;
    let results = results.as_array().unwrap();
    assert!(results.len() >= 110, "{} requests", results.len());
    let name = |result: &Value| result["request"].as_str().unwrap().to_owned();

    for result in results {
        assert_eq!(result["wrong"], Value::Null, "no declared answer: {result:#}");
    }
    let differing: Vec<&Value> = results
        .iter()
        .filter(|result| result["emulator"] != result["copy"])
        .collect();
    for result in &differing {
        let [emulator, copy] = ["emulator", "copy"].map(|side| result[side]["status"].as_u64().unwrap());
        assert!(
            emulator >= 400 || copy < 400,
            "laxer than the framework: {result:#}"
        );
        let known = DIFFERENCES.iter().any(|(request, _)| *request == name(result));
        assert!(known, "an unlisted difference: {result:#}");
    }
    let found: Vec<String> = differing.iter().map(|result| name(result)).collect();
    let listed: Vec<&str> = DIFFERENCES.iter().map(|(request, _)| *request).collect();
    assert_eq!(found, listed, "what is listed differs no more");
    committed(&table(results.len(), &differing));
}

/// The section of the page.
fn table(requests: usize, differing: &[&Value]) -> String {
    let mut page = format!(
        "Of {requests} requests, {} are answered differently:\n\n| request | emulator | copy | why |\n|---|---|---|---|\n",
        differing.len()
    );
    for (result, (request, why)) in differing.iter().zip(DIFFERENCES) {
        let [emulator, copy] = ["emulator", "copy"].map(|side| shown(&result[side]));
        writeln!(page, "| {request} | {emulator} | {copy} | {why} |").unwrap();
    }
    page
}

/// Status, and what is refused about which field.
fn shown(answer: &Value) -> String {
    let mut shown = answer["status"].to_string();
    if let Some(allow) = answer["allow"].as_str() {
        write!(shown, ", `Allow: {allow}`").unwrap();
    }
    for fault in answer["faults"].as_array().into_iter().flatten() {
        if let [Value::String(field), Value::String(code)] = fault.as_array().unwrap().as_slice() {
            write!(shown, ", `{field}` {code}").unwrap();
        }
    }
    shown
}

/// Holds the section against the page; writes it where `UPDATE` is set.
fn committed(section: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/emulator.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("<!-- copy:begin").expect("a copy:begin mark");
    let (mark, rest) = rest.split_once("-->\n").unwrap();
    let (old, after) = rest.split_once("<!-- copy:end -->").expect("a copy:end mark");
    if std::env::var_os("UPDATE").is_some() {
        let page = format!("{before}<!-- copy:begin{mark}-->\n{section}<!-- copy:end -->{after}");
        std::fs::write(path, page).unwrap();
        return;
    }
    assert!(
        old == section,
        "docs/emulator.md is out of date: run `UPDATE=1 cargo test --all-features --test emulator copy`"
    );
}

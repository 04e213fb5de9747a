//! `docs/requirements.md` names a test for every row, or says why there is none; and each named test exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../../docs/requirements.md");

/// How a row begins that is not held as it stands.
const WORDS: [&str; 3] = ["**Does not apply**", "**Otherwise**", "**Open**"];

/// Id and last cell of each row.
fn rows() -> Vec<(&'static str, &'static str)> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter(|row| row.starts_with("peer.") || row.starts_with("report."))
        .map(|row| {
            let cells: Vec<_> = row.trim_end_matches('|').split('|').map(str::trim).collect();
            (cells[0], *cells.last().unwrap())
        })
        .collect()
}

/// `file::test`
fn named(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains("::"))
}

#[test]
fn every_requirement_has_a_test_or_a_reason() {
    let rows = rows();
    assert!(rows.len() > 60, "{} rows", rows.len());
    for (id, held) in &rows {
        let has_a_word = WORDS.iter().any(|word| held.starts_with(word));
        assert!(has_a_word || named(held).count() > 0, "{id}: {held}");
    }
    let ids: BTreeSet<_> = rows.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), rows.len(), "an id stands twice");
}

#[test]
fn every_test_that_a_requirement_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named: BTreeSet<_> = rows().into_iter().flat_map(|(_, held)| named(held)).collect();
    let missing: Vec<_> = named.into_iter().filter(|test| !exists(root, test)).collect();
    assert!(missing.is_empty(), "no such test: {missing:#?}");
}

/// Whether that file has a function of that name that is a test, or a row of that name in a macro that makes tests.
fn exists(root: &Path, test: &str) -> bool {
    let Some((file, name)) = test.split_once("::") else {
        return false;
    };
    let source = fs::read_to_string(root.join(file)).unwrap_or_default();
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let is_function = |line: &&str| {
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        function.is_some_and(|rest| rest.split('(').next() == Some(name))
    };
    let is_marked = lines.iter().position(is_function).is_some_and(|at| {
        let mut attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    });
    is_marked
        || lines
            .iter()
            .any(|line| line.starts_with(&format!("{name}: ")) && line.ends_with(';'))
}

#[test]
fn a_test_that_is_none_is_noticed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let here = |name: &str| exists(root, &format!("tests/offline/requirements.rs::{name}"));
    assert!(here("a_test_that_is_none_is_noticed"));
    assert!(!here("exists") && !here("rows") && !here("nothing"));
    assert!(exists(
        root,
        "tests/cluster/crashes.rs::creation_issue_that_took_effect_unheard"
    ));
}

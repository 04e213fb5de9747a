//! `docs/requirements.md` names a test for every row, or says why there is none; and each named test exists.

use std::collections::BTreeSet;

use crate::named_tests;

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
    let named: BTreeSet<_> = rows().into_iter().flat_map(|(_, held)| named(held)).collect();
    let missing: Vec<_> = named.into_iter().filter(|test| !exists(test)).collect();
    assert!(missing.is_empty(), "no such test: {missing:#?}");
}

/// A test, or a row of that name in a macro that makes tests.
fn exists(test: &str) -> bool {
    let is_a_row = |(source, name): (String, &str)| {
        let mut lines = source.lines().map(str::trim_start);
        lines.any(|line| line.starts_with(&format!("{name}: ")) && line.ends_with(';'))
    };
    named_tests::exists(test) || named_tests::split(test).is_some_and(is_a_row)
}

#[test]
fn a_test_that_is_none_is_noticed() {
    let here = |name: &str| exists(&format!("tests/offline/requirements.rs::{name}"));
    assert!(here("a_test_that_is_none_is_noticed"));
    assert!(!here("exists") && !here("rows") && !here("nothing"));
    assert!(exists(
        "tests/cluster/crashes.rs::creation_issue_that_took_effect_unheard"
    ));
}

//! docs/promises.md names a test for every promise. Here it is held to that.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const INVARIANTS: std::ops::RangeInclusive<u8> = 1..=10;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of all tables, their header and rule lines left out, as cells.
fn rows(page: &str) -> Vec<Vec<String>> {
    let is_rule = |line: &str| line.chars().all(|c| matches!(c, '|' | '-' | ' '));
    let lines: Vec<&str> = page.lines().collect();
    lines
        .iter()
        .enumerate()
        .filter(|(n, line)| {
            line.starts_with('|')
                && !is_rule(line)
                && !lines
                    .get(n + 1)
                    .is_some_and(|next| next.starts_with('|') && is_rule(next))
        })
        .map(|(_, line)| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

/// The tests that a cell names: `file::test`, in backticks.
fn named(cell: &str) -> Vec<(String, String)> {
    cell.split('`')
        .filter_map(|word| word.split_once("::"))
        .map(|(file, test)| (file.to_owned(), test.to_owned()))
        .collect()
}

#[test]
fn every_promise_names_tests_that_exist() {
    let rows = rows(&read("docs/promises.md"));
    assert!(rows.len() > 45, "the tables were read");
    let mut broken = Vec::new();
    for row in rows {
        let tests = named(row.last().expect("cells"));
        if tests.is_empty() {
            broken.push(format!("no test holds this: {row:?}"));
        }
        for (file, test) in tests {
            if !holds(&file, &test) {
                broken.push(format!("{file} has no test {test}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Whether the file has that test: as a function, or as a row of a macro that makes functions.
fn holds(file: &str, test: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let source = fs::read_to_string(path).unwrap_or_default();
    let tests = ["#[test]", "#[tokio::test", "proptest!"]
        .iter()
        .any(|mark| source.contains(mark));
    tests && (source.contains(&format!("fn {test}(")) || source.contains(&format!("    {test}: ")))
}

#[test]
fn every_invariant_has_its_row() {
    let said: BTreeSet<String> = rows(&read("docs/promises.md"))
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    for n in INVARIANTS {
        assert!(said.contains(&format!("I{n}")), "I{n} has no row");
    }
}

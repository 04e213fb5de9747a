//! `docs/security.md` names a test for every threat, and each of them exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../../docs/security.md");

/// A row of a table: what is tried, what stops it, what remains, the tests.
struct Threat {
    cells: Vec<&'static str>,
}

impl Threat {
    fn tests(&self) -> Vec<&'static str> {
        let tests = self.cells.last().copied().unwrap_or_default();
        tests.split(", ").map(|test| test.trim_matches('`')).collect()
    }
}

/// By chapter, without headings.
fn threats() -> Vec<(&'static str, Vec<Threat>)> {
    let chapters = PAGE.split("\n## ").skip(1);
    let threats = chapters.map(|chapter| {
        let (title, text) = chapter.split_once('\n').unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| "));
        let rows = rows.skip(1).map(|row| {
            let inner = row.trim_start_matches('|').trim_end_matches('|');
            Threat {
                cells: inner.split('|').map(str::trim).collect(),
            }
        });
        (title, rows.collect::<Vec<_>>())
    });
    threats.filter(|(_, rows)| !rows.is_empty()).collect()
}

#[test]
fn every_attacker_has_threats_and_each_says_all() {
    let threats = threats();
    assert_eq!(threats.len(), 6, "one chapter for each attacker");
    for (title, rows) in threats {
        for row in rows {
            let [tried, stopped, remains, tests] = row.cells.as_slice() else {
                panic!("{title}: four cells, not {:?}", row.cells);
            };
            assert!(
                !tried.is_empty() && tests.contains("::"),
                "{title}: {:?}",
                row.cells
            );
            assert!(
                !(stopped.is_empty() && remains.is_empty()),
                "{title}: neither stopped nor left: {tried}"
            );
        }
    }
}

#[test]
fn every_test_that_a_threat_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named: BTreeSet<_> = threats()
        .iter()
        .flat_map(|(_, rows)| rows.iter().flat_map(Threat::tests))
        .collect();
    let missing: Vec<_> = named.into_iter().filter(|test| !exists(root, test)).collect();
    assert!(missing.is_empty(), "no such test: {missing:#?}");
}

/// `file::test`, where the function bears an attribute that makes it a test, or is one that `proptest!` makes.
fn exists(root: &Path, test: &str) -> bool {
    let Some((file, name)) = test.split_once("::") else {
        return false;
    };
    let source = fs::read_to_string(root.join(file)).unwrap_or_default();
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let is_it = |line: &&str| {
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        function.is_some_and(|rest| rest.split('(').next() == Some(name))
    };
    lines.iter().position(is_it).is_some_and(|at| {
        let before = lines[..at].iter().rev();
        let mut attributes = before.take_while(|line| line.starts_with("#["));
        attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

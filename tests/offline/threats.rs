//! `docs/security.md` names a test for every threat, and each of them exists.

use std::collections::BTreeSet;

use crate::named_tests::exists;

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
    let named: BTreeSet<_> = threats()
        .iter()
        .flat_map(|(_, rows)| rows.iter().flat_map(Threat::tests))
        .collect();
    let missing: Vec<_> = named.into_iter().filter(|test| !exists(test)).collect();
    assert!(missing.is_empty(), "no such test: {missing:#?}");
}

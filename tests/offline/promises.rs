//! What is promised is written at the tests that hold it, and `docs/promises.md` is made from there.
//!
//! ```text
//! /// Promise: rule.creation: Gates, search, finalizer, intent, issue …
//! ```
//!
//! At one test with its text, at further ones as `/// Promise: rule.creation` alone.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const MARK: &str = "/// Promise: ";

/// The page before its tables.
const HEAD: &str = include_str!("promises_head.md");

/// A chapter of a page.
pub struct Chapter {
    pub title: &'static str,
    pub about: &'static str,
    /// A text with colons fills as many columns.
    pub columns: &'static [&'static str],
    /// Each has a test, or this test fails.
    pub ids: &'static [&'static str],
}

const CHAPTERS: [Chapter; 5] = [
    Chapter {
        title: "Invariants",
        about: "",
        columns: &["promise"],
        ids: &["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10"],
    },
    Chapter {
        title: "Rules",
        about: "",
        columns: &["rule"],
        ids: &[
            "rule.identity",
            "rule.creation",
            "rule.window",
            "rule.no-creation-time",
            "rule.one-attempt",
            "rule.in-flight-name",
            "rule.in-flight-grant",
            "rule.in-flight-deletion",
            "rule.observation",
            "rule.orphan",
            "rule.listed-row",
            "rule.other-organization",
            "rule.gone",
            "rule.replaced-alone",
            "rule.deleted-once",
            "rule.hidden",
            "rule.many-missing",
            "rule.claims",
            "rule.deletion-policy",
            "rule.ceiling",
            "rule.definitions-read",
            "rule.live-read",
            "rule.rate-too-low",
            "rule.let-go",
            "rule.credential-touched",
            "rule.news-during-rest",
            "rule.unread",
            "rule.carried-out",
            "rule.true-while-waiting",
            "rule.says-within-a-minute",
            "rule.withdrawal",
            "rule.secrets",
            "rule.unlabelled-secret",
            "rule.unpatchable-secret",
            "rule.contested-secret",
            "rule.fed-stores",
            "rule.default-workspace",
            "rule.secret-exists",
            "rule.reconcile-request",
            "rule.token-declared-away",
            "rule.suspended",
            "rule.waiting",
            "rule.stays-gone",
            "rule.unanswered-issue",
            "rule.exact-name",
            "rule.asked",
            "rule.doubt-ends",
            "rule.former-issue",
            "rule.reread",
            "rule.ended-token",
            "rule.ends-well",
            "rule.secret-taken-away",
            "rule.clock-set",
            "rule.clock-set-ahead",
            "rule.clock-set-back",
            "rule.clocks-differ",
            "rule.wish-from-elsewhere",
            "rule.wish-missing",
            "rule.name-of-others",
            "rule.refused-issue",
            "rule.silent-kubernetes",
            "rule.silence-said",
            "rule.lagging-store",
            "rule.deaf-watch",
            "rule.watch-rests",
            "rule.definition-gone",
            "rule.remedies",
            "rule.bounded-metadata",
            "rule.listed-namespace",
            "rule.pure-core",
            "rule.rate",
            "rule.away",
            "rule.pause-outlives",
            "rule.one-leader",
            "rule.upgrade-keeps",
            "rule.one-operator",
            "rule.take-over",
            "rule.provisional-hold",
            "rule.two-releases",
            "rule.moving",
        ],
    },
    Chapter {
        title: "Bad input",
        about: "",
        columns: &["input"],
        ids: &[
            "input.fields",
            "input.waiting",
            "input.stalled",
            "input.tokens",
            "input.organization-elsewhere",
            "input.undecodable",
            "input.definitions-deleted",
            "input.marks",
            "input.flags",
        ],
    },
    Chapter {
        title: "Cost",
        about: "",
        columns: &["what", "bar"],
        ids: &[
            "cost.create",
            "cost.refresh",
            "cost.steady",
            "cost.drift",
            "cost.restart",
            "cost.failure",
            "cost.freshness",
        ],
    },
    Chapter {
        title: "Unknowns of the API",
        about: "Each is a knob of the [emulator](emulator.md). The whole table of knobs is walked by code, value by value:",
        columns: &["what"],
        ids: &[
            "unknown.lives",
            "unknown.client",
            "unknown.effects",
            "unknown.not-found",
        ],
    },
];

/// A promise as it stands at its tests.
#[derive(Default)]
pub struct Promise {
    pub texts: Vec<String>,
    /// `file::test`
    pub tests: Vec<String>,
}

#[test]
fn promises_are_documented() {
    let promises = written();
    let mut page = HEAD.to_owned();
    for chapter in CHAPTERS {
        write_chapter(&mut page, &chapter, &promises);
    }
    crate::committed("promises.md", &page);
}

/// The chapter with its table.
pub fn write_chapter(page: &mut String, chapter: &Chapter, promises: &BTreeMap<String, Promise>) {
    write!(page, "\n## {}\n\n", chapter.title).unwrap();
    if !chapter.about.is_empty() {
        write!(page, "{}\n\n", chapter.about).unwrap();
    }
    let columns = chapter.columns;
    writeln!(page, "| id | {} | held by |", columns.join(" | ")).unwrap();
    writeln!(page, "|---|{}---|", "---|".repeat(columns.len())).unwrap();
    for id in chapter.ids {
        let promise = &promises[*id];
        let cells: Vec<_> = promise.texts[0].splitn(columns.len(), ": ").collect();
        assert_eq!(cells.len(), columns.len(), "{id} fills the columns {columns:?}");
        let tests: Vec<_> = promise.tests.iter().map(|test| format!("`{test}`")).collect();
        writeln!(page, "| {id} | {} | {} |", cells.join(" | "), tests.join(", ")).unwrap();
    }
}

#[test]
fn every_promise_has_one_text_and_a_test_and_is_in_a_chapter() {
    let promises = written();
    let elsewhere = [&crate::hostile_answers::PROFILES];
    let chapters: Vec<_> = CHAPTERS
        .iter()
        .chain(elsewhere)
        .flat_map(|chapter| chapter.ids)
        .collect();
    let mut wrong = Vec::new();
    for id in &chapters {
        if !promises.contains_key(**id) {
            wrong.push(format!("no test holds {id}"));
        }
    }
    for (id, promise) in &promises {
        if !chapters.iter().any(|known| *known == id) {
            wrong.push(format!("{id} is in no chapter, at {:?}", promise.tests));
        }
        if promise.texts.len() != 1 {
            wrong.push(format!(
                "{id} has {} texts, at {:?}",
                promise.texts.len(),
                promise.tests
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every promise by its id.
pub fn written() -> BTreeMap<String, Promise> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut promises: BTreeMap<String, Promise> = BTreeMap::new();
    for file in sources(&[root.join("src"), root.join("tests")]) {
        let source = fs::read_to_string(&file).unwrap();
        let place = file.strip_prefix(root).unwrap().display();
        let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
        for (at, promise) in lines
            .iter()
            .enumerate()
            .filter_map(|(at, line)| Some((at, line.strip_prefix(MARK)?)))
        {
            let (id, text) = promise
                .split_once(": ")
                .map_or((promise, None), |(id, text)| (id, Some(text)));
            let entry = promises.entry(id.to_owned()).or_default();
            entry.texts.extend(text.map(str::to_owned));
            entry.tests.push(format!(
                "{place}::{}",
                test_after(&lines[at..], &place.to_string())
            ));
        }
    }
    promises
}

/// The test that a comment is written at: a function, or a row of a macro that makes functions.
fn test_after<'a>(lines: &[&'a str], place: &str) -> &'a str {
    let item = lines
        .iter()
        .find(|line| !line.starts_with("///") && !line.starts_with("#["));
    let item = item.unwrap_or_else(|| panic!("{place}: a promise without a test"));
    let marked = lines
        .iter()
        .take_while(|line| *line != item)
        .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
    let function = item.strip_prefix("async ").unwrap_or(item).strip_prefix("fn ");
    let name = match function {
        Some(rest) if marked => rest.split('(').next(),
        Some(_) => None,
        None => item.split_once(": ").map(|(name, _)| name),
    };
    name.unwrap_or_else(|| panic!("{place}: a promise at what is no test: {item}"))
}

/// Rust files, by path.
fn sources(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in folders {
        let mut entries: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                files.extend(sources(&[path]));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

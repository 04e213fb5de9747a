//! The walls of the house: which room may take from which, no circle of files, and pure rooms that stay pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A Kubernetes client, HTTP, an executor, a clock, chance, a token.
const IMPURE: [&str; 11] = [
    "kube::",
    "reqwest",
    "tokio",
    "axum",
    "tower::",
    "SystemTime",
    "time::Instant",
    "rand::",
    "secrecy",
    "Timestamp::now",
    "Zoned::now",
];

/// Rooms that decide, and know none of these.
const PURE: [&str; 4] = ["lifecycle", "tenancy", "limits", "organization"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its module path below the crate's root, and its code without comments and unit tests.
struct Source {
    module: Vec<String>,
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }

    fn name(&self) -> String {
        self.module.join("::")
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests") {
                files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut found = Vec::new();
    files(&src, &mut found);
    found.sort();
    found
        .iter()
        .map(|path| {
            let below = path.strip_prefix(&src).expect("below src").with_extension("");
            let mut module: Vec<String> = below
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
                module.pop();
            }
            let text = fs::read_to_string(path).expect("a source");
            let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let code: Vec<&str> = shipped
                .lines()
                .map(|line| line.split("//").next().unwrap_or_default())
                .collect();
            // Between quotes stands text, where a path is no use of it.
            let quoted = code.join("\n").replace("'\"'", "''").replace("\\\"", "");
            let code = quoted.split('"').step_by(2).collect();
            Source { module, code }
        })
        .collect()
}

/// Every module path that the code names from the crate's root, `super` and braces resolved.
fn taken(source: &Source) -> BTreeSet<Vec<String>> {
    let mut paths = BTreeSet::new();
    for (start, root) in ["crate::", "agent_engine_operator::", "super::"]
        .iter()
        .flat_map(|root| source.code.match_indices(root))
    {
        let before = source.code[..start].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let mut base = Vec::new();
        let mut rest = &source.code[start + root.len()..];
        if root == "super::" {
            base = source.module.clone();
            base.pop();
            while let Some(further) = rest.strip_prefix("super::") {
                base.pop();
                rest = further;
            }
        }
        collect(rest, &base, &mut paths);
    }
    paths
}

/// Reads one use-tree; returns what follows it.
fn collect<'a>(text: &'a str, base: &[String], paths: &mut BTreeSet<Vec<String>>) -> &'a str {
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches([' ', '\n', ',']);
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            if rest.is_empty() {
                return rest;
            }
            rest = collect(rest, base, paths);
            rest = rest.trim_start_matches(|c: char| c != ',' && c != '}');
        }
    }
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    if end == 0 {
        paths.insert(base.to_vec());
        return text.get(1..).unwrap_or_default();
    }
    let mut path = base.to_vec();
    path.push(text[..end].to_owned());
    match text[end..].strip_prefix("::") {
        Some(rest) => collect(rest, &path, paths),
        None => {
            paths.insert(path);
            &text[end..]
        }
    }
}

/// The table of CONTRIBUTING.md: a room, and the rooms that it may take from.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let table = page
        .split("## Which room may take from which")
        .nth(1)
        .expect("the table of rooms");
    let words =
        |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    table
        .lines()
        .skip_while(|line| !line.starts_with("| `"))
        .take_while(|line| line.starts_with("| `"))
        .map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            (words(cells[1]).pop_first().expect("a room"), words(cells[2]))
        })
        .collect()
}

#[test]
fn no_room_takes_from_a_room_that_the_table_lacks() {
    let allowed = allowed();
    assert!(allowed.len() > 10, "the table was read");
    let sources = sources();
    let rooms: BTreeSet<&str> = sources.iter().map(Source::room).collect();
    let mut wrong = BTreeSet::new();
    let mut used = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.module.is_empty()) {
        let from = source.room();
        for path in taken(source) {
            let Some(to) = path
                .first()
                .map(String::as_str)
                .filter(|to| *to != from && rooms.contains(to))
            else {
                continue;
            };
            used.insert((from.to_owned(), to.to_owned()));
            if !allowed.get(from).is_some_and(|may| may.contains(to)) {
                wrong.insert(format!("{} takes from {to}", source.name()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that CONTRIBUTING.md does not allow: {wrong:#?}"
    );
    for (from, may) in &allowed {
        for to in may {
            assert!(
                used.contains(&(from.clone(), to.clone())),
                "CONTRIBUTING.md allows {from} to take from {to}, and it does not: remove the arrow"
            );
        }
    }
}

/// Beyond a module and its children, files know each other in one direction.
#[test]
fn no_circle_of_files() {
    let sources = sources();
    let modules: BTreeSet<&[String]> = sources.iter().map(|source| source.module.as_slice()).collect();
    let related = |a: &[String], b: &[String]| a.starts_with(b) || b.starts_with(a);
    let mut arrows: BTreeMap<&[String], BTreeSet<&[String]>> = BTreeMap::new();
    for source in &sources {
        for path in taken(source) {
            let to = (1..=path.len())
                .rev()
                .find_map(|length| modules.get(&path[..length]));
            if let Some(to) = to.filter(|to| !related(to, &source.module)) {
                arrows.entry(&source.module).or_default().insert(to);
            }
        }
    }
    let mut circles = BTreeSet::new();
    for start in arrows.keys() {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&[String]> = arrows[start].iter().copied().collect();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(arrows.get(next).into_iter().flatten());
            }
        }
        if seen.contains(start) {
            circles.insert(start.join("::"));
        }
    }
    assert!(circles.is_empty(), "files in circles: {circles:#?}");
}

/// In both decision cores: nothing below reaches up.
#[test]
fn judgements_know_no_rule_and_rules_no_status() {
    let above_judgements = [
        "rules",
        "step",
        "plan",
        "status",
        "apply",
        "reconcile",
        "budget",
        "wakeups",
    ];
    // A step may carry the wake-up at which it ends.
    let above_rules = ["plan", "status", "apply", "reconcile", "budget"];
    let sources = sources();
    let mut reaching = Vec::new();
    for room in ["lifecycle", "organization"] {
        for (floor, above) in [("judge", &above_judgements[..]), ("rules", &above_rules[..])] {
            let prefix = [room.to_owned(), floor.to_owned()];
            let of_floor = sources.iter().filter(|source| source.module.starts_with(&prefix));
            let of_floor: Vec<&Source> = of_floor.collect();
            assert!(!of_floor.is_empty(), "{room}::{floor} was found");
            for source in of_floor {
                let up = taken(source).into_iter().filter(|path| {
                    path.first().is_some_and(|first| first == room)
                        && path.get(1).is_some_and(|module| above.contains(&module.as_str()))
                });
                reaching.extend(up.map(|path| format!("{} takes from {}", source.name(), path.join("::"))));
            }
        }
    }
    assert!(reaching.is_empty(), "{reaching:#?}");
}

/// Promise: rule.pure-core: The decision core knows no client, no HTTP, no clock, no chance and no token
#[test]
fn the_pure_rooms_know_no_client_no_clock_and_no_token() {
    let sources = sources();
    for room in PURE {
        let of_room: Vec<&Source> = sources.iter().filter(|source| source.room() == room).collect();
        assert!(of_room.len() > 3, "the room {room} was found");
        for source in of_room {
            for (number, line) in source.code.lines().enumerate() {
                for word in IMPURE {
                    assert!(!line.contains(word), "{}:{}: {word}", source.name(), number + 1);
                }
            }
        }
    }
}

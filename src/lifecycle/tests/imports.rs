//! The pure rooms stay pure: what they import is checked in their source.

use std::path::{Path, PathBuf};

const ROOMS: [&str; 4] = ["src/lifecycle", "src/tenancy", "src/limits", "src/organization"];

/// A Kubernetes client, HTTP, an executor, a clock, chance, a token.
const NEVER: [&str; 11] = [
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

fn sources(room: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(room).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
}

/// Promise: rule.pure-core: The decision core knows no client, no HTTP, no clock, no chance and no token
#[test]
fn the_decision_core_knows_no_client_no_clock_no_chance_and_no_token() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for room in ROOMS
        .map(|room| root.join(room))
        .iter()
        .filter(|room| room.is_dir())
    {
        sources(room, &mut found);
    }
    assert!(found.len() > 20, "the rooms were found");
    for path in found.iter().filter(|path| !path.ends_with("tests/imports.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        let code = text
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default());
        for (number, line) in code.enumerate() {
            for word in NEVER {
                assert!(!line.contains(word), "{}:{}: {word}", path.display(), number + 1);
            }
        }
    }
}

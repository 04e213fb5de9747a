//! One vocabulary: the words that `STYLE.md` does without stand in no text of the project.

use std::fs;
use std::path::{Path, PathBuf};

/// Texts that are read by people as they are.
const PAGES: [&str; 6] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs",
    "charts",
    "examples",
    "crds",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            files(&entry.expect("an entry").path(), found);
        }
    } else {
        found.push(path.to_owned());
    }
}

/// The second column of the table.
fn banned() -> Vec<String> {
    let style = fs::read_to_string(root().join("STYLE.md")).expect("STYLE.md");
    let rows = style.lines().filter(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(2).map(str::to_owned));
    cells
        .flat_map(|cell| {
            let words = cell.split('`').skip(1).step_by(2);
            words.map(str::to_lowercase).collect::<Vec<_>>()
        })
        .collect()
}

/// Comments and texts of Rust code; everything else is names.
fn prose(line: &str) -> String {
    let comment = line.find("//").filter(|at| !line[..*at].ends_with(':'));
    let code = &line[..comment.unwrap_or(line.len())];
    let texts = code.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
    format!("{texts} {}", &line[comment.unwrap_or(line.len())..])
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next())
    })
}

fn places_of(words: &[String], path: &Path, read: impl Fn(&str) -> String) -> Vec<String> {
    let text = fs::read_to_string(path).expect("text");
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(number, line)| {
            let line = read(line).to_lowercase();
            let found = words.iter().filter(|word| has_word(&line, word));
            found
                .map(|word| format!("{}:{}: {word}", path.display(), number + 1))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn no_text_has_a_word_that_the_style_does_without() {
    let words = banned();
    assert!(words.len() > 20, "the table was read");
    let (mut pages, mut code) = (Vec::new(), Vec::new());
    for page in PAGES {
        files(&root().join(page), &mut pages);
    }
    files(&root().join("src"), &mut code);
    let mut places: Vec<String> = pages
        .iter()
        .flat_map(|path| places_of(&words, path, str::to_owned))
        .collect();
    places.extend(code.iter().flat_map(|path| places_of(&words, path, prose)));
    assert!(
        places.is_empty(),
        "words that STYLE.md replaces:\n{}",
        places.join("\n")
    );
}

#[test]
fn a_word_is_found_whole_and_in_texts_alone() {
    assert!(has_word("made anew.", "anew") && !has_word("renewed", "anew"));
    assert_eq!(prose("let stray = 1; // a comment").trim(), "// a comment");
    assert_eq!(prose("say(\"a text\");").trim(), "a text");
}

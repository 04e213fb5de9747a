//! One vocabulary: the words that `STYLE.md` does without stand in no text of the project.

use std::fs;
use std::path::{Path, PathBuf};

/// Texts that are read by people as they are.
const PAGES: [&str; 7] = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs",
    "charts",
    "examples",
    "crds",
];

/// What of a line is read.
type Read = fn(&str) -> String;

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

/// A row of the changelog without what a thing was called before.
fn without_old_name(line: &str) -> String {
    match line.split('|').collect::<Vec<_>>().as_slice() {
        ["", what, _, is, ""] => format!("{what} {is}"),
        _ => line.to_owned(),
    }
}

/// Code, and the comment after it.
fn parts(line: &str) -> (&str, &str) {
    let comment = line.find("//").filter(|at| !line[..*at].ends_with(':'));
    line.split_at(comment.unwrap_or(line.len()))
}

/// The name of a function is a sentence. A hyphen is not told from a blank in it.
fn sentence(line: &str) -> String {
    let code = parts(line).0.split('"').next().unwrap_or_default();
    let name = code.split_once("fn ").map_or("", |(_, name)| name);
    let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next();
    let name = name.unwrap_or_default();
    [" ", "-"].map(|blank| name.replace('_', blank)).join("  ")
}

/// Comments and names of functions in the code of tests. Its texts are what is put in and comes out.
fn told(line: &str) -> String {
    format!("{} {}", sentence(line), parts(line).1)
}

/// Comments, texts and names of functions of Rust code.
fn prose(line: &str) -> String {
    let (code, comment) = parts(line);
    let texts = code.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
    format!("{texts} {} {comment}", sentence(line))
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
    let (mut pages, mut code, mut tests) = (Vec::new(), Vec::new(), Vec::new());
    for page in PAGES {
        files(&root().join(page), &mut pages);
    }
    files(&root().join("src"), &mut code);
    files(&root().join("tests"), &mut tests);
    tests.retain(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let read: [(&[PathBuf], Read); 4] = [
        (&pages, str::to_owned),
        (&[root().join("CHANGELOG.md")], without_old_name),
        (&code, prose),
        (&tests, told),
    ];
    let mut places = Vec::new();
    for (paths, read) in read {
        places.extend(paths.iter().flat_map(|path| places_of(&words, path, read)));
    }
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
    assert_eq!(
        told("pub(super) async fn who_waits(\"a text\") {").trim(),
        "who waits  who-waits"
    );
    assert!(has_word(&told("fn ends_by_time_out() {"), "time-out"));
    assert!(!without_old_name("| reason | `Stray` | `Orphan` |").contains("Stray"));
}

//! What can be judged without a cluster: the command line, what is generated, pages, examples and the image.

#[path = "../support/readme.rs"]
mod page;

mod chart_values;
mod cli;
mod crds;
mod examples;
mod hostile_answers;
mod image;
mod named_tests;
mod promises;
mod readme;
mod reference;
mod requirements;
mod rooms;
mod threats;
mod tools_build;
mod words;

/// Holds a page of `docs/` against what the code says; writes it where `UPDATE` is set.
#[track_caller]
fn committed(page: &str, generated: &str) {
    let path = format!("{}/docs/{page}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"));
    let hint = "is out of date: run `make generate`";
    assert!(committed == generated, "{path} {hint}");
}

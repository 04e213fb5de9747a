//! A place for each test's files that stays after the test, for a person to read.

use std::{fs, path::PathBuf};

use super::target;

/// `target/tmp/<test binary>/<test>/<name>`, empty at first.
pub fn scratch_file(name: &str) -> PathBuf {
    let test = std::thread::current().name().unwrap_or("main").replace("::", "-");
    let folder = target().join("tmp").join(env!("CARGO_CRATE_NAME")).join(test);
    fs::create_dir_all(&folder).expect("a folder for the test's files");
    let file = folder.join(name);
    fs::write(&file, "").expect("an empty file for the test");
    file
}

//! The tests that a page names, as `file::test`.

use std::fs;
use std::path::Path;

/// The file's text and the test's name.
pub fn split(test: &str) -> Option<(String, &str)> {
    let (file, name) = test.split_once("::")?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    Some((fs::read_to_string(path).unwrap_or_default(), name))
}

/// Whether that file has a function of that name that bears an attribute which makes it a test.
pub fn exists(test: &str) -> bool {
    let Some((source, name)) = split(test) else {
        return false;
    };
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

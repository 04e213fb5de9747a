//! The table of values in the chart's README is made from the comments in values.yaml.

use std::fs;

use serde_json::Value;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/agent-engine-operator");
const BEGIN: &str = "<!-- values: made from values.yaml -->\n";
const END: &str = "<!-- end of values -->\n";

/// Update with `make generate`.
#[test]
fn the_readme_lists_every_value_with_its_comment_and_default() {
    let path = format!("{CHART}/README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where the table ends");
    let made = format!("{before}{BEGIN}{}{END}{after}", table());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == made,
        "{path} is out of date: run `make generate`"
    );
}

#[test]
fn every_value_has_a_comment() {
    let text = fs::read_to_string(format!("{CHART}/values.yaml")).unwrap();
    let values: Value = serde_saphyr::from_str(&text).unwrap();
    let told = rows(&text).into_iter().map(|row| row.0).collect::<Vec<_>>();
    let mut silent = Vec::new();
    silent_leaves(&values, "", &told, &mut silent);
    assert_eq!(silent, Vec::<String>::new());
}

/// A comment on a key speaks for all below it.
fn silent_leaves(value: &Value, path: &str, told: &[String], silent: &mut Vec<String>) {
    if told.iter().any(|told| told == path) {
        return;
    }
    match value.as_object() {
        Some(keys) if !keys.is_empty() => {
            for (key, value) in keys {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                silent_leaves(value, &path, told, silent);
            }
        }
        Some(_) | None => silent.push(path.to_owned()),
    }
}

fn table() -> String {
    let text = fs::read_to_string(format!("{CHART}/values.yaml")).unwrap();
    let values: Value = serde_saphyr::from_str(&text).unwrap();
    let mut table = "| value | default | meaning |\n|---|---|---|\n".to_owned();
    for (path, comment) in rows(&text) {
        let default = path.split('.').fold(&values, |value, key| &value[key]);
        table.push_str(&format!(
            "| `{path}` | `{default}` | {} |\n",
            comment.replace('|', "\\|")
        ));
    }
    table
}

/// Path and comment of every key below a `# -- …` line, in order. Two blanks a level, as in the whole file.
fn rows(values: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    let mut comment = None;
    for line in values.lines() {
        let content = line.trim_start();
        if let Some(text) = content.strip_prefix("# -- ") {
            comment = Some(text.to_owned());
            continue;
        }
        let Some((key, _)) = content.split_once(':') else {
            continue;
        };
        if content.starts_with('#') {
            continue;
        }
        path.truncate((line.len() - content.len()) / 2);
        path.push(key);
        rows.extend(comment.take().map(|comment| (path.join("."), comment)));
    }
    rows
}

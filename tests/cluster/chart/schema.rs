//! The schema of the values: it knows them all, each with its type and its bounds, and no others.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render::{CHART, refusal};

fn schema() -> Value {
    let text = std::fs::read_to_string(format!("{CHART}/values.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn the_schema_knows_exactly_the_values_that_there_are() {
    let text = std::fs::read_to_string(format!("{CHART}/values.yaml")).unwrap();
    let values: Value = serde_saphyr::from_str(&text).unwrap();
    let schema = schema();
    let (mut there, mut meant) = (BTreeSet::new(), BTreeSet::new());
    keys(&values, &schema, "", &mut there, &mut meant);
    assert_eq!(there, meant);
}

/// Walks as deep as the schema names properties.
fn keys(
    values: &Value,
    schema: &Value,
    path: &str,
    there: &mut BTreeSet<String>,
    meant: &mut BTreeSet<String>,
) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    there.extend(
        values
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| format!("{path}.{key}")),
    );
    for (key, property) in properties {
        let path = format!("{path}.{key}");
        meant.insert(path.clone());
        keys(&values[key], property, &path, there, meant);
    }
}

/// The path of every value, and of every group of them.
fn paths(schema: &Value, path: &str, found: &mut Vec<String>) {
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}/{key}");
        paths(property, &path, found);
        found.push(path);
    }
}

/// Values with this one at `path`, in the flow style of YAML.
fn at(path: &str, value: &str) -> String {
    path.rsplit('/')
        .filter(|key| !key.is_empty())
        .fold(value.to_owned(), |inner, key| format!("{{{key}: {inner}}}"))
}

/// Nothing takes a list of lists.
#[tokio::test]
async fn no_value_is_taken_that_is_of_another_type() {
    let mut found = Vec::new();
    paths(&schema(), "", &mut found);
    assert!(found.len() > 30, "{found:?}");
    for path in found {
        let said = refusal(&at(&path, "[[1]]")).await;
        assert!(said.contains(&format!("at '{path}")), "{path}: {said}");
    }
}

/// But for the one that is shared.
#[tokio::test]
async fn no_group_of_values_takes_one_that_it_does_not_know() {
    let mut found = Vec::new();
    paths(&schema(), "", &mut found);
    let schema = schema();
    let groups = found.iter().filter(|path| {
        let pointer = path.replace('/', "/properties/");
        schema.pointer(&format!("{pointer}/properties")).is_some()
    });
    let mut closed = Vec::new();
    for group in groups.filter(|group| **group != "/global") {
        let said = refusal(&at(&format!("{group}/unheardOf"), "1")).await;
        assert!(
            said.contains("additional properties 'unheardOf' not allowed"),
            "{group}: {said}"
        );
        closed.push(group);
    }
    assert!(closed.len() >= 7, "{closed:?}");
}

#[tokio::test]
async fn a_value_beyond_its_bounds_is_refused_where_it_stands() {
    for (path, value) in [
        ("/nameOverride", "My_Name"),
        ("/fullnameOverride", "-name"),
        ("/serviceAccount/name", "Name"),
        ("/image/repository", "''"),
        ("/image/pullPolicy", "Sometimes"),
        ("/imagePullSecrets/0", "['']"),
        ("/imagePullSecrets/0", "[{}]"),
        ("/imagePullSecrets/0", "[{name: ''}]"),
        ("/imagePullSecrets/0", "[{name: a, key: b}]"),
        ("/global/imagePullSecrets/0", "['']"),
        ("/logFormat", "xml"),
        ("/logLevel", "''"),
        ("/concurrency", "0"),
        ("/concurrency", "1025"),
        ("/drainTimeoutSeconds", "-1"),
        ("/drainTimeoutSeconds", "601"),
        ("/reconcileTimeoutSeconds", "9"),
        ("/reconcileTimeoutSeconds", "1801"),
        ("/terminationGracePeriodSeconds", "0"),
        ("/revisionHistoryLimit", "-1"),
        ("/metrics/port", "1023"),
        ("/metrics/port", "65536"),
        ("/extraEnv/0", "[{value: x}]"),
        ("/extraEnv/0/name", "[{name: ''}]"),
        ("/extraEnv/0/value", "[{name: A, value: 1}]"),
        ("/extraEnv/0/valueFrom", "[{name: A, valueFrom: x}]"),
        ("/extraEnv/0", "[{name: A, values: x}]"),
        ("/extraArgs/0", "[1]"),
        ("/watchNamespaces/0", "[1]"),
        ("/tolerations/0", "[Exists]"),
        ("/commonLabels/team", "{team: 1}"),
        ("/nodeSelector/zone", "{zone: 1}"),
        ("/podAnnotations/a", "{a: true}"),
        ("/crds/annotations/a", "{a: 1}"),
        ("/serviceAccount/annotations/a", "{a: 1}"),
        ("/metrics/service/annotations/a", "{a: 1}"),
    ] {
        let group = path.split("/0").next().unwrap_or(path);
        // What is inside a list or a map is written whole.
        let outer = if value.starts_with('{') {
            group.rsplit_once('/').unwrap().0
        } else {
            group
        };
        let said = refusal(&at(outer, value)).await;
        assert!(said.contains(&format!("at '{path}'")), "{path} {value}: {said}");
    }
}

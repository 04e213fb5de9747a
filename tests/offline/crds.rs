//! The committed CustomResourceDefinitions are those that the code means.

use std::path::Path;

use agent_engine_operator::crd::definitions;
use agent_engine_operator::crd::organization::{DEFAULT_ENDPOINT, DEFAULT_POLL_INTERVAL};
use agent_engine_operator::crd::workspace::DEFAULT_ORGANIZATION;
use agent_engine_operator::limits::rate::FIRST_REQUESTS_PER_SECOND;
use serde_json::Value;

/// For whom they are: `kubectl apply`, and the chart, which can read no file outside of it.
const FOLDERS: [&str; 2] = ["crds", "charts/agent-engine-operator/files/crds"];

/// Compares values, so that a formatter of YAML may change its taste. Update with `make generate`.
#[test]
fn committed_definitions_are_the_generated_ones() {
    for (crd, folder) in definitions::all()
        .into_iter()
        .flat_map(|crd| FOLDERS.map(|folder| (crd.clone(), folder)))
    {
        let path = format!(
            "{}/{folder}/{}.yaml",
            env!("CARGO_MANIFEST_DIR"),
            crd.spec.names.plural
        );
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, definitions::yaml(&crd).unwrap()).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"));
        let committed: Value = serde_saphyr::from_str(&text).unwrap();
        let generated = serde_json::to_value(&crd).unwrap();
        assert!(
            committed == generated,
            "{path} is out of date: run `make generate`"
        );
    }
}

#[test]
fn every_field_has_a_description() {
    for crd in definitions::all() {
        let crd = serde_json::to_value(&crd).unwrap();
        let mut silent = Vec::new();
        undescribed(
            &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
            Path::new(""),
            &mut silent,
        );
        assert_eq!(silent, Vec::<String>::new());
    }
}

fn undescribed(schema: &Value, path: &Path, silent: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = path.join(name);
        if property["description"].as_str().is_none_or(str::is_empty) {
            silent.push(path.display().to_string());
        }
        undescribed(property, &path, silent);
        undescribed(&property["items"], &path, silent);
    }
}

#[test]
fn every_string_list_and_map_is_bounded() {
    for crd in definitions::all() {
        let crd = serde_json::to_value(&crd).unwrap();
        let mut unbounded = Vec::new();
        find_unbounded(
            &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
            "",
            &mut unbounded,
        );
        assert_eq!(unbounded, Vec::<String>::new());
    }
}

fn find_unbounded(schema: &Value, path: &str, unbounded: &mut Vec<String>) {
    let bounded = match schema["type"].as_str() {
        Some("string") => ["maxLength", "enum", "format"]
            .iter()
            .any(|keyword| schema.get(keyword).is_some()),
        Some("array") => schema.get("maxItems").is_some(),
        Some("object") => schema.get("properties").is_some() || schema.get("maxProperties").is_some(),
        Some("integer" | "boolean") => true,
        other => panic!("{path} has type {other:?}"),
    };
    if !bounded {
        unbounded.push(path.to_owned());
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        find_unbounded(property, &format!("{path}.{name}"), unbounded);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner_schema) = schema.get(inner) {
            find_unbounded(inner_schema, &format!("{path}.{inner}"), unbounded);
        }
    }
}

/// Unsigned formats draw warnings from the API server; a nullable field is one that a field manager can own as `null`.
#[test]
fn no_spec_field_has_a_default_an_odd_format_or_a_null() {
    for crd in definitions::all() {
        let crd = serde_json::to_value(&crd).unwrap();
        let root = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
        let text = serde_json::to_string(&root["spec"]).unwrap();
        for unwanted in ["\"default\"", "\"nullable\"", "uint", "null]"] {
            assert!(
                !text.contains(unwanted),
                "{} contains {unwanted}",
                crd["metadata"]["name"]
            );
        }
        assert_eq!(
            root["status"]["default"],
            serde_json::json!({"observedGeneration": -1})
        );
    }
}

/// What unset means is said in descriptions alone, for there are no defaults in a schema.
#[test]
fn descriptions_name_what_the_code_takes_unset_for() {
    let [organization, workspace] = definitions::all().map(|crd| serde_json::to_value(&crd).unwrap());
    let described = |crd: &Value, field: &str| {
        let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        spec["properties"][field]["description"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let minutes = DEFAULT_POLL_INTERVAL.as_secs() / 60;
    for (field, unset) in [
        ("endpoint", DEFAULT_ENDPOINT.to_owned()),
        ("pollInterval", format!("{minutes}m")),
        ("requestsPerSecond", FIRST_REQUESTS_PER_SECOND.to_string()),
    ] {
        let description = described(&organization, field);
        assert!(description.contains(&format!("Unset: {unset}")), "{description}");
    }
    let description = described(&workspace, "organization");
    assert!(
        description.contains(&format!("Unset: {DEFAULT_ORGANIZATION}.")),
        "{description}"
    );
}

//! The manifests in `examples/`.

use std::collections::BTreeSet;

use agent_engine_operator::api::crds;
use serde_json::Value;

use crate::support::cluster;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

#[tokio::test]
async fn examples_are_accepted_as_they_are() {
    for namespace in ["agent-engine-operator", "team-a"] {
        cluster()
            .kubectl(["create", "namespace", namespace])
            .await
            .success();
    }
    let arguments = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        EXAMPLES,
    ];
    let said = cluster().kubectl(arguments).await;
    assert!(said.succeeded && said.err.is_empty(), "{said:?}");
    assert_eq!(said.out.lines().count(), manifests().len(), "{}", said.out);
}

/// Needs no cluster. A field that no example shows is one that people find last.
#[test]
fn every_field_of_a_spec_is_in_an_example() {
    for crd in crds::all() {
        let kind = crd.spec.names.kind.clone();
        let crd = serde_json::to_value(&crd).unwrap();
        let mut missing = BTreeSet::new();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        schema_paths(schema, "", &mut missing);
        for manifest in manifests().iter().filter(|manifest| manifest["kind"] == *kind) {
            strike_out(&manifest["spec"], "", &mut missing);
        }
        assert_eq!(missing, BTreeSet::new(), "{kind}");
    }
}

fn manifests() -> Vec<Value> {
    let files = std::fs::read_dir(EXAMPLES)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let texts = files.map(|path| std::fs::read_to_string(path).unwrap());
    texts.map(|text| serde_saphyr::from_str(&text).unwrap()).collect()
}

fn schema_paths(schema: &Value, path: &str, paths: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        paths.insert(path.clone());
        schema_paths(field, &path, paths);
        schema_paths(&field["items"], &path, paths);
    }
}

fn strike_out(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    paths.remove(path);
    for (name, member) in value.as_object().into_iter().flatten() {
        strike_out(member, &format!("{path}.{name}"), paths);
    }
    for item in value.as_array().into_iter().flatten() {
        strike_out(item, path, paths);
    }
}

//! The manifests in `examples/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use agent_engine_operator::crd::organization::Permission;
use agent_engine_operator::crd::{Organization, Workspace, definitions};
use agent_engine_operator::tenancy::Access;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// A field that no example shows is one that people find last.
#[test]
fn every_field_of_a_spec_is_in_an_example() {
    for crd in definitions::all() {
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

/// What a person has after labelling the namespaces as the page beside the examples says.
#[test]
fn every_workspace_example_is_granted_by_its_organization() {
    let organizations: Vec<Organization> = of_kind("Organization");
    let workspaces: Vec<Workspace> = of_kind("Workspace");
    assert_eq!((organizations.len(), workspaces.len()), (2, 4));
    for workspace in workspaces {
        let name = workspace.name_any();
        let organization = organizations
            .iter()
            .find(|organization| organization.name_any() == workspace.spec.organization_name())
            .unwrap_or_else(|| panic!("{name}: no example is its Organization"));
        let namespace = workspace.namespace().unwrap();
        let access = Access::resolve(&organization.spec.access, &namespace, &labels_of(&namespace));
        let grant = access.grant(&workspace.spec.name);
        let grant = grant.unwrap_or_else(|| panic!("{name}: NameNotGranted in {namespace}"));
        if workspace.spec.workspace_id.is_some() {
            assert_eq!(grant.adoption, Permission::Allowed, "{name} adopts");
        }
    }
}

/// Applied after the quick start, the smallest Organization must not cut off the tenant that is there.
#[test]
fn the_organization_example_grants_the_quick_starts_tenant() {
    let organizations: Vec<Organization> = of_kind("Organization");
    let readme = include_str!("../../README.md");
    let step = readme
        .split("kubectl apply -f - <<EOF\n")
        .find(|step| step.contains("kind: Workspace"))
        .and_then(|step| step.split("EOF").next());
    let workspace: Workspace = serde_saphyr::from_str(step.expect("the quick start's Workspace")).unwrap();
    let default = organizations
        .iter()
        .find(|organization| organization.name_any() == workspace.spec.organization_name());
    let namespace = workspace.namespace().unwrap();
    let access = Access::resolve(&default.unwrap().spec.access, &namespace, &labels_of(&namespace));
    assert!(access.grant(&workspace.spec.name).is_some());
}

/// Every Organization of them has its credential.
#[test]
fn every_example_has_its_row() {
    let page = page();
    for file in files() {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(page.contains(&format!("| `{name}` |")), "{name} has no row");
    }
    let secrets: Vec<Secret> = of_kind("Secret");
    for organization in of_kind::<Organization>("Organization") {
        let fits = |secret: &Secret| {
            secret.name_any() == organization.spec.credentials_secret_ref.name
                && secret.namespace() == organization.namespace()
        };
        assert!(secrets.iter().any(fits), "{}", organization.name_any());
    }
}

/// Those that the page beside the examples says to put on a namespace.
fn labels_of(namespace: &str) -> BTreeMap<String, String> {
    let page = page();
    let mut lines = page.lines();
    assert!(lines.any(|line| line == format!("kubectl create namespace {namespace}")));
    let labels = lines.find_map(|line| line.strip_prefix(&format!("kubectl label namespace {namespace} ")));
    let pairs = labels.into_iter().flat_map(str::split_whitespace);
    pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn page() -> String {
    std::fs::read_to_string(format!("{EXAMPLES}/README.md")).unwrap()
}

fn of_kind<K: DeserializeOwned>(kind: &str) -> Vec<K> {
    let manifests = manifests().into_iter();
    manifests
        .filter(|manifest| manifest["kind"] == kind)
        .map(|manifest| serde_json::from_value(manifest).unwrap())
        .collect()
}

fn files() -> Vec<PathBuf> {
    let files = std::fs::read_dir(EXAMPLES)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect()
}

fn manifests() -> Vec<Value> {
    let texts = files()
        .into_iter()
        .map(|path| std::fs::read_to_string(path).unwrap());
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

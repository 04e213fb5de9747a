//! Two releases of one name, in two namespaces.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::account::Installed;
use super::cluster;

/// What Kubernetes tells objects apart by.
fn places(installed: &Installed) -> BTreeSet<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let places = installed.manifests.iter().map(|manifest| {
        let metadata = &manifest["metadata"];
        (
            text(&manifest["kind"]),
            text(&metadata["namespace"]),
            text(&metadata["name"]),
        )
    });
    places.collect()
}

/// Both watch one namespace, whose roles they share as little.
/// Promise: rule.two-releases: Two releases of one name install into two namespaces, and leave each other's objects alone
#[tokio::test(flavor = "multi_thread")]
async fn releases_of_one_name_share_no_object() {
    let tenant = cluster().namespace("tenant").await;
    let mut installed = Vec::new();
    for _ in 0..2 {
        let home = cluster().namespace("home").await;
        installed.push(Installed::named("same", &home, &json!({"watchNamespaces": [tenant]})).await);
    }
    let [one, two] = [places(&installed[0]), places(&installed[1])];
    assert!(one.len() > 5 && one.is_disjoint(&two), "{one:?} {two:?}");
    installed[0].uninstall().await;
    let role = &installed[1]
        .manifests
        .iter()
        .find(|manifest| manifest["kind"] == "Role" && manifest["metadata"]["namespace"] == json!(tenant));
    let role = role.expect("its role for the tenant")["metadata"]["name"]
        .as_str()
        .unwrap();
    cluster()
        .kubectl(["get", "role", role, "--namespace", &tenant])
        .await
        .success();
    installed[1].uninstall().await;
}

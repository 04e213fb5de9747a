//! What Helm makes of the chart: manifests for some values, or the words of a refusal.

use serde_json::Value;

use super::cluster;
use crate::support::{Said, scratch_file};

pub const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/agent-engine-operator");

/// `helm template` of the release `r` in the namespace `home`, with a file of these values.
pub async fn template(values: &str) -> Said {
    let file = scratch_file("values.yaml");
    std::fs::write(&file, values).unwrap();
    let file = file.display().to_string();
    cluster()
        .helm(["template", "r", CHART, "--namespace", "home", "--values", &file])
        .await
}

/// The manifests that these values render.
pub async fn manifests(values: &str) -> Vec<Value> {
    documents(&template(values).await.success())
}

/// Why these values are refused.
pub async fn refusal(values: &str) -> String {
    template(values).await.refusal()
}

/// Every document of a YAML stream.
pub fn documents(stream: &str) -> Vec<Value> {
    serde_saphyr::from_multiple::<Value>(stream)
        .unwrap_or_else(|why| panic!("{why}:\n{stream}"))
        .into_iter()
        .filter(|document| !document.is_null())
        .collect()
}

/// Those of one kind.
pub fn of_kind<'a>(manifests: &'a [Value], kind: &str) -> Vec<&'a Value> {
    manifests
        .iter()
        .filter(|manifest| manifest["kind"] == kind)
        .collect()
}

pub fn deployment(manifests: &[Value]) -> &Value {
    let deployments = of_kind(manifests, "Deployment");
    assert_eq!(deployments.len(), 1);
    deployments[0]
}

/// The operator's container.
pub fn container(manifests: &[Value]) -> &Value {
    let containers = &deployment(manifests)["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers.as_array().map(Vec::len), Some(1));
    &containers[0]
}

/// A list of texts.
pub fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

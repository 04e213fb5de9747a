//! The CustomResourceDefinitions of our kinds, as values and as the YAML that is committed and installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use super::{Organization, Workspace};

/// Both definitions, always in this order.
pub fn all() -> [CustomResourceDefinition; 2] {
    [Organization::crd(), Workspace::crd()]
}

/// One definition as a YAML document without a separator.
pub fn yaml(crd: &CustomResourceDefinition) -> Result<String, serde_saphyr::ser::Error> {
    serde_saphyr::to_string(crd)
}

/// Both definitions as a stream of YAML documents, fit for `kubectl apply --server-side -f -`.
pub fn stream() -> Result<String, serde_saphyr::ser::Error> {
    let documents = all().iter().map(yaml).collect::<Result<Vec<_>, _>>()?;
    Ok(documents
        .iter()
        .map(|document| format!("---\n{document}"))
        .collect())
}

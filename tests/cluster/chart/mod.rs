//! The Helm chart and the image: what they render, what they refuse, and that an operator started as they say, under
//! the account that they make, does all of its work and may do nothing else. With the real Helm on a real API server.

mod account;
mod admission;
mod definitions;
mod definitions_let_go;
mod missing;
mod permissions;
mod pod;
mod release;
mod render;
mod replicas;
mod schema;
mod story;
mod tenants;
mod two_names;
mod values;

use std::sync::{Arc, LazyLock};

use crate::support::Cluster;

/// As OpenShift has it: who names an owner and blocks its deletion needs rights on the owner's finalizers.
const ADMISSION: [&str; 2] = ["--admission", "OwnerReferencesPermissionEnforcement"];

/// Shared by these stories alone: some of their operators watch all namespaces, and one release replaces the definitions.
fn cluster() -> &'static Arc<Cluster> {
    static CLUSTER: LazyLock<Arc<Cluster>> = LazyLock::new(|| Arc::new(Cluster::start(&ADMISSION)));
    &CLUSTER
}

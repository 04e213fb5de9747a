//! Nobody obtains anything under a name that was not granted, or that somebody else claims (I2).

mod claims;
mod grants;
mod other_ways;

use serde_json::{Value, json};

use crate::support::Stage;

/// One item of `spec.access`.
fn entry(namespaces: Value, names: &[&str]) -> Value {
    json!({"namespaces": namespaces, "workspaceNames": names, "adoption": "Allowed"})
}

/// A stage whose Organization has this access list.
async fn granting(access: impl FnOnce(&Stage) -> Value) -> Stage {
    let stage = Stage::set().await;
    let access = access(&stage);
    stage.organization("default", json!({"access": access})).await;
    stage
}

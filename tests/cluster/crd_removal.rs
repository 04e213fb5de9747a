//! The CRDs are deleted under a running operator, on a cluster that no other story could share.

use crate::support::{Cluster, LONG, Stage, eventually};
use serde_json::json;

/// Promise: I7: Deleting the CRDs or uninstalling the chart removes no remote workspace; `Retain` needs no credentials; a blocked `Delete` says why.
/// Promise: input.definitions-deleted: CRDs deleted while the operator runs
#[tokio::test(flavor = "multi_thread")]
async fn deleting_the_crds_removes_the_objects_and_not_one_workspace() {
    let stage = Stage::on(&Cluster::alone().await, &[])
        .await
        .organized(json!({}))
        .await;
    let operator = stage.operator().await;
    for object in ["one", "two", "three"] {
        let spec = json!({"name": object, "deletionPolicy": "Delete"});
        stage.workspace(object, spec).await;
    }
    for object in ["one", "two", "three"] {
        stage.ready(object).await;
    }
    let mark = stage.emulator.journal_mark().await;

    stage
        .cluster
        .kubectl([
            "delete",
            "crd",
            "workspaces.agentengine.airbyte.com",
            "organizations.agentengine.airbyte.com",
            "--wait=false",
        ])
        .await
        .success();

    eventually("the CRDs to be gone", LONG, || async {
        let left = stage
            .cluster
            .kubectl(["get", "crd", "--output", "name"])
            .await
            .out;
        (!left.contains("agentengine")).then_some(()).ok_or(left)
    })
    .await;
    assert_eq!(stage.emulator.calls_since(mark).await.get("W5"), None);
    stage.remote_names(&["one", "two", "three"]).await;
    assert_eq!(operator.terminate().await, 0);
}

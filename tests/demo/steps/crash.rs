//! The worst moment to die: the request is on its way, and nobody will hear the answer.

use agent_engine_operator::domain::ids::WorkspaceId;
use serde_json::json;

use super::create::manifest;
use crate::{
    kubectl::{Shown, apply, kubectl},
    stage::{Stage, TENANT},
};

pub async fn killed_while_creating(stage: &mut Stage) -> Vec<Shown> {
    let name = format!("{TENANT}/initech");
    let hold = json!({"operation": "T2", "contains": name, "count": 1, "hold": "before"});
    stage.emulator.fault(hold).await;
    let applied = apply(&stage.cluster, TENANT, &manifest("initech")).await;
    stage.emulator.wait_held(1).await;
    let pid = stage.kill_operator().await;
    let killing = Shown::Note(format!(
        "Agent Engine has the request and waits; SIGKILL to the operator (process {pid}); then the request is carried out"
    ));
    assert!(
        stage.remote_named(&name).await.is_empty(),
        "nothing is created while the request is held"
    );
    stage.emulator.release("apply").await;
    assert_eq!(
        stage.remote_named(&name).await.len(),
        1,
        "the request is carried out after the operator's death"
    );
    let killed = kubectl(&stage.cluster, &["get", "workspace", "initech", "-n", TENANT]).await;

    stage.start_operator().await;
    let restarting = Shown::Note("the operator is started again".into());
    let id = stage
        .ready("initech")
        .await
        .status
        .and_then(|status| status.workspace_id);
    let remote = stage.remote_named(&name).await;
    assert_eq!(remote.len(), 1, "a twin at Agent Engine: {remote:#?}");
    assert_eq!(
        id.as_ref().map(WorkspaceId::as_str),
        remote[0]["id"].as_str(),
        "an orphan at Agent Engine"
    );
    let restarted = kubectl(&stage.cluster, &["get", "workspace", "initech", "-n", TENANT]).await;
    vec![applied, killing, killed, restarting, restarted]
}

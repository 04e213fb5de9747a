//! The end.

use crate::{
    kubectl::{Shown, kubectl},
    stage::{Stage, TENANT},
    support::{LONG, eventually},
};

pub async fn deleted(stage: &Stage) -> Vec<Shown> {
    let status = stage.workspace("acme").await.status.expect("a status");
    let id = status.workspace_id.expect("an id").to_string();
    let deleted = kubectl(
        &stage.cluster,
        &["delete", "workspace", "acme", "-n", TENANT, "--timeout=60s"],
    )
    .await;
    assert_eq!(
        stage.remote(&id).await["tombstone"],
        true,
        "the workspace lives at Agent Engine"
    );
    let journal = stage.emulator.journal(0).await;
    let entries = journal["entries"].as_array().expect("entries");
    let deletions: Vec<_> = entries
        .iter()
        .filter(|entry| entry["operation"] == "W5")
        .collect();
    assert!(
        deletions.len() == 1 && deletions[0]["workspace_id"] == id.as_str(),
        "deletions at Agent Engine: {deletions:#?}"
    );
    eventually("the token Secret to be collected", LONG, || async {
        match stage.secrets().get_opt("acme-token").await.expect("an answer") {
            None => Ok(()),
            Some(_) => Err("it is there"),
        }
    })
    .await;
    vec![
        deleted,
        kubectl(&stage.cluster, &["get", "workspaces,secrets", "-n", TENANT]).await,
    ]
}

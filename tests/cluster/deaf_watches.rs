//! Watches that are alive and bring nothing: after a restore of the cluster's storage, where a definition goes, and while
//! the API server is silent.

use std::time::Duration;

use serde_json::json;

use crate::support::{Cluster, LONG, Operator, Stage, eventually, is_ready, text};

/// What `/readyz` says, once it says more than that all is well.
async fn until_unready(operator: &Operator, word: &str) -> String {
    eventually(&format!("/readyz to say {word:?}"), LONG, || async {
        let said = operator.waits_for().await;
        if said.contains(word) { Ok(said) } else { Err(said) }
    })
    .await
}

async fn until_answered(stage: &Stage) {
    eventually("the API server to answer", LONG, || async {
        stage.workspaces().list(&Default::default()).await.map(drop)
    })
    .await;
}

/// The API server is started again at an older revision, and watches wait for revisions that are far ahead.
/// Promise: rule.deaf-watch
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_the_storage_is_noticed_within_a_minute() {
    let stage = Stage::on(&Cluster::alone().await, &["--scoped-token-ttl", "90"])
        .await
        .organized(json!({}))
        .await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    stage.cluster.save();
    until_answered(&stage).await;
    for n in 0..40 {
        stage
            .label_namespace(&stage.tenant, json!({"n": n.to_string()}))
            .await;
        stage.annotate("acme", json!({"n": n.to_string()})).await;
    }
    stage.workspace("lost", json!({"name": "Lost"})).await;
    stage.ready("lost").await;

    stage.cluster.restore();
    until_answered(&stage).await;
    stage.workspace("late", json!({"name": "Late"})).await;

    eventually("late to be Ready", Duration::from_secs(60), || async {
        let late = stage
            .workspaces()
            .get("late")
            .await
            .map_err(|error| error.to_string())?;
        if is_ready(&late) {
            Ok(())
        } else {
            Err(format!("{:?}", late.status))
        }
    })
    .await;
    let logs = operator.logs();
    assert!(logs.contains("as after a restore of its storage"), "{logs}");
    operator.ready().await;
    let first = stage.secret("acme-token").await;
    stage
        .secret_until("acme-token", "another token", |secret| {
            text(secret, "token") != text(&first, "token")
        })
        .await;
}

/// Promise: rule.definition-gone
#[tokio::test(flavor = "multi_thread")]
async fn a_definition_that_goes_is_named_until_it_is_back() {
    let stage = Stage::on(&Cluster::alone().await, &[])
        .await
        .organized(json!({}))
        .await;
    let operator = stage.operator().await;
    stage
        .workspace("acme", json!({"name": "Acme", "deletionPolicy": "Retain"}))
        .await;
    stage.ready("acme").await;
    let definition = "workspaces.agentengine.airbyte.com";
    stage
        .cluster
        .kubectl(["delete", "crd", definition])
        .await
        .success();
    let said = until_unready(&operator, definition).await;
    assert!(said.contains("as an upgrade of the chart does"), "{said}");
    assert!(
        operator
            .logs()
            .contains(&format!("CustomResourceDefinition {definition}"))
    );

    let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    stage
        .cluster
        .kubectl(["apply", "--server-side", "-f", crds])
        .await
        .success();
    operator.ready().await;
    let again = json!({"name": "Acme", "adoptionPolicy": "ByName"});
    eventually("the definition to be served", LONG, || async {
        stage.workspaces().list(&Default::default()).await.map(drop)
    })
    .await;
    stage.workspace("acme", again).await;
    stage.ready("acme").await;
}

/// As behind a network that drops packets: connections stay open, and nothing comes.
/// Promise: rule.silence-said
#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_silent_is_named_until_it_answers() {
    let stage = Stage::on(&Cluster::alone().await, &[])
        .await
        .organized(json!({}))
        .await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;

    stage.cluster.freeze();
    until_unready(&operator, "the Kubernetes API has not answered").await;
    stage.cluster.thaw();
    operator.ready().await;
    stage.workspace("later", json!({"name": "Later"})).await;
    stage.ready("later").await;
}

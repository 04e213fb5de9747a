//! A leader that is frozen in the middle of a rename, or of a deletion, for two minutes: another leads, users declare something
//! else, and the first one wakes.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::leadership::{
    LEASE, RENEWAL, changes_nothing_since, does_nothing_when_it_wakes, leads_within, signal, two,
};
use crate::support::{IN_DOUBT, LONG, Operator, Stage, eventually, is_ready, recorded_id};

/// What the one before may have sent is waited for by whoever takes over.
const TAKEN_OVER: Duration = IN_DOUBT.saturating_add(LONG);

/// A Ready Workspace of this object's name; returns its id.
async fn made(stage: &Stage, object: &str, name: &str) -> String {
    stage
        .workspace(object, json!({"name": name, "deletionPolicy": "Delete"}))
        .await;
    recorded_id(&stage.ready(object).await)
}

/// Freezes the leader while two of its requests are held, lets them go by `then`, and returns since when it is frozen, once the
/// other one leads.
async fn freeze(stage: &Stage, first: &Operator, second: &Operator, then: &str) -> Instant {
    stage.emulator.wait_held(2).await;
    signal(first, Signal::STOP);
    let frozen = Instant::now();
    stage.emulator.release(then).await;
    let mark = stage.emulator.journal_mark().await;
    leads_within(second, LEASE + RENEWAL).await;
    changes_nothing_since(stage, mark).await;
    frozen
}

async fn one_workspace(stage: &Stage, name: &str, id: &str) {
    let remote = stage.remote(name).await;
    assert_eq!(remote.len(), 1, "{name}: {remote:?}");
    assert_eq!(remote[0]["id"], json!(id), "{name}");
}

async fn gone(stage: &Stage, object: &str) {
    eventually(&format!("{object} to be gone"), TAKEN_OVER, || async {
        match stage.workspaces().get_opt(object).await {
            Ok(None) => Ok(()),
            Ok(Some(workspace)) => Err(format!("{:#?}", workspace.status)),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
}

/// One rename was carried out, and its answer waits; the other was about to be sent.
/// Promise: rule.one-leader
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_frozen_in_a_rename_renames_nothing_later() {
    let stage = Stage::with(&[], json!({"pollInterval": "10m"})).await;
    let (first, second) = two(&stage).await;
    let acme = made(&stage, "acme", "Acme").await;
    let zenith = made(&stage, "zenith", "Zenith").await;
    let rename = json!({"operation": "W4", "contains": acme, "count": 1, "hold": "after"});
    let search = json!({"operation": "W1", "contains": "Renamed", "skip": 1, "count": 1, "hold": "after"});
    stage.emulator.fault(rename).await;
    stage.emulator.fault(search).await;
    stage.change("acme", json!({"name": "Renamed 1"})).await;
    stage.emulator.wait_held(1).await;
    stage.change("zenith", json!({"name": "Renamed 2"})).await;
    let frozen = freeze(&stage, &first, &second, "apply").await;

    stage.remote_names(&["Renamed 1", "Zenith"]).await;
    stage.change("acme", json!({"name": "Acme"})).await;
    stage.change("zenith", json!({"name": "Another"})).await;
    for (object, name) in [("acme", "Acme"), ("zenith", "Another")] {
        let named = format!("{object} to be Ready as {name}");
        stage
            .until_within(TAKEN_OVER, &stage.tenant, object, &named, |workspace| {
                let status = workspace.status.as_ref();
                let recorded = status.and_then(|status| status.name.as_ref());
                is_ready(workspace) && recorded.is_some_and(|recorded| recorded.as_str() == name)
            })
            .await;
    }
    does_nothing_when_it_wakes(&stage, first, frozen).await;
    stage.remote_names(&["Acme", "Another"]).await;
    one_workspace(&stage, "Acme", &acme).await;
    one_workspace(&stage, "Another", &zenith).await;
}

/// One deletion was not carried out, and its workspace is retained since, for another object; the other was, and its name has
/// another workspace since.
/// Promise: rule.one-leader
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_frozen_in_a_deletion_deletes_nothing_later() {
    let stage = Stage::with(&[], json!({"pollInterval": "10m"})).await;
    let (first, second) = two(&stage).await;
    let acme = made(&stage, "acme", "Acme").await;
    let zenith = made(&stage, "zenith", "Zenith").await;
    for (id, phase) in [(&acme, "before"), (&zenith, "after")] {
        let deletion = json!({"operation": "W5", "contains": id, "count": 1, "hold": phase});
        stage.emulator.fault(deletion).await;
    }
    stage.begin_deletion("acme").await;
    stage.begin_deletion("zenith").await;
    let frozen = freeze(&stage, &first, &second, "drop").await;

    stage.change("acme", json!({"deletionPolicy": "Retain"})).await;
    gone(&stage, "acme").await;
    stage
        .workspace("heir", json!({"name": "Acme", "workspaceId": acme}))
        .await;
    assert_eq!(recorded_id(&stage.ready("heir").await), acme);
    gone(&stage, "zenith").await;
    let next = made(&stage, "zenith", "Zenith").await;
    assert_ne!(next, zenith);
    does_nothing_when_it_wakes(&stage, first, frozen).await;
    stage.remote_names(&["Acme", "Zenith"]).await;
    one_workspace(&stage, "Acme", &acme).await;
    one_workspace(&stage, "Zenith", &next).await;
    stage.ready("heir").await;
    stage.ready("zenith").await;
}

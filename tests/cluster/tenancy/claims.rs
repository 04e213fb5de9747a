//! Several that want one name.

use std::time::Duration;

use futures::future::join_all;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use agent_engine_operator::crd::Workspace;

use super::entry;
use crate::support::{LONG, Stage, eventually, is_ready, ready_reason, recorded_id};

/// One workspace is made.
/// Promise: rule.claims
#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_want_one_name_at_once_one_wins() {
    let mut stage = Stage::set().await;
    let other = stage.another_tenant().await;
    let both = json!({"names": [stage.tenant, other]});
    stage
        .organization("default", json!({"access": [entry(both, &["*"])]}))
        .await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    let mark = stage.emulator.journal_mark().await;

    // The same to people: only case and Unicode form differ.
    let spellings = ["Café", "CAFÉ", "Cafe\u{301}", "café"];
    let wanted: Vec<(String, Workspace)> = (0..16)
        .map(|n| {
            let namespace = [&stage.tenant, &other][n % 2].clone();
            let object = json!({
                "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
                "metadata": {"name": format!("cafe-{n}")}, "spec": {"name": spellings[n / 4]},
            });
            (namespace, serde_json::from_value(object).unwrap())
        })
        .collect();
    join_all(wanted.iter().map(|(namespace, object)| {
        let api = stage.workspaces_in(namespace);
        async move { api.create(&PostParams::default(), object).await.unwrap() }
    }))
    .await;

    let reasons = eventually("all to be decided", LONG, || async {
        let mut reasons = Vec::new();
        for (namespace, object) in &wanted {
            let name = object.metadata.name.as_deref().unwrap();
            let now = stage
                .workspaces_in(namespace)
                .get(name)
                .await
                .map_err(|e| e.to_string())?;
            reasons.push(ready_reason(&now).unwrap_or_default());
        }
        let undecided = reasons
            .iter()
            .any(|reason| !["AsDeclared", "NameClaimed"].contains(&reason.as_str()));
        if undecided {
            Err(format!("{reasons:?}"))
        } else {
            Ok(reasons)
        }
    })
    .await;
    assert_eq!(
        reasons.iter().filter(|reason| *reason == "AsDeclared").count(),
        1,
        "{reasons:?}"
    );
    let calls = stage.workspace_calls(mark).await;
    assert_eq!(json!(calls), json!({"W1": 1, "T2": 1, "T3": 1, "W3": 1}));

    // The winner goes; of those that wait one has it next, and the name is never two workspaces'.
    let (namespace, winner) = &wanted[reasons.iter().position(|reason| reason == "AsDeclared").unwrap()];
    let winner = winner.metadata.name.as_deref().unwrap();
    stage
        .workspaces_in(namespace)
        .delete(winner, &DeleteParams::default())
        .await
        .unwrap();
    eventually("another to win", LONG, || async {
        for (namespace, object) in &wanted {
            let name = object.metadata.name.as_deref().unwrap();
            let now = stage
                .workspaces_in(namespace)
                .get_opt(name)
                .await
                .map_err(|e| e.to_string())?;
            if name != winner && now.as_ref().is_some_and(is_ready) {
                return Ok(());
            }
        }
        Err("nobody has".to_owned())
    })
    .await;
    let calls = stage.workspace_calls(mark).await;
    assert_eq!((calls["T2"], calls["W5"]), (2, 1), "{calls:?}");
}

/// The younger one wins when it goes.
/// Promise: rule.claims
#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_wins_before_and_after_a_restart() {
    let stage = Stage::set().await;
    stage
        .emulator
        .seed(json!({"workspaces": [{"name": "Acme"}]}))
        .await;
    let operator = stage.operator().await;
    // Neither may adopt: the older one holds the name without a record.
    stage.workspace("zz-older", json!({"name": "Acme"})).await;
    stage.reason("zz-older", "AlreadyExists").await;
    // Kubernetes keeps whole seconds: more than one later is another.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    stage
        .workspace("aa-younger", json!({"name": "ACME", "adoptionPolicy": "ByName"}))
        .await;
    stage.reason("aa-younger", "NameClaimed").await;

    operator.kill().await;
    let mark = stage.emulator.journal_mark().await;
    let _operator = stage.operator().await;
    stage.change("aa-younger", json!({"name": "Acme"})).await;
    stage.reason("aa-younger", "NameClaimed").await;
    let calls = stage.workspace_calls(mark).await;
    assert!(
        !calls.contains_key("T2") && !calls.contains_key("W3"),
        "{calls:?}"
    );

    stage.delete("zz-older").await;
    let adopted = stage.ready("aa-younger").await;
    assert_eq!(recorded_id(&adopted), stage.remote("Acme").await[0]["id"]);
}

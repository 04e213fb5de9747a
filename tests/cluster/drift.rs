//! What is changed or deleted behind the operator's back: one shared list finds it, a GET by id confirms it, and nothing
//! that is gone is made again by itself (I5).

use futures::future::join_all;
use kube::api::{ListParams, PostParams};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    self, LONG, Stage, eventually, is_ready, organization_message, ready_message, recorded_id,
};
use agent_engine_operator::crd::Workspace;

/// Creates Workspaces `<prefix>-0` … at once, with names `<prefix> 0` …, and waits until all are Ready.
async fn many(stage: &Stage, prefix: &str, count: usize) {
    let objects: Vec<Workspace> = (0..count)
        .map(|n| {
            let object = json!({
                "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
                "metadata": {"name": format!("{prefix}-{n}")}, "spec": {"name": format!("{prefix} {n}")},
            });
            serde_json::from_value(object).unwrap()
        })
        .collect();
    let api = stage.workspaces();
    join_all(objects.iter().map(|object| async {
        api.create(&PostParams::default(), object).await.unwrap();
    }))
    .await;
    ready_count(stage, count).await;
}

async fn ready_count(stage: &Stage, count: usize) {
    reasons(stage, "all to be Ready", |reasons| {
        reasons.iter().filter(|reason| *reason == "AsDeclared").count() == count
    })
    .await;
}

/// Waits until the Ready reasons of all Workspaces are as wanted.
async fn reasons(stage: &Stage, what: &str, holds: impl Fn(&[String]) -> bool) {
    eventually(what, LONG, || async {
        let all = stage
            .workspaces()
            .list(&ListParams::default())
            .await
            .map_err(|e| e.to_string())?;
        let reasons: Vec<String> = all.iter().filter_map(support::ready_reason).collect();
        if holds(&reasons) {
            Ok(())
        } else {
            Err(format!("{reasons:?}"))
        }
    })
    .await;
}

/// Deleted behind our back; what the user says counts once.
/// Promise: I5: A workspace deleted behind our back is reported and stays deleted until the user says otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_workspace_stays_lost_until_the_user_says_otherwise() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let lost = recorded_id(&stage.ready("acme").await);
    stage.lose(&lost).await;
    let mark = stage.emulator.journal_mark().await;

    stage.relist("default", "1").await;
    let gone = stage.reason("acme", "WorkspaceNotFound").await;
    assert!(ready_message(&gone).contains(&lost), "{}", ready_message(&gone));
    stage.no_secret("acme-token").await;
    stage.relist("default", "2").await;
    assert_eq!(
        json!(stage.workspace_calls(mark).await),
        json!({"W3": 1}),
        "found gone once, and left so"
    );

    // Another id than the lost one says nothing.
    stage
        .annotate("acme", json!({"agentengine.airbyte.com/recreate": "another"}))
        .await;
    stage.reconcile_of("acme").await;
    stage.reason("acme", "WorkspaceNotFound").await;

    stage
        .annotate("acme", json!({"agentengine.airbyte.com/recreate": lost}))
        .await;
    let anew = recorded_id(&stage.ready("acme").await);
    assert_ne!(anew, lost);
    assert_eq!(stage.secret_text("acme-token", "workspace_id").await, anew);

    stage.lose(&anew).await;
    stage.relist("default", "3").await;
    stage.reason("acme", "WorkspaceNotFound").await;
    assert_eq!(
        stage.remote("Acme").await.len(),
        0,
        "the annotation was good once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_renamed_behind_our_back_gets_its_name_back() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let id = recorded_id(&stage.ready("acme").await);
    stage.meddle(&id, json!({"name": "Somebody's"})).await;
    stage.relist("default", "1").await;
    eventually("the name to be as declared", LONG, || async {
        let named = stage.remote("Acme").await;
        if named.iter().any(|w| w["id"] == id) {
            Ok(())
        } else {
            Err(format!("{named:?}"))
        }
    })
    .await;
    stage.ready("acme").await;
    assert_eq!(
        stage.remote("Somebody's").await.len(),
        0,
        "and no orphan was made"
    );
}

/// Nothing follows for the objects.
/// Promise: rule.many-missing
#[tokio::test(flavor = "multi_thread")]
async fn many_missing_at_once_are_the_organizations_trouble() {
    let stage = Stage::set().await;
    let operator = stage.operator().await;
    many(&stage, "tenant", 6).await;
    let vanish = json!({"name_contains": "tenant", "at_most": 100});
    let answer = stage
        .emulator
        .control(Method::POST, "workspaces/delete", Some(vanish.clone()))
        .await;
    let mark = stage.emulator.journal_mark().await;

    stage.relist("default", "1").await;
    let organization = stage
        .organization_reason("default", "ManyWorkspacesMissing")
        .await;
    assert!(
        organization_message(&organization).contains("confirm-missing=6"),
        "{}",
        organization_message(&organization)
    );
    // Neither a reconcile that somebody asks for nor a restart makes anything follow.
    stage.ask("tenant-0").await;
    stage.reason("tenant-0", "ManyWorkspacesMissing").await;
    operator.kill().await;
    let operator = stage.operator().await;
    stage.relist("default", "2").await;
    stage
        .organization_reason("default", "ManyWorkspacesMissing")
        .await;
    // Nor does a list that fails, in the process that judged or in the next one.
    stage
        .emulator
        .fault(json!({"operation": "W1", "answer": {"kind": "status", "status": 503}}))
        .await;
    stage.relist_in_vain("default", "failing").await;
    stage.reconcile_of("tenant-1").await;
    operator.kill().await;
    let _operator = stage.operator().await;
    stage.relist_in_vain("default", "failing-too").await;
    stage
        .organization_reason("default", "ManyWorkspacesMissing")
        .await;
    stage.reconcile_of("tenant-2").await;
    stage.reason("tenant-2", "ManyWorkspacesMissing").await;
    stage.emulator.clear_faults().await;
    // Each is read by its id, and nothing else.
    let calls = stage.workspace_calls(mark).await;
    assert!(calls.keys().all(|operation| operation == "W3"), "{calls:?}");
    for n in 0..6 {
        assert!(
            stage
                .secrets()
                .get_opt(&format!("tenant-{n}-token"))
                .await
                .unwrap()
                .is_some()
        );
    }

    // The rows return.
    for row in answer["deleted"].as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        stage.meddle(id, json!({"tombstone": false})).await;
    }
    stage.relist("default", "3").await;
    stage.organization_reason("default", "Verified").await;
    ready_count(&stage, 6).await;
    assert!(!stage.workspace_calls(mark).await.contains_key("T2"));

    // They go once more, and somebody says that it is so.
    stage
        .emulator
        .control(Method::POST, "workspaces/delete", Some(vanish))
        .await;
    stage.relist("default", "4").await;
    stage
        .organization_reason("default", "ManyWorkspacesMissing")
        .await;
    stage
        .annotate_organization("default", json!({"agentengine.airbyte.com/confirm-missing": "6"}))
        .await;
    stage.relist("default", "5").await;
    reasons(&stage, "all to be gone", |reasons| {
        reasons
            .iter()
            .filter(|reason| *reason == "WorkspaceNotFound")
            .count()
            == 6
    })
    .await;
    stage.organization_reason("default", "Verified").await;
}

/// They cost no write.
/// Promise: cost.steady
/// Promise: cost.drift: drift: one paged list per organization and interval
#[tokio::test(flavor = "multi_thread")]
async fn thirty_workspaces_cost_one_paged_list_an_interval() {
    let stage = Stage::set().await;
    stage
        .organization("default", json!({"pollInterval": "30s"}))
        .await;
    stage
        .emulator
        .seed(json!({"many": {"prefix": "other-", "count": 250}}))
        .await;
    let _operator = stage.operator().await;
    many(&stage, "tenant", 30).await;
    let lists = |journal: Value| {
        let entries = journal["entries"].as_array().unwrap().clone();
        entries.into_iter().filter(|e| e["operation"] == "W1").count()
    };
    // Begin just after a list, when its counts are stored: whatever comes until the next list is steady state.
    stage
        .organization_until("default", "to have counted all", |o| {
            o.status
                .as_ref()
                .and_then(|s| s.workspaces)
                .is_some_and(|w| w.managed == 30 && w.unmanaged == 251)
        })
        .await;
    let audit = stage.audit().await;
    let mark = stage.emulator.journal_mark().await;
    let pages = 1 + 280 / PAGE;
    eventually("the next list", LONG, || async {
        let seen = lists(stage.emulator.journal(mark).await);
        if seen >= pages {
            Ok(())
        } else {
            Err(format!("{seen} pages"))
        }
    })
    .await;
    // A call that follows from the list would be made before its Organization's next reconcile ends.
    stage.relist("default", "after").await;

    let entries = stage.emulator.journal(mark).await;
    assert_eq!(lists(entries), 2 * pages, "two lists of {pages} pages");
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({}));
    let writes = audit.requests().await.object_writes();
    assert_eq!(
        writes.of("workspaces").count() + writes.of("secrets").count(),
        0,
        "{writes:?}"
    );
}

/// Rows of a page that the operator asks for.
const PAGE: usize = 100;

/// Promise: rule.listed-row
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lags_behind_is_not_trusted() {
    let stage = Stage::set().await;
    stage.emulator.knobs(json!({"list_lag_ms": "600000"})).await;
    let _operator = stage.operator().await;
    many(&stage, "tenant", 3).await;
    stage.relist("default", "1").await;
    stage.workspace("witness", json!({"name": "Witness"})).await;
    stage.ready("witness").await;

    let all = stage.workspaces().list(&ListParams::default()).await.unwrap();
    assert!(all.iter().all(is_ready));
    let mark = stage.emulator.journal_mark().await;
    stage.change("tenant-0", json!({"name": "renamed 0"})).await;
    stage.ready("tenant-0").await;
    stage.relist("default", "2").await;
    stage.workspace("second", json!({"name": "Second"})).await;
    stage.ready("second").await;
    let calls = stage.workspace_calls(mark).await;
    assert_eq!(
        calls["W4"], 1,
        "the old name in a lagging row is no drift: {calls:?}"
    );
    assert_eq!(stage.remote("renamed 0").await.len(), 1);
}

/// The token is renewed all the same, and deletion works.
/// Promise: rule.suspended: Suspended: nothing created, renamed or switched; the token is renewed; deletion works
#[tokio::test(flavor = "multi_thread")]
async fn while_suspended_nothing_is_made_renamed_or_switched() {
    let stage = Stage::set().await;
    stage.emulator.knobs(json!({"scoped_ttl": "40"})).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let id = recorded_id(&stage.ready("acme").await);
    stage.change("acme", json!({"suspend": true})).await;
    stage.reason("acme", "Suspended").await;
    let mark = stage.emulator.journal_mark().await;
    let first = stage.secret_text("acme-token", "expires_at").await;

    stage
        .workspace("new", json!({"name": "New", "suspend": true}))
        .await;
    stage.reason("new", "Suspended").await;
    stage
        .change("acme", json!({"name": "Acme Ltd", "status": "inactive"}))
        .await;
    stage.reason("acme", "Suspended").await;
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({}));
    // Declared inactive: nobody is handed access, suspended or not.
    stage.no_secret("acme-token").await;
    stage.change("acme", json!({"status": null})).await;
    eventually("the token to be renewed", LONG, || async {
        let now = stage
            .secrets()
            .get("acme-token")
            .await
            .map_err(|e| e.to_string())?;
        let now = support::text(&now, "expires_at");
        if now == first { Err(now) } else { Ok(()) }
    })
    .await;
    let calls = stage.workspace_calls(mark).await;
    assert!(!calls.contains_key("W4"), "{calls:?}");
    assert_eq!(stage.remote("Acme").await[0]["id"], id);

    stage.delete("acme").await;
    stage.delete("new").await;
    assert_eq!(stage.remote("Acme").await.len(), 0);
}

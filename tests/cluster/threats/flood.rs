//! A tenant who sends, or stores, as much as the API server lets him. The others are served.

use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use serde_json::json;

use agent_engine_operator::crd::metadata_keys::{RECONCILE_AT, WORKSPACE_LABEL};

use crate::support::{LONG, SHORT, Stage, eventually, text};

/// Tokens of a minute are renewed about every 38 seconds.
const SHORT_TOKENS: [&str; 2] = ["--scoped-token-ttl", "60"];

/// Another tenant's token is renewed, and a workspace created, beside requests, edits, creations and deletions.
#[tokio::test(flavor = "multi_thread")]
async fn beside_an_object_that_asks_without_end_others_are_served() {
    let mut stage = Stage::with(&SHORT_TOKENS, json!({})).await;
    let victim = stage.another_tenant().await;
    let both = json!([{"namespaces": {"names": [stage.tenant, victim]}, "workspaceNames": ["*"]}]);
    stage.organization("default", json!({"access": both})).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let theirs = json!({"name": "Initech"});
    stage.workspace_in(&victim, "initech", theirs).await;
    stage.ready_in(&victim, "initech").await;
    let token = || async {
        let secret = stage.secrets_in(&victim).get("initech-token").await.unwrap();
        let ends: Timestamp = text(&secret, "expires_at").parse().unwrap();
        (text(&secret, "token"), ends)
    };
    let (first, ends) = token().await;
    let asking = async {
        for n in 0.. {
            stage.annotate("acme", json!({RECONCILE_AT: n.to_string()})).await;
            stage.change("acme", json!({"name": format!("Acme {n}")})).await;
            let object = format!("flood-{n}");
            create(&stage, &object).await;
            stage.begin_deletion(&object).await;
        }
    };
    let served = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let begun = Instant::now();
        stage
            .workspace_in(&victim, "globex", json!({"name": "Globex"}))
            .await;
        stage.ready_in(&victim, "globex").await;
        assert!(begun.elapsed() < SHORT, "it took {} s", begun.elapsed().as_secs());
        let gained = eventually("the renewal", LONG, || async {
            let (next, next_ends) = token().await;
            let gained = next_ends.duration_since(ends);
            if next == first { Err(gained) } else { Ok(gained) }
        })
        .await;
        // Each lives a minute.
        assert!(
            gained.as_secs() < 60,
            "it came after the end of the first: {gained:#}"
        );
    };
    tokio::select! {
        () = asking => {}
        () = served => {}
    }
    stage.ready("acme").await;
}

/// A Workspace of the first tenant.
async fn create(stage: &Stage, object: &str) {
    let workspace = json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
        "metadata": {"name": object}, "spec": {"name": object},
    });
    let workspace = serde_json::from_value(workspace).unwrap();
    let created = stage
        .workspaces()
        .create(&PostParams::default(), &workspace)
        .await;
    created.unwrap();
}

/// A hundred Secrets of a megabyte. The chart's limit is 512 MiB.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_full_of_large_labelled_secrets_fits() {
    let stage = Stage::set().await;
    let secrets = stage.secrets();
    let planted = stream::iter(0..100).map(|n| {
        let secrets = secrets.clone();
        async move {
            let secret = Secret {
                metadata: ObjectMeta {
                    name: Some(format!("planted-{n:03}")),
                    labels: Some([(WORKSPACE_LABEL.to_owned(), format!("planted-{n}"))].into()),
                    ..ObjectMeta::default()
                },
                data: Some([("any".to_owned(), ByteString(vec![b'x'; 1_000_000]))].into()),
                ..Secret::default()
            };
            secrets.create(&PostParams::default(), &secret).await.unwrap();
        }
    });
    planted.buffer_unordered(8).collect::<Vec<_>>().await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let most = most_memory(operator.pid());
    assert!(most < 230, "{most} MiB");
}

/// In MiB.
#[cfg(target_os = "linux")]
fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

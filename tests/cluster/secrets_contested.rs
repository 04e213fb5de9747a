//! Token Secrets that admission policies, or other clients, change: nothing is fought over, and tokens are renewed in time.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use agent_engine_operator::crd::metadata_keys;

use crate::support::{LONG, Stage, condition, eventually, is_ready, text};

/// Tokens of a minute are renewed about every 38 seconds.
const SHORT_TOKENS: [&str; 2] = ["--scoped-token-ttl", "60"];

/// A change of each token Secret of the tenant, made by the API server itself.
async fn policy(stage: &Stage, expression: &str) {
    let name = format!("changes-{}", stage.tenant);
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": stage.tenant}},
                "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["CREATE", "UPDATE"],
                }],
            },
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name},
    });
    for manifest in [policy, binding] {
        stage.cluster.apply("", &manifest.to_string()).await.success();
    }
    eventually("the policy to act", LONG, || async {
        let probe: Secret = serde_json::from_value(json!({
            "metadata": {"name": "probe", "labels": {"team": "x"}}, "data": {"workspace_name": "eA=="},
        }))
        .unwrap();
        let dry = kube::api::PostParams {
            dry_run: true,
            ..Default::default()
        };
        let stored = stage.secrets().create(&dry, &probe).await.unwrap();
        let same =
            stored.labels() == probe.labels() && stored.data == probe.data && stored.immutable.is_none();
        (!same).then_some(()).ok_or("nothing is changed yet")
    })
    .await;
}

async fn issues(stage: &Stage, mark: u64) -> usize {
    let calls = stage.emulator.calls_since(mark).await;
    calls.get("T2").copied().unwrap_or_default()
}

async fn patch(stage: &Stage, patch: Value) {
    let params = PatchParams::default();
    stage
        .secrets()
        .patch("acme-token", &params, &Patch::Merge(patch))
        .await
        .unwrap();
}

/// Promise: rule.unpatchable-secret
#[tokio::test(flavor = "multi_thread")]
async fn an_immutable_secret_of_ours_is_made_again() {
    let stage = Stage::with(&SHORT_TOKENS, json!({})).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    patch(&stage, json!({"immutable": true})).await;
    let first = stage.secret("acme-token").await;
    let mark = stage.emulator.journal_mark().await;
    let second = stage
        .secret_until("acme-token", "another token", |secret| {
            text(secret, "token") != text(&first, "token")
        })
        .await;
    assert_ne!(second.uid(), first.uid());
    assert_eq!(second.immutable, None);
    assert_eq!(issues(&stage, mark).await, 1);
    assert!(is_ready(&stage.get("acme").await));
}

/// Promise: rule.contested-secret
#[tokio::test(flavor = "multi_thread")]
async fn a_label_set_by_a_policy_costs_no_token() {
    let changes = [
        format!(
            r#"[JSONPatch{{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("{}"), value: "the-platform"}}]"#,
            metadata_keys::MANAGED_BY_LABEL
        ),
        r#"[JSONPatch{op: "add", path: "/metadata/labels/team", value: "red"}]"#.to_owned(),
    ];
    for change in changes {
        let stage = Stage::with(&SHORT_TOKENS, json!({})).await;
        policy(&stage, &change).await;
        let _operator = stage.operator().await;
        let mark = stage.emulator.journal_mark().await;
        stage
            .workspace(
                "acme",
                json!({"name": "Acme", "tokenSecret": {"labels": {"team": "blue"}}}),
            )
            .await;
        let first = stage.secret("acme-token").await;
        stage.ready("acme").await;
        let second = stage
            .secret_until("acme-token", "another token", |secret| {
                text(secret, "token") != text(&first, "token")
            })
            .await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let third = stage.secret("acme-token").await;
        assert_eq!(text(&third, "token"), text(&second, "token"));
        assert_eq!(issues(&stage, mark).await, 2, "{change}");
        let acme = stage.get("acme").await;
        let message = &condition(&acme, "TokenReady").unwrap().message;
        assert!(is_ready(&acme), "{acme:?}");
        assert!(message.contains("label"), "{message}");
    }
}

/// The token cannot be vouched for, but it is not issued again before its time.
/// Promise: rule.contested-secret
#[tokio::test(flavor = "multi_thread")]
async fn content_changed_by_a_policy_costs_no_token() {
    let stage = Stage::with(&SHORT_TOKENS, json!({})).await;
    policy(
        &stage,
        r#"[JSONPatch{op: "add", path: "/data/workspace_name", value: "bm9uc2Vuc2U="}]"#,
    )
    .await;
    let _operator = stage.operator().await;
    let mark = stage.emulator.journal_mark().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let first = stage.secret("acme-token").await;
    stage.reason("acme", "SecretAltered").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(issues(&stage, mark).await, 1);
    stage
        .secret_until("acme-token", "another token", |secret| {
            text(secret, "token") != text(&first, "token")
        })
        .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(issues(&stage, mark).await, 2);
}

/// Every token is written into a Secret of its own.
/// Promise: rule.unpatchable-secret
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_makes_secrets_immutable_is_lived_with() {
    let stage = Stage::with(&SHORT_TOKENS, json!({})).await;
    policy(
        &stage,
        r#"[JSONPatch{op: "add", path: "/immutable", value: true}]"#,
    )
    .await;
    let _operator = stage.operator().await;
    let mark = stage.emulator.journal_mark().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let first = stage.secret("acme-token").await;
    stage.ready("acme").await;
    stage
        .secret_until("acme-token", "another token", |secret| {
            text(secret, "token") != text(&first, "token")
        })
        .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(issues(&stage, mark).await, 2);
    assert!(is_ready(&stage.get("acme").await));
}

//! Where things are: Organizations, credentials and Secrets that are not meant, and a namespace's own labels.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use serde_json::json;

use super::recorder::{self, Recorder};
use crate::support::{Emulator, LONG, Launch, Stage, canary, eventually, recorded_id, text};

/// Neither the token of a ServiceAccount, nor the credential, nor a certificate: each stays byte for byte.
#[tokio::test(flavor = "multi_thread")]
async fn a_declared_secret_name_touches_no_secret_of_others() {
    let mut stage = Stage::set().await;
    // A careless administrator lets Workspaces into the operator's own namespace.
    let launch = Launch::new(&stage.user, &stage.home).watching([stage.tenant.as_str(), stage.home.as_str()]);
    stage.launching(launch);
    let home = stage.home.clone();
    let both = json!([{"namespaces": {"names": [stage.tenant, home]}, "workspaceNames": ["*"]}]);
    stage.organization("default", json!({"access": both})).await;
    stage
        .cluster
        .kubectl(["create", "serviceaccount", "robot", "-n", &stage.tenant])
        .await
        .success();
    for secret in [
        json!({"metadata": {"name": "robot-token", "annotations": {"kubernetes.io/service-account.name": "robot"}},
            "type": "kubernetes.io/service-account-token"}),
        json!({"metadata": {"name": "plain"}, "stringData": {"token": "theirs"}}),
        json!({"metadata": {"name": "owned", "ownerReferences": [
            {"apiVersion": "v1", "kind": "ServiceAccount", "name": "robot", "controller": true,
                "uid": stage.cluster.kubectl(["get", "serviceaccount", "robot", "-n", &stage.tenant, "-o", "jsonpath={.metadata.uid}"]).await.success()},
        ]}, "stringData": {"token": "theirs"}}),
    ] {
        let mut secret = secret;
        secret["apiVersion"] = json!("v1");
        secret["kind"] = json!("Secret");
        stage
            .cluster
            .apply(&stage.tenant, &secret.to_string())
            .await
            .success();
    }
    let filled = |secret: &Secret| {
        secret
            .data
            .as_ref()
            .is_some_and(|data| data.contains_key("token"))
    };
    stage
        .secret_until("robot-token", "the ServiceAccount's token", filled)
        .await;
    let before = stored(&stage).await;
    let _operator = stage.operator().await;
    for name in ["robot-token", "plain", "owned"] {
        stage
            .workspace(name, json!({"name": name, "tokenSecret": {"name": name}}))
            .await;
        stage.reason(name, "SecretNotOwned").await;
    }
    stage
        .workspace_in(
            &home,
            "credential",
            json!({"name": "Home", "tokenSecret": {"name": "credential"}}),
        )
        .await;
    stage.reason_in(&home, "credential", "SecretNotOwned").await;
    for name in ["robot-token", "plain", "owned"] {
        stage.delete(name).await;
    }
    assert_eq!(stored(&stage).await, before);
}

/// The Secrets of both namespaces: name, version, content.
async fn stored(stage: &Stage) -> Vec<(String, Option<String>, Option<String>)> {
    let mut all = Vec::new();
    for namespace in [&stage.tenant, &stage.home] {
        for secret in stage
            .secrets_in(namespace)
            .list(&Default::default())
            .await
            .unwrap()
        {
            all.push((
                secret.name_any(),
                secret.resource_version(),
                secret.data.map(|data| format!("{data:?}")),
            ));
        }
    }
    all
}

/// An Organization of the tenant's own is not read; one that grants him nothing tells him no more than that it is there.
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_looks_like_the_real_one_is_not_read() {
    let stage = Stage::set().await;
    let hostile = Emulator::start(&[]).await;
    let mark = hostile.journal_mark().await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    stage.organization("for-others", json!({"access": []})).await;
    for name in ["default", "mine"] {
        let own = json!({
            "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Organization", "metadata": {"name": name},
            "spec": {"endpoint": hostile.url(), "credentialsSecretRef": {"name": "credential"},
                "access": [{"namespaces": {"selector": {}}, "workspaceNames": ["*"], "adoption": "Allowed"}]},
        });
        stage
            .cluster
            .apply(&stage.tenant, &own.to_string())
            .await
            .success();
    }
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    assert_eq!(
        stage.secret_text("acme-token", "api_url").await,
        stage.emulator.url()
    );
    stage
        .workspace("mine", json!({"name": "Mine", "organization": "mine"}))
        .await;
    stage.reason("mine", "OrganizationNotFound").await;
    stage
        .workspace("others", json!({"name": "Others", "organization": "for-others"}))
        .await;
    stage.reason("others", "NameNotGranted").await;
    assert_eq!(json!(hostile.calls_since(mark).await), json!({}));
}

/// One that refuses the credential, and one that takes it. Each is sent the credential, as declared, and nothing that the first one
/// issued; the Secret stays as it is.
#[tokio::test(flavor = "multi_thread")]
async fn another_endpoint_gets_no_token_of_the_first_one() {
    let stage = Stage::set().await;
    let (refuses, takes) = (Emulator::start(&[]).await, Recorder::start().await);
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let id = recorded_id(&stage.ready("acme").await);
    let before = stage.secret("acme-token").await;
    assert!(text(&before, "token").contains(canary::TOKEN));
    let (mark, there) = (stage.emulator.journal_mark().await, refuses.journal_mark().await);
    stage
        .organization("default", json!({"endpoint": refuses.url()}))
        .await;
    stage.organization_reason("default", "CredentialsRejected").await;
    stage.reconcile_of("acme").await;
    let calls = refuses.calls_since(there).await;
    assert_eq!(calls.keys().collect::<Vec<_>>(), ["T1"], "{calls:?}");

    stage
        .organization("default", json!({"endpoint": takes.url()}))
        .await;
    stage.ask("acme").await;
    let of_acme = format!("/api/v1/workspaces/{id}");
    eventually("the workspace to be asked for there", LONG, || async {
        let sent = takes.sent();
        let asked = sent.iter().any(|sent| sent.path == of_acme);
        asked.then_some(()).ok_or(format!("{sent:?}"))
    })
    .await;
    let own = format!("bearer {}", recorder::TOKEN);
    for sent in takes.sent() {
        let whole = &sent.whole;
        assert!(
            !whole.contains(canary::TOKEN),
            "a token of the first one: {whole}"
        );
        let credential = whole.contains(stage.emulator.client_secret());
        assert_eq!(credential, sent.is_exchange(), "{whole}");
        assert_eq!(
            whole.to_ascii_lowercase().contains(&own),
            !sent.is_exchange(),
            "{whole}"
        );
    }
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({}));
    assert_eq!(
        text(&stage.secret("acme-token").await, "token"),
        text(&before, "token")
    );
    stage.organization("default", json!({})).await;
    stage.ready("acme").await;
}

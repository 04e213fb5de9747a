//! Tokens and credentials are in Secrets and nowhere else (I8): a story with faults, told at the finest log level.

use kube::Api;
use kube::api::{DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use reqwest::Method;
use serde_json::json;

use crate::support::{self, CLIENT_ID, LONG, Launch, Operator, Stage, canary, eventually};

/// Whatever is stored of these kinds in a namespace, as JSON.
async fn stored(stage: &Stage, namespace: &str) -> String {
    let mut text = String::new();
    for (group, version, kind) in [
        ("agentengine.airbyte.com", "v1alpha1", "Workspace"),
        ("agentengine.airbyte.com", "v1alpha1", "Organization"),
        ("events.k8s.io", "v1", "Event"),
    ] {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = Api::namespaced_with(stage.client.clone(), namespace, &resource);
        let all = api.list(&ListParams::default()).await.unwrap();
        text.push_str(&serde_json::to_string(&all.items).unwrap());
    }
    text
}

/// Neither in logs nor in events, status or metrics.
/// Promise: I8: No token or credential appears in logs, events, status, metrics, traces or panics.
#[tokio::test(flavor = "multi_thread")]
async fn no_token_and_no_credential_shows_whatever_fails() {
    nothing_shows_a_secret("json").await;
}

/// Promise: I8
#[tokio::test(flavor = "multi_thread")]
async fn nor_is_it_where_logs_are_text() {
    nothing_shows_a_secret("text").await;
}

async fn nothing_shows_a_secret(log_format: &'static str) {
    let stage = Stage::bare(&[]).await;
    let credential = stage.emulator.client_secret().to_owned();
    stage
        .credentials("credential", CLIENT_ID, "canary-secret-wrong")
        .await;
    stage.organization("default", json!({})).await;
    let launch = Launch::new(&stage.user, &stage.home)
        .watching([stage.tenant.as_str()])
        .logging(log_format);
    let operator = Operator::start(&launch).await;
    operator.ready().await;
    stage.organization_reason("default", "CredentialsRejected").await;
    stage.credentials("credential", CLIENT_ID, &credential).await;

    // Answers that are torn, that say the secret back, and that hold a token where an error is.
    for (name, operation, answer) in [
        ("torn", "T2", json!({"kind": "truncate"})),
        (
            "echo",
            "T3",
            json!({"kind": "status", "status": 422, "body": {"detail": format!("bad secret {credential}")}}),
        ),
        ("page", "W1", json!({"kind": "html", "status": 502})),
    ] {
        let fault = json!({"operation": operation, "count": 1, "answer": answer});
        stage.emulator.fault(fault).await;
        stage
            .workspace(
                name,
                json!({"name": name, "tokenSecret": {"labels": {"team": "a"}}}),
            )
            .await;
        stage
            .until(name, "a first word on it", |workspace| {
                support::ready_reason(workspace).is_some()
            })
            .await;
    }
    stage.emulator.clear_faults().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let token = stage.secret_text("acme-token", "token").await;
    assert!(token.contains(canary::TOKEN), "the canary is in the token");
    stage.emulator.fault(json!({"operation": "W1", "count": 2, "answer": {"kind": "status", "status": 403, "body": echo_secret(&credential)}})).await;
    stage.relist_in_vain("default", "1").await;
    stage
        .emulator
        .control(Method::DELETE, &format!("credentials/{CLIENT_ID}"), None)
        .await;
    stage.relist("default", "2").await;

    let places = [
        ("log", operator.logs()),
        ("metrics", operator.metrics().await),
        ("tenant's objects", stored(&stage, &stage.tenant).await),
        ("operator's objects", stored(&stage, &stage.home).await),
    ];
    for (place, text) in places {
        assert!(
            text.len() > 500,
            "there is something to search in the {place}: {text}"
        );
        for secret in [canary::TOKEN, &credential, &token, "canary-secret-wrong"] {
            assert!(!text.contains(secret), "{secret} is in the {place}");
        }
    }
}

/// What any client that reaches the Pod may read: nothing of a tenant.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_readiness_name_no_object_of_a_tenant() {
    let stage = Stage::set().await;
    let operator = stage.operator().await;
    stage
        .workspace("tenants-object", json!({"name": "Tenants Name"}))
        .await;
    let id = support::recorded_id(&stage.ready("tenants-object").await);
    stage
        .workspace(
            "failing-object",
            json!({"name": "Failing Name", "workspaceId": "00000000-0000-4000-8000-000000000001"}),
        )
        .await;
    stage.reason("failing-object", "WorkspaceNotFound").await;
    let metrics = eventually("both to be counted", LONG, || async {
        let metrics = operator.metrics().await;
        let counted = ["AsDeclared", "WorkspaceNotFound"].into_iter().all(|reason| {
            metrics.contains(&format!(
                "agent_engine_operator_workspaces{{reason=\"{reason}\"}} 1\n"
            ))
        });
        if counted { Ok(metrics) } else { Err(metrics) }
    })
    .await;
    let ready = operator.waits_for().await;
    assert_eq!(ready, "ok\n");
    for (place, text) in [("/metrics", metrics), ("/readyz", ready)] {
        for told in [
            stage.tenant.as_str(),
            "tenants-object",
            "Tenants Name",
            "failing-object",
            "Failing Name",
            &id,
        ] {
            assert!(!text.contains(told), "{told} is in {place}: {text}");
        }
    }
}

/// An answer that says back what it should not.
fn echo_secret(credential: &str) -> serde_json::Value {
    json!({"message": format!("the secret {credential} is not good")})
}

//! Requests that the real service's validator refuses. What passes here must pass there.

use agent_engine_operator::emulator::operation::Operation;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{LEGACY_MINT, MINT, Reply, Rig, TOKEN, WIDGET, WORKSPACES, rig};
use crate::shapes;

/// A body of JSON under another content type, refused in the documented shape.
async fn sent_as(rig: &Rig, kind: Option<&str>, method: Method, path: &str, body: &Value) -> Reply {
    let mut request = rig.http.request(method, rig.url(path)).body(body.to_string());
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let answer = request
        .header("authorization", rig.bearer().await)
        .send()
        .await
        .unwrap();
    Reply {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
    }
}

/// As `curl -d` sends it, among others.
#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_refused() {
    let rig = rig().await;
    let (_, id) = rig.opened("tenant-1").await;
    let before = rig.get(&id).await.body;
    let one = format!("{WORKSPACES}/{id}");
    let pair = json!({"client_id": "emulated-client", "client_secret": "emulated-secret"});
    let name = json!({"workspace_name": "tenant-2"});
    let widget = json!({"workspace_name": "tenant-2", "allowed_origin": "https://app.example"});
    let kinds = [
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("text/json"),
        None,
    ];
    for kind in kinds {
        for (method, path, body) in [
            (Method::POST, TOKEN, &pair),
            (Method::POST, "/v1/applications/token", &pair),
            (Method::POST, MINT, &name),
            (Method::POST, LEGACY_MINT, &name),
            (Method::POST, WIDGET, &widget),
            (Method::PUT, &one, &json!({"name": "renamed"})),
        ] {
            let reply = sent_as(&rig, kind, method, path, body).await;
            assert_eq!(shapes::fault(&shapes::envelope(), &reply.body, path), None);
            assert_eq!(
                (reply.status, &reply.body["errors"][0]["error_code"]),
                (422, &json!("model_attributes_type")),
                "{kind:?} {path}"
            );
        }
    }
    assert_eq!(rig.get(&id).await.body, before);
    assert_eq!(rig.list("").await.names(), ["default", "tenant-1"]);
    assert!(rig.count(Operation::T2) > 1, "they are in the journal");
}

#[tokio::test]
async fn every_spelling_of_json_is_taken() {
    let rig = rig().await;
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.api+json",
    ] {
        let body = json!({"workspace_name": "tenant-1"});
        let reply = sent_as(&rig, Some(kind), Method::POST, MINT, &body).await;
        assert_eq!(reply.status, 200, "{kind}");
    }
}

//! What is made of an object that can no longer be decoded when it is read in the middle of a pass.

use std::sync::Arc;

use kube::client::Body;
use serde_json::{Value, json};

use super::Performer;
use crate::api::AnyWorkspace;
use crate::controller::context::Context;
use crate::controller::tests::{HOME, settings};
use crate::lifecycle::{Effect, Outcome};
use crate::serve::Served;

/// What comes of reading this object.
async fn read(object: Value) -> Outcome {
    let answers = tower::service_fn(move |_: http::Request<Body>| {
        let body = Body::from(object.to_string().into_bytes());
        async move { Ok::<_, std::io::Error>(http::Response::new(body)) }
    });
    let client = kube::Client::new(answers, HOME);
    let (context, _queues, _writers) = Context::new(client, settings(), Served::default());
    let known =
        json!({"metadata": {"name": "acme", "namespace": "tenant", "uid": "w"}, "spec": {"name": "Acme"}});
    let known: AnyWorkspace = serde_json::from_value(known).unwrap();
    let mut performer = Performer::new(Arc::new(context), known.object().clone());
    performer.perform(Effect::ReadObject).await
}

fn undecodable(status: Value) -> Value {
    json!({
        "metadata": {
            "name": "acme", "namespace": "tenant", "uid": "w", "deletionTimestamp": "2026-11-22T12:00:00Z",
        },
        "spec": {"name": "Acme", "suspend": "perhaps"},
        "status": status,
    })
}

#[tokio::test]
async fn one_that_is_to_go_goes_on_only_where_what_it_manages_can_be_told() {
    let told = json!({"uid": "w", "workspaceId": "1", "organizationId": "o", "name": "Acme"});
    let untold = json!({"uid": "w", "workspaceId": "1", "organizationId": "o", "name": 7});
    assert!(matches!(read(undecodable(told)).await, Outcome::Object(_)));
    let outcome = read(undecodable(untold)).await;
    assert!(matches!(outcome, Outcome::KubernetesFailed { .. }), "{outcome:?}");
}

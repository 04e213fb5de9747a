//! An object that can no longer be decoded when a reconcile reads it, and the texts of refusals.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::client::Body;
use serde_json::{Value, json};

use super::Performer;
use crate::admin::AdminState;
use crate::controller::context::Context;
use crate::controller::tests::{HOME, settings};
use crate::crd::AnyWorkspace;
use crate::engine::ScopedToken;
use crate::lifecycle::effect::{ClusterEffect, ClusterOutcome, TokenSlot};
use crate::lifecycle::{Effect, Outcome};

/// The outcome of reading this object.
async fn read(object: Value) -> Outcome {
    performer(200, object)
        .perform(Effect::Cluster(ClusterEffect::ReadObject))
        .await
}

/// A performer whose API server has one answer.
fn performer(status: u16, answer: Value) -> Performer {
    let answers = tower::service_fn(move |_: http::Request<Body>| {
        let body = Body::from(answer.to_string().into_bytes());
        let answer = http::Response::builder().status(status).body(body).unwrap();
        async move { Ok::<_, std::io::Error>(answer) }
    });
    let client = kube::Client::new(answers, HOME);
    let (context, _queues, _writers) = Context::new(client, settings(), AdminState::default());
    let known =
        json!({"metadata": {"name": "acme", "namespace": "tenant", "uid": "w"}, "spec": {"name": "Acme"}});
    let known: AnyWorkspace = serde_json::from_value(known).unwrap();
    Performer::new(Arc::new(context), known.object().clone())
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
async fn an_undecodable_deletion_goes_on_if_its_record_can_be_read() {
    let told = json!({"uid": "w", "workspaceId": "1", "organizationId": "o", "name": "Acme"});
    let untold = json!({"uid": "w", "workspaceId": "1", "organizationId": "o", "name": 7});
    assert!(matches!(
        read(undecodable(told)).await,
        Outcome::Cluster(ClusterOutcome::Object(_))
    ));
    let outcome = read(undecodable(untold)).await;
    assert!(
        matches!(outcome, Outcome::Cluster(ClusterOutcome::KubernetesFailed { .. })),
        "{outcome:?}"
    );
}

/// Promise: I8
#[tokio::test]
async fn the_text_of_a_refusal_is_cut_and_holds_no_token() {
    let token = "opaque-canary-of-a-token";
    let stored = STANDARD.encode(token);
    let message = format!("webhook denied {token} as {stored} {}", "x".repeat(40_000));
    let answer = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": message,
    });
    let mut performer = performer(403, answer);
    let token = ScopedToken {
        secret: token.into(),
        lifetime: std::time::Duration::ZERO,
    };
    performer.tokens.insert(TokenSlot(0), token);
    let outcome = performer
        .perform(Effect::Cluster(ClusterEffect::ReadObject))
        .await;
    let Outcome::Cluster(ClusterOutcome::Forbidden { detail }) = &outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        detail.starts_with("Forbidden webhook denied [redacted] as [redacted] xxx"),
        "{detail}"
    );
    assert!(detail.chars().count() <= 300);
}

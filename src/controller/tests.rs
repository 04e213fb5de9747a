//! The whole without a cluster, and what such tests share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::client::Body;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Context, events, report, run};
use crate::admin::AdminState;
use crate::crd::Workspace;
use crate::leadership::{Fence, Terms};
use crate::settings::{LeaseSettings, Settings, Watch};

pub(super) const HOME: &str = "home";

/// A client that reaches no cluster.
pub(super) fn unreachable() -> kube::Client {
    let unreachable = tower::service_fn(|_: http::Request<Body>| async {
        Err::<http::Response<Body>, _>(std::io::Error::other("there is no cluster"))
    });
    kube::Client::new(unreachable, HOME)
}

/// A client whose cluster takes every request and never answers.
pub(super) fn silent() -> kube::Client {
    let silent = tower::service_fn(|_: http::Request<Body>| {
        std::future::pending::<Result<http::Response<Body>, std::io::Error>>()
    });
    kube::Client::new(silent, HOME)
}

pub(super) fn settings() -> Settings {
    Settings {
        operator_namespace: HOME.to_owned(),
        watch: Watch::All,
        listen: ([127, 0, 0, 1], 0).into(),
        concurrency: std::num::NonZeroUsize::MIN,
        drain_timeout: std::time::Duration::ZERO,
        reconcile_timeout: std::time::Duration::ZERO,
        lease: LeaseSettings {
            name: "operator".to_owned(),
            identity: "a".to_owned(),
            terms: Terms::default(),
        },
    }
}

#[tokio::test(start_paused = true)]
async fn events_and_reports_give_up_on_a_silent_kubernetes_api() {
    let (context, _queues, _writers) = Context::new(silent(), settings(), AdminState::default());
    let object = json!({"metadata": {"name": "acme", "namespace": "tenant"}, "spec": {"name": "Acme"}});
    let object: Workspace = serde_json::from_value(object).unwrap();
    let finding = report::crashed();
    let said = async {
        events::publish(&context, &object, &finding).await;
        report::report(&context, &object, finding.clone()).await;
    };
    let said = tokio::time::timeout(Duration::from_secs(3600), said).await;
    said.expect("they are given up");
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_before_its_stores_are_read_it_stops_at_once() {
    let cancel = CancellationToken::new();
    let running = tokio::spawn(run(
        unreachable(),
        settings(),
        AdminState::default(),
        Fence::unfenced(),
        cancel.clone(),
    ));
    cancel.cancel();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(3600), running).await;
    ended
        .expect("it stops")
        .expect("a task that ends")
        .expect("in order");
}

/// What is written of an object whose stored status is this, where a reconcile of it crashed.
async fn reported(status: serde_json::Value) -> Vec<serde_json::Value> {
    let object = json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
        "metadata": {"name": "acme", "namespace": "tenant", "uid": "w", "resourceVersion": "7"},
        "spec": {"name": "Acme"}, "status": status,
    });
    let written = Arc::new(Mutex::new(Vec::<serde_json::Value>::new()));
    let (stored, log) = (object.clone(), written.clone());
    let api = tower::service_fn(move |request: http::Request<Body>| {
        let (stored, log) = (stored.clone(), log.clone());
        async move {
            if request.method() != http::Method::GET {
                let body = request.into_body().collect_bytes().await?;
                log.lock().unwrap().push(serde_json::from_slice(&body)?);
            }
            let answer = Body::from(stored.to_string().into_bytes());
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(http::Response::new(answer))
        }
    });
    let client = kube::Client::new(api, HOME);
    let (context, _queues, _writers) = Context::new(client, settings(), AdminState::default());
    let object: Workspace = serde_json::from_value(object).unwrap();
    report::report(&context, &object, report::crashed()).await;
    let written = written.lock().unwrap();
    written
        .iter()
        .filter(|body| body.get("status").is_some())
        .cloned()
        .collect()
}

/// Promise: rule.one-operator
#[tokio::test]
async fn a_report_is_written_to_no_object_of_another_operator() {
    for hold in ["Firm", "Provisional"] {
        let of_another = json!({"operator": {"lease": "elsewhere/operator", "hold": hold}});
        assert!(reported(of_another).await.is_empty(), "{hold}");
    }
    let ours = reported(json!({"operator": {"lease": "home/operator", "hold": "Firm"}})).await;
    assert_eq!(ours.len(), 1);
    assert_eq!(ours[0]["status"].get("operator"), None, "it is named already");
    let nobodys = reported(json!({})).await;
    let provisional = json!({"lease": "home/operator", "hold": "Provisional"});
    assert_eq!(nobodys[0]["status"]["operator"], provisional);
}

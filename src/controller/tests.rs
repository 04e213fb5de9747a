//! The whole without a cluster, and what such tests share.

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

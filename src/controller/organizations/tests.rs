//! Reconciles of an Organization while the Kubernetes API is silent.

use std::time::Duration;

use kube::runtime::watcher::Event;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::admin::AdminState;
use crate::controller::tests::{HOME, settings, silent};

/// Promise: rule.silent-kubernetes
#[tokio::test(start_paused = true)]
async fn a_silent_kubernetes_api_holds_no_reconcile_without_end() {
    let spec = json!({"credentialsSecretRef": {"name": "credential"}});
    for (spec, deletion) in [(spec, json!(null)), (json!(null), json!("2026-11-22T12:00:00Z"))] {
        let metadata = json!({
            "name": "default", "namespace": HOME, "uid": "o", "resourceVersion": "1", "deletionTimestamp": deletion,
            "finalizers": [crate::crd::metadata_keys::FINALIZER],
        });
        let organization: AnyOrganization =
            serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap();
        let (context, _queues, mut writers) = Context::new(silent(), settings(), AdminState::default());
        writers
            .organizations
            .apply_watcher_event(&Event::Apply(organization.clone()));
        let cancel = CancellationToken::new();
        let context = Arc::new(context);
        let ended = tokio::time::timeout(
            Duration::from_secs(3600),
            reconcile(Arc::new(organization), context, cancel),
        );
        ended.await.expect("the reconcile ends");
    }
}

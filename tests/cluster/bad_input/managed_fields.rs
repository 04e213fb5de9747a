//! What users write into `metadata.managedFields`, and the API server takes as it is: no trouble for that object, nor for
//! others, and no token in a log for it.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{GetParams, PostParams};
use kube::core::Request;
use kube::{Api, Resource};
use serde_json::{Value, json};

use agent_engine_operator::crd::{AnyWorkspace, Organization, Workspace};

use crate::support::{IN_DOUBT, LONG, Launch, Operator, Stage, canary, eventually};

/// The last second that RFC 3339 can write. What decodes times for us ends hours before it.
const LAST: &str = "9999-12-31T23:59:59Z";

/// Dates everybody's share in an object to the end of time, as `kubectl replace` may. Returns what is stored then.
async fn date<K: Resource<DynamicType = ()>>(stage: &Stage, namespace: Option<&str>, name: &str) -> Value {
    let request = Request::new(K::url_path(&(), namespace));
    let read = request.get(name, &GetParams::default()).unwrap();
    let mut object: Value = stage.client.request(read).await.unwrap();
    object["metadata"]["annotations"]["dated"] = json!("yes");
    for entry in object["metadata"]["managedFields"].as_array_mut().unwrap() {
        entry["time"] = json!(LAST);
    }
    // As somebody new: what others share keeps its date.
    let params = PostParams {
        field_manager: Some("somebody".to_owned()),
        ..PostParams::default()
    };
    let written = request
        .replace(name, &params, object.to_string().into_bytes())
        .unwrap();
    let stored = stage.client.request_text(written).await.unwrap();
    assert!(stored.contains(LAST), "{stored}");
    serde_json::from_str(&stored).unwrap()
}

/// Waits until what is stored of a Workspace says that its workspace has this name.
async fn named(stage: &Stage, within: Duration, workspace: &str, name: &str) {
    let api: Api<AnyWorkspace> = Api::namespaced(stage.client.clone(), &stage.tenant);
    eventually(&format!("{workspace} to be named {name}"), within, || async {
        let stored = api.get(workspace).await.map_err(|error| error.to_string())?;
        let status = stored.object().status.clone().unwrap_or_default();
        let named = status.name.as_ref().is_some_and(|stored| stored.as_str() == name);
        named.then_some(()).ok_or_else(|| format!("{status:?}"))
    })
    .await;
}

async fn rename(stage: &Stage, workspace: &str, name: &str) {
    let patch = json!({"spec": {"name": name}}).to_string();
    let arguments = [
        "patch",
        "workspace",
        workspace,
        "--namespace",
        &stage.tenant,
        "--type=merge",
        "--patch",
        &patch,
    ];
    stage.cluster.kubectl(arguments).await.success();
}

/// It brings no token into a log.
/// Promise: I8
/// Promise: input.undecodable: undecodable object in the cluster
#[tokio::test(flavor = "multi_thread")]
async fn an_undecodable_time_in_managed_fields_stops_no_object() {
    let stage = Stage::with(&[], json!({})).await;
    let launch = Launch::new(&stage.user, &stage.home).watching([stage.tenant.as_str()]);
    let before = Operator::start(&launch).await;
    before.ready().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    assert!(
        stage
            .secret_text("acme-token", "token")
            .await
            .contains(canary::TOKEN)
    );

    let (home, tenant) = (Some(stage.home.as_str()), Some(stage.tenant.as_str()));
    date::<Workspace>(&stage, tenant, "acme").await;
    let token = date::<Secret>(&stage, tenant, "acme-token").await;
    date::<Namespace>(&stage, None, &stage.tenant).await;
    date::<Organization>(&stage, home, "default").await;
    let credential = date::<Secret>(&stage, home, "credential").await;
    rename(&stage, "acme", "Acme renamed").await;
    named(&stage, LONG, "acme", "Acme renamed").await;
    let mut log = before.logs();
    before.kill().await;

    let after = Operator::start(&launch).await;
    after.ready().await;
    rename(&stage, "acme", "Acme again").await;
    named(&stage, IN_DOUBT + LONG, "acme", "Acme again").await;
    stage.workspace("other", json!({"name": "Other"})).await;
    stage.ready("other").await;
    log.push_str(&after.logs());
    // As a Secret holds it; each token begins in the same way.
    let token = &token["data"]["token"].as_str().unwrap()[..24];
    let credential = credential["data"]["client_secret"].as_str().unwrap();
    for secret in [canary::TOKEN, token, stage.emulator.client_secret(), credential] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    assert!(!log.contains("a watch failed"), "every event is read: {log}");
}

//! What others write into the Deployment, and what becomes of it at the next upgrade and rollback.

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serde_json::{Value, json};

use super::account::Installed;
use super::cluster;
use super::render::CHART;

/// `kubectl scale` and `kubectl apply` write fields that Helm writes too.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_and_a_rollback_take_a_scaled_deployment() {
    let home = cluster().namespace("home").await;
    let installed = Installed::into(&home, &json!({})).await;
    let deployments = Api::<Deployment>::namespaced(cluster().client().await, &home);
    let name = super::render::deployment(&installed.manifests)["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let as_deployed = || async {
        let deployment: Value = serde_json::to_value(deployments.get(&name).await.unwrap()).unwrap();
        let pod = &deployment["spec"]["template"]["spec"];
        let debugs = pod["containers"][0]["args"]
            .as_array()
            .unwrap()
            .contains(&json!("--log-level=debug"));
        (deployment["spec"]["replicas"].as_i64().unwrap(), debugs)
    };
    assert_eq!(as_deployed().await, (1, false));

    let scaled = ["scale", "deployment", &name, "--replicas=0", "--namespace", &home];
    cluster().kubectl(scaled).await.success();
    // Its own manifest, as somebody applies it who saved it.
    let saved = ["get", "deployment", &name, "--namespace", &home, "--output=json"];
    let mut saved: Value = serde_json::from_str(&cluster().kubectl(saved).await.success()).unwrap();
    saved["metadata"] = json!({"name": name, "labels": saved["metadata"]["labels"]});
    saved["status"] = Value::Null;
    cluster().apply(&home, &saved.to_string()).await.success();

    let upgrade = [
        "upgrade",
        &home,
        CHART,
        "--namespace",
        &home,
        "--reuse-values",
        "--set",
        "logLevel=debug",
    ];
    cluster().helm(upgrade).await.success();
    assert_eq!(as_deployed().await, (1, true));
    cluster()
        .helm(["rollback", &home, "1", "--namespace", &home])
        .await
        .success();
    assert_eq!(as_deployed().await, (1, false));
    installed.uninstall().await;
}

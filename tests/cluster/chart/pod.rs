//! The Pod: what it is held to, and how it ends.

use serde_json::{Value, json};

use super::cluster;
use super::render::{container, deployment, manifests, of_kind};
use crate::support::Said;

#[tokio::test]
async fn the_pod_passes_pod_security_restricted() {
    let namespace = restricted().await;
    let manifests = manifests("").await;
    let pod = |security: Value| {
        let mut spec = deployment(&manifests)["spec"]["template"]["spec"].clone();
        // The release's own is not made here.
        spec["serviceAccountName"] = json!("default");
        if security.is_null() {
            spec["containers"][0]["securityContext"] = security;
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "operator"}, "spec": spec})
    };

    let said = dry_run(&namespace, &pod(json!("as rendered"))).await;
    assert_eq!(said.err, "");
    said.success();
    // So that the namespace is known to judge at all.
    let refused = dry_run(&namespace, &pod(Value::Null)).await.refusal();
    assert!(refused.contains("violates PodSecurity"), "{refused}");
}

async fn restricted() -> String {
    let namespace = cluster().namespace("restricted").await;
    let level = |mode: &str| format!("pod-security.kubernetes.io/{mode}=restricted");
    cluster()
        .kubectl([
            "label",
            "namespace",
            &namespace,
            &level("enforce"),
            &level("warn"),
        ])
        .await
        .success();
    // Pods are refused until the namespace has it.
    crate::support::eventually(
        "the namespace's default account",
        crate::support::LONG,
        || async {
            let got = cluster()
                .kubectl(["get", "serviceaccount", "default", "--namespace", &namespace])
                .await;
            got.succeeded.then_some(()).ok_or(got.err)
        },
    )
    .await;
    namespace
}

async fn dry_run(namespace: &str, pod: &Value) -> Said {
    let file = crate::support::scratch_file("pod.json");
    std::fs::write(&file, pod.to_string()).unwrap();
    let file = file.display().to_string();
    cluster()
        .kubectl([
            "create",
            "--dry-run=server",
            "--namespace",
            namespace,
            "-f",
            &file,
        ])
        .await
}

/// One leads, the other stands by; a Pod of an upgrade stands by before an old one ends.
#[tokio::test]
async fn two_pods_share_a_lease_and_a_drain_leaves_one() {
    let manifests = manifests("").await;
    let spec = &deployment(&manifests)["spec"];
    assert_eq!(spec["replicas"], 2);
    assert_eq!(
        spec["strategy"]["rollingUpdate"],
        json!({"maxSurge": 1, "maxUnavailable": 0})
    );
    let selector = &spec["selector"];
    let budget = &of_kind(&manifests, "PodDisruptionBudget")[0]["spec"];
    assert_eq!(budget["maxUnavailable"], 1);
    assert_eq!(budget["unhealthyPodEvictionPolicy"], "AlwaysAllow");
    assert_eq!(budget["selector"], *selector);
    let pod = &spec["template"]["spec"];
    for spread in pod["topologySpreadConstraints"].as_array().unwrap() {
        assert_eq!(spread["whenUnsatisfiable"], "ScheduleAnyway");
        assert_eq!(spread["labelSelector"], *selector);
    }
    for toleration in pod["tolerations"].as_array().unwrap() {
        assert_eq!(toleration["tolerationSeconds"], 30);
    }
}

#[tokio::test]
async fn one_pod_alone_has_no_budget_that_would_hold_up_a_drain() {
    let manifests = manifests("replicas: 1").await;
    assert!(of_kind(&manifests, "PodDisruptionBudget").is_empty());
}

#[tokio::test]
async fn probes_ask_the_listener_that_the_service_shows() {
    let manifests = manifests("metrics: {port: 9000}").await;
    let container = container(&manifests);
    assert_eq!(
        container["ports"],
        json!([{"name": "metrics", "containerPort": 9000, "protocol": "TCP"}])
    );
    for (probe, path) in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
        assert_eq!(
            container[probe]["httpGet"],
            json!({"path": path, "port": "metrics"})
        );
    }
    let service = of_kind(&manifests, "Service")[0];
    assert_eq!(service["spec"]["ports"][0]["targetPort"], "metrics");
    assert_eq!(service["spec"]["ports"][0]["port"], 9000);
    assert_eq!(
        service["spec"]["selector"],
        deployment(&manifests)["spec"]["selector"]["matchLabels"]
    );
}

#[tokio::test]
async fn only_the_pod_gets_a_token_and_its_selector_never_changes() {
    let manifests =
        manifests("{commonLabels: {team: x}, podLabels: {tier: back}, podAnnotations: {a: b}}").await;
    let account = of_kind(&manifests, "ServiceAccount")[0];
    assert_eq!(account["automountServiceAccountToken"], false);
    let template = &deployment(&manifests)["spec"]["template"];
    assert_eq!(template["spec"]["automountServiceAccountToken"], true);
    assert_eq!(
        template["spec"]["serviceAccountName"],
        account["metadata"]["name"]
    );
    assert_eq!(
        deployment(&manifests)["spec"]["selector"]["matchLabels"],
        json!({"app.kubernetes.io/name": "agent-engine-operator", "app.kubernetes.io/instance": "r"})
    );
    assert_eq!(template["metadata"]["labels"]["tier"], "back");
    assert_eq!(template["metadata"]["annotations"]["a"], "b");
    for manifest in &manifests {
        assert_eq!(
            manifest["metadata"]["labels"]["team"], "x",
            "{}",
            manifest["kind"]
        );
        assert_eq!(
            manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"],
            "Helm"
        );
    }
}

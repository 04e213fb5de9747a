//! The cluster of these stories judges owner references as OpenShift does, so that every one of them is told under it.

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use super::cluster;

/// The control of the stories beside it: without the right, such a Secret is refused.
#[tokio::test]
async fn a_blocking_owner_needs_rights_on_its_finalizers() {
    let namespace = cluster().namespace("owners").await;
    let user = cluster().api_user();
    let named = format!("--user={}", user.name);
    for words in [
        vec!["create", "role", "writes", "--verb=create", "--resource=secrets"],
        vec!["create", "rolebinding", "writes", "--role=writes", &named],
        vec!["create", "configmap", "owner"],
    ] {
        let words = words.into_iter().chain(["--namespace", &namespace]);
        cluster().kubectl(words).await.success();
    }
    let owner = cluster()
        .kubectl([
            "get",
            "configmap",
            "owner",
            "--namespace",
            &namespace,
            "--output=jsonpath={.metadata.uid}",
        ])
        .await
        .success();
    let secret = |blocks: bool| -> Secret {
        let reference = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner, "controller": true,
            "blockOwnerDeletion": blocks,
        });
        let metadata = json!({"generateName": "owned-", "ownerReferences": [reference]});
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    };
    let secrets = Api::<Secret>::namespaced(user.client().await, &namespace);
    let params = PostParams::default();
    let refused = secrets.create(&params, &secret(true)).await.unwrap_err();
    assert!(
        matches!(&refused, kube::Error::Api(status) if status.message.contains("blockOwnerDeletion")),
        "{refused}"
    );
    secrets.create(&params, &secret(false)).await.unwrap();
}

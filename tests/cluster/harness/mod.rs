//! The ground that all other tests stand on: the cluster is real, counts are true, the emulator obeys, and nothing
//! is left behind.

mod canaries;
mod endings;

use crate::support::{
    CLIENT_ID, Emulator, LONG, Launch, Operator, SHORT, cluster, eventually, http_client, tally,
};
use std::path::Path;

use k8s_openapi::{
    api::core::v1::{ConfigMap, Secret},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{
    Api, Client, Config, ResourceExt,
    api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams},
    config::{AuthInfo, KubeConfigOptions, Kubeconfig},
};
use serde_json::json;

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.into()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

/// Whom the API server does not know.
async fn stranger() -> Client {
    let kubeconfig = Kubeconfig::read_from(cluster().kubeconfig()).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    config.auth_info = AuthInfo {
        token: Some("a-strangers".to_owned().into()),
        ..AuthInfo::default()
    };
    Client::try_from(config).unwrap()
}

/// It says what was seen.
#[tokio::test(start_paused = true)]
#[should_panic(expected = "waited 20 s for the moon; last seen: a cloud")]
async fn waiting_ends_although_looking_takes_no_time() {
    eventually("the moon", SHORT, async || Err::<(), _>("a cloud")).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "waited 20 s for the moon; last seen: nothing")]
async fn waiting_ends_although_a_question_never_does() {
    eventually("the moon", SHORT, std::future::pending::<Result<(), String>>).await;
}

#[tokio::test]
async fn each_request_of_a_user_is_counted_once_and_no_other_users() {
    let namespace = cluster().namespace("counted").await;
    let user = cluster().operator_user().await;
    let audit = cluster().audit(&user).await;
    let api = Api::<ConfigMap>::namespaced(user.client().await, &namespace);
    let admins = Api::<ConfigMap>::namespaced(cluster().client().await, &namespace);

    api.create(&PostParams::default(), &config_map("ours"))
        .await
        .unwrap();
    admins
        .create(&PostParams::default(), &config_map("theirs"))
        .await
        .unwrap();
    let patch = Patch::Merge(json!({ "data": { "key": "value" } }));
    api.patch("ours", &PatchParams::default(), &patch).await.unwrap();
    api.patch("absent", &PatchParams::default(), &patch)
        .await
        .unwrap_err();
    api.get("ours").await.unwrap();
    api.list(&ListParams::default()).await.unwrap();
    let strangers = Api::<ConfigMap>::namespaced(stranger().await, &namespace);
    let refusal = strangers.get("ours").await.unwrap_err();
    assert!(matches!(refusal, kube::Error::Api(status) if status.code == 401));

    let requests = audit.requests().await.in_namespace(&namespace);
    assert_eq!(
        requests.object_writes().tally(),
        tally([("create configmaps", 1), ("patch configmaps", 2)])
    );
    assert_eq!(requests.refused().tally(), tally([("patch configmaps", 1)]));
    assert_eq!(requests.gets().tally(), tally([("get configmaps", 1)]));
    assert_eq!(requests.lists().tally(), tally([("list configmaps", 1)]));
    assert_eq!(requests.event_writes().count() + requests.watches().count(), 0);
}

#[tokio::test]
async fn a_count_begins_when_it_is_restarted() {
    let namespace = cluster().namespace("restarted").await;
    let user = cluster().operator_user().await;
    let mut audit = cluster().audit(&user).await;
    let api = Api::<ConfigMap>::namespaced(user.client().await, &namespace);
    api.create(&PostParams::default(), &config_map("before"))
        .await
        .unwrap();
    audit.restart().await;
    api.delete("before", &DeleteParams::default()).await.unwrap();
    assert_eq!(
        audit.requests().await.object_writes().tally(),
        tally([("delete configmaps", 1)])
    );
}

#[tokio::test]
async fn a_user_may_do_nothing_before_it_is_bound() {
    let namespace = cluster().namespace("unbound").await;
    let api = Api::<ConfigMap>::namespaced(cluster().api_user().client().await, &namespace);
    let refusal = api
        .create(&PostParams::default(), &config_map("any"))
        .await
        .unwrap_err();
    assert!(matches!(refusal, kube::Error::Api(status) if status.code == 403));
}

#[tokio::test]
async fn what_an_object_owns_goes_with_it() {
    let namespace = cluster().namespace("owned").await;
    let client = cluster().client().await;
    let owners = Api::<ConfigMap>::namespaced(client.clone(), &namespace);
    let secrets = Api::<Secret>::namespaced(client, &namespace);
    let owner = owners
        .create(&PostParams::default(), &config_map("owner"))
        .await
        .unwrap();
    let owned = Secret {
        metadata: ObjectMeta {
            name: Some("owned".into()),
            owner_references: Some(vec![OwnerReference {
                api_version: "v1".into(),
                kind: "ConfigMap".into(),
                name: owner.name_any(),
                uid: owner.uid().unwrap(),
                controller: Some(true),
                ..OwnerReference::default()
            }]),
            ..ObjectMeta::default()
        },
        ..Secret::default()
    };
    secrets.create(&PostParams::default(), &owned).await.unwrap();
    owners.delete("owner", &DeleteParams::default()).await.unwrap();
    eventually("the owned Secret to be collected", LONG, || async {
        match secrets.get_opt("owned").await {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err("it is there".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
}

/// The version that a `go.mod` requires of a module.
fn pinned<'a>(go_mod: &'a str, module: &str) -> &'a str {
    let mut lines = go_mod.lines().map(str::split_whitespace);
    lines
        .find_map(|mut words| (words.next() == Some(module)).then(|| words.next()).flatten())
        .expect("a required module")
}

#[tokio::test]
async fn kubectl_and_helm_are_the_pinned_ones_and_reach_the_cluster() {
    let version: serde_json::Value =
        serde_json::from_str(&cluster().kubectl(["version", "--output=json"]).await.success()).unwrap();
    let kubernetes = pinned(
        include_str!("../../../tools/kubernetes/go.mod"),
        "k8s.io/kubernetes",
    );
    assert_eq!(version["clientVersion"]["gitVersion"], kubernetes);
    assert_eq!(version["serverVersion"]["gitVersion"], kubernetes);
    let server = "--output=jsonpath={.clusters[0].cluster.server}";
    let server = cluster().kubectl(["config", "view", "--minify", server]).await;
    assert_eq!(server.success(), cluster().api_url());
    let helm = cluster()
        .helm(["version", "--template={{.Version}}"])
        .await
        .success();
    assert_eq!(
        helm,
        pinned(include_str!("../../../tools/helm/go.mod"), "helm.sh/helm/v4")
    );
    assert!(
        cluster()
            .kubectl(["get", "nothing-of-this-kind"])
            .await
            .refusal()
            .contains("nothing-of-this-kind")
    );
    assert_eq!(
        cluster()
            .helm(["list", "--all-namespaces", "--short"])
            .await
            .success(),
        ""
    );
}

#[tokio::test]
async fn an_emulator_is_seeded_asked_counted_and_ended() {
    let emulator = Emulator::start(&[]).await;
    emulator.seed(json!({ "workspaces": [{ "name": "acme" }] })).await;
    let from = emulator.journal_mark().await;

    emulator
        .fault(json!({ "operation": "T1", "count": 1, "hold": "before" }))
        .await;
    let credentials = json!({ "client_id": CLIENT_ID, "client_secret": emulator.client_secret() });
    let call = http_client()
        .post(format!("{}/api/v1/account/applications/token", emulator.url()))
        .header("content-type", "application/json")
        .body(credentials.to_string());
    let answer = tokio::spawn(call.send());
    emulator.wait_held(1).await;
    emulator.release("apply").await;
    assert_eq!(answer.await.unwrap().unwrap().status(), 200);

    assert_eq!(emulator.calls_since(from).await, tally([("T1", 1)]));
    assert_eq!(emulator.terminate().await, 0);
}

#[tokio::test]
async fn an_operator_is_started_asked_and_ended() {
    let namespace = cluster().namespace("operator").await;
    let user = cluster().operator_user().await;
    // Of its own namespace alone: the other stories have operators of their own.
    let launch = Launch::new(&user, &namespace).watching([namespace.as_str()]);
    let killed = Operator::start(&launch).await;
    killed.metrics().await;
    let pid = killed.pid();
    killed.kill().await;
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{pid} lives on");
    assert_eq!(Operator::start(&launch).await.terminate().await, 0);

    let misled = Operator::spawn(&launch.with(["--no-such-flag"])).await;
    assert_eq!(misled.wait().await, 2);
}

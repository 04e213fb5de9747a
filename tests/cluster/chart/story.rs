//! The whole story, told by what the chart installs and prints: under its account, with its flags, from its notes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::account::{Installed, stage};
use super::cluster;
use super::permissions::grants;
use super::render::{deployment, documents};
use crate::support::{CLIENT_ID, LONG, Requests, Stage, eventually, scratch_file};

/// An operator that watches all namespaces would look after the other story's Workspaces too.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Granted, and not asked for in the story.
const IN_RESERVE: [(&str, &str); 4] = [
    (
        "update leases",
        "renewed only after some seconds, and released at the end",
    ),
    ("get organizations", "shows what a list shows"),
    ("get namespaces", "shows what a list shows"),
    (
        "get workspaces",
        "read anew after somebody else's write came between",
    ),
];

/// From a Ready Workspace to its end. All that is granted is needed, and no more; also where the API server judges owner
/// references.
#[tokio::test(flavor = "multi_thread")]
async fn the_notes_lead_to_a_life_that_needs_what_is_granted() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (stage, installed) = stage(|_| json!({})).await;
    let audit = stage.audit().await;
    let operator = stage.operator().await;
    live(&stage, &installed).await;

    let requests = audit.requests().await;
    none_forbidden(&requests);
    used_as_granted(&requests, &installed);
    only_our_secrets_are_read(&requests, &stage);

    // What is kept, once the operator has gone and everything of the chart with it.
    stage
        .workspace("kept", json!({"name": format!("{}/kept", stage.tenant)}))
        .await;
    stage.ready("kept").await;
    assert_eq!(operator.terminate().await, 0);
    installed.uninstall().await;
    assert_eq!(stage.remote(&format!("{}/kept", stage.tenant)).await.len(), 1);
    assert!(stage.get("kept").await.metadata.deletion_timestamp.is_none());
    stage.secrets().get("kept-token").await.unwrap();
    stage.organizations().get("default").await.unwrap();
}

/// It leads the same life.
#[tokio::test(flavor = "multi_thread")]
async fn watching_some_namespaces_it_looks_at_no_other() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (stage, installed) = stage(|stage| json!({"watchNamespaces": [stage.tenant]})).await;
    let elsewhere = stage.cluster.namespace("elsewhere").await;
    let audit = stage.audit().await;
    let _operator = stage.operator().await;
    stage
        .workspace_in(
            &elsewhere,
            "unseen",
            json!({"name": format!("{elsewhere}/unseen")}),
        )
        .await;
    live(&stage, &installed).await;

    let requests = audit.requests().await;
    none_forbidden(&requests);
    used_as_granted(&requests, &installed);
    let touched: BTreeSet<_> = requests
        .0
        .iter()
        .map(|request| request.namespace.as_str())
        .collect();
    assert_eq!(touched, ["", &stage.home, &stage.tenant].into());
    let refused = installed.account().await.client().await;
    let secrets = kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(refused, &elsewhere);
    let error = secrets.list(&kube::api::ListParams::default()).await.unwrap_err();
    assert!(
        matches!(&error, kube::Error::Api(status) if status.is_forbidden()),
        "{error}"
    );
}

/// Its workspaces go with it.
/// Promise: rule.listed-namespace: A listed namespace may be deleted, be missing or lack its role: the others are served, or it is named
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_namespace_goes_though_its_roles_go_first() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (stage, _installed) = stage(|stage| json!({"watchNamespaces": [stage.tenant]})).await;
    stage.good_credential().await;
    stage.organization("default", json!({})).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;

    // As the controller of namespaces may take them before it comes to the Workspaces.
    for kind in ["rolebinding", "role"] {
        let words = ["delete", kind, "--all", "--namespace", &stage.tenant];
        cluster().kubectl(words).await.success();
    }
    let words = ["delete", "namespace", &stage.tenant, "--timeout=60s"];
    cluster().kubectl(words).await.success();
    assert_eq!(stage.remote("Acme").await, Vec::<Value>::new());
}

/// From the notes' manifests to the deletion of everything.
async fn live(stage: &Stage, installed: &Installed) {
    let manifests = scratch_file("first.json");
    let notes = installed.notes().await;
    let labels = deployment(&installed.manifests)["spec"]["selector"]["matchLabels"].clone();
    let label = |key: &str| format!("{key}={}", labels[key].as_str().unwrap());
    let selector = [
        label("app.kubernetes.io/name"),
        label("app.kubernetes.io/instance"),
    ];
    let logs = format!(" --selector {} --prefix", selector.join(","));
    assert!(notes.contains(&logs), "the logs of all Pods: {notes}");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": first_manifests(&notes, stage)});
    std::fs::write(&manifests, list.to_string()).unwrap();
    // Each names its namespace, as a newcomer applies them.
    let manifests = manifests.display().to_string();
    cluster().kubectl(["apply", "-f", &manifests]).await.success();
    stage.ready("first").await;
    let named = |name: &str| format!("{}/{name}", stage.tenant);
    assert_eq!(stage.remote(&named("first")).await.len(), 1);

    stage.change("first", json!({"name": named("renamed")})).await;
    stage.ready("first").await;
    assert_eq!(stage.remote(&named("renamed")).await.len(), 1);
    eventually("the Secret to say the new name", LONG, || async {
        let name = stage.secret_text("first-token", "workspace_name").await;
        (name == named("renamed")).then_some(()).ok_or(name)
    })
    .await;

    stage.change("first", json!({"status": "inactive"})).await;
    stage.no_secret("first-token").await;
    stage.change("first", json!({"status": "active"})).await;
    stage.secret("first-token").await;
    cluster()
        .kubectl(["delete", "secret", "first-token", "--namespace", &stage.tenant])
        .await
        .success();
    stage.secret("first-token").await;
    stage.ready("first").await;

    stage.delete("first").await;
    assert_eq!(stage.remote(&named("renamed")).await, Vec::<Value>::new());
}

/// The three between the lines of dashes, with the blanks filled in.
fn first_manifests(notes: &str, stage: &Stage) -> Vec<Value> {
    let (_, rest) = notes.split_once("\n---\n").expect("where they begin");
    let (manifests, _) = rest.rsplit_once("\n---\n").expect("where they end");
    let filled = manifests
        .replace("<client id>", CLIENT_ID)
        .replace("<client secret>", stage.emulator.client_secret())
        .replace("team-a", &stage.tenant);
    let mut manifests = documents(&filled);
    let kinds: Vec<_> = manifests
        .iter()
        .map(|manifest| manifest["kind"].clone())
        .collect();
    assert_eq!(kinds, ["Secret", "Organization", "Workspace"]);
    // The one thing that a newcomer with an account at Agent Engine does without.
    manifests[1]["spec"]["endpoint"] = json!(stage.emulator.url());
    manifests
}

fn none_forbidden(requests: &Requests) {
    assert!(requests.count() > 0, "the audit log names the account otherwise");
    let forbidden = requests.only(|request| request.code == 403);
    assert!(forbidden.0.is_empty(), "{:#?}", forbidden.tally());
}

/// However many and large other Secrets are, they are never sent to the operator; of its own namespace it gets their metadata.
fn only_our_secrets_are_read(requests: &Requests, stage: &Stage) {
    let many = requests.of("secrets").only(|request| {
        ["list", "watch"].contains(&request.verb.as_str()) && request.namespace != stage.home
    });
    assert!(many.count() > 0);
    for request in many.0 {
        assert!(
            request.uri.contains("labelSelector=agentengine"),
            "{}",
            request.uri
        );
    }
}

/// Every verb that is granted was used, but for those that are named in reserve.
fn used_as_granted(requests: &Requests, installed: &Installed) {
    let used: BTreeSet<_> = requests.tally().into_keys().collect();
    let granted: BTreeSet<_> = grants(&installed.manifests)
        .iter()
        .flat_map(|line| {
            let (place, verbs) = line.split_once(": ").unwrap();
            let resource = place
                .split_once('/')
                .unwrap()
                .1
                .split(' ')
                .next()
                .unwrap()
                .to_owned();
            verbs
                .split(' ')
                .map(move |verb| format!("{verb} {resource}"))
                .collect::<Vec<_>>()
        })
        .collect();
    let reserve: BTreeSet<_> = IN_RESERVE.iter().map(|(what, _)| (*what).to_owned()).collect();
    assert_eq!(
        &reserve - &granted,
        BTreeSet::new(),
        "kept in reserve, and not granted"
    );
    // What is in reserve may be needed: an object that changed under a reconcile is read again.
    let unused = &granted - &used;
    assert_eq!(&unused - &reserve, BTreeSet::new(), "granted, and not needed");
}

//! `make upgrade FROM=<commit>`: the chart of another commit on a node, which is then upgraded to this one. Every Workspace, every
//! Secret and every workspace at Agent Engine stays what it was, and each token goes on.

use std::{collections::BTreeMap, env, path::PathBuf};

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt, api::ListParams};
use serde_json::{Value, json};

use crate::{
    ENDING, container_images, end_for_good_after,
    ground::Ground,
    manifests::TENANT,
    stage::{Edition, HOME, RELEASE, Stage, tell},
    support::{LONG, eventually, find_workspaces, text},
};

/// A folder with a checkout of the other commit, and what was built from it.
const FROM: &str = "E2E_FROM";

const PROGRAM: &str = "target/debug/agent-engine-operator";

/// Promise: rule.upgrade-keeps: An upgrade from another commit keeps every Workspace, Secret and remote workspace as it is
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a node, and another commit: make upgrade FROM=<commit>"]
async fn an_upgrade_keeps_everything() {
    let from = env::var_os(FROM).map(PathBuf::from);
    let from = from.unwrap_or_else(|| panic!("{FROM} is not set; `make upgrade FROM=<commit>` sets it"));
    let ground = Ground::of_this_run();
    end_for_good_after(ground.deadline() + ENDING);
    let story = async {
        let mut images = container_images::write();
        images.push(container_images::write_former(&from.join(PROGRAM)));
        let mut stage = Stage::set(ground, &images, Edition::of(&from.join("checkout"))).await;
        let before = Kept::by(&stage).await;

        tell("helm upgrade");
        let former = std::mem::replace(&mut stage.edition, Edition::ours());
        if former.pods == 1 {
            as_the_chart_says(&stage).await;
        }
        stage.helm("upgrade", stage.edition.tag).await;
        stage.whole().await;
        before.is_kept(&stage).await;
        stage.serves().await;

        tell("each token is renewed once more");
        let tokens = tokens(&stage).await;
        eventually("new tokens", ground.token_life(), || async {
            let now = self::tokens(&stage).await;
            let old: Vec<_> = tokens
                .iter()
                .filter(|(name, token)| now.get(*name) == Some(token))
                .collect();
            old.is_empty()
                .then_some(())
                .ok_or(format!("{} are old", old.len()))
        })
        .await;
        before.is_kept(&stage).await;
        let rounds = stage.rounds().await;
        assert!(!rounds.is_empty(), "the workload calls");
        for round in rounds {
            let whole = round.unauthorized.is_empty() && round.failures.is_empty();
            assert!(
                whole,
                "{}: 401 {:?}, {:?}",
                round.at, round.unauthorized, round.failures
            );
        }
        let (not_due, issues) = stage.issues_not_due().await;
        assert_eq!(not_due, []);
        assert!(issues >= 2 * before.workspaces.len(), "{issues} issues");
        assert_eq!(stage.ledger.secrets_out_of_turn(stage.due_s()), []);
    };
    let ended = tokio::time::timeout(ground.deadline(), story).await;
    ended.expect("an end in time");
}

/// What knows no Lease would act beside what comes: the chart refuses, and says what to do.
async fn as_the_chart_says(stage: &Stage) {
    let refusal = stage.try_helm("upgrade", stage.edition.tag).await.refusal();
    let remedy = format!("kubectl scale deployment {RELEASE} --replicas=0");
    assert!(refusal.contains(&remedy), "{refusal}");
    let scale = [
        "scale",
        "deployment",
        RELEASE,
        "--replicas=0",
        "--namespace",
        HOME,
    ];
    stage.cluster.kubectl(scale).await.success();
    eventually("the Pod to go", LONG, || async {
        let left = stage.pods_left().await;
        (left == 0).then_some(()).ok_or(left)
    })
    .await;
}

/// What an upgrade changes nothing of, by name.
struct Kept {
    workspaces: BTreeMap<String, Value>,
    secrets: BTreeMap<String, Value>,
    remote: BTreeMap<String, Value>,
}

impl Kept {
    async fn by(stage: &Stage) -> Self {
        let workspaces = stage.workspaces().await.into_iter().map(|workspace| {
            let status = workspace.status.clone().unwrap_or_default();
            let kept = json!({
                "uid": workspace.uid(), "spec": workspace.spec, "deleted": workspace.metadata.deletion_timestamp,
                "workspaceId": status.workspace_id, "organizationId": status.organization_id, "name": status.name,
                "origin": status.origin, "tokenSecretName": status.token_secret_name,
            });
            (workspace.name_any(), kept)
        });
        let secrets = secrets(stage).await.into_iter().map(|secret| {
            let keys: Vec<&String> = secret.data.iter().flatten().map(|(key, _)| key).collect();
            let kept = json!({
                "uid": secret.uid(), "owners": secret.metadata.owner_references, "keys": keys, "type": secret.type_,
                "workspaceId": text(&secret, "workspace_id"),
            });
            (secret.name_any(), kept)
        });
        let state = stage.emulator("state").await;
        let remote = find_workspaces(&state)
            .into_iter()
            .map(|row| (row["id"].to_string(), row));
        Self {
            workspaces: workspaces.collect(),
            secrets: secrets.collect(),
            remote: remote.collect(),
        }
    }

    async fn is_kept(&self, stage: &Stage) {
        let now = Self::by(stage).await;
        for (before, now) in [
            (&self.workspaces, &now.workspaces),
            (&self.secrets, &now.secrets),
            (&self.remote, &now.remote),
        ] {
            assert!(!before.is_empty());
            for (name, kept) in before {
                assert_eq!(now.get(name), Some(kept), "{name}");
            }
        }
    }
}

async fn secrets(stage: &Stage) -> Vec<Secret> {
    let secrets = Api::<Secret>::namespaced(stage.client.clone(), TENANT);
    let mut secrets = secrets.list(&ListParams::default()).await.expect("Secrets").items;
    secrets.retain(|secret| {
        secret
            .data
            .as_ref()
            .is_some_and(|data| data.contains_key("token"))
    });
    secrets
}

/// The token of each Secret, by name.
async fn tokens(stage: &Stage) -> BTreeMap<String, String> {
    let secrets = secrets(stage).await.into_iter();
    secrets
        .map(|secret| (secret.name_any(), text(&secret, "token")))
        .collect()
}

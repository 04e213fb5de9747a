//! What befalls the operator's Pods, one event after the other.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{
    ResourceExt,
    api::{DeleteParams, EvictParams},
};
use rustix::process::Signal;
use tokio::time::sleep;

use crate::{
    container_images::TAGS,
    ground::Ground,
    ledger::seconds,
    process::{self, Wire},
    stage::{RELEASE, Stage, restarts, tell},
    table::Row,
};

const PROGRAM: &str = "agent-engine-operator";
const API_SERVICE: &str = "10.96.0.1";
const NODE: &str = "node";
/// How many lives of tokens the workload sees pass.
const LIVES: &str = "E2E_LIVES";

pub fn lives() -> u32 {
    let lives = std::env::var(LIVES).unwrap_or_default();
    lives.parse().unwrap_or(3)
}

pub async fn all(stage: &mut Stage) {
    measure(stage, "leader Pod deleted", deleted).await;
    if stage.ground == Ground::OwnNode {
        measure(stage, "leader killed (SIGKILL)", killed).await;
        measure(stage, "leader frozen (SIGSTOP), then thawed", frozen).await;
        measure(stage, "leader cut off from the API server", cut_off).await;
        measure(stage, "node drained", drained).await;
    }
    measure(stage, "`helm upgrade` to another image", upgraded).await;
    measure(stage, "`helm rollback`", rolled_back).await;
    measure(stage, "nothing", nothing).await;
    measure(stage, "`helm uninstall`", uninstalled).await;
    measure(stage, "`helm install` again", installed_again).await;
}

/// Writes down when an event began and ended, and when the first Workspace that was made after it was Ready.
async fn measure(
    stage: &mut Stage,
    event: &'static str,
    befall: impl AsyncFnOnce(&mut Stage) -> Option<f64>,
) {
    tell(event);
    let begun = stage.now();
    let served_after_s = befall(stage).await;
    stage.rows.push(Row {
        event,
        begun,
        ended: stage.now(),
        served_after_s,
    });
}

/// Does it to the leader, makes a new Workspace, and returns after how many seconds that was Ready.
async fn befall(stage: &mut Stage, what: impl AsyncFnOnce(&Stage, &Pod)) -> Option<f64> {
    let (leader, _) = stage.leader().await;
    what(stage, &leader).await;
    let begun = stage.now();
    stage.serves().await;
    Some(seconds(begun, stage.now()))
}

/// The same where another leads afterwards.
async fn hand_over(stage: &mut Stage, what: impl AsyncFnOnce(&Stage, &Pod)) -> Option<f64> {
    let (_, since) = stage.leader().await;
    let served = befall(stage, what).await;
    stage.next_leads(since).await;
    served
}

async fn deleted(stage: &mut Stage) -> Option<f64> {
    let served = hand_over(stage, async |stage, leader| {
        let pods = stage.home_pods();
        pods.delete(&leader.name_any(), &DeleteParams::default())
            .await
            .expect("the Pod is there");
    })
    .await;
    stage.whole().await;
    served
}

/// Its container is started again, and as the same Pod takes its Lease back at once.
async fn killed(stage: &mut Stage) -> Option<f64> {
    let (leader, _) = stage.leader().await;
    let served = befall(stage, async |_, leader| {
        process::signal(&uid(leader), PROGRAM, Signal::KILL);
    })
    .await;
    stage.restarted(&leader.name_any(), restarts(&leader)).await;
    stage.whole().await;
    served
}

async fn frozen(stage: &mut Stage) -> Option<f64> {
    let (leader, _) = stage.leader().await;
    let served = hand_over(stage, async |_, leader| {
        process::signal(&uid(leader), PROGRAM, Signal::STOP);
    })
    .await;
    // It wakes up, sees that another leads, and ends.
    process::signal(&uid(&leader), PROGRAM, Signal::CONT);
    stage.restarted(&leader.name_any(), restarts(&leader)).await;
    stage.whole().await;
    served
}

async fn cut_off(stage: &mut Stage) -> Option<f64> {
    let (leader, _) = stage.leader().await;
    let served = hand_over(stage, async |_, leader| {
        process::wire(&uid(leader), API_SERVICE, Wire::Cut).await;
    })
    .await;
    process::wire(&uid(&leader), API_SERVICE, Wire::Whole).await;
    stage.restarted(&leader.name_any(), restarts(&leader)).await;
    stage.whole().await;
    served
}

/// With one node, none can take what is evicted: the first Pod goes, the last is kept by its budget.
async fn drained(stage: &mut Stage) -> Option<f64> {
    stage.cluster.kubectl(["cordon", NODE]).await.success();
    let served = hand_over(stage, async |stage, leader| {
        let pods = stage.home_pods();
        let evicted = pods.evict(&leader.name_any(), &EvictParams::default()).await;
        evicted.expect("one may go");
    })
    .await;
    let (leader, _) = stage.leader().await;
    let selector = format!("--pod-selector=app.kubernetes.io/instance={RELEASE}");
    let drain = ["drain", NODE, &selector, "--timeout=5s"];
    let refused = stage.cluster.kubectl(drain).await.refusal();
    assert!(refused.contains("disruption budget"), "{refused}");
    let (still, _) = stage.leader().await;
    assert_eq!(still.name_any(), leader.name_any());
    stage.cluster.kubectl(["uncordon", NODE]).await.success();
    stage.whole().await;
    served
}

async fn upgraded(stage: &mut Stage) -> Option<f64> {
    let served = hand_over(stage, async |stage, _| {
        stage.helm("upgrade", TAGS[1]).await;
    })
    .await;
    stage.whole().await;
    runs(stage, TAGS[1]).await;
    served
}

async fn rolled_back(stage: &mut Stage) -> Option<f64> {
    let served = hand_over(stage, async |stage, _| stage.helm_release("rollback").await).await;
    stage.whole().await;
    runs(stage, TAGS[0]).await;
    served
}

/// All Pods are of the image with this tag.
async fn runs(stage: &Stage, tag: &str) {
    for pod in stage.pods().await {
        let image = pod
            .spec
            .as_ref()
            .and_then(|spec| spec.containers[0].image.clone());
        assert!(
            image
                .as_ref()
                .is_some_and(|image| image.ends_with(&format!(":{tag}"))),
            "{image:?}"
        );
    }
}

/// Until tokens of so many lives have passed.
async fn nothing(stage: &mut Stage) -> Option<f64> {
    let whole = stage.ground.token_life() * lives();
    let passed = seconds(stage.begun, stage.now());
    sleep(whole.saturating_sub(Duration::from_secs_f64(passed))).await;
    None
}

/// The operator goes; what it made stays.
async fn uninstalled(stage: &mut Stage) -> Option<f64> {
    let before = stage.emulator("state").await;
    let workspaces = stage.workspaces().await.len();
    stage.helm_release("uninstall").await;
    crate::support::eventually("the operator's Pods to go", crate::support::LONG, || async {
        let left = stage.pods_left().await;
        (left == 0).then_some(()).ok_or(left)
    })
    .await;
    assert_eq!(
        stage.emulator("state").await["organizations"],
        before["organizations"]
    );
    let after = stage.workspaces().await;
    assert_eq!(after.len(), workspaces);
    assert!(
        after
            .iter()
            .all(|workspace| workspace.metadata.deletion_timestamp.is_none())
    );
    None
}

/// What stayed is taken up where it was left.
async fn installed_again(stage: &mut Stage) -> Option<f64> {
    stage.helm("install", TAGS[0]).await;
    let begun = stage.now();
    stage.serves().await;
    let served = seconds(begun, stage.now());
    stage.whole().await;
    Some(served)
}

fn uid(pod: &Pod) -> String {
    pod.uid().expect("a uid")
}

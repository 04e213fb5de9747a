//! Several operators that share a Lease: one acts, the others stand by, and whichever way the one ends, the next goes on
//! without a second writer.

use std::time::{Duration, Instant};

use agent_engine_operator::clock::Clock;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::DeleteParams;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::time::sleep_until;

use crate::support::{Cluster, IN_DOUBT, LONG, Launch, Operator, Stage, eventually, is_ready, tally};

/// By default of `--lease-duration`: one that was not released is waited for so long.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// By default of `--lease-renewal`: who stands by asks five times as often.
pub(super) const RENEWAL: Duration = Duration::from_secs(5);

/// For how long a leader is frozen: four times as long as its lease.
const FROZEN: Duration = Duration::from_secs(120);

/// Two operators of one release: the first leads, the second stands by.
pub(super) async fn two(stage: &Stage) -> (Operator, Operator) {
    let launch = |name: &str| {
        Launch::new(&stage.user, &stage.home)
            .watching([stage.tenant.as_str()])
            .named(name)
    };
    let first = Operator::start(&launch("first")).await;
    leads(&first).await;
    first.ready().await;
    let second = Operator::start(&launch("second")).await;
    second.ready().await;
    stands_by(&second).await;
    (first, second)
}

async fn says(operator: &Operator, within: Duration, what: &str, leader: &str) {
    let line = format!("agent_engine_operator_leader {leader}");
    eventually(what, within, || async {
        let metrics = operator.metrics().await;
        let found = metrics.lines().any(|metric| metric == line);
        found.then_some(()).ok_or_else(|| operator.logs())
    })
    .await;
}

async fn leads(operator: &Operator) {
    leads_within(operator, LONG).await;
}

pub(super) async fn leads_within(operator: &Operator, deadline: Duration) {
    says(operator, deadline, "the operator to lead", "1").await;
}

async fn stands_by(operator: &Operator) {
    says(operator, LONG, "the operator to stand by", "0").await;
}

pub(super) fn signal(operator: &Operator, signal: Signal) {
    let pid = i32::try_from(operator.pid()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), signal).expect("the process is there");
}

/// Promise: rule.one-leader
#[tokio::test(flavor = "multi_thread")]
async fn who_stands_by_leads_once_the_leader_stops() {
    let stage = Stage::with(&[], json!({"pollInterval": "10m"})).await;
    let (first, second) = two(&stage).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let log = second.logs();
    assert!(log.contains("standing by: first leads"), "{log}");
    let mark = stage.emulator.journal_mark().await;

    let log = first.log_file();
    assert_eq!(first.terminate().await, 0);
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("is released"), "{log}");
    leads_within(&second, RENEWAL).await;
    stage.workspace("other", json!({"name": "Other"})).await;
    stage.ready("other").await;
    stage.remote_names(&["Acme", "Other"]).await;
    let calls = stage.emulator.calls_since(mark).await;
    assert_eq!(calls.get("T2"), Some(&1), "only the new one is issued: {calls:?}");

    let third = stage.operator().await;
    stands_by(&third).await;
    second.kill().await;
    leads_within(&third, LEASE + RENEWAL).await;
    stage.workspace("third", json!({"name": "Third"})).await;
    stage.ready("third").await;
}

/// It was cut off in the middle of a creation, whose answer waits for it, and wakes up when another leads.
/// Promise: rule.one-leader
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_leader_does_nothing_when_it_wakes() {
    let stage = Stage::with(&[], json!({"pollInterval": "10m"})).await;
    let (first, second) = two(&stage).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let id = crate::support::recorded_id(&stage.ready("acme").await);
    let issue = json!({"operation": "T2", "contains": "Halfway", "count": 1, "hold": "after"});
    stage.emulator.fault(issue).await;
    stage.workspace("halfway", json!({"name": "Halfway"})).await;
    stage.emulator.wait_held(1).await;
    signal(&first, Signal::STOP);
    let frozen = Instant::now();
    stage.emulator.release("apply").await;
    stage.change("acme", json!({"name": "Renamed"})).await;
    stage.workspace("other", json!({"name": "Other"})).await;
    leads_within(&second, LEASE + RENEWAL).await;
    stage.ready("other").await;
    let what = "the creation to be finished";
    let halfway = stage
        .until_within(IN_DOUBT + LONG, &stage.tenant, "halfway", what, is_ready)
        .await;
    let made = stage.remote("Halfway").await;
    assert_eq!(made.len(), 1);
    assert_eq!(made[0]["id"], json!(crate::support::recorded_id(&halfway)));
    stage
        .until_within(
            IN_DOUBT + LONG,
            &stage.tenant,
            "acme",
            "acme to be renamed",
            |acme| {
                let status = acme.status.as_ref();
                status.is_some_and(|status| {
                    status
                        .name
                        .as_ref()
                        .is_some_and(|name| name.as_str() == "Renamed")
                })
            },
        )
        .await;
    stage.change("acme", json!({"name": "Renamed again"})).await;
    stage
        .until_within(LONG, &stage.tenant, "acme", "acme to be renamed again", |acme| {
            let status = acme.status.as_ref();
            status.is_some_and(|status| {
                status
                    .name
                    .as_ref()
                    .is_some_and(|name| name.as_str() == "Renamed again")
            })
        })
        .await;
    stage.ready("acme").await;
    does_nothing_when_it_wakes(&stage, first, frozen).await;
    let remote = stage.remote("Renamed again").await;
    assert_eq!(remote.len(), 1);
    assert_eq!(remote[0]["id"], json!(id));
    stage.remote_names(&["Renamed again", "Other", "Halfway"]).await;
}

/// A person, or a tool, deletes the Lease while its holder is frozen: a process that never saw it waits all the same.
/// Promise: rule.one-leader
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_was_deleted_is_waited_for() {
    let stage = Stage::with(&[], json!({"pollInterval": "10m"})).await;
    let (first, second) = two(&stage).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    second.kill().await;
    signal(&first, Signal::STOP);
    let leases: Api<Lease> = Api::namespaced(stage.client.clone(), &stage.home);
    leases
        .delete("agent-engine-operator", &DeleteParams::default())
        .await
        .unwrap();
    let deleted = Instant::now();

    let launch = Launch::new(&stage.user, &stage.home).watching([stage.tenant.as_str()]);
    let third = Operator::start(&launch.named("third")).await;
    third.ready().await;
    leads_within(&third, LEASE + RENEWAL).await;
    assert!(
        deleted.elapsed() >= LEASE,
        "{:?}: {}",
        deleted.elapsed(),
        third.logs()
    );
    stage.workspace("other", json!({"name": "Other"})).await;
    stage.ready("other").await;
    signal(&first, Signal::CONT);
    assert_eq!(first.wait().await, 1);
}

/// Lets the operator go on once it was frozen for two minutes, and returns when it has ended.
pub(super) async fn does_nothing_when_it_wakes(stage: &Stage, operator: Operator, frozen: Instant) {
    sleep_until((frozen + FROZEN).into()).await;
    stage.quiet().await;
    let mark = stage.emulator.journal_mark().await;
    let audit = stage.audit().await;
    signal(&operator, Signal::CONT);
    let log = operator.log_file();
    assert_eq!(operator.wait().await, 1);
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("leads no longer"), "{log}");
    assert_eq!(json!(stage.emulator.calls_since(mark).await), json!({}), "{log}");
    let requests = audit.requests().await;
    assert_eq!(requests.object_writes().tally(), tally([]), "{log}");
    assert_eq!(requests.event_writes().tally(), tally([]), "{log}");
}

/// Nothing at Agent Engine is changed, though that answers.
/// Promise: rule.one-leader
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_without_kubernetes_ends_before_its_lease_does() {
    let stage = Stage::with(&[], json!({"pollInterval": "10m"})).await;
    let (first, second) = two(&stage).await;
    second.kill().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let rights = ["delete", "clusterrolebinding", &stage.user.name];
    stage.cluster.kubectl(rights).await.success();
    let mark = stage.emulator.journal_mark().await;
    stage.change("acme", json!({"name": "Renamed"})).await;
    let log = first.log_file();
    assert_eq!(first.wait().await, 1);
    let ended = Clock::system().now();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("leads no longer"), "{log}");
    let leases: Api<Lease> = Api::namespaced(stage.client.clone(), &stage.home);
    let lease = leases.get("agent-engine-operator").await.unwrap().spec.unwrap();
    let renewed = lease.renew_time.unwrap().0;
    let held = ended.duration_since(renewed);
    assert!(
        held < LEASE.try_into().unwrap(),
        "it ended {held:#} after its last renewal: {log}"
    );
    changes_nothing_since(&stage, mark).await;
    stage.remote_names(&["Acme"]).await;
}

/// As behind a network that drops packets: connections stay open, and nothing comes. With flags as they are by default.
/// Promise: rule.one-leader
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_kubernetes_api_freezes_ends_itself() {
    let stage = Stage::on(&Cluster::alone().await, &[])
        .await
        .organized(json!({"pollInterval": "10m"}))
        .await;
    let operator = stage.operator().await;
    leads(&operator).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let mark = stage.emulator.journal_mark().await;

    let frozen = Instant::now();
    stage.cluster.freeze();
    let log = operator.log_file();
    assert_eq!(operator.wait().await, 1);
    let held = frozen.elapsed();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("leads no longer"), "{log}");
    assert!(held < LEASE, "it ended after {held:?}: {log}");
    changes_nothing_since(&stage, mark).await;

    stage.cluster.thaw();
    let next = stage.operator().await;
    leads_within(&next, LEASE + RENEWAL).await;
    stage.workspace("later", json!({"name": "Later"})).await;
    stage.ready("later").await;
}

/// Reads are no harm.
pub(super) async fn changes_nothing_since(stage: &Stage, mark: u64) {
    let calls = stage.emulator.calls_since(mark).await;
    let changes: Vec<_> = calls
        .keys()
        .filter(|call| !matches!(call.as_str(), "T1" | "W1" | "W3"))
        .collect();
    assert!(changes.is_empty(), "{calls:?}");
}

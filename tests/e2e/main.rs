//! `make e2e`: the chart on a node, with the workload Pods of a tenant, through all that befalls the operator's Pods. What is
//! counted is what the API server, Agent Engine and the tenant saw, never what the operator says of itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one takes minutes, so that it tells what it does"
)]

mod container_images;
mod endings;
mod events;
mod ground;
#[path = "../control_plane/node/image.rs"]
mod image;
mod ledger;
mod logs;
mod manifests;
mod process;
mod stage;
#[allow(dead_code, unused_imports, reason = "a part of what stories use")]
#[path = "../support/mod.rs"]
mod support;
mod table;
mod upgrade;
mod workload;
mod writers;

use std::{
    fs,
    time::{Duration, Instant},
};

use ground::Ground;
use stage::{Edition, Stage, tell};

/// How long a cluster may take to end.
const ENDING: Duration = Duration::from_secs(60);

/// Promise: rule.one-leader
/// Promise: I9
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a node, and takes ten minutes: make e2e"]
async fn tokens_outlast_all_that_befalls_the_operators_pods() {
    let ground = Ground::of_this_run();
    end_for_good_after(ground.deadline() + ENDING);
    let story = async {
        tell("making images");
        let images = container_images::write();
        let mut stage = Stage::set(ground, &images, Edition::ours()).await;
        events::all(&mut stage).await;
        table::write(&stage).await;
    };
    let ended = tokio::time::timeout(ground.deadline(), story).await;
    ended.expect("an end in time");
}

/// For what no deadline of a test bounds: its end, in which the cluster ends too. The cluster notices when this process is gone.
fn end_for_good_after(deadline: Duration) {
    let until = Instant::now() + deadline;
    std::thread::spawn(move || {
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(left);
        }
        println!("it does not end; its threads: {}", threads().join(", "));
        std::process::abort();
    });
}

/// The threads of this process, each with its state as the kernel names it: one that is `R` runs in a loop, one that is `S` waits.
fn threads() -> Vec<String> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let status = threads.filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
    let told = |status: String| {
        let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        Some(format!("{} {}", value("Name:")?.trim(), value("State:")?.trim()))
    };
    status.filter_map(told).collect()
}

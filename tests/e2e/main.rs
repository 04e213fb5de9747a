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
mod workload;

use ground::Ground;
use stage::Stage;

/// Promise: rule.one-leader
/// Promise: I9
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a node, and takes ten minutes: make e2e"]
async fn tokens_outlast_all_that_befalls_the_operators_pods() {
    let ground = Ground::of_this_run();
    let story = async {
        let mut stage = Stage::set(ground).await;
        events::all(&mut stage).await;
        table::write(&stage).await;
    };
    let ended = tokio::time::timeout(ground.deadline(), story).await;
    ended.expect("an end in time");
}

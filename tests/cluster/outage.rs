//! An outage of Agent Engine that outlives every token, and what comes after. A measurement: `make outage` runs it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use kube::api::{ListParams, PostParams};
use serde_json::json;

use agent_engine_operator::clock::Clock;
use agent_engine_operator::crd::Workspace;
use agent_engine_operator::crd::metadata_keys::TOKEN_ISSUED_AT;
use agent_engine_operator::domain::time::elapsed;

use crate::support::{Stage, eventually};

fn from_environment(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
    given.unwrap_or(otherwise)
}

/// Thousands of Secrets are listed each time.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// How many token Secrets have a token that was issued after this.
async fn issued_after(stage: &Stage, at: Timestamp) -> usize {
    tokio::time::sleep(BETWEEN_LOOKS).await;
    let cached = ListParams::default().match_any();
    let secrets = stage.secrets().list_metadata(&cached).await.unwrap();
    let issued = secrets
        .items
        .iter()
        .filter_map(|secret| secret.annotations().get(TOKEN_ISSUED_AT)?.parse().ok());
    issued.filter(|issued: &Timestamp| *issued > at).count()
}

/// `OUTAGE_WORKSPACES`, `OUTAGE_SECONDS`, and `OUTAGE_TOKEN_LIFE` in seconds, which is shorter than the outage.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement that takes minutes: make outage"]
async fn after_an_outage_every_token_is_new_soon() {
    let workspaces = usize::try_from(from_environment("OUTAGE_WORKSPACES", 300)).unwrap();
    let outage = Duration::from_secs(from_environment("OUTAGE_SECONDS", 120));
    let life = from_environment("OUTAGE_TOKEN_LIFE", 90).to_string();
    let mut stage = Stage::with(&["--scoped-token-ttl", &life], json!({})).await;
    // As users run it: the finest log would be measured too.
    stage.launching_with(["--log-level", "info"]);
    let operator = stage.operator().await;
    let clock = Clock::system();
    let begun = clock.now();
    // Ten thousand runs of kubectl would take longer than the outage.
    let api = stage.workspaces();
    stream::iter(0..workspaces)
        .for_each_concurrent(16, |n| {
            let api = &api;
            async move {
                let name = format!("tenant-{n}");
                let spec = serde_json::from_value(json!({"name": name})).unwrap();
                let object = Workspace::new(&name, spec);
                api.create(&PostParams::default(), &object).await.unwrap();
            }
        })
        .await;
    eprintln!(
        "{workspaces} Workspaces after {} s",
        elapsed(begun, clock.now()).as_secs()
    );
    let patience = Duration::from_secs(120) + Duration::from_millis(200) * u32::try_from(workspaces).unwrap();
    let all_new = |since| {
        let stage = &stage;
        async move {
            let new = issued_after(stage, since).await;
            if new == workspaces {
                Ok(())
            } else {
                Err(format!("{new} of {workspaces}"))
            }
        }
    };
    eventually("the first tokens", patience, || all_new(begun)).await;
    eprintln!(
        "all have tokens after {} s",
        elapsed(begun, clock.now()).as_secs()
    );
    stage
        .emulator
        .fault(json!({"path": "/api/*", "answer": {"kind": "drop"}}))
        .await;
    tokio::time::sleep(outage).await;
    let mark = stage.emulator.journal_mark().await;
    let back = clock.now();
    stage.emulator.clear_faults().await;
    eventually("new tokens", patience, || all_new(back)).await;
    let took = clock.now().duration_since(back);

    let journal = stage.emulator.journal(mark).await;
    let mut calls = BTreeMap::<i64, usize>::new();
    for entry in journal["entries"].as_array().unwrap() {
        let at: Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
        *calls.entry(at.duration_since(back).as_secs()).or_default() += 1;
    }
    println!(
        "{workspaces} workspaces, {} s without Agent Engine: all tokens new after {:.1} s",
        outage.as_secs(),
        took.as_secs_f64()
    );
    println!("second  calls");
    for (second, calls) in &calls {
        println!("{second:>6}  {calls:>5}");
    }
    let rate = operator.metrics().await;
    for line in rate
        .lines()
        .filter(|line| line.contains("requests_per_second{") && !line.ends_with(" 0"))
    {
        println!("{line}");
    }
    assert!(took < SignedDuration::from_secs(90), "{took:?}");
}

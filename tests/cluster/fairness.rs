//! Organizations share one operator. One that hangs on every call delays no renewal of another one.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::json;

use agent_engine_operator::crd::metadata_keys::{TOKEN_EXPIRES_AT, TOKEN_ISSUED_AT};

use crate::support::{Emulator, LONG, Stage, eventually};

/// Objects of the organization that hangs, and slots: `FAIRNESS_HANGING=1000 FAIRNESS_SLOTS=64` is the full size.
fn from_environment(name: &str, otherwise: usize) -> usize {
    let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
    given.unwrap_or(otherwise)
}

/// A life of 90 s: renewed at two thirds of it, up to a tenth earlier.
const LIFE: &str = "90";
const HEALTHY: usize = 20;

async fn create_all(stage: &Stage, organization: &str, count: usize) {
    stream::iter(0..count)
        .for_each_concurrent(8, |n| async move {
            let name = format!("{organization}-{n}");
            stage
                .workspace(&name, json!({"name": name, "organization": organization}))
                .await;
        })
        .await;
}

/// When each token of the healthy organization was issued, and when it ends.
async fn healthy_tokens(stage: &Stage) -> BTreeMap<String, (Timestamp, Timestamp)> {
    let secrets = stage
        .secrets()
        .list(&kube::api::ListParams::default())
        .await
        .unwrap();
    let times = |secret: &k8s_openapi::api::core::v1::Secret| {
        let mark = |key: &str| secret.annotations().get(key)?.parse().ok();
        Some((
            secret.name_any(),
            (mark(TOKEN_ISSUED_AT)?, mark(TOKEN_EXPIRES_AT)?),
        ))
    };
    secrets
        .items
        .iter()
        .filter(|secret| secret.name_any().starts_with("healthy-"))
        .filter_map(times)
        .collect()
}

/// Promise: I9
#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_hangs_delays_no_renewal_of_another() {
    let hanging = from_environment("FAIRNESS_HANGING", 100);
    let slots = from_environment("FAIRNESS_SLOTS", 8).to_string();
    let other = Emulator::start(&["--scoped-token-ttl", LIFE]).await;
    let mut stage = Stage::bare(&["--scoped-token-ttl", LIFE]).await;
    stage.launching_with(["--concurrency", slots.as_str()]);
    stage.good_credential().await;
    stage
        .credentials("other", crate::support::CLIENT_ID, other.client_secret())
        .await;
    stage
        .organization(
            "hangs",
            json!({"endpoint": other.url(), "credentialsSecretRef": {"name": "other"}}),
        )
        .await;
    stage.organization("healthy", json!({})).await;
    let operator = stage.operator().await;
    stage.organization_reason("hangs", "Verified").await;
    stage.organization_reason("healthy", "Verified").await;
    other.fault(json!({"path": "/api/*", "hold": "before"})).await;
    create_all(&stage, "hangs", hanging).await;
    other.wait_held(1).await;

    create_all(&stage, "healthy", HEALTHY).await;
    let first = eventually("tokens of the healthy organization", LONG, || async {
        let tokens = healthy_tokens(&stage).await;
        if tokens.len() == HEALTHY {
            Ok(tokens)
        } else {
            Err(tokens.len())
        }
    })
    .await;
    let second = eventually("their renewal", Duration::from_secs(150), || async {
        let tokens = healthy_tokens(&stage).await;
        let renewed = tokens
            .iter()
            .filter(|(name, (issued, _))| first[*name].0 != *issued)
            .count();
        if renewed == HEALTHY {
            Ok(tokens)
        } else {
            Err(renewed)
        }
    })
    .await;
    let mut latest = 0;
    for (name, (issued, ends)) in &first {
        let life = ends.duration_since(*issued).as_secs();
        let after = second[name].0.duration_since(*issued).as_secs();
        latest = latest.max(after - life * 2 / 3);
        assert!(
            after <= life * 2 / 3 + 5,
            "{name} was renewed {after} s after its issue, of {life}"
        );
    }
    println!(
        "{hanging} hang beside {HEALTHY}: the last one was renewed {latest} s after two thirds of its life"
    );
    other.clear_faults().await;
    other.release("drop").await;
    operator.kill().await;
}

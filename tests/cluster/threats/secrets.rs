//! A tenant who may write Secrets beside Workspaces.

use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::support::{Stage, text};

/// Tokens of a minute are renewed about every 38 seconds.
const SHORT_TOKENS: [&str; 2] = ["--scoped-token-ttl", "60"];

/// The Secret is made again with the next token.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_filled_to_its_bounds_is_renewed_all_the_same() {
    let stage = Stage::with(&SHORT_TOKENS, json!({})).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let first = stage.secret("acme-token").await;
    let used: usize = first.annotations().iter().map(|(k, v)| k.len() + v.len()).sum();
    let filling = "x".repeat(256 * 1024 - used - "filling".len());
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"filling": filling}}}));
    stage
        .secrets()
        .patch("acme-token", &PatchParams::default(), &patch)
        .await
        .unwrap();
    let full = Patch::Merge(json!({"stringData": {"filling": "x".repeat(1_040_000)}}));
    stage
        .secrets()
        .patch("acme-token", &PatchParams::default(), &full)
        .await
        .unwrap();
    // The labels are corrected by another request than the token.
    stage
        .change(
            "acme",
            json!({"tokenSecret": {"labels": {"team": "a"}, "annotations": {"note": "y".repeat(4096)}}}),
        )
        .await;
    stage
        .secret_until("acme-token", "another token", |secret| {
            text(secret, "token") != text(&first, "token")
        })
        .await;
    stage
        .secret_until("acme-token", "the label", |secret| {
            secret.labels().get("team").is_some()
        })
        .await;
    stage.ready("acme").await;
}

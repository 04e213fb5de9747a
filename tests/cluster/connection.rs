//! What lies between the operator and Agent Engine: an authority of one's own, and answers that never come.

use std::sync::atomic::Ordering;

use axum::serve::Listener;
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{Stage, Tls, condition, organization_message, recorded_id};

/// Hands on, to the server at `url`, what comes in through TLS.
async fn in_front_of(url: &str, mut tls: Tls) {
    let behind = url.trim_start_matches("http://").to_owned();
    loop {
        let (mut front, _) = tls.accept().await;
        let behind = behind.clone();
        tokio::spawn(async move {
            let mut back = TcpStream::connect(&behind).await.unwrap();
            // Either side may close first.
            let _ended = tokio::io::copy_bidirectional(&mut front, &mut back).await;
        });
    }
}

/// Nothing is sent before.
/// Promise: input.waiting
#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_ones_own_is_trusted_once_it_is_declared() {
    let stage = Stage::set().await;
    let tls = Tls::bind().await;
    let (url, authority, refused) = (tls.url(), tls.authority.clone(), tls.refused.clone());
    let plain = stage.emulator.url().to_owned();
    tokio::spawn(async move { in_front_of(&plain, tls).await });
    stage.organization("default", json!({"endpoint": url})).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;

    let distrusted = stage.organization_reason("default", "ApiUnavailable").await;
    let message = organization_message(&distrusted);
    assert!(message.contains("certificate"), "{message}");
    stage.reason("acme", "OrganizationNotReady").await;
    assert_ne!(refused.load(Ordering::SeqCst), 0);
    assert_eq!(stage.emulator.journal_mark().await, 0, "nothing was sent");

    let trusting = json!({"endpoint": url, "caBundle": authority});
    stage.organization("default", trusting).await;
    stage.ready("acme").await;
}

/// Both timeouts run side by side: a test of either alone would take as long.
/// Promise: input.waiting
/// Promise: hostile.trickle
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_never_come_lose_and_double_nothing() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    for (operation, name) in [("W1", "Unseen"), ("T2", "Unheard")] {
        let fault = json!({"operation": operation, "contains": name, "hold": "after", "effect": "applied"});
        stage.emulator.fault(fault).await;
    }
    stage.workspace("unseen", json!({"name": "Unseen"})).await;
    stage.workspace("unheard", json!({"name": "Unheard"})).await;

    let unseen = stage.reason("unseen", "ApiUnavailable").await;
    let unheard = stage.reason("unheard", "CreationInFlight").await;
    for waiting in [&unseen, &unheard] {
        assert_eq!(
            condition(waiting, "Reconciling").map(|c| c.status.as_str()),
            Some("True")
        );
        assert!(condition(waiting, "Stalled").is_none());
    }
    assert_eq!(stage.remote("Unseen").await.len(), 0);
    assert_eq!(stage.remote("Unheard").await.len(), 1, "it took effect, unheard");

    stage.emulator.clear_faults().await;
    stage.emulator.release("drop").await;
    stage.ready("unseen").await;
    let unheard = stage.ready("unheard").await;
    let remote = stage.remote("Unheard").await;
    assert_eq!(remote.len(), 1, "found, not made again");
    assert_eq!(remote[0]["id"], recorded_id(&unheard));
}

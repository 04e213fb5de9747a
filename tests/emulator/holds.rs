//! Held requests: before and after their effect, let go or dropped, with the client still there or gone.

use std::time::Duration;

use agent_engine_operator::emulator::hold::Then;
use reqwest::Method;
use serde_json::json;

use crate::rig::{MINT, Rig, rig};

async fn exists(rig: &Rig, name: &str) -> bool {
    rig.list("").await.names().iter().any(|found| found == name)
}

/// On the side that it was held on.
#[tokio::test]
async fn a_held_request_takes_effect_though_its_client_is_gone() {
    for (phase, then, effect_while_held, effect_after) in [
        ("before", Then::Apply, false, true),
        ("before", Then::Drop, false, false),
        ("after", Then::Apply, true, true),
        ("after", Then::Drop, true, true),
    ] {
        let rig = rig().await;
        rig.fault(json!({"operation": "T2", "count": 1, "hold": phase}))
            .await;
        let bearer = rig.bearer().await;
        let send = rig
            .http
            .post(rig.url(MINT))
            .header("authorization", bearer)
            .header("content-type", "application/json")
            .body(json!({"workspace_name": "acme"}).to_string())
            .send();
        let client = tokio::spawn(send);
        let held = rig.emulator.held(1).await;
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
        assert_eq!(exists(&rig, "acme").await, effect_while_held, "{phase} {then:?}");
        assert_eq!(rig.emulator.release(Some(held[0].id), then).await, 1);
        assert_eq!(exists(&rig, "acme").await, effect_after, "{phase} {then:?}");
        let entry = rig
            .emulator
            .with(|state| state.journal.entry_mut(held[0].id).cloned())
            .unwrap();
        let entry = json!(entry);
        assert_eq!(
            entry["outcome"],
            if then == Then::Apply {
                "answered"
            } else {
                "dropped"
            }
        );
        assert_eq!(entry["applied"], effect_after);
    }
}

#[tokio::test]
async fn a_client_that_waits_gets_its_answer_or_a_closed_connection() {
    let rig = rig().await;
    for (then, answered) in [("apply", true), ("drop", false)] {
        rig.fault(json!({"operation": "T2", "count": 1, "hold": "after"}))
            .await;
        let bearer = rig.bearer().await;
        let headers = [("authorization", bearer.as_str())];
        let sent = rig.try_send(
            Method::POST,
            MINT,
            &headers,
            Some(json!({"workspace_name": "acme"})),
        );
        let released = async {
            let held = rig.control(Method::GET, "/holds?wait_for=1", json!({})).await;
            assert_eq!(
                (&held["holds"][0]["operation"], &held["holds"][0]["phase"]),
                (&json!("T2"), &json!("after"))
            );
            let path = format!("/holds/{}/release", held["holds"][0]["id"]);
            rig.control(Method::POST, &path, json!({"then": then})).await
        };
        let (answer, released) = tokio::join!(sent, released);
        assert_eq!((answer.is_ok(), &released["released"]), (answered, &json!(1)));
    }
}

#[tokio::test]
async fn waiting_for_held_requests_ends_with_its_time() {
    let rig = rig().await;
    let path = "/_emulator/holds?wait_for=1&timeout_ms=20";
    let reply = rig.send_undocumented(Method::GET, path, &[], None).await;
    assert_eq!(reply.status, 408);
    let nobody = rig
        .send_undocumented(
            Method::POST,
            "/_emulator/holds/7/release",
            &[],
            Some(json!({"then": "drop"})),
        )
        .await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn a_reset_drops_what_is_held() {
    let rig = rig().await;
    rig.fault(json!({"operation": "W1", "hold": "before"})).await;
    let bearer = rig.bearer().await;
    let headers = [("authorization", bearer.as_str())];
    let sent = rig.try_send(Method::GET, "/api/v1/workspaces", &headers, None);
    let reset = async {
        rig.emulator.held(1).await;
        rig.control(Method::POST, "/reset", json!({})).await
    };
    let (answer, _) = tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(sent, reset) })
        .await
        .unwrap();
    assert!(answer.is_err());
}

//! Faults: every answer, with and without effect, and which requests they befall.

use agent_engine_operator::emulator::operation::Operation;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{MINT, Rig, TOKEN, WORKSPACES, rig};

async fn mint(rig: &Rig, name: &str) -> reqwest::Result<(u16, reqwest::header::HeaderMap, String)> {
    let bearer = rig.bearer().await;
    let body = json!({"workspace_name": name});
    rig.try_send(Method::POST, MINT, &[("authorization", &bearer)], Some(body))
        .await
}

async fn exists(rig: &Rig, name: &str) -> bool {
    rig.list("").await.names().iter().any(|found| found == name)
}

#[tokio::test]
async fn an_answer_can_be_replaced_with_or_without_effect() {
    let rig = rig().await;
    for (effect, there) in [("skipped", false), ("applied", true)] {
        let name = format!("tenant-{effect}");
        let answer = json!({"kind": "status", "status": 503, "headers": {"retry-after": "7"}});
        rig.fault(json!({"operation": "T2", "count": 1, "effect": effect, "answer": answer}))
            .await;
        let (status, headers, text) = mint(&rig, &name).await.unwrap();
        assert_eq!((status, headers["retry-after"].to_str().unwrap()), (503, "7"));
        assert!(serde_json::from_str::<Value>(&text).unwrap()["errors"].is_array());
        assert_eq!(exists(&rig, &name).await, there);
    }
}

#[tokio::test]
async fn a_body_can_be_any_json_or_any_text() {
    let rig = rig().await;
    rig.fault(json!({"operation": "T1", "count": 1, "answer": {"kind": "status", "status": 500, "body": {"detail": "x"}}})).await;
    rig.fault(json!({"operation": "T1", "answer": {"kind": "status", "status": 200, "body": "not json"}}))
        .await;
    let body = Some(json!({"client_id": "a", "client_secret": "b"}));
    assert_eq!(
        rig.try_send(Method::POST, TOKEN, &[], body.clone())
            .await
            .unwrap()
            .2,
        r#"{"detail":"x"}"#
    );
    assert_eq!(
        rig.try_send(Method::POST, TOKEN, &[], body).await.unwrap().2,
        "not json"
    );
}

/// With the effect of the request, or without.
#[tokio::test]
async fn a_connection_can_be_closed_without_an_answer() {
    let rig = rig().await;
    for (effect, there) in [("skipped", false), ("applied", true)] {
        let name = format!("tenant-{effect}");
        rig.fault(json!({"operation": "T2", "count": 1, "effect": effect, "answer": {"kind": "drop"}}))
            .await;
        assert!(mint(&rig, &name).await.is_err());
        assert_eq!(exists(&rig, &name).await, there);
        assert_eq!(
            mint(&rig, &name).await.unwrap().0,
            200,
            "the next request is well"
        );
    }
}

#[tokio::test]
async fn an_answer_can_break_off_in_the_middle() {
    let rig = rig().await;
    let bearer = rig.bearer().await;
    rig.fault(json!({"operation": "W1", "count": 1, "answer": {"kind": "truncate"}}))
        .await;
    let mut answer = rig
        .http
        .get(rig.url(WORKSPACES))
        .header("authorization", &bearer)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let promised = answer.content_length().unwrap();
    let mut got = 0;
    let broken = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => got += chunk.len() as u64,
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken && got > 0 && got < promised, "{got} of {promised}");
}

#[tokio::test]
async fn an_answer_can_be_a_page_of_html_or_lead_elsewhere() {
    let rig = rig().await;
    for status in [200, 502] {
        rig.fault(json!({"operation": "W1", "count": 1, "answer": {"kind": "html", "status": status}}))
            .await;
        let (got, headers, text) = rig.try_send(Method::GET, WORKSPACES, &[], None).await.unwrap();
        assert_eq!(got, status);
        assert!(
            headers["content-type"].to_str().unwrap().starts_with("text/html") && text.contains("<html>")
        );
    }
    rig.fault(json!({"operation": "W1", "answer": {"kind": "redirect", "to": "http://127.0.0.1:9/x"}}))
        .await;
    let (status, headers, _) = rig.try_send(Method::GET, WORKSPACES, &[], None).await.unwrap();
    assert_eq!(
        (status, headers["location"].to_str().unwrap()),
        (307, "http://127.0.0.1:9/x")
    );
}

#[tokio::test]
async fn a_token_can_be_anothers_or_short_lived() {
    let rig = rig().await;
    let other = rig.seed(json!({"name": "other"})).await;
    rig.fault(json!({"operation": "T2", "count": 1, "answer": {"kind": "token_of", "workspace_id": other}}))
        .await;
    let wrong = rig.mint("mine").await.text("token");
    assert_eq!(rig.info(&wrong).await.text("workspace_id"), other);
    rig.fault(json!({"operation": "T2", "answer": {"kind": "token_lifetime", "seconds": 5}}))
        .await;
    let short = rig.mint("mine").await.text("token");
    assert_eq!(rig.info(&short).await.text("workspace_name"), "mine");
    rig.advance_ms(5000);
    assert_eq!(rig.info(&short).await.status, 401);
    rig.fault(json!({"operation": "T1", "answer": {"kind": "token_lifetime", "seconds": 0}}))
        .await;
    assert_eq!(rig.list("").await.status, 401);
}

#[tokio::test]
async fn a_fault_befalls_only_what_it_names() {
    let rig = rig().await;
    let hit = rig.seed(json!({"name": "hit"})).await;
    let gone = json!({"kind": "status", "status": 418});
    rig.fault(json!({"method": "get", "path": "/api/v1/workspaces/*", "contains": hit, "answer": gone}))
        .await;
    assert_eq!(rig.get(&hit).await.status, 418);
    assert_eq!(rig.put(&hit, json!({"name": "still"})).await.status, 200);
    let missed = rig.seed(json!({"name": "missed"})).await;
    assert_eq!(rig.get(&missed).await.status, 200);
    rig.fault(json!({"operation": "T2", "contains": "evil", "answer": gone}))
        .await;
    assert_eq!(rig.mint("good").await.status, 200);
    assert_eq!(rig.mint("evil").await.status, 418);
    let faults = rig.control(Method::GET, "/faults", json!({})).await;
    assert_eq!(
        (&faults["faults"][0]["befallen"], &faults["faults"][1]["befallen"]),
        (&json!(1), &json!(1))
    );
    rig.control(Method::DELETE, "/faults/1", json!({})).await;
    assert_eq!(rig.get(&hit).await.status, 200);
    rig.control(Method::DELETE, "/faults", json!({})).await;
    assert_eq!(rig.mint("evil").await.status, 200);
    assert_eq!(rig.count(Operation::T2), 3);
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused_with_the_reason() {
    let rig = rig().await;
    for (fault, word) in [
        (json!({"opperation": "T1"}), "opperation"),
        (json!({"operation": "T9"}), "T9"),
        (json!({"answer": {"kind": "explode"}}), "explode"),
        (json!({"answer": {"kind": "status", "status": 99}}), "99"),
        (
            json!({"answer": {"kind": "status", "status": 200, "headers": {"a b": "c"}}}),
            "a b",
        ),
        (json!({"answer": {"kind": "drop"}, "hold": "after"}), "applied"),
        (json!({"effect": "skipped"}), "pass"),
    ] {
        let reply = rig
            .send_undocumented(Method::POST, "/_emulator/faults", &[], Some(fault))
            .await;
        assert_eq!(reply.status, 422);
        assert!(reply.text("message").contains(word), "{}", reply.body);
    }
}

//! The control API: state, seeding, editing, credentials, clock, journal, reset.

use agent_engine_operator::emulator::Settings;
use agent_engine_operator::emulator::knobs::TABLE;
use reqwest::Method;
use serde_json::json;

use crate::rig::{MINT, WORKSPACES, rig, rig_with};

#[tokio::test]
async fn many_workspaces_are_seeded_at_once_and_two_may_share_a_name() {
    let rig = rig().await;
    rig.control(
        Method::POST,
        "/seed",
        json!({"many": {"prefix": "tenant-", "count": 10_000}}),
    )
    .await;
    rig.seed(json!({"name": "tenant-0000"})).await;
    assert_eq!(
        rig.list("?name_contains=tenant-0000").await.names(),
        ["tenant-0000", "tenant-0000"]
    );
    let deleted = json!({"name_contains": "tenant-", "at_most": 4000});
    let deleted = rig.control(Method::POST, "/workspaces/delete", deleted).await;
    assert_eq!(deleted["deleted"].as_array().unwrap().len(), 4000);
    let stats = rig.call(Method::GET, "/api/v1/workspaces/stats", None).await.body;
    assert_eq!(stats["total_count"], 6002);
}

#[tokio::test]
async fn a_workspace_edited_behind_our_back_is_in_no_journal() {
    let rig = rig().await;
    let (_, id) = rig.opened("acme").await;
    let before = rig
        .emulator
        .with(|state| state.journal.read(&Default::default()).last);
    let path = format!("/workspaces/{id}");
    let change = json!({"name": "renamed", "status": "inactive", "cache_enabled": true, "connectors": 2});
    let edited = rig.control(Method::PATCH, &path, change).await;
    assert_eq!(
        (&edited["name"], &edited["status"]),
        (&json!("renamed"), &json!("inactive"))
    );
    rig.control(Method::PATCH, &path, json!({"cache_enabled": null}))
        .await;
    let after = rig
        .emulator
        .with(|state| state.journal.read(&Default::default()).last);
    assert_eq!(before, after);
    let row = rig.get(&id).await.body;
    assert_eq!(
        (&row["name"], &row["cache_enabled"]),
        (&json!("renamed"), &json!(null))
    );
    rig.control(Method::DELETE, &path, json!({})).await;
    assert_eq!(rig.get(&id).await.status, 404);
    rig.control(Method::PATCH, &path, json!({"tombstone": false}))
        .await;
    assert_eq!(rig.get(&id).await.status, 200);
    rig.control(Method::DELETE, &format!("{path}?purge=true"), json!({}))
        .await;
    let state = rig.control(Method::GET, "/state", json!({})).await.to_string();
    assert!(!state.contains(&id));
}

#[tokio::test]
async fn the_state_shows_deleted_ones_too_and_no_secret() {
    let settings = Settings {
        client_secret: "very-secret".into(),
        ..Settings::default()
    };
    let rig = rig_with(settings).await;
    let id = rig.seed(json!({"name": "acme", "region_id": null})).await;
    rig.control(Method::DELETE, &format!("/workspaces/{id}"), json!({}))
        .await;
    let state = rig.control(Method::GET, "/state", json!({})).await;
    let workspaces = state["organizations"][0]["workspaces"].as_array().unwrap();
    let acme = workspaces
        .iter()
        .find(|workspace| workspace["id"] == id.as_str())
        .unwrap();
    assert_eq!(
        (&acme["tombstone"], acme["deleted_at"].is_string()),
        (&json!(true), true)
    );
    assert!(!state.to_string().contains("very-secret"));
}

#[tokio::test]
async fn the_journal_tells_every_request_and_no_secret() {
    let canary = "CANARY-in-token";
    let settings = Settings {
        client_secret: "canary-secret".into(),
        canary: Some(canary.into()),
        ..Settings::default()
    };
    let rig = rig_with(settings).await;
    let bearer = format!(
        "Bearer {}",
        rig.exchange("emulated-client", "canary-secret")
            .await
            .text("access_token")
    );
    let headers = [("authorization", bearer.as_str()), ("x-stray", bearer.as_str())];
    let token = rig
        .send(
            Method::POST,
            MINT,
            &headers,
            Some(json!({"workspace_name": "acme"})),
        )
        .await
        .text("token");
    assert!(token.contains(canary) && bearer.contains(canary));
    let id = rig.info(&token).await.text("workspace_id");
    rig.send(
        Method::GET,
        &format!("{WORKSPACES}?cursor={token}"),
        &headers,
        None,
    )
    .await;
    rig.send(Method::GET, "/nowhere", &[], None).await;
    let journal = rig.control(Method::GET, "/journal", json!({})).await;
    let told: Vec<_> = journal["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["operation"].as_str(), e["status"].as_u64()))
        .collect();
    assert_eq!(
        told,
        [
            (Some("T1"), Some(200)),
            (Some("T2"), Some(200)),
            (Some("T3"), Some(200)),
            (Some("W1"), Some(400)),
            (None, Some(404))
        ]
    );
    assert_eq!(journal["entries"][1]["workspace_id"], id.as_str());
    assert_eq!(
        (
            &journal["entries"][1]["principal"],
            &journal["entries"][2]["principal"]
        ),
        (&json!("application"), &json!("scoped"))
    );
    assert_eq!(journal["counts"], json!({"T1": 1, "T2": 1, "T3": 1, "W1": 1}));
    let text = journal.to_string();
    for secret in [canary, "canary-secret", "eyJ"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let later = rig
        .control(Method::GET, "/journal?since=3&operation=W1", json!({}))
        .await;
    assert_eq!((&later["last"], &later["counts"]), (&json!(5), &json!({"W1": 1})));
    rig.control(Method::DELETE, "/journal", json!({})).await;
    rig.send(Method::GET, "/nowhere", &[], None).await;
    let cleared = rig.control(Method::GET, "/journal", json!({})).await;
    assert_eq!(
        (cleared["entries"].as_array().unwrap().len(), &cleared["last"]),
        (1, &json!(6))
    );
}

#[tokio::test]
async fn the_clock_is_turned_and_read() {
    let rig = rig().await;
    let set = json!({"set": "2030-01-01T00:00:00Z", "advance_seconds": 1.5, "frozen": true});
    let clock = rig.control(Method::POST, "/clock", set).await;
    assert_eq!(clock, json!({"now": "2030-01-01T00:00:01.5Z", "frozen": true}));
    let (_, id) = rig.opened("acme").await;
    assert_eq!(
        rig.get(&id).await.text("created_at"),
        "2030-01-01T00:00:01.500000Z"
    );
    assert_eq!(
        rig.control(Method::POST, "/clock", json!({"frozen": false}))
            .await["frozen"],
        false
    );
}

#[tokio::test]
async fn a_time_that_is_none_is_refused_with_how_to_write_one() {
    let rig = rig().await;
    let id = rig.opened("acme").await.1;
    for (method, path, body) in [
        (Method::POST, "/clock".to_owned(), json!({"set": "x"})),
        (
            Method::POST,
            "/seed".to_owned(),
            json!({"workspaces": [{"name": "a", "created_at": "yesterday"}]}),
        ),
        (
            Method::PATCH,
            format!("/workspaces/{id}"),
            json!({"created_at": "2030"}),
        ),
    ] {
        let path = format!("/_emulator{path}");
        let reply = rig.send_undocumented(method, &path, &[], Some(body)).await;
        assert_eq!(reply.status, 422);
        let message = reply.text("message");
        assert!(
            message.contains("must be RFC 3339, such as 2030-01-01T00:00:00Z"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn knobs_are_listed_and_set_together_or_not_at_all() {
    let rig = rig().await;
    let listed = rig.control(Method::GET, "/knobs", json!({})).await;
    assert_eq!(listed["knobs"].as_array().unwrap().len(), TABLE.len());
    let wrong = json!({"scoped_ttl": 60, "error_shape": "xml"});
    let reply = rig
        .send_undocumented(Method::PUT, "/_emulator/knobs", &[], Some(wrong))
        .await;
    assert_eq!(reply.status, 422);
    assert!(reply.text("message").contains("`envelope`, `detail`, `error`"));
    assert_eq!(rig.emulator.with(|state| state.knobs.scoped_ttl.0), 1200);
    rig.control(
        Method::PUT,
        "/knobs",
        json!({"scoped_ttl": 60, "error_shape": "detail"}),
    )
    .await;
    assert_eq!(rig.emulator.with(|state| state.knobs.scoped_ttl.0), 60);
}

#[tokio::test]
async fn a_reset_brings_back_the_start() {
    let settings = Settings {
        workspaces: vec!["kept".into()],
        ..Settings::default()
    };
    let rig = rig_with(settings).await;
    rig.knob("error_shape", "detail");
    rig.mint("gone").await;
    rig.fault(json!({"operation": "W1", "answer": {"kind": "drop"}}))
        .await;
    rig.control(
        Method::POST,
        "/credentials",
        json!({"client_id": "emulated-client", "client_secret": "new"}),
    )
    .await;
    rig.control(Method::POST, "/reset", json!({})).await;
    let mut names = rig.list("").await.names();
    names.sort(); // both were there at the start, in no order
    assert_eq!(names, ["default", "kept"]);
}

#[tokio::test]
async fn credentials_come_and_go() {
    let rig = rig().await;
    let made = rig
        .control(Method::POST, "/credentials", json!({"client_id": "second"}))
        .await;
    let secret = made["client_secret"].as_str().unwrap();
    let bearer = format!(
        "Bearer {}",
        rig.exchange("second", secret).await.text("access_token")
    );
    rig.control(Method::DELETE, "/credentials/second", json!({}))
        .await;
    assert_eq!(rig.exchange("second", secret).await.status, 401);
    assert_eq!(
        rig.send(Method::GET, WORKSPACES, &[("authorization", &bearer)], None)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn what_control_does_not_understand_it_refuses() {
    let rig = rig().await;
    for (method, path, body, status) in [
        (Method::POST, "/seed", json!({"workspace": []}), 422),
        (
            Method::POST,
            "/seed",
            json!({"workspaces": [{"name": "x", "state": "inactive"}]}),
            422,
        ),
        (
            Method::POST,
            "/seed",
            json!({"organization_id": "nobody", "workspaces": []}),
            404,
        ),
        (Method::POST, "/workspaces/delete", json!({}), 422),
        (Method::PATCH, "/workspaces/none", json!({"name": "x"}), 404),
        (Method::GET, "/journal?sinse=3", json!({}), 422),
        (Method::GET, "/nothing", json!({}), 404),
    ] {
        let reply = rig
            .send_undocumented(method, &format!("/_emulator{path}"), &[], Some(body))
            .await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        assert!(!reply.text("message").is_empty());
    }
}

#[tokio::test]
async fn the_journal_shows_the_filters_and_the_limit_of_each_page() {
    let rig = rig().await;
    rig.control(
        Method::POST,
        "/seed",
        json!({"many": {"prefix": "tenant-", "count": 3}}),
    )
    .await;
    let next = rig.list("?name_contains=tenant&limit=2").await.text("next");
    let path = next.strip_prefix(&rig.running.url()).unwrap();
    assert_eq!(rig.call(Method::GET, path, None).await.names().len(), 1);
    let journal = rig.control(Method::GET, "/journal?operation=W1", json!({})).await;
    assert_eq!(journal["entries"][0]["query"], "name_contains=tenant&limit=2");
    let query = journal["entries"][1]["query"].as_str().unwrap();
    assert!(
        query.starts_with("name_contains=tenant&limit=2&cursor=eyJ"),
        "{query}"
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_in_the_journal() {
    let rig = rig().await;
    let large = json!({"workspace_name": "x".repeat(1 << 20)});
    let reply = rig.send_undocumented(Method::POST, MINT, &[], Some(large)).await;
    assert_eq!(reply.status, 413);
    let journal = rig.control(Method::GET, "/journal?operation=T2", json!({})).await;
    let entry = &journal["entries"][0];
    assert_eq!(
        (&entry["status"], &entry["applied"]),
        (&json!(413), &json!(false))
    );
    assert_eq!(
        (&entry["outcome"], &entry["body"]),
        (&json!("answered"), &json!(null))
    );
}

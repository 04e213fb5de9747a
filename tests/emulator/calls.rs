//! The calls as documented, with all knobs at their defaults.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{CONNECTORS, MINT, STATS, TOKEN, WIDGET, WORKSPACES, rig};

#[tokio::test]
async fn minting_creates_an_unknown_name_and_finds_a_known_one() {
    let rig = rig().await;
    let (first, id) = rig.opened("tenant-1").await;
    let (second, same) = rig.opened("tenant-1").await;
    assert_eq!(id, same);
    assert_ne!(first, second, "each issue is a token of its own");
    let row = rig.get(&id).await;
    assert_eq!(
        (row.status, row.text("name"), row.text("status")),
        (200, "tenant-1".into(), "active".into())
    );
    assert_eq!(rig.list("").await.names(), ["default", "tenant-1"]);
}

#[tokio::test]
async fn minting_an_old_name_after_a_rename_makes_a_second_workspace() {
    let rig = rig().await;
    let (token, id) = rig.opened("before").await;
    assert_eq!(rig.put(&id, json!({"name": "after"})).await.text("name"), "after");
    assert_eq!(rig.info(&token).await.text("workspace_name"), "after");
    let (_, other) = rig.opened("before").await;
    assert_ne!(other, id);
}

#[tokio::test]
async fn names_are_told_apart_by_case() {
    let rig = rig().await;
    assert_ne!(rig.opened("Acme").await.1, rig.opened("acme").await.1);
}

#[tokio::test]
async fn tokens_expire_when_their_time_is_over() {
    let rig = rig().await;
    let (scoped, _) = rig.opened("tenant-1").await;
    let reply = rig.t1().await;
    assert_eq!(reply.body["expires_in"], 900);
    let app = format!("Bearer {}", reply.text("access_token"));
    rig.advance_ms(898_000);
    assert_eq!(
        rig.send(Method::GET, WORKSPACES, &[("authorization", &app)], None)
            .await
            .status,
        200
    );
    rig.advance_ms(2_000);
    assert_eq!(
        rig.send(Method::GET, WORKSPACES, &[("authorization", &app)], None)
            .await
            .status,
        401
    );
    assert_eq!(rig.info(&scoped).await.status, 200);
    rig.advance_ms(300_000);
    assert_eq!(rig.info(&scoped).await.status, 401);
}

#[tokio::test]
async fn tokens_look_like_jwts_with_an_expiry_and_a_workspace() {
    let rig = rig().await;
    let (token, id) = rig.opened("tenant-1").await;
    let parts: Vec<&str> = token.split('.').collect();
    let part =
        |at: usize| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap() };
    assert_eq!(parts.len(), 3);
    assert_eq!(part(0)["alg"], "HS256");
    assert_eq!(
        part(1)["io.airbyte.auth.workspace_scope"]["workspaceId"],
        id.as_str()
    );
    let life = part(1)["exp"].as_i64().unwrap() - part(1)["iat"].as_i64().unwrap();
    assert_eq!(life, 1200);
}

#[tokio::test]
async fn a_widget_bundle_holds_a_scoped_token_and_an_address() {
    let rig = rig().await;
    let body = json!({"workspace_name": "tenant-1", "allowed_origin": "https://app.example"});
    let bundle = rig.call(Method::POST, WIDGET, Some(body)).await.text("token");
    let bundle: Value = serde_json::from_slice(&STANDARD.decode(bundle).unwrap()).unwrap();
    let id = rig
        .info(bundle["token"].as_str().unwrap())
        .await
        .text("workspace_id");
    let address = bundle["widgetUrl"].as_str().unwrap();
    assert!(address.contains(&format!("workspaceId={id}")), "{address}");
    assert!(
        address.contains("allowedOrigin=https%3A%2F%2Fapp.example"),
        "{address}"
    );
}

#[tokio::test]
async fn a_list_is_paged_to_the_end_and_next_keeps_the_filters() {
    let rig = rig().await;
    rig.control(
        Method::POST,
        "/seed",
        json!({"many": {"prefix": "tenant-", "count": 45}}),
    )
    .await;
    let mut seen = Vec::new();
    let mut path = format!("{WORKSPACES}?name_contains=TENANT&limit=20&status=active");
    let mut pages = 0;
    loop {
        let page = rig.call(Method::GET, &path, None).await;
        seen.extend(page.names());
        pages += 1;
        let Some(next) = page.body["next"].as_str() else {
            break;
        };
        assert!(
            next.contains("limit=20") && next.contains("name_contains=TENANT"),
            "{next}"
        );
        path = next
            .strip_prefix(&rig.running.url())
            .expect("an absolute address of this origin")
            .to_owned();
    }
    assert_eq!(pages, 3);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 45);
    assert_eq!(rig.list("").await.names().len(), 20, "twenty rows unless asked");
}

#[tokio::test]
async fn what_does_not_validate_is_refused_with_422_and_the_field() {
    let rig = rig().await;
    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=x", "limit"),
        ("?status=gone", "status"),
    ] {
        let reply = rig.list(query).await;
        assert_eq!(
            (reply.status, &reply.body["errors"][0]["field"]),
            (422, &json!(field)),
            "{query}"
        );
    }
    assert_eq!(rig.get("not-a-uuid").await.status, 422);
    for body in [
        json!({}),
        json!({"workspace_name": 7}),
        json!({"workspace_name": null}),
        json!([]),
        json!({"workspace_name": ""}),
    ] {
        assert_eq!(
            rig.call(Method::POST, MINT, Some(body.clone())).await.status,
            422,
            "{body}"
        );
    }
    let region = json!({"workspace_name": "x", "region_id": "moon"});
    assert_eq!(rig.call(Method::POST, MINT, Some(region)).await.status, 422);
    assert_eq!(
        rig.send(Method::POST, TOKEN, &[], Some(json!({"client_id": "x"})))
            .await
            .status,
        422
    );
    assert_eq!(rig.send(Method::POST, TOKEN, &[], None).await.status, 422);
    let (_, id) = rig.opened("tenant-1").await;
    for change in [
        json!({"status": "gone"}),
        json!({"name": 7}),
        json!({"cache_enabled": "maybe"}),
        json!({"name": ""}),
    ] {
        assert_eq!(rig.put(&id, change.clone()).await.status, 422, "{change}");
    }
    assert_eq!(rig.list("?cursor=nonsense").await.status, 400);
}

#[tokio::test]
async fn a_change_touches_only_what_it_names() {
    let rig = rig().await;
    let (_, id) = rig.opened("tenant-1").await;
    rig.advance_ms(1000);
    let before = rig.get(&id).await.body;
    let after = rig.put(&id, json!({"status": "inactive"})).await.body;
    for member in [
        "id",
        "name",
        "organization_id",
        "cache_enabled",
        "tombstone",
        "created_at",
    ] {
        assert_eq!(before[member], after[member], "{member}");
    }
    assert_eq!(after["status"], "inactive");
    assert_ne!(before["updated_at"], after["updated_at"]);
    assert_eq!(rig.list("?status=inactive").await.names(), ["tenant-1"]);
    let stats = rig.call(Method::GET, STATS, None).await.body;
    assert_eq!(
        stats,
        json!({"active_count": 1, "inactive_count": 1, "total_count": 2})
    );
}

#[tokio::test]
async fn a_deleted_workspace_is_gone_and_its_name_is_free() {
    let rig = rig().await;
    let (token, id) = rig.opened("tenant-1").await;
    assert_eq!(rig.delete(&id).await.text("id"), id);
    assert_eq!(rig.get(&id).await.status, 404);
    assert_eq!(rig.info(&token).await.status, 401);
    assert_eq!(rig.list("").await.names(), ["default"]);
    assert_ne!(rig.opened("tenant-1").await.1, id);
}

#[tokio::test]
async fn connectors_are_listed_by_id_or_name_and_go_one_by_one() {
    let rig = rig().await;
    let id = rig.seed(json!({"name": "acme", "connectors": 2})).await;
    let by_name = rig
        .call(Method::GET, &format!("{CONNECTORS}?workspace_name=acme"), None)
        .await
        .body;
    let by_id = rig
        .call(Method::GET, &format!("{CONNECTORS}?workspace_id={id}"), None)
        .await
        .body;
    assert_eq!(by_name, by_id);
    let definition = by_id["data"][0]["summarized_source_template"]["actor_definition_id"]
        .as_str()
        .unwrap();
    for (definition, count) in [(definition, 2), ("22222222-2222-4222-8222-222222222222", 0)] {
        let path = format!("{CONNECTORS}?workspace_name=acme&definition_id={definition}");
        let body = rig.call(Method::GET, &path, None).await.body;
        assert_eq!(body["data"].as_array().unwrap().len(), count, "{definition}");
    }
    let path = format!("{CONNECTORS}?workspace_name=acme&definition_id=github");
    assert_eq!(rig.call(Method::GET, &path, None).await.status, 422);
    let connector = by_id["data"][0]["id"].as_str().unwrap();
    assert_eq!(
        rig.call(Method::DELETE, &format!("{CONNECTORS}/{connector}"), None)
            .await
            .status,
        202
    );
    let left = rig
        .call(Method::GET, &format!("{CONNECTORS}?workspace_id={id}"), None)
        .await
        .body;
    assert_eq!(left["data"].as_array().unwrap().len(), 1);
    let unknown = rig
        .call(Method::GET, &format!("{CONNECTORS}?workspace_name=none"), None)
        .await;
    assert_eq!(
        (unknown.status, unknown.text("message")),
        (404, "Workspace not found for workspace_name 'none'".into())
    );
    assert_eq!(rig.call(Method::GET, CONNECTORS, None).await.status, 422);
    let foreign = format!("Bearer {}", rig.opened("other").await.0);
    let path = format!("{CONNECTORS}?workspace_id={id}");
    assert_eq!(
        rig.send(Method::GET, &path, &[("authorization", &foreign)], None)
            .await
            .status,
        403
    );
}

//! What the real service's web framework makes of paths and methods.

use reqwest::Method;
use serde_json::json;

use crate::rig::{CONNECTORS, LEGACY_MINT, MINT, STATS, WORKSPACES, rig};

#[tokio::test]
async fn what_is_no_call_is_answered_as_its_framework_would() {
    let rig = rig().await;
    let bearer = rig.bearer().await;
    let asked = [("authorization", bearer.as_str())];
    let created = rig
        .send(Method::POST, WORKSPACES, &asked, Some(json!({"name": "x"})))
        .await;
    assert_eq!(
        (created.status, created.body),
        (405, json!({"detail": "Method Not Allowed"}))
    );
    let nowhere = rig.send(Method::GET, "/api/v2/workspaces", &asked, None).await;
    assert_eq!(
        (nowhere.status, nowhere.body),
        (404, json!({"detail": "Not Found"}))
    );
}

#[tokio::test]
async fn a_wrong_method_is_told_a_right_one() {
    let rig = rig().await;
    for (method, path, allowed) in [
        (Method::POST, WORKSPACES, "GET"),
        (Method::PATCH, &format!("{WORKSPACES}/x"), "GET"),
        (Method::GET, MINT, "POST"),
        (Method::GET, LEGACY_MINT, "POST"),
        (Method::POST, STATS, "GET"),
        (Method::POST, CONNECTORS, "GET"),
    ] {
        let reply = rig.send(method, path, &[], None).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some(allowed)),
            "{path}"
        );
    }
}

/// The counters have no other method; the route of a workspace has.
#[tokio::test]
async fn the_counters_path_is_a_workspace_to_other_methods() {
    let rig = rig().await;
    for (method, body) in [(Method::PUT, Some(json!({}))), (Method::DELETE, None)] {
        let reply = rig.call(method, STATS, body).await;
        assert_eq!(
            (reply.status, &reply.body["errors"][0]["error_code"]),
            (422, &json!("uuid_parsing"))
        );
    }
}

#[tokio::test]
async fn a_slash_at_the_end_is_redirected_away() {
    let rig = rig().await;
    for (method, path, to) in [
        (Method::GET, "/api/v1/workspaces/", "/api/v1/workspaces"),
        (
            Method::GET,
            "/api/v1/workspaces//?limit=5&name_contains=a%20b",
            "/api/v1/workspaces?limit=5&name_contains=a%20b",
        ),
        (Method::POST, "/api/v1/embedded/scoped-token/", LEGACY_MINT),
        (
            Method::GET,
            "/api/v1/workspaces/a%20b/",
            "/api/v1/workspaces/a%20b",
        ),
        // Another method makes no difference.
        (Method::POST, "/api/v1/workspaces/", "/api/v1/workspaces"),
    ] {
        let (status, headers, body) = rig
            .try_send(method, path, &[], Some(json!({"workspace_name": "x"})))
            .await
            .unwrap();
        assert_eq!((status, body.as_str()), (307, ""), "{path}");
        assert_eq!(headers["location"].to_str().unwrap(), rig.url(to));
        assert!(!headers.contains_key("content-type"));
    }
    let (status, ..) = rig.try_send(Method::GET, "/api/v2/", &[], None).await.unwrap();
    assert_eq!(status, 404);
    assert_eq!(rig.list("").await.names(), ["default"]);
}

#[tokio::test]
async fn escapes_in_a_path_are_read_before_it_is_matched() {
    let rig = rig().await;
    let (_, id) = rig.opened("tenant-1").await;
    let escaped = id.replace('-', "%2D");
    assert_eq!(rig.get(&escaped).await.text("id"), id);
    let stats = rig.call(Method::GET, "/api/v1/workspaces/st%61ts", None).await;
    assert_eq!(stats.body["total_count"], 2);
    // An escaped slash cuts the path as any other one does.
    let cut = rig.call(Method::GET, "/api/v1/workspaces/a%2Fb", None).await;
    assert_eq!((cut.status, cut.body), (404, json!({"detail": "Not Found"})));
}

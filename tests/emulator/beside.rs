//! The calls that are in no public document, as published clients read their answers.

use agent_engine_operator::emulator::DEFAULT_ORGANIZATION;
use reqwest::Method;
use serde_json::json;

use crate::rig::{TOKEN, WORKSPACES, rig};

const ENROLLMENT: &str = "/api/v1/internal/account/enrollment-status";
const ORGANIZATIONS: &str = "/api/v1/internal/account/organizations";
const APPLICATIONS: &str = "/api/v1/internal/account/applications";

/// As the command line logs in: enrolled, which organization, its credentials; and from there to the public calls.
#[tokio::test]
async fn a_login_leads_to_the_public_calls() {
    let rig = rig().await;
    let second = rig.control(Method::POST, "/organizations", json!({})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let both = json!({"client_id": "both", "client_secret": "s", "organization_ids": [DEFAULT_ORGANIZATION, second]});
    rig.control(Method::POST, "/credentials", both).await;
    let pair = json!({"client_id": "both", "client_secret": "s"});
    let cloud = rig
        .send(Method::POST, "/v1/applications/token", &[], Some(pair))
        .await;
    let bearer = format!("Bearer {}", cloud.text("access_token"));
    let asked = [("authorization", bearer.as_str())];

    let enrolled = rig.send(Method::GET, ENROLLMENT, &asked, None).await;
    assert_eq!(enrolled.body["is_enrolled"], true);
    let first = enrolled.text("organization_id");
    assert_eq!(first, DEFAULT_ORGANIZATION, "the first, as none is named");
    let asked = [asked[0], ("x-organization-id", first.as_str())];
    let organizations = rig.send(Method::GET, ORGANIZATIONS, &asked, None).await;
    let ids = organizations.body["organizations"].as_array().unwrap();
    let ids: Vec<&str> = ids.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [DEFAULT_ORGANIZATION, &second]);

    let asked = [asked[0], ("x-organization-id", second.as_str())];
    let held = rig.send(Method::POST, APPLICATIONS, &asked, None).await;
    let pair = json!({"client_id": held.text("client_id"), "client_secret": held.text("client_secret")});
    let chosen = [("x-organization-id", second.as_str())];
    let token = rig.send(Method::POST, TOKEN, &chosen, Some(pair)).await;
    let bearer = format!("Bearer {}", token.text("access_token"));
    let asked = [("authorization", bearer.as_str())];
    let list = rig.send(Method::GET, WORKSPACES, &asked, None).await;
    assert_eq!(list.body["data"][0]["organization_id"], second.as_str());
}

#[tokio::test]
async fn only_application_tokens_open_the_account_calls() {
    let rig = rig().await;
    let (scoped, _) = rig.opened("tenant-1").await;
    let scoped = format!("Bearer {scoped}");
    for headers in [
        &[][..],
        &[("authorization", scoped.as_str())],
        &[("authorization", "Bearer x")],
    ] {
        for (method, path) in [
            (Method::GET, ENROLLMENT),
            (Method::GET, ORGANIZATIONS),
            (Method::POST, APPLICATIONS),
        ] {
            assert_eq!(rig.send(method, path, headers, None).await.status, 401, "{path}");
        }
    }
}

#[tokio::test]
async fn workflows_are_of_a_known_workspace() {
    let rig = rig().await;
    let (_, id) = rig.opened("tenant-1").await;
    for (query, status) in [
        (format!("?workspace_id={id}"), 200),
        (
            "?workspace_id=22222222-2222-4222-8222-222222222222".to_owned(),
            404,
        ),
        (String::new(), 422),
    ] {
        let path = format!("/api/v1/internal/workflows{query}");
        assert_eq!(rig.call(Method::GET, &path, None).await.status, status, "{query}");
    }
}

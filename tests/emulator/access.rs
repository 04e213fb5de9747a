//! Who may call what: organizations, credentials, bearers, path families.

use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{INFO, LEGACY_MINT, TOKEN, WORKSPACES, rig};

#[tokio::test]
async fn organizations_do_not_see_each_other() {
    let rig = rig().await;
    let (_, mine) = rig.opened("tenant-1").await;
    let other = json!({"client_id": "other", "client_secret": "s"});
    let organization = rig.control(Method::POST, "/organizations", other).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let bearer = format!("Bearer {}", rig.exchange("other", "s").await.text("access_token"));
    let asked = [("authorization", bearer.as_str())];
    let list = rig.send(Method::GET, WORKSPACES, &asked, None).await;
    assert_eq!(list.names(), ["default"]);
    assert_eq!(list.body["data"][0]["organization_id"], organization.as_str());
    let path = format!("{WORKSPACES}/{mine}");
    assert_eq!(rig.send(Method::GET, &path, &asked, None).await.status, 404);
    assert_eq!(rig.send(Method::DELETE, &path, &asked, None).await.status, 404);
}

#[tokio::test]
async fn a_member_of_several_organizations_must_say_which() {
    let rig = rig().await;
    let second = rig.control(Method::POST, "/organizations", json!({})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let first = agent_engine_operator::emulator::DEFAULT_ORGANIZATION;
    let both = json!({"client_id": "both", "client_secret": "s", "organization_ids": [first, second]});
    rig.control(Method::POST, "/credentials", both).await;
    let pair = json!({"client_id": "both", "client_secret": "s"});
    let unsaid = rig.send(Method::POST, TOKEN, &[], Some(pair.clone())).await;
    assert_eq!(unsaid.status, 400);
    assert!(unsaid.text("message").contains("specify target organization"));
    let said = rig
        .send(Method::POST, TOKEN, &[("x-organization-id", &second)], Some(pair))
        .await;
    assert_eq!(said.text("organization_id"), second);
}

#[tokio::test]
async fn a_wrong_pair_a_missing_bearer_and_a_forged_one_get_401() {
    let rig = rig().await;
    assert_eq!(rig.exchange("emulated-client", "wrong").await.status, 401);
    for headers in [
        &[][..],
        &[("authorization", "Bearer x.y.z")],
        &[("authorization", "Basic eDp5")],
    ] {
        assert_eq!(rig.send(Method::GET, WORKSPACES, headers, None).await.status, 401);
        assert_eq!(rig.send(Method::GET, INFO, headers, None).await.status, 401);
    }
}

/// The bodies stand here as the documentation prints them.
#[tokio::test]
async fn the_older_family_works_as_its_documentation_prints_it() {
    let rig = rig().await;
    let bearer = rig.bearer().await;
    let minted = async |headers: &[(&str, &str)], body: &'static str| {
        let mut request = rig.http.post(rig.url(LEGACY_MINT)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token: {text}"))
            .to_owned()
    };
    let kind = ("Content-Type", "application/json");
    let asked = ("Authorization", bearer.as_str());
    let organization = (
        "X-Organization-Id",
        agent_engine_operator::emulator::DEFAULT_ORGANIZATION,
    );
    let mut ids = Vec::new();
    for token in [
        minted(&[asked, kind], "{\n    \"workspace_name\": \"customer_acme_corp\"\n  }").await,
        minted(
            &[kind, asked, organization],
            "{\n\n    \"workspace_name\": \"customer_acme_corp\",\n    \"region_id\": \"645a183f-b12b-4c6e-8ad3-99e165603450\"\n  }",
        )
        .await,
    ] {
        let bearer = format!("Bearer {token}");
        for path in [
            "scoped-token/info",
            "scoped-token-info",
            "organizations/current-scoped",
        ] {
            let path = format!("/api/v1/embedded/{path}");
            let info = rig
                .send(Method::GET, &path, &[("authorization", &bearer)], None)
                .await;
            ids.push(info.text("workspace_id"));
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(rig.list("").await.names(), ["default", "customer_acme_corp"]);
}

#[tokio::test]
async fn the_older_family_takes_no_former_name_of_the_field() {
    let rig = rig().await;
    for field in ["customer_name", "external_user_id", "external_id"] {
        let reply = rig
            .call(Method::POST, LEGACY_MINT, Some(json!({field: "tenant-1"})))
            .await;
        let error = &reply.body["errors"][0];
        assert_eq!(
            (reply.status, &error["field"], &error["error_code"]),
            (422, &json!("workspace_name"), &json!("missing"))
        );
    }
}

#[tokio::test]
async fn the_exchange_of_airbyte_cloud_is_for_all_organizations() {
    let rig = rig().await;
    let second = rig.control(Method::POST, "/organizations", json!({})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let first = agent_engine_operator::emulator::DEFAULT_ORGANIZATION;
    let pair = json!({"client_id": "both", "client_secret": "s"});
    let both = json!({"client_id": "both", "client_secret": "s", "organization_ids": [first, second]});
    rig.control(Method::POST, "/credentials", both).await;
    let foreign = "22222222-2222-4222-8222-222222222222";
    for headers in [
        &[][..],
        &[("x-organization-id", foreign)],
        &[("x-organization-id", "nonsense")],
    ] {
        let reply = rig
            .send(
                Method::POST,
                "/v1/applications/token",
                headers,
                Some(pair.clone()),
            )
            .await;
        assert_eq!((reply.status, reply.body.get("organization_id")), (200, None));
        let bearer = format!("Bearer {}", reply.text("access_token"));
        for organization in [first, &second] {
            let asked = [
                ("authorization", bearer.as_str()),
                ("x-organization-id", organization),
            ];
            let list = rig.send(Method::GET, WORKSPACES, &asked, None).await;
            assert_eq!(list.body["data"][0]["organization_id"], organization);
        }
        let unsaid = rig
            .send(Method::GET, WORKSPACES, &[("authorization", &bearer)], None)
            .await;
        assert_eq!(unsaid.status, 400);
    }
}

//! Requests that the real service's validator refuses. What passes here must pass there.

use agent_engine_operator::emulator::operation::Operation;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{INFO, LEGACY_MINT, MINT, Reply, Rig, TOKEN, WIDGET, WORKSPACES, rig};
use crate::shapes;

/// A body of JSON under another content type, refused in the documented shape.
async fn sent_as(rig: &Rig, kind: Option<&str>, method: Method, path: &str, body: &Value) -> Reply {
    let mut request = rig.http.request(method, rig.url(path)).body(body.to_string());
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let answer = request
        .header("authorization", rig.bearer().await)
        .send()
        .await
        .unwrap();
    Reply {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
    }
}

/// As `curl -d` sends it, among others.
#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_refused() {
    let rig = rig().await;
    let (_, id) = rig.opened("tenant-1").await;
    let before = rig.get(&id).await.body;
    let one = format!("{WORKSPACES}/{id}");
    let pair = json!({"client_id": "emulated-client", "client_secret": "emulated-secret"});
    let name = json!({"workspace_name": "tenant-2"});
    let widget = json!({"workspace_name": "tenant-2", "allowed_origin": "https://app.example"});
    let kinds = [
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("text/json"),
        None,
    ];
    for kind in kinds {
        for (method, path, body) in [
            (Method::POST, TOKEN, &pair),
            (Method::POST, "/v1/applications/token", &pair),
            (Method::POST, MINT, &name),
            (Method::POST, LEGACY_MINT, &name),
            (Method::POST, WIDGET, &widget),
            (Method::PUT, &one, &json!({"name": "renamed"})),
        ] {
            let reply = sent_as(&rig, kind, method, path, body).await;
            assert_eq!(shapes::fault(&shapes::envelope(), &reply.body, path), None);
            assert_eq!(
                (reply.status, &reply.body["errors"][0]["error_code"]),
                (422, &json!("model_attributes_type")),
                "{kind:?} {path}"
            );
        }
    }
    assert_eq!(rig.get(&id).await.body, before);
    assert_eq!(rig.list("").await.names(), ["default", "tenant-1"]);
    assert!(rig.count(Operation::T2) > 1, "they are in the journal");
}

#[tokio::test]
async fn every_spelling_of_json_is_taken() {
    let rig = rig().await;
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.api+json",
    ] {
        let body = json!({"workspace_name": "tenant-1"});
        let reply = sent_as(&rig, Some(kind), Method::POST, MINT, &body).await;
        assert_eq!(reply.status, 200, "{kind}");
    }
}

/// Field and code of all errors.
fn faulty(reply: &Reply) -> Vec<(String, String)> {
    assert_eq!(reply.status, 422, "{}", reply.body);
    let errors = reply.body["errors"].as_array().unwrap();
    let text = |error: &Value, member: &str| error[member].as_str().unwrap().to_owned();
    errors
        .iter()
        .map(|error| (text(error, "field"), text(error, "error_code")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
        .collect()
}

#[tokio::test]
async fn one_refusal_names_all_faulty_fields() {
    let rig = rig().await;
    let reply = rig.send(Method::POST, TOKEN, &[], Some(json!({}))).await;
    let missing = [("client_id", "missing"), ("client_secret", "missing")];
    assert_eq!(faulty(&reply), pairs(&missing));
    let body = json!({"workspace_name": 7, "region_id": "moon"});
    let reply = rig.call(Method::POST, MINT, Some(body)).await;
    let wrong = [("workspace_name", "string_type"), ("region_id", "uuid_parsing")];
    assert_eq!(faulty(&reply), pairs(&wrong));
    let change = json!({"name": "", "status": 7, "cache_enabled": []});
    let reply = rig.put("not-a-uuid", change).await;
    let wrong = [
        ("workspace_id", "uuid_parsing"),
        ("name", "string_too_short"),
        ("status", "enum"),
        ("cache_enabled", "bool_type"),
    ];
    assert_eq!(faulty(&reply), pairs(&wrong));
    let reply = rig.list("?limit=0&status=gone&cursor=nonsense").await;
    let wrong = [("status", "enum"), ("limit", "greater_than_equal")];
    assert_eq!(faulty(&reply), pairs(&wrong));
}

#[tokio::test]
async fn the_older_shape_says_where_each_faulty_field_stands() {
    let rig = rig().await;
    rig.knob("error_shape", "detail");
    let bearer = rig.bearer().await;
    let headers = [("authorization", bearer.as_str())];
    let path = format!("{WORKSPACES}/not-a-uuid");
    let change = json!({"status": "gone"});
    let reply = rig
        .send_undocumented(Method::PUT, &path, &headers, Some(change))
        .await;
    assert_eq!(shapes::fault(&shapes::detail(), &reply.body, &path), None);
    let detail = &reply.body["detail"];
    assert_eq!(detail[0]["loc"], json!(["path", "workspace_id"]));
    assert_eq!(detail[1]["loc"], json!(["body", "status"]));
}

#[tokio::test]
async fn a_faulty_change_is_refused_before_its_workspace_is_searched() {
    let rig = rig().await;
    let nobody = "22222222-2222-4222-8222-222222222222";
    assert_eq!(rig.put(nobody, json!({"status": "gone"})).await.status, 422);
    assert_eq!(rig.put(nobody, json!({"status": "active"})).await.status, 404);
}

#[tokio::test]
async fn words_and_digits_stand_for_booleans() {
    let rig = rig().await;
    let (_, id) = rig.opened("tenant-1").await;
    for (on, spellings) in [
        (true, json!([true, "true", "YES", "on", "1", "t", "y", 1, 1.0])),
        (false, json!([false, "False", "no", "off", "0", "f", "n", 0])),
    ] {
        for spelling in spellings.as_array().unwrap() {
            let row = rig.put(&id, json!({"cache_enabled": spelling})).await;
            assert_eq!(row.body["cache_enabled"], on, "{spelling}");
        }
    }
    for (spelling, code) in [
        (json!("maybe"), "bool_parsing"),
        (json!(" true"), "bool_parsing"),
        (json!(""), "bool_parsing"),
        (json!(2), "bool_parsing"),
        (json!({}), "bool_type"),
    ] {
        let reply = rig.put(&id, json!({"cache_enabled": spelling})).await;
        assert_eq!(faulty(&reply), pairs(&[("cache_enabled", code)]), "{spelling}");
    }
}

#[tokio::test]
async fn a_faulty_widget_request_creates_nothing() {
    let rig = rig().await;
    let mut body = json!({
        "workspace_name": "tenant-1",
        "selected_source_template_tags": ["a", 7],
        "selected_source_template_tags_mode": "some",
        "selected_connection_template_tags": "a",
        "selected_connection_template_tags_mode": null,
    });
    let reply = rig.call(Method::POST, WIDGET, Some(body.clone())).await;
    let wrong = [
        ("allowed_origin", "missing"),
        ("selected_source_template_tags.1", "string_type"),
        ("selected_source_template_tags_mode", "enum"),
        ("selected_connection_template_tags", "list_type"),
        ("selected_connection_template_tags_mode", "enum"),
    ];
    assert_eq!(faulty(&reply), pairs(&wrong));
    body["allowed_origin"] = json!("https://app.example");
    assert_eq!(
        rig.call(Method::POST, WIDGET, Some(body.clone())).await.status,
        422
    );
    assert_eq!(rig.list("").await.names(), ["default"]);
    body["selected_source_template_tags"] = json!(["a", "b"]);
    body["selected_source_template_tags_mode"] = json!("all");
    body["selected_connection_template_tags"] = json!([]);
    body["selected_connection_template_tags_mode"] = json!("any");
    assert_eq!(rig.call(Method::POST, WIDGET, Some(body)).await.status, 200);
    assert_eq!(rig.list("").await.names(), ["default", "tenant-1"]);
}

#[tokio::test]
async fn many_wildcards_cost_no_time() {
    let rig = rig().await;
    rig.knob("special_characters", "wildcard");
    rig.seed(json!({"name": "a".repeat(400)})).await;
    let part = "a%25".repeat(60);
    let begun = std::time::Instant::now();
    let found = rig.list(&format!("?name_contains={part}")).await;
    assert_eq!(found.names().len(), 1);
    let none = rig.list(&format!("?name_contains={part}b")).await;
    assert!(none.names().is_empty());
    let stars = rig.list(&format!("?name_contains={}", "*".repeat(60))).await;
    assert!(stars.names().is_empty(), "a star is no wildcard of SQL");
    assert!(begun.elapsed().as_secs() < 5);
}

#[tokio::test]
async fn a_body_is_decoded_before_the_bearer_is_read() {
    let rig = rig().await;
    for (body, status) in [(&b"{"[..], 422), (&b"\xff"[..], 400), (&b"{}"[..], 401)] {
        let request = rig
            .http
            .post(rig.url(MINT))
            .header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{body:?}");
    }
    let foreign = sent_as(&rig, Some("text/plain"), Method::POST, MINT, &json!({})).await;
    assert_eq!(foreign.status, 422, "with a bearer");
}

#[tokio::test]
async fn every_call_reads_the_organization_header() {
    let rig = rig().await;
    let (token, _) = rig.opened("tenant-1").await;
    let bearer = format!("Bearer {token}");
    for (organization, status) in [
        ("11111111-1111-4111-8111-111111111111", 200),
        ("22222222-2222-4222-8222-222222222222", 403),
        ("acme", 422),
        ("", 422),
    ] {
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-organization-id", organization),
        ];
        let info = rig.send(Method::GET, INFO, &headers, None).await;
        assert_eq!(info.status, status, "T3, {organization}");
    }
    let wrong = json!({"client_id": "x", "client_secret": "y"});
    let headers = [("x-organization-id", "acme")];
    assert_eq!(
        rig.send(Method::POST, TOKEN, &headers, Some(wrong)).await.status,
        422
    );
}

#[tokio::test]
async fn a_limit_may_be_written_in_many_ways() {
    let rig = rig().await;
    for limit in ["2", "%202", "2%20", "%2B2", "2.0", "02", "0_2"] {
        assert_eq!(rig.list(&format!("?limit={limit}")).await.status, 200, "{limit}");
    }
    for (limit, code) in [
        ("2.5", "int_parsing"),
        ("2.", "int_parsing"),
        ("_2", "int_parsing"),
        ("1e1", "int_parsing"),
        ("-99999999999999999999", "greater_than_equal"),
        ("99999999999999999999", "less_than_equal"),
    ] {
        let reply = rig.list(&format!("?limit={limit}")).await;
        assert_eq!(faulty(&reply), pairs(&[("limit", code)]), "{limit}");
    }
}

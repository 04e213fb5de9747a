//! Knobs of creation, reading, changing and deleting.

use reqwest::Method;
use serde_json::{Value, json};

use super::{code, untested};
use crate::rig::{CONNECTORS, MINT, Rig, WORKSPACES};

const EUROPE: &str = "b9e48d61-f082-4a14-a8d0-799a907938cb";
const NO_REGION: &str = "00000000-0000-4000-8000-000000000000";

async fn hidden(rig: &Rig, id: &str) -> Value {
    rig.control(Method::GET, &format!("/workspaces/{id}"), json!({}))
        .await
}

async fn mint_in(rig: &Rig, name: &str, region: &str) -> u16 {
    rig.call(
        Method::POST,
        MINT,
        Some(json!({"workspace_name": name, "region_id": region})),
    )
    .await
    .status
}

/// How many live workspaces there are beside `default`.
async fn made(rig: &Rig) -> usize {
    rig.list("").await.names().len() - 1
}

/// Looks at a knob of this chapter; false for any other.
pub async fn observe(knob: &str, value: &str, rig: &Rig) -> bool {
    match knob {
        "mint_inactive" => {
            let id = rig.seed(json!({"name": "acme", "status": "inactive"})).await;
            let (status, after) = match value {
                "ok" => (200, "inactive"),
                "403" => (403, "inactive"),
                "reactivate" => (200, "active"),
                _ => untested(knob, value),
            };
            assert_eq!(rig.mint("acme").await.status, status);
            assert_eq!(rig.get(&id).await.text("status"), after);
        }
        "mint_ambiguous" => {
            let old = rig.seed(json!({"name": "acme"})).await;
            let new = rig.seed(json!({"name": "acme"})).await;
            match value {
                "oldest" => assert_eq!(rig.opened("acme").await.1, old),
                "newest" => assert_eq!(rig.opened("acme").await.1, new),
                _ => assert_eq!(rig.mint("acme").await.status, code(value)),
            }
        }
        "concurrent_mint" => {
            rig.fault(json!({"operation": "T2", "hold": "before", "count": 2}))
                .await;
            let release = async {
                rig.emulator.held(2).await;
                rig.emulator
                    .release(None, agent_engine_operator::emulator::hold::Then::Apply)
                    .await
            };
            let (one, other, released) = tokio::join!(rig.mint("acme"), rig.mint("acme"), release);
            assert_eq!((one.status, other.status, released), (200, 200, 2));
            assert_eq!(made(rig).await, if value == "one" { 1 } else { 2 });
            rig.control(Method::POST, "/reset", json!({})).await;
            rig.knob(knob, value);
            let (one, other) = tokio::join!(rig.mint("acme"), rig.mint("acme"));
            assert_eq!((one.status, other.status), (200, 200), "without a fault");
            assert_eq!(made(rig).await, if value == "one" { 1 } else { 2 });
        }
        "remint_deleted" => {
            let (_, id) = rig.opened("acme").await;
            rig.delete(&id).await;
            match value {
                "new" => assert_ne!(rig.opened("acme").await.1, id),
                "revive" => assert_eq!(rig.opened("acme").await.1, id),
                "error" => assert_eq!(rig.mint("acme").await.status, 409),
                _ => untested(knob, value),
            }
        }
        "name_release_ms" => {
            let (_, id) = rig.opened("acme").await;
            rig.delete(&id).await;
            let expected = if value == "0" { 200 } else { 409 };
            assert_eq!(rig.mint("acme").await.status, expected);
            rig.advance_ms(value.parse().unwrap());
            assert_eq!(rig.mint("acme").await.status, 200);
        }
        "plan_limit" => {
            for name in ["a", "b", "c"] {
                let live = made(rig).await + 1;
                let within = value.parse().map_or(true, |limit| live < limit);
                assert_eq!(rig.mint(name).await.status, if within { 200 } else { 403 });
            }
            assert_eq!(
                rig.mint("default").await.status,
                200,
                "what is there needs no room"
            );
        }
        "plan_refusal" => {
            rig.knob("plan_limit", "1");
            assert_eq!(rig.mint("acme").await.status, code(value));
        }
        "hidden_mint" => {
            let id = rig.seed(json!({"name": "acme", "hidden": true})).await;
            match value {
                "token" => assert_eq!(rig.opened("acme").await.1, id),
                "duplicate" => assert_ne!(rig.opened("acme").await.1, id),
                _ => assert_eq!(rig.mint("acme").await.status, code(value)),
            }
        }
        "hidden_get" => {
            let id = rig.seed(json!({"name": "acme", "hidden": true})).await;
            assert_eq!(rig.get(&id).await.status, code(value));
            assert_eq!(made(rig).await, 0);
        }
        "cloud_adoption" => {
            let id = rig.seed(json!({"name": "acme", "cloud_only": true})).await;
            assert_eq!((made(rig).await, rig.get(&id).await.status), (0, 404));
            assert_eq!(rig.opened("acme").await.1 == id, value == "adopt");
            assert_eq!(made(rig).await, 1);
        }
        "region_unknown" => {
            let expected = if value == "ignored" { 200 } else { code(value) };
            assert_eq!(mint_in(rig, "acme", NO_REGION).await, expected);
        }
        "region_conflict" => {
            rig.mint("acme").await;
            let expected = if value == "ignored" { 200 } else { code(value) };
            assert_eq!(mint_in(rig, "acme", EUROPE).await, expected);
        }
        "region_eu" => {
            let status = mint_in(rig, "acme", EUROPE).await;
            if value == "422" {
                assert_eq!(status, 422);
            } else {
                let (_, id) = rig.opened("acme").await;
                assert_eq!(hidden(rig, &id).await["region_id"] == EUROPE, value == "honoured");
            }
        }
        "cache_enabled_new" => {
            let (_, id) = rig.opened("acme").await;
            let expected: Value = serde_json::from_str(value).unwrap();
            assert_eq!(rig.get(&id).await.body["cache_enabled"], expected);
        }
        "visibility" | "workspace_members" | "created_at" => members(knob, value, rig).await,
        "get_lag_ms" => {
            let (_, id) = rig.opened("acme").await;
            let lag: i64 = value.parse().unwrap();
            assert_eq!(rig.get(&id).await.status, if lag == 0 { 200 } else { 404 });
            rig.advance_ms(lag);
            assert_eq!(rig.get(&id).await.status, 200);
        }
        "deleted_get" => {
            let (_, id) = rig.opened("acme").await;
            rig.delete(&id).await;
            let reply = rig.get(&id).await;
            if value == "200-tombstone" {
                assert_eq!((reply.status, &reply.body["tombstone"]), (200, &json!(true)));
            } else {
                assert_eq!(reply.status, code(value));
            }
        }
        "not_found_text" => {
            let text = if value == "empty" { "" } else { value };
            for status in ["404", "410"] {
                rig.knob("deleted_get", status);
                rig.knob("deleted_delete", status);
                let (_, id) = rig.opened("acme").await;
                rig.delete(&id).await;
                let path = format!("{WORKSPACES}/{id}");
                for (method, expected) in [
                    (Method::GET, code(status)),
                    (Method::PUT, 404),
                    (Method::DELETE, code(status)),
                ] {
                    let body = json!({"name": "x"});
                    rig.knob("error_shape", "envelope");
                    let reply = rig.call(method.clone(), &path, Some(body.clone())).await;
                    assert_eq!((reply.status, reply.text("message").as_str()), (expected, text));
                    let bearer = rig.bearer().await;
                    rig.knob("error_shape", "detail");
                    let headers = [("authorization", bearer.as_str())];
                    let reply = rig.send_undocumented(method, &path, &headers, Some(body)).await;
                    assert_eq!((reply.status, reply.body), (expected, json!({"detail": text})));
                }
            }
        }
        "rename_conflict" => {
            let (_, id) = rig.opened("acme").await;
            rig.mint("taken").await;
            let expected = if value == "allow-duplicate" {
                200
            } else {
                code(value)
            };
            assert_eq!(rig.put(&id, json!({"name": "taken"})).await.status, expected);
            assert_eq!(rig.put(&id, json!({"name": "free"})).await.status, 200);
        }
        "default_protected" => {
            let id = rig.opened("default").await.1;
            let expected = if value == "none" { 200 } else { code(value) };
            assert_eq!(rig.put(&id, json!({"cache_enabled": true})).await.status, 200);
            assert_eq!(rig.put(&id, json!({"status": "inactive"})).await.status, expected);
            assert_eq!(rig.delete(&id).await.status, expected);
        }
        "put_empty" | "put_null" | "put_unknown_member" | "null_cache" | "noop_update" => {
            put(knob, value, rig).await;
        }
        "reactivation" => {
            let id = rig.seed(json!({"name": "acme", "connectors": 1})).await;
            rig.put(&id, json!({"status": "inactive"})).await;
            assert_eq!(hidden(rig, &id).await["connectors"][0]["enabled"], false);
            rig.put(&id, json!({"status": "active"})).await;
            assert_eq!(
                hidden(rig, &id).await["connectors"][0]["enabled"],
                value == "restored"
            );
            assert_eq!(
                rig.call(Method::GET, &format!("{CONNECTORS}?workspace_id={id}"), None)
                    .await
                    .status,
                200
            );
        }
        "deleted_delete" => {
            let (_, id) = rig.opened("acme").await;
            rig.delete(&id).await;
            assert_eq!(rig.delete(&id).await.status, code(value));
        }
        "slow_delete" => {
            let (_, id) = rig.opened("acme").await;
            let (at_once, meanwhile) = if value == "off" { (200, 404) } else { (504, 200) };
            assert_eq!(
                (rig.delete(&id).await.status, rig.get(&id).await.status),
                (at_once, meanwhile)
            );
            rig.advance_ms(2000);
            assert_eq!(rig.get(&id).await.status, 404);
        }
        "slow_delete_ms" => {
            rig.knob("slow_delete", "504-then-done");
            let (_, id) = rig.opened("acme").await;
            assert_eq!(rig.delete(&id).await.status, 504);
            let lag: i64 = value.parse().unwrap();
            rig.advance_ms(lag - 1);
            assert_eq!(rig.get(&id).await.status, if lag == 0 { 404 } else { 200 });
            rig.advance_ms(1);
            assert_eq!(rig.get(&id).await.status, 404);
        }
        "cloud_delete_mirror" => {
            let (_, id) = rig.opened("acme").await;
            rig.control(
                Method::PATCH,
                &format!("/workspaces/{id}"),
                json!({"cloud_deleted": true}),
            )
            .await;
            let expected = if value == "0" { 404 } else { 200 };
            assert_eq!(rig.get(&id).await.status, expected);
            rig.advance_ms(1000);
            assert_eq!(rig.get(&id).await.status, if value == "none" { 200 } else { 404 });
        }
        "after_commit" => after_commit(value, rig).await,
        _ => return false,
    }
    true
}

async fn members(knob: &str, value: &str, rig: &Rig) {
    let (_, id) = rig.opened("acme").await;
    let bearer = rig.bearer().await;
    let path = format!("/api/v1/workspaces/{id}");
    let row = rig
        .send_undocumented(Method::GET, &path, &[("authorization", &bearer)], None)
        .await
        .body;
    let members = row.as_object().unwrap().len();
    match (knob, value) {
        ("visibility", "absent") => assert_eq!(row.get("visibility"), None),
        ("visibility", word) => assert_eq!(row["visibility"], word),
        ("workspace_members", "all") => assert_eq!(members, 10),
        ("workspace_members", "minimal") => assert_eq!(row, json!({"id": id, "name": "acme"})),
        ("workspace_members", "extended") => assert!(members > 10),
        ("created_at", "microseconds") => assert_eq!(row["created_at"].as_str().unwrap().len(), 27),
        ("created_at", "seconds") => assert_eq!(row["created_at"].as_str().unwrap().len(), 20),
        ("created_at", "absent") => assert_eq!(row.get("created_at"), None),
        _ => untested(knob, value),
    }
}

async fn put(knob: &str, value: &str, rig: &Rig) {
    let (_, id) = rig.opened("acme").await;
    let refused = |value: &str| if value == "422" { 422 } else { 200 };
    match knob {
        "put_empty" => assert_eq!(rig.put(&id, json!({})).await.status, code(value)),
        "put_null" => {
            assert_eq!(rig.put(&id, json!({"name": null})).await.status, refused(value));
            assert_eq!(rig.put(&id, json!({"status": null})).await.status, refused(value));
            assert_eq!(rig.get(&id).await.text("name"), "acme");
        }
        "put_unknown_member" => assert_eq!(
            rig.put(&id, json!({"colour": "red"})).await.status,
            refused(value)
        ),
        "null_cache" => {
            rig.put(&id, json!({"cache_enabled": true})).await;
            let after = rig.put(&id, json!({"cache_enabled": null})).await.body;
            let expected = if value == "inherit" {
                Value::Null
            } else {
                json!(true)
            };
            assert_eq!(after["cache_enabled"], expected);
        }
        "noop_update" => {
            let before = rig.get(&id).await.body;
            rig.advance_ms(1000);
            let after = rig.put(&id, json!({"name": "acme"})).await.body;
            assert_eq!(before["updated_at"] == after["updated_at"], value == "kept");
        }
        _ => untested(knob, value),
    }
}

async fn after_commit(value: &str, rig: &Rig) {
    let id = rig.seed(json!({"name": "old"})).await;
    let bearer = rig.bearer().await;
    let headers = [("authorization", bearer.as_str())];
    let path = format!("/api/v1/workspaces/{id}");
    for (method, path, body) in [
        (Method::POST, MINT, Some(json!({"workspace_name": "made"}))),
        (Method::PUT, path.as_str(), Some(json!({"name": "new"}))),
        (Method::DELETE, path.as_str(), None),
    ] {
        let answer = rig.try_send(method, path, &headers, body).await;
        match value {
            "answer" => assert_eq!(answer.unwrap().0, 200),
            "lost" => assert!(answer.is_err(), "{answer:?}"),
            _ => assert_eq!(answer.unwrap().0, code(value)),
        }
    }
    assert_eq!(
        rig.list("").await.names(),
        ["default", "made"],
        "all was done, whatever the answers said"
    );
    assert_eq!(hidden(rig, &id).await["name"], "new");
}

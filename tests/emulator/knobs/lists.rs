//! Knobs of the list and the counters.

use reqwest::Method;
use serde_json::{Value, json};

use super::{code, untested};
use crate::rig::{Rig, STATS, WORKSPACES};

/// Looks at a knob of this chapter; false for any other.
pub async fn observe(knob: &str, value: &str, rig: &Rig) -> bool {
    match knob {
        "list_order" => {
            rig.seed(json!({"name": "b", "id": "00000000-0000-4000-8000-000000000002", "created_at": "2026-01-02T00:00:00Z"})).await;
            rig.seed(json!({"name": "a", "id": "00000000-0000-4000-8000-000000000003", "created_at": "2026-01-03T00:00:00Z"})).await;
            rig.seed(json!({"name": "c", "id": "00000000-0000-4000-8000-000000000001", "created_at": "2026-01-01T00:00:00Z"})).await;
            let mut names = rig.list("").await.names();
            names.retain(|name| name != "default");
            let expected = match value {
                "created" => ["c", "b", "a"],
                "newest" => ["a", "b", "c"],
                "name" => ["a", "b", "c"],
                "id" => ["c", "b", "a"],
                _ => untested(knob, value),
            };
            assert_eq!(names, expected);
        }
        "list_lag_ms" => {
            let lag: i64 = value.parse().unwrap();
            let (_, id) = rig.opened("acme").await;
            let late = lag > 0;
            assert_eq!(rig.list("").await.names().len(), if late { 1 } else { 2 });
            rig.advance_ms(lag);
            assert_eq!(rig.list("").await.names().len(), 2);
            rig.put(&id, json!({"name": "new"})).await;
            assert_eq!(rig.list("").await.names()[1], if late { "acme" } else { "new" });
            rig.advance_ms(lag);
            rig.delete(&id).await;
            assert_eq!(rig.list("").await.names().len(), if late { 2 } else { 1 });
            rig.advance_ms(lag);
            assert_eq!(rig.list("").await.names().len(), 1);
        }
        "list_tombstones" => {
            let (_, id) = rig.opened("acme").await;
            rig.delete(&id).await;
            let rows = rig.list("").await.body["data"].as_array().unwrap().clone();
            assert_eq!(
                rows.iter().any(|row| row["tombstone"] == true),
                value == "included"
            );
        }
        "next_style" => {
            pages(rig).await;
            let first = rig.list("?limit=2&name_contains=t").await;
            let next = first.text("next");
            let last = rig.list("?limit=100").await.body;
            let begins = match value {
                "absolute" | "empty-string" | "absent" => format!("{}{WORKSPACES}?", rig.running.url()),
                "relative" => format!("{WORKSPACES}?"),
                "foreign-host" => "http://elsewhere.invalid/".to_owned(),
                "cursor" => String::new(),
                _ => untested(knob, value),
            };
            assert!(next.starts_with(&begins), "{next}");
            assert_eq!(next.contains('/'), value != "cursor", "{next}");
            match value {
                "empty-string" => assert_eq!(last["next"], ""),
                "absent" => assert_eq!(last.get("next"), None),
                _ => assert_eq!(last.get("next"), Some(&Value::Null)),
            }
        }
        "next_filters" => {
            pages(rig).await;
            let next = rig.list("?limit=2&name_contains=t").await.text("next");
            assert_eq!(
                next.contains("limit=2") && next.contains("name_contains=t"),
                value == "kept",
                "{next}"
            );
        }
        "cursor_style" => {
            pages(rig).await;
            let first = rig.list("?limit=3").await;
            rig.delete(first.body["data"][1]["id"].as_str().unwrap()).await;
            let rest = rig
                .list(&format!("?limit=100&cursor={}", cursor(&first.text("next"))))
                .await
                .names();
            // A counted cursor skips a row when one before it goes.
            assert_eq!(rest.len(), if value == "offset" { 2 } else { 3 });
        }
        "cursor_life" => {
            pages(rig).await;
            let cursor = cursor(&rig.list("?limit=3").await.text("next"));
            let again = format!("?limit=3&cursor={cursor}");
            assert_eq!(
                rig.list(&again).await.status,
                if value == "0" { 400 } else { 200 }
            );
            rig.advance_ms(3000);
            assert_eq!(
                rig.list(&again).await.status,
                if value == "none" { 200 } else { 400 }
            );
        }
        "special_characters" => {
            rig.mint("a_b").await;
            rig.mint("axb").await;
            let names = rig.list("?name_contains=A_B").await.names();
            assert_eq!(names.len(), if value == "literal" { 1 } else { 2 });
            let names = rig.list("?name_contains=a%25").await.names();
            assert_eq!(names.len(), if value == "literal" { 0 } else { 3 });
        }
        "blank_filter" => {
            let reply = rig.list("?name_contains=").await;
            match value {
                "all" => assert_eq!(reply.names(), ["default"]),
                "none" => assert!(reply.names().is_empty()),
                _ => assert_eq!(reply.status, code(value)),
            }
        }
        "stats_scope" => {
            rig.seed(json!({"name": "hidden", "hidden": true})).await;
            let (_, id) = rig.opened("acme").await;
            rig.delete(&id).await;
            let expected = match value {
                "live" => 2,
                "visible" => 1,
                "with-tombstones" => 3,
                _ => untested(knob, value),
            };
            assert_eq!(total(rig).await, expected);
        }
        "stats_lag_ms" => {
            rig.mint("acme").await;
            let lag: i64 = value.parse().unwrap();
            assert_eq!(total(rig).await, if lag == 0 { 2 } else { 1 });
            rig.advance_ms(lag);
            assert_eq!(total(rig).await, 2);
        }
        _ => return false,
    }
    true
}

/// Five workspaces beside `default`, one a second.
async fn pages(rig: &Rig) {
    for name in ["t1", "t2", "t3", "t4", "t5"] {
        rig.advance_ms(1000);
        assert_eq!(rig.mint(name).await.status, 200);
    }
}

fn cursor(next: &str) -> String {
    next.rsplit("cursor=").next().unwrap().to_owned()
}

async fn total(rig: &Rig) -> u64 {
    rig.call(Method::GET, STATS, None).await.body["total_count"]
        .as_u64()
        .unwrap()
}

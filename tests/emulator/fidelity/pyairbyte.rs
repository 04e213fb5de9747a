//! PyAirbyte, module `airbyte.agents`.

use agent_engine_operator::emulator::DEFAULT_ORGANIZATION;
use agent_engine_operator::emulator::journal::Filter;
use reqwest::Method;
use serde_json::{Value, json};

use super::run;
use crate::rig::{Rig, rig};

const NOBODY: &str = "22222222-2222-4222-8222-222222222222";

/// Workspaces in the order in which they are listed; the last one is beyond the first page.
async fn seeded(rig: &Rig) -> String {
    rig.advance_ms(1000);
    let id = rig.seed(json!({"name": "tenant-003", "connectors": 2})).await;
    for name in ["acme", "Acme"] {
        rig.advance_ms(1000);
        rig.seed(json!({ "name": name })).await;
    }
    rig.advance_ms(1000);
    let others = json!({"many": {"prefix": "other-", "count": 16}});
    rig.control(Method::POST, "/seed", others).await;
    rig.advance_ms(1000);
    rig.seed(json!({"name": "last"})).await;
    id
}

async fn outcome(rig: &Rig, id: &str) -> Value {
    let second = rig.control(Method::POST, "/organizations", json!({})).await;
    let both = json!({"client_id": "both", "client_secret": "s",
        "organization_ids": [DEFAULT_ORGANIZATION, second["id"]]});
    rig.control(Method::POST, "/credentials", both).await;
    let cloud = rig.url("/v1");
    let both = json!({"client_id": "both", "client_secret": "s", "public_api_root": cloud});
    let environment = [
        ("AIRBYTE_CLOUD_API_URL", cloud.clone()),
        ("AIRBYTE_AGENTS_API_URL", rig.url("/api/v1")),
        ("AIRBYTE_CLOUD_CLIENT_ID", "emulated-client".into()),
        ("AIRBYTE_CLOUD_CLIENT_SECRET", "emulated-secret".into()),
        ("AIRBYTE_CLOUD_ORGANIZATION_ID", DEFAULT_ORGANIZATION.into()),
        ("DO_NOT_TRACK", "1".into()),
    ];
    run(
        "pyairbyte.py",
        &[json!(id).to_string(), both.to_string()],
        &environment,
    )
    .await
}

#[tokio::test]
async fn pyairbyte_lists_reads_and_finds_workspaces() {
    let rig = rig().await;
    let id = seeded(&rig).await;
    let seen = outcome(&rig, &id).await;

    let listed = seen["listed"].as_array().unwrap();
    assert_eq!(listed.len(), 20, "it reads the first page and never `next`");
    assert_eq!(
        listed[..4],
        [
            json!("default"),
            json!("tenant-003"),
            json!("acme"),
            json!("Acme")
        ]
    );
    let found = json!({"id": id, "name": "tenant-003", "organization": DEFAULT_ORGANIZATION});
    assert_eq!(seen["found"], found, "asked for in capitals");
    assert_eq!(seen["by_id"], found);
    assert_eq!(seen["by_id_alone"], "tenant-003");
    let mut read = found;
    read["status"] = json!("active");
    assert_eq!(seen["read"], read);
    assert_eq!(seen["connectors"], json!(["connector-0", "connector-1"]));
    assert_eq!(seen["chosen"], json!(["default", "tenant-003"]));

    let failed = |act: &str, error: &str, status: Value| {
        let why = &seen[act];
        assert_eq!(
            (&why["error"], &why["status"]),
            (&json!(error), &status),
            "{act}: {why}"
        );
        why.to_string()
    };
    assert!(failed("second_page", "AirbyteError", Value::Null).contains("No workspace found"));
    assert!(failed("two_of_a_name", "AirbyteError", Value::Null).contains("Multiple workspaces"));
    failed("unknown", "AirbyteError", json!(404));
    failed("malformed", "AirbyteError", json!(422));
    failed("refused", "HTTPError", json!(401));
    assert!(failed("foreign", "AirbyteError", json!(403)).contains("access was denied"));
    // It knows this refusal by its words.
    assert!(failed("ambiguous", "AirbyteError", json!(400)).contains("more than one organization"));

    let read = format!("W3 /api/v1/workspaces/{id} 200");
    let expected = [
        "W1 /api/v1/workspaces 200",
        "W1 /api/v1/workspaces 200",
        &read,
        "C1 /api/v1/integrations/connectors 200",
        "W1 /api/v1/workspaces 200",
        &read,
        "W1 /api/v1/workspaces 200",
        "W1 /api/v1/workspaces 200",
        &format!("W3 /api/v1/workspaces/{NOBODY} 404"),
        "W3 /api/v1/workspaces/x 422",
        "W1 /api/v1/workspaces 400",
        "W1 /api/v1/workspaces 403",
        "W1 /api/v1/workspaces 200",
    ];
    assert_eq!(journal(&rig), expected);
}

/// Its calls of the API. Before each it exchanges its credentials again, as Airbyte Cloud spells it, naming no organization.
fn journal(rig: &Rig) -> Vec<String> {
    let entries = rig
        .emulator
        .with(|state| state.journal.read(&Filter::default()))
        .entries;
    let mut calls = Vec::new();
    let mut exchanged = false;
    for entry in entries {
        if entry.path == "/v1/applications/token" {
            assert!(!entry.headers.contains_key("x-organization-id"));
            assert!(!exchanged, "an exchange serves one call");
            exchanged = entry.status == Some(200);
            continue;
        }
        assert!(exchanged, "no exchange before {}", entry.path);
        exchanged = false;
        assert_eq!(entry.headers["user-agent"], "PyAirbyte Client");
        let operation = entry.operation.unwrap();
        calls.push(format!("{operation:?} {} {}", entry.path, entry.status.unwrap()));
    }
    calls
}

//! The Python SDK `airbyte-agent-sdk`.

use agent_engine_operator::emulator::operation::Operation;
use reqwest::Method;
use serde_json::json;

use super::run;
use crate::rig::rig;

#[tokio::test]
async fn the_python_sdk_finds_workspaces_by_name() {
    let rig = rig().await;
    let id = rig.seed(json!({"name": "tenant-003", "connectors": 2})).await;
    rig.control(
        Method::POST,
        "/seed",
        json!({"many": {"prefix": "other-", "count": 48}}),
    )
    .await;
    rig.seed(json!({"name": "Tenant-003"})).await;
    let environment = [
        ("SDK_DEV_ADP_API_HOST", rig.running.url()),
        ("AIRBYTE_TELEMETRY_MODE", "disabled".into()),
        ("AIRBYTE_CLIENT_ID", "emulated-client".into()),
        ("AIRBYTE_CLIENT_SECRET", "emulated-secret".into()),
    ];
    assert_eq!(
        run("sdk.py", &[], &environment).await,
        json!({
            "workflows": 0,
            "connectors": ["connector-0", "connector-1"],
            "unknown": "ValueError",
            "refused": "AuthenticationError",
        })
    );
    let journal = rig.control(Method::GET, "/journal", json!({})).await.to_string();
    assert!(
        journal.contains(&format!("workspace_id={id}")),
        "it went on with the id that it found: {journal}"
    );
    assert_eq!(rig.count(Operation::T2), 0, "the SDK creates nothing");
    assert!(rig.count(Operation::T1) >= 1 && rig.count(Operation::W1) >= 2 && rig.count(Operation::C1) >= 1);
    assert_eq!(rig.count(Operation::X4), 1, "the name that it knows");
}

//! The emulator before a client that nobody here wrote: the Python SDK, pinned, in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use agent_engine_operator::emulator::operation::Operation;
use reqwest::Method;
use serde_json::json;

use crate::rig::rig;

const REMEDY: &str =
    "run `make fidelity` once: it needs Python 3.10 or later with venv (Debian: python3-venv) and PyPI";

/// The interpreter with the SDK, made if need be.
fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new("make")
        .args(["--silent", "fidelity"])
        .current_dir(root)
        .output();
    let made = made.unwrap_or_else(|error| panic!("make does not run ({error}); install it (Debian: make)"));
    assert!(
        made.status.success(),
        "no Python SDK: {REMEDY}\n{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let python = root.join(".venv/fidelity/bin/python");
    assert!(python.exists(), "{} is missing: {REMEDY}", python.display());
    python
}

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
    // The SDK looks a name up when it is about to use something that the emulator does not have.
    let empty = json!({"kind": "status", "status": 200, "body": {"data": []}});
    rig.fault(json!({"path": "/api/v1/internal/workflows", "answer": empty}))
        .await;
    let python = python();
    let (url, script) = (
        rig.running.url(),
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fidelity/sdk.py"),
    );
    let output = tokio::task::spawn_blocking(move || {
        Command::new(python)
            .arg(script)
            .env_clear()
            .env("SDK_DEV_ADP_API_HOST", url)
            .env("AIRBYTE_TELEMETRY_MODE", "disabled")
            .env("AIRBYTE_CLIENT_ID", "emulated-client")
            .env("AIRBYTE_CLIENT_SECRET", "emulated-secret")
            .env("NO_PROXY", "127.0.0.1")
            .output()
    });
    let output = output.await.unwrap().unwrap();
    let (said, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "the SDK failed:\n{said}\n{error}");
    let said: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}\n{error}"));
    assert_eq!(
        said,
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
}

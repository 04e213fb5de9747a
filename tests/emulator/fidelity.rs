//! The emulator before what nobody here wrote: two clients of the API, and the web framework of the real service, all pinned, in an
//! environment of their own.

mod copy;
mod pyairbyte;
mod sdk;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

const REMEDY: &str =
    "run `make fidelity` once: it needs Python 3.10 or later with venv (Debian: python3-venv) and PyPI";

/// The interpreter with the pinned packages, made if need be.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let made = Command::new("make")
            .args(["--silent", "fidelity"])
            .current_dir(root)
            .output();
        let made =
            made.unwrap_or_else(|error| panic!("make does not run ({error}); install it (Debian: make)"));
        assert!(
            made.status.success(),
            "no Python clients: {REMEDY}\n{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let python = root.join(".venv/fidelity/bin/python");
        assert!(python.exists(), "{} is missing: {REMEDY}", python.display());
        python
    })
}

/// Runs a script of `tests/fidelity` with nothing but these variables in its environment; returns what it prints, as JSON.
async fn run(script: &str, arguments: &[String], environment: &[(&str, String)]) -> Value {
    let script = format!("{}/tests/fidelity/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut command = tokio::task::spawn_blocking(|| Command::new(python()))
        .await
        .unwrap();
    command
        .arg("-B") // leaves no compiled file in the source tree
        .arg(&script)
        .args(arguments)
        .env_clear()
        .env("NO_PROXY", "127.0.0.1")
        .envs(environment.iter().map(|(name, value)| (name, value)));
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let (said, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{script} failed:\n{said}\n{error}");
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}\n{error}"))
}

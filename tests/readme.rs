//! The README's quick start, followed to the letter with the real Helm and kubectl. No node runs Pods here: a process
//! under the chart's ServiceAccount stands in for the Pod, and an emulator for the account at Agent Engine.

mod support;

use std::{fs, path::Path, process::Stdio};

use support::{CLIENT_ID, Emulator, Launch, Operator, cluster, scratch_file};

const README: &str = include_str!("../README.md");
const HOME: &str = "agent-engine-operator";

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_of_the_readme_ends_in_a_ready_workspace_and_its_manifests_are_accepted() {
    let emulator = Emulator::start(&[]).await;
    let folder = scratch_file("client_id").parent().expect("a folder").to_owned();
    fs::write(folder.join("client_id"), CLIENT_ID).unwrap();
    fs::write(folder.join("client_secret"), emulator.client_secret()).unwrap();
    // The chart brings the definitions itself.
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let crds = crds.to_str().unwrap();
    cluster()
        .kubectl(["delete", "--wait", "-f", crds])
        .await
        .success();

    let mut steps = quick_start().into_iter();
    let mut next = || {
        steps
            .next()
            .expect("a step")
            .replace("https://api.airbyte.ai", emulator.url())
    };
    follow(&next(), &folder).await;
    let operator = Operator::start(&Launch::new(&cluster().service_account(HOME, HOME).await, HOME)).await;
    follow(&next(), &folder).await;
    follow(&next(), &folder).await;
    let said = follow(&next(), &folder).await;
    assert!(
        said.contains("workspace.agentengine.airbyte.com/acme condition met"),
        "{said}"
    );
    let living = |state: &serde_json::Value| {
        let rows = state["organizations"][0]["workspaces"]
            .as_array()
            .unwrap()
            .clone();
        rows.into_iter()
            .filter(|row| row["name"] == "team-a/acme" && row["tombstone"] == false)
            .count()
    };
    assert_eq!(living(&emulator.state().await), 1);
    follow(&next(), &folder).await;
    assert_eq!(living(&emulator.state().await), 0);
    assert_eq!(steps.next(), None, "a step that nobody followed");
    operator.terminate().await;
    for manifest in README.split("```yaml\n").skip(1).map(up_to_fence) {
        let step = format!("kubectl apply --dry-run=server --validate=strict -f - <<'EOF'\n{manifest}EOF");
        follow(&step, &folder).await;
    }
}

/// What stands between the fences after each mark.
fn quick_start() -> Vec<String> {
    let steps = README.split("<!-- quick start -->\n```sh\n").skip(1);
    steps.map(up_to_fence).map(str::to_owned).collect()
}

fn up_to_fence(text: &str) -> &str {
    text.split("```").next().expect("a fence")
}

/// As a person at a shell, in the checkout; the files of the credential lie where it is run.
async fn follow(step: &str, folder: &Path) -> String {
    let step = step.replace("--from-file=", &format!("--from-file={}/", folder.display()));
    let bin = cluster().kubectl_program().parent().expect("its folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = tokio::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", &step])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("KUBECONFIG", cluster().kubeconfig())
        .env("HOME", folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("bash runs");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "this failed:\n{step}\n{out}{err}");
    out.into_owned()
}

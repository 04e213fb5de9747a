//! The README's commands, followed to the letter with the real Helm and kubectl. No node runs Pods here: a process
//! under the chart's ServiceAccount stands in for the Pod, and an emulator for the account at Agent Engine.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use tokio::io::AsyncWriteExt;

use crate::support::{
    CLIENT_ID, Cluster, Emulator, LONG, Launch, Operator,
    readme::{README, blocks, up_to_fence},
    scratch_file,
};

const HOME: &str = "agent-engine-operator";

/// The marks above blocks of commands, each followed in its own way.
const START: &str = "<!-- quick start -->\n```sh\n";
const WITH_NODES: &str = "<!-- quick start, with nodes -->\n```sh\n";
const WITHOUT_OPERATOR: &str = "<!-- without an operator -->\n```sh\n";

/// And then, cleaned up, in nothing at all.
#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_of_the_readme_ends_in_a_ready_workspace() {
    let emulator = Emulator::start(&[]).await;
    // Its operator watches all namespaces, and its definitions come and go.
    let cluster = Cluster::alone().await;
    let folder = scratch_file("client_id").parent().expect("a folder").to_owned();
    let _ = fs::remove_file(folder.join("charts"));
    symlink(checkout().join("charts"), folder.join("charts")).expect("the checkout's charts");
    // The chart brings the definitions itself.
    let crds = checkout().join("crds");
    let crds = crds.to_str().unwrap();
    cluster.kubectl(["delete", "--wait", "-f", crds]).await.success();
    let shell = Shell { cluster, folder };

    let mut steps = blocks(START).into_iter();
    let mut next = || {
        steps
            .next()
            .expect("a step")
            .replace("https://api.airbyte.ai", emulator.url())
    };
    shell.follow(&next(), "").await;
    let operator = Operator::start(&Launch::new(
        &shell.cluster.service_account(HOME, HOME).await,
        HOME,
    ))
    .await;
    for step in blocks(WITH_NODES) {
        shell.follow(&without_nodes(&step), "").await;
    }
    // As pasted, with the newline that comes of Enter.
    shell.follow(&next(), &format!("{CLIENT_ID}\n")).await;
    shell
        .follow(&next(), &format!("{}\n", emulator.client_secret()))
        .await;
    shell.follow(&next(), "").await;
    assert!(
        !shell.folder.join("client_secret").exists(),
        "the secret is left lying"
    );
    let organization = next();
    shell.follow(&organization, "").await;
    let workspace = next();
    let said = shell.follow(&workspace, "").await;
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
    for manifest in README.split("```yaml\n").skip(1).map(up_to_fence) {
        let step = format!("kubectl apply --dry-run=server --validate=strict -f - <<'EOF'\n{manifest}EOF");
        shell.follow(&step, "").await;
    }

    // Waits until all is gone: that it ends is the promise.
    let away = next();
    shell.follow(&away, "").await;
    assert_eq!(living(&emulator.state().await), 0);
    let left = shell.follow("kubectl get namespaces --output name", "").await;
    assert!(!left.contains("team-a") && !left.contains(HOME), "{left}");
    assert_eq!(steps.next(), None, "a step that nobody followed");
    operator.terminate().await;

    let [way_out] = &blocks(WITHOUT_OPERATOR)[..] else {
        panic!("one way out")
    };
    shell
        .follow(&format!("kubectl create namespace {HOME}"), "")
        .await;
    for step in [organization, workspace] {
        let (declared, _) = step.split_once("kubectl wait").expect("a wait");
        shell.follow(declared, "").await;
    }
    let let_go = way_out.replace(
        r#"{"finalizers":null}"#,
        r#"{"finalizers":["agentengine.airbyte.com/finalizer"]}"#,
    );
    shell.follow(&let_go, "").await;
    let namespaces = format!("kubectl delete namespace team-a {HOME}");
    shell.follow(&format!("{namespaces} --wait=false"), "").await;
    shell.follow(way_out, "").await;
    shell
        .follow(
            &format!("kubectl wait --for=delete namespace/team-a namespace/{HOME} --timeout=60s"),
            "",
        )
        .await;
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where no Pod will ever run, what these say is looked up, and nothing is waited for: the objects are those of the
/// chart, under these names.
fn without_nodes(step: &str) -> String {
    if let Some(logs) = step.strip_prefix("kubectl logs ") {
        let found = logs.replace(" --prefix --tail=-1", " --output=name");
        return format!("kubectl get deployments {} | grep .", found.trim_end());
    }
    let changed = step.replace(" --timeout=2m", " --watch=false");
    assert_ne!(changed, step, "this needs no nodes");
    changed
}

/// A person at a shell, in a folder with the checkout's charts.
struct Shell {
    cluster: Arc<Cluster>,
    folder: PathBuf,
}

impl Shell {
    async fn follow(&self, step: &str, typed: &str) -> String {
        let bin = self.cluster.kubectl_program().parent().expect("its folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = tokio::process::Command::new("bash")
            .args(["-euo", "pipefail", "-c", step])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .env("HOME", &self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("bash runs");
        let mut keyboard = shell.stdin.take().expect("a keyboard");
        // A command that reads nothing has closed it.
        let _ = keyboard.write_all(typed.as_bytes()).await;
        drop(keyboard);
        let output = tokio::time::timeout(2 * LONG, shell.wait_with_output())
            .await
            .unwrap_or_else(|_| panic!("this did not end:\n{step}"))
            .expect("its output");
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "this failed:\n{step}\n{out}{err}");
        out.into_owned()
    }
}

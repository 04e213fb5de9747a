//! The README's commands, followed to the letter with the real Helm and kubectl. No node runs Pods here: a process
//! under the chart's ServiceAccount stands in for the Pod, and an emulator for the account at Agent Engine.

mod support;

use std::{ffi::OsString, fs, os::unix::fs::symlink, path::Path, process::Stdio};

use agent_engine_operator::cli::{Cli, Command};
use support::{CLIENT_ID, Emulator, LONG, Launch, Operator, built, cluster, scratch_file};
use tokio::io::AsyncWriteExt;

const README: &str = include_str!("../README.md");
const HOME: &str = "agent-engine-operator";

/// The marks above blocks of commands, each followed in its own way.
const START: &str = "<!-- quick start -->\n```sh\n";
const WITH_NODES: &str = "<!-- quick start, with nodes -->\n```sh\n";
const WITHOUT_OPERATOR: &str = "<!-- without an operator -->\n```sh\n";
const STAYS: &str = "<!-- stays -->\n```sh\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_of_the_readme_ends_in_a_ready_workspace_and_then_in_nothing_at_all() {
    let emulator = Emulator::start(&[]).await;
    let folder = scratch_file("client_id").parent().expect("a folder").to_owned();
    let _ = fs::remove_file(folder.join("charts"));
    symlink(checkout().join("charts"), folder.join("charts")).expect("the checkout's charts");
    // The chart brings the definitions itself.
    let crds = checkout().join("crds");
    let crds = crds.to_str().unwrap();
    cluster()
        .kubectl(["delete", "--wait", "-f", crds])
        .await
        .success();

    let mut steps = blocks(START).into_iter();
    let mut next = || {
        steps
            .next()
            .expect("a step")
            .replace("https://api.airbyte.ai", emulator.url())
    };
    follow(&next(), "", &folder).await;
    let operator = Operator::start(&Launch::new(&cluster().service_account(HOME, HOME).await, HOME)).await;
    for step in blocks(WITH_NODES) {
        follow(&without_nodes(&step), "", &folder).await;
    }
    // As pasted, with the newline that comes of Enter.
    follow(&next(), &format!("{CLIENT_ID}\n"), &folder).await;
    follow(&next(), &format!("{}\n", emulator.client_secret()), &folder).await;
    follow(&next(), "", &folder).await;
    assert!(!folder.join("client_secret").exists(), "the secret is left lying");
    let organization = next();
    follow(&organization, "", &folder).await;
    let workspace = next();
    let said = follow(&workspace, "", &folder).await;
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
        follow(&step, "", &folder).await;
    }

    // Waits until all is gone: that it ends is the promise.
    let away = next();
    follow(&away, "", &folder).await;
    assert_eq!(living(&emulator.state().await), 0);
    let left = follow("kubectl get namespaces --output name", "", &folder).await;
    assert!(!left.contains("team-a") && !left.contains(HOME), "{left}");
    assert_eq!(steps.next(), None, "a step that nobody followed");
    operator.terminate().await;

    let [way_out] = &blocks(WITHOUT_OPERATOR)[..] else {
        panic!("one way out")
    };
    follow(&format!("kubectl create namespace {HOME}"), "", &folder).await;
    for step in [organization, workspace] {
        let (declared, _) = step.split_once("kubectl wait").expect("a wait");
        follow(declared, "", &folder).await;
    }
    let let_go = way_out.replace(
        r#"{"finalizers":null}"#,
        r#"{"finalizers":["agentengine.airbyte.com/finalizer"]}"#,
    );
    follow(&let_go, "", &folder).await;
    let namespaces = format!("kubectl delete namespace team-a {HOME}");
    follow(&format!("{namespaces} --wait=false"), "", &folder).await;
    follow(way_out, "", &folder).await;
    follow(
        &format!("kubectl wait --for=delete namespace/team-a namespace/{HOME} --timeout=60s"),
        "",
        &folder,
    )
    .await;
}

/// Programs that stay until Ctrl-C: started as written, but for the port, which tests do not share.
#[tokio::test]
async fn the_programs_of_the_readme_that_stay_understand_their_flags() {
    let lines = blocks(STAYS);
    let mut programs = Vec::new();
    for line in &lines {
        let (cargo, arguments) = line.split_once(" -- ").unwrap_or((line, ""));
        let arguments = arguments.split_whitespace();
        if cargo.contains("--bin agent-engine-emulator") {
            let mut emulator = tokio::process::Command::new(built("agent-engine-emulator"))
                .args(arguments)
                .args(["--listen", "127.0.0.1:0"])
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            let mut line = String::new();
            let output = emulator.stdout.take().unwrap();
            let mut output = tokio::io::BufReader::new(output);
            tokio::io::AsyncBufReadExt::read_line(&mut output, &mut line)
                .await
                .unwrap();
            assert!(line.starts_with("agent-engine-emulator listening on"), "{line}");
            programs.push("emulator");
        } else {
            let arguments: Vec<_> = ["agent-engine-operator"]
                .into_iter()
                .chain(arguments)
                .map(OsString::from)
                .collect();
            let command = Cli::read(&arguments, None);
            assert!(
                matches!(&command, Ok(Command::Run(settings, _)) if settings.operator_namespace == HOME),
                "{command:?}"
            );
            programs.push("operator");
        }
    }
    assert_eq!(programs, ["emulator", "operator"]);
    let help = std::process::Command::new(built("agent-engine-emulator"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for default in ["127.0.0.1:8000", "emulated-client"] {
        assert!(help.contains(default) && README.contains(default), "{default}");
    }
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What stands between the fences after each of these marks.
fn blocks(mark: &str) -> Vec<String> {
    let blocks = README.split(mark).skip(1);
    let blocks: Vec<_> = blocks.map(up_to_fence).map(str::to_owned).collect();
    assert!(!blocks.is_empty(), "no block has this mark: {mark}");
    blocks
}

fn up_to_fence(text: &str) -> &str {
    text.split("```").next().expect("a fence")
}

/// Where no Pod will ever run, what these say is looked up, and nothing is waited for: the objects are those of the
/// chart, under these names.
fn without_nodes(step: &str) -> String {
    let changed = step
        .replace(" --timeout=2m", " --watch=false")
        .replace("kubectl logs ", "kubectl get ");
    assert_ne!(changed, step, "this needs no nodes");
    changed
}

/// As a person at a shell, in a folder with the checkout's charts.
async fn follow(step: &str, typed: &str, folder: &Path) -> String {
    let bin = cluster().kubectl_program().parent().expect("its folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = tokio::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", step])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("KUBECONFIG", cluster().kubeconfig())
        .env("HOME", folder)
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

//! However a cluster with a node comes to its end, the machine is as it was.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ground::Ground,
    support::{LONG, cluster_program, eventually},
};

/// Starts a cluster with a node, in a folder that tells its processes from all others.
fn start(dir: &Path) -> Child {
    let mut process = Command::new(cluster_program())
        .args(["up", "--json", "--node", "--dir"])
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("its output"))
        .read_line(&mut line)
        .expect("its line");
    assert!(
        line.contains("kubeconfig"),
        "a cluster; what went wrong is said above"
    );
    assert!(!processes(dir).is_empty());
    process
}

/// Processes that name the folder, each by its command.
fn processes(dir: &Path) -> Vec<String> {
    let dir = dir.to_str().expect("text").to_owned();
    let commands = fs::read_dir("/proc").expect("processes").flatten();
    commands
        .filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok())
        .filter(|command| command.contains(&dir))
        .collect()
}

/// What a node adds to the machine beside processes.
fn traces() -> Vec<String> {
    let names = |folder: &str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|name| name.starts_with("engine-node") || name.starts_with("agent-engine-node"))
            .collect::<Vec<_>>()
    };
    let cgroups = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let cgroups = cgroups.filter_map(|entry| entry.path().to_str().map(names));
    names("/sys/class/net")
        .into_iter()
        .chain(names("/sys/fs/cgroup"))
        .chain(cgroups.flatten())
        .collect()
}

#[tokio::test]
#[ignore = "needs a node: make e2e"]
async fn a_node_leaves_nothing_even_when_its_cluster_is_killed() {
    if Ground::of_this_run() == Ground::Given {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (killed, interrupted) = (folder.path().join("killed"), folder.path().join("interrupted"));
    let mut process = start(&killed);
    process.kill().unwrap();
    process.wait().unwrap();
    eventually("the kernel to end the node", LONG, || async {
        let left = processes(&killed);
        left.is_empty().then_some(()).ok_or(left.join("\n"))
    })
    .await;

    // The next one takes away the control groups of the one that was killed.
    let mut process = start(&interrupted);
    let second = Command::new(cluster_program())
        .args(["up", "--node"])
        .stdin(Stdio::piped())
        .output()
        .unwrap();
    let refusal = String::from_utf8_lossy(&second.stderr);
    assert!(
        !second.status.success() && refusal.contains("one node runs at a time"),
        "{refusal}"
    );
    let pid = Pid::from_raw(process.id().cast_signed()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert!(process.wait().unwrap().success());
    assert_eq!(processes(&interrupted), Vec::<String>::new());
    eventually("the wire to go", LONG, || async {
        let left = traces();
        left.is_empty().then_some(()).ok_or(left.join("\n"))
    })
    .await;
}

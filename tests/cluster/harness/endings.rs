//! However a cluster, or a supervised process, comes to its end, nothing of it is left behind.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use tokio::sync::MutexGuard;

use crate::support::{SHORT, Supervised, cluster_program, eventually, one_more_cluster, scratch_file};

/// Processes whose command line holds `text`.
fn processes_with(text: &str) -> Vec<String> {
    let listing = Command::new("ps")
        .args(["-A", "-ww", "-o", "pid=,args="])
        .output()
        .unwrap();
    let listing = String::from_utf8(listing.stdout).unwrap();
    listing
        .lines()
        .filter(|line| line.contains(text))
        .map(str::to_owned)
        .collect()
}

/// A cluster besides the shared one, to be ended in one way or another.
struct Doomed {
    process: Child,
    dir: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Doomed {
    /// Its three parts run; it lives as long as the other end of `held`.
    async fn up(held: Stdio) -> Self {
        let turn = one_more_cluster().await;
        let mut command = Command::new(cluster_program());
        let mut process = command
            .args(["up", "--json"])
            .stdin(held)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("its line");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("a cluster");
        let dir = PathBuf::from(ready["dir"].as_str().expect("its folder"));
        let parts = processes_with(dir.to_str().expect("its folder"));
        assert_eq!(
            parts.len(),
            3,
            "etcd, kube-apiserver and kube-controller-manager, not {parts:?}"
        );
        Self {
            process,
            dir,
            _turn: turn,
        }
    }

    fn parts(&self) -> Vec<String> {
        processes_with(self.dir.to_str().expect("its folder"))
    }

    fn ends_and_leaves_nothing(mut self) {
        assert!(self.process.wait().expect("its end").success());
        assert_eq!(self.parts(), Vec::<String>::new());
        assert!(!self.dir.exists(), "{} is still there", self.dir.display());
    }
}

/// Neither a process nor a file.
#[tokio::test]
async fn a_cluster_whose_holder_is_killed_leaves_nothing() {
    // Nobody else has the other end of the cluster's standard input.
    let mut holder = Command::new("sleep")
        .arg("600")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let doomed = Doomed::up(holder.stdout.take().unwrap().into()).await;
    holder.kill().unwrap();
    holder.wait().unwrap();
    doomed.ends_and_leaves_nothing();
}

#[tokio::test]
async fn an_interrupted_cluster_leaves_no_process_and_no_file() {
    let doomed = Doomed::up(Stdio::piped()).await;
    let pid = Pid::from_raw(doomed.process.id().cast_signed()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    doomed.ends_and_leaves_nothing();
}

#[tokio::test]
async fn a_cluster_without_standard_input_says_why_it_ends() {
    let mut command = tokio::process::Command::new(cluster_program());
    let said = command.arg("up").stdin(Stdio::null()).output().await.unwrap();
    let error = String::from_utf8(said.stderr).unwrap();
    assert!(said.status.success(), "{error}");
    assert!(error.starts_with("standard input is closed: ending"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_cluster_whose_supervisor_is_killed_leaves_no_process() {
    let mut doomed = Doomed::up(Stdio::piped()).await;
    doomed.process.kill().unwrap();
    doomed.process.wait().unwrap();
    eventually("the kernel to end the cluster", SHORT, || async {
        let left = doomed.parts();
        if left.is_empty() {
            Ok(())
        } else {
            Err(left.join("\n"))
        }
    })
    .await;
    std::fs::remove_dir_all(&doomed.dir).unwrap();
}

#[tokio::test]
async fn a_supervised_process_obeys_and_ends_with_its_holder() {
    // Lengths that nobody else sleeps, not even another run of this test, tell the three apart.
    let [terminated, killed, held] =
        [1, 2, 3].map(|n| (u64::from(std::process::id()) * 10 + 1_000_000_000 + n).to_string());
    let sleep = |seconds: String| async move {
        let program = std::path::Path::new("/bin/sleep");
        let log = scratch_file("sleep.log");
        Supervised::start("sleep", program, [seconds.as_str()], [("A", "B")], log).await
    };
    let sleeping = |seconds: &str| processes_with(&format!("sleep {seconds}"));

    assert_eq!(sleep(terminated.clone()).await.terminate().await, 128 + 15);
    assert_eq!(sleeping(&terminated), Vec::<String>::new());

    sleep(killed.clone()).await.kill().await;
    assert_eq!(sleeping(&killed), Vec::<String>::new());

    let process = sleep(held.clone()).await;
    let asleep = sleeping(&held);
    assert_eq!(
        asleep.iter().filter(|line| !line.contains("supervise")).count(),
        1
    );
    drop(process);
    eventually("the process to end with its holder", SHORT, || async {
        let left = sleeping(&held);
        if left.is_empty() {
            Ok(())
        } else {
            Err(left.join("\n"))
        }
    })
    .await;
}

#[tokio::test]
async fn a_machine_that_can_have_no_node_is_told_what_it_lacks() {
    let program = cluster_program();
    let empty = scratch_file("empty").with_file_name("nowhere");
    let asked = Command::new(program).arg("machine").env("PATH", empty).output();
    let asked = asked.expect("the program starts");
    assert!(!asked.status.success());
    let said = String::from_utf8_lossy(&asked.stderr);
    for part in ["no node can run", "containerd", "iptables", "apt-get install"] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}

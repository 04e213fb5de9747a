//! The processes of Pods as this machine sees them, for what no API does to a Pod: stop it, kill it, cut its wire. Only on a node
//! of our own.

use std::{fs, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// What a name in `/proc/<pid>/comm` is cut to.
const LONGEST_NAME: usize = 15;

pub fn signal(pod_uid: &str, program: &str, signal: Signal) {
    let pid = i32::try_from(of(pod_uid, program)).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), signal).expect("the process is there");
}

/// Whether requests of a Pod come to the API server.
#[derive(Clone, Copy)]
pub enum Wire {
    Cut,
    Whole,
}

/// Drops what the Pod sends to the API server without a word, as a broken network does. The kubelet still reaches the Pod.
pub async fn wire(pod_uid: &str, api_service: &str, wire: Wire) {
    let change = match wire {
        Wire::Cut => "--insert",
        Wire::Whole => "--delete",
    };
    // The first process of a Pod outlives its containers.
    let namespace = format!("--net=/proc/{}/ns/net", of(pod_uid, "pause"));
    let status = tokio::process::Command::new("nsenter")
        .args([&namespace, "--", "iptables", change, "OUTPUT"])
        .args(["--destination", api_service, "--jump", "DROP"])
        .stdin(Stdio::null())
        .status()
        .await;
    assert!(
        status.expect("nsenter").success(),
        "the rule is not in the Pod's network"
    );
}

fn of(pod_uid: &str, program: &str) -> u32 {
    let program = &program[..program.len().min(LONGEST_NAME)];
    let pod = format!("pod{pod_uid}");
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| {
        let read = |what: &str| fs::read_to_string(format!("/proc/{pid}/{what}")).unwrap_or_default();
        read("comm").trim() == program && read("cgroup").contains(&pod)
    })
    .unwrap_or_else(|| panic!("no process {program} of the Pod {pod_uid}"))
}

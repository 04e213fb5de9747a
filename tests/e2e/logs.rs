//! Keeps the logs of Pods, those too that are gone when somebody reads them.

use std::{collections::HashSet, fs::File, path::PathBuf, process::Stdio, time::Duration};

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, ResourceExt, api::ListParams};
use tokio::{process::Command, task::JoinSet};

use crate::support::scratch_file;

const POLL: Duration = Duration::from_millis(500);

/// How to reach the cluster by kubectl.
#[derive(Clone)]
pub struct Kubectl {
    pub program: PathBuf,
    pub kubeconfig: PathBuf,
}

/// Follows each container of each Pod in the namespaces into a file of its own, as long as the task lives.
pub fn follow(client: &Client, kubectl: &Kubectl, namespaces: &'static [&'static str]) -> JoinSet<()> {
    let mut following = JoinSet::new();
    let (client, kubectl) = (client.clone(), kubectl.clone());
    let folder = scratch_file("pods").with_extension("logs");
    // Those of the run before.
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).expect("a folder for logs");
    following.spawn(async move {
        let mut known = HashSet::new();
        let mut tails = Vec::new();
        loop {
            for namespace in namespaces {
                let pods = Api::<Pod>::namespaced(client.clone(), namespace);
                let Ok(pods) = pods.list(&ListParams::default()).await else {
                    continue;
                };
                for (name, start) in pods.items.iter().filter_map(started) {
                    if !known.insert((name.clone(), start)) {
                        continue;
                    }
                    let file = File::create(folder.join(format!("{name}-{start}.log"))).expect("a log file");
                    let tail = Command::new(&kubectl.program)
                        .args(["logs", "--follow", "--namespace", namespace, &name])
                        .env("KUBECONFIG", &kubectl.kubeconfig)
                        .stdin(Stdio::null())
                        .stdout(file.try_clone().expect("a log file"))
                        .stderr(file)
                        .kill_on_drop(true)
                        .spawn();
                    tails.push(tail.expect("kubectl"));
                }
            }
            tokio::time::sleep(POLL).await;
        }
    });
    following
}

/// The Pod's name and how often its container was started again, once it runs.
fn started(pod: &Pod) -> Option<(String, i32)> {
    let container = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
    container.state.as_ref()?.running.as_ref()?;
    Some((pod.name_any(), container.restart_count))
}

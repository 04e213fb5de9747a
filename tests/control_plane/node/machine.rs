//! What a machine must have for a node. Changes nothing.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::cgroups;

const PROGRAMS: [&str; 8] = [
    "containerd",
    "ctr",
    "runc",
    "iptables",
    "ip",
    "unshare",
    "ldd",
    "tar",
];
const INSTALL: &str = "apt-get install -y --no-install-recommends containerd runc iptables iproute2 containernetworking-plugins";
/// Where distributions put them.
const PLUGIN_FOLDERS: [&str; 3] = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];
const PLUGINS: [&str; 2] = ["ptp", "host-local"];

/// What is not as it must be, each as a line for people; empty where a node can run.
pub fn lacking() -> Vec<String> {
    if !cfg!(target_os = "linux") {
        return vec!["it runs on Linux only".to_owned()];
    }
    let mut lacking = Vec::new();
    if !rustix::process::geteuid().is_root() {
        lacking.push("it must be started by root".to_owned());
    }
    let missing: Vec<_> = PROGRAMS.into_iter().filter(|name| !is_installed(name)).collect();
    if !missing.is_empty() {
        lacking.push(format!(
            "{} cannot be found; on Debian and Ubuntu: {INSTALL}",
            missing.join(", ")
        ));
    }
    if network_plugins().is_none() {
        lacking.push(format!(
            "the network plugins {} are in none of {}; on Debian and Ubuntu: {INSTALL}",
            PLUGINS.join(" and "),
            PLUGIN_FOLDERS.join(", ")
        ));
    }
    lacking.extend(cgroups::lacking());
    if lacking.is_empty() && !namespaces_can_be_made() {
        lacking.push("`unshare --net --mount --pid --uts --fork` is refused".to_owned());
    }
    lacking
}

/// The folder that holds what connects Pods.
pub fn network_plugins() -> Option<&'static Path> {
    let mut folders = PLUGIN_FOLDERS.into_iter().map(Path::new);
    folders.find(|folder| PLUGINS.iter().all(|name| folder.join(name).is_file()))
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder: PathBuf| folder.join(program).is_file())
}

fn namespaces_can_be_made() -> bool {
    Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--uts", "--fork", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

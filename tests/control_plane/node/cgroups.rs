//! The control groups below which all of a node's Pods run, of both versions of the kernel's interface.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

const MOUNT: &str = "/sys/fs/cgroup";
const PREFIX: &str = "agent-engine-node-";

/// Named after this process, so that those of one that was killed are known as such.
pub struct Cgroups {
    name: String,
}

impl Cgroups {
    pub fn create() -> anyhow::Result<Self> {
        for name in abandoned() {
            drop(Self { name });
        }
        let cgroups = Self {
            name: format!("{PREFIX}{}", std::process::id()),
        };
        for hierarchy in hierarchies() {
            let folder = hierarchy.join(&cgroups.name);
            fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        Ok(cgroups)
    }

    /// As the kubelet names it.
    pub fn path(&self) -> String {
        format!("/{}", self.name)
    }

    /// Whether none is left.
    pub fn remove(&self) -> bool {
        let remove = |hierarchy: PathBuf| remove_empty(&hierarchy.join(&self.name));
        hierarchies().into_iter().map(remove).filter(|gone| !gone).count() == 0
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        self.remove();
    }
}

/// What keeps Pods from being held to limits here, if anything does.
pub fn lacking() -> Option<String> {
    if is_unified() {
        let controllers = fs::read_to_string(format!("{MOUNT}/cgroup.subtree_control")).unwrap_or_default();
        let lacks: Vec<_> = ["cpu", "cpuset", "memory", "pids"]
            .into_iter()
            .filter(|wanted| !controllers.split_whitespace().any(|there| there == *wanted))
            .collect();
        return (!lacks.is_empty())
            .then(|| format!("{MOUNT}/cgroup.subtree_control lacks {}", lacks.join(", ")));
    }
    let there = ["cpu", "memory", "pids"].map(|name| Path::new(MOUNT).join(name).is_dir());
    (there != [true; 3]).then(|| format!("control groups of cpu, memory and pids are not mounted at {MOUNT}"))
}

/// One tree for all controllers, instead of one for each.
fn is_unified() -> bool {
    Path::new(MOUNT).join("cgroup.controllers").exists()
}

fn hierarchies() -> Vec<PathBuf> {
    if is_unified() {
        return vec![MOUNT.into()];
    }
    let folders = fs::read_dir(MOUNT).into_iter().flatten().flatten();
    folders
        // Some are a second name of another.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Those of processes that are gone.
fn abandoned() -> Vec<String> {
    let names = hierarchies().into_iter().flat_map(|hierarchy| {
        let folders = fs::read_dir(hierarchy).into_iter().flatten().flatten();
        folders.filter_map(|entry| entry.file_name().into_string().ok())
    });
    let is_abandoned = |name: &String| {
        name.strip_prefix(PREFIX)
            .is_some_and(|pid| !Path::new("/proc").join(pid).exists())
    };
    names.filter(is_abandoned).collect()
}

/// Whether nothing is left of it. The kernel removes none that has a process.
fn remove_empty(cgroup: &Path) -> bool {
    let inner = fs::read_dir(cgroup).into_iter().flatten().flatten();
    for entry in inner.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove_empty(&entry.path());
    }
    fs::remove_dir(cgroup).is_ok() || !cgroup.exists()
}

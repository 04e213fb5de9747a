//! Whose cluster the story plays on: one with a node of our own, or one that somebody gives us, such as kind's.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::support::{Cluster, target};

/// The kubeconfig of a cluster that is given, and the command that brings an image's file to it.
const KUBECONFIG: &str = "E2E_KUBECONFIG";
const LOAD: &str = "E2E_LOAD";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Its processes are this machine's, so that they can be stopped, killed and cut off.
    OwnNode,
    Given,
}

impl Ground {
    pub fn of_this_run() -> Self {
        match given() {
            None => Self::OwnNode,
            Some(_) => Self::Given,
        }
    }

    /// Life of scoped tokens; 20 minutes at the real API. A token is renewed after two thirds of it, and a kubelet takes a minute and
    /// a half to bring a new one to its Pod, where none told it to be quick.
    pub fn token_life(self) -> Duration {
        match self {
            Self::OwnNode => Duration::from_secs(180),
            Self::Given => Duration::from_secs(360),
        }
    }

    /// For the whole story.
    pub fn deadline(self) -> Duration {
        self.token_life() * 5
    }

    /// A cluster without anything of ours but these images.
    pub fn cluster(self, images: &[PathBuf]) -> Cluster {
        let Some(kubeconfig) = given() else {
            return own(images);
        };
        if let Some(load) = env::var_os(LOAD) {
            for image in images {
                // As a shell reads it, the file last.
                let mut shell = Command::new("sh");
                shell.arg("-c").arg("$LOAD \"$0\"").env("LOAD", &load).arg(image);
                let loaded = shell.status().expect("a shell");
                assert!(loaded.success(), "{LOAD} fails for {}", image.display());
            }
        }
        Cluster::given(&kubeconfig)
    }
}

fn given() -> Option<PathBuf> {
    let kubeconfig = env::var_os(KUBECONFIG).filter(|path| !path.is_empty())?;
    Some(PathBuf::from(kubeconfig))
}

fn own(images: &[PathBuf]) -> Cluster {
    // Stays after the story, for a person to read.
    let dir = target().join("e2e/cluster");
    if Path::new(&dir).exists() {
        std::fs::remove_dir_all(&dir).expect("the folder of the run before goes");
    }
    let mut flags = vec!["--node".into(), "--dir".into(), dir.into_os_string()];
    for image in images {
        flags.extend(["--image".into(), image.clone().into_os_string()]);
    }
    Cluster::bare(flags)
}

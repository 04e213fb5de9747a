//! Finds each program: `KUBEBUILDER_ASSETS`, then our cache, then a build with Go.

use std::{
    env,
    fs::File,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::ValueEnum;

use crate::{go_build, pins::Pins};

/// The folder that `setup-envtest use -p path` prints.
const ASSETS: &str = "KUBEBUILDER_ASSETS";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Etcd,
    KubeApiserver,
    KubeControllerManager,
    Kubectl,
    Helm,
}

/// What may be asked for on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Wanted {
    All,
    Etcd,
    KubeApiserver,
    KubeControllerManager,
    Kubectl,
    Helm,
}

/// How a program is built.
pub struct Recipe {
    pub pins: Pins,
    pub package: &'static str,
    /// The module whose version is the program's.
    pub module: &'static str,
    /// On a small machine with nothing in Go's build cache, in the order of [`Tool::ALL`], which share most packages.
    pub usual: Duration,
}

impl Tool {
    /// The largest first, so that the others find its packages compiled.
    pub const ALL: [Self; 5] = [
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::Kubectl,
        Self::Etcd,
        Self::Helm,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        }
    }

    pub fn recipe(self) -> Recipe {
        let (pins, package, module, seconds) = match self {
            Self::KubeApiserver => (
                Pins::Kubernetes,
                "k8s.io/kubernetes/cmd/kube-apiserver",
                "k8s.io/kubernetes",
                300,
            ),
            Self::KubeControllerManager => (
                Pins::Kubernetes,
                "k8s.io/kubernetes/cmd/kube-controller-manager",
                "k8s.io/kubernetes",
                90,
            ),
            Self::Kubectl => (
                Pins::Kubernetes,
                "k8s.io/kubernetes/cmd/kubectl",
                "k8s.io/kubernetes",
                40,
            ),
            Self::Etcd => (
                Pins::Kubernetes,
                "go.etcd.io/etcd/server/v3",
                "go.etcd.io/etcd/server/v3",
                20,
            ),
            Self::Helm => (Pins::Helm, "helm.sh/helm/v4/cmd/helm", "helm.sh/helm/v4", 150),
        };
        Recipe {
            pins,
            package,
            module,
            usual: Duration::from_secs(seconds),
        }
    }

    /// Where the program is, after building it if need be.
    pub async fn path(self) -> anyhow::Result<PathBuf> {
        let assets = env::var_os(ASSETS)
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from);
        if let Some(found) = assets
            .as_deref()
            .map(|folder| folder.join(self.name()))
            .filter(|path| path.is_file())
        {
            return Ok(found);
        }
        let recipe = self.recipe();
        let cached = cache()?.join(format!(
            "{}-{}",
            self.name(),
            recipe.pins.version_of(recipe.module)?
        ));
        if !cached.is_file() {
            if let Some(folder) = &assets {
                eprintln!(
                    "{ASSETS}={} holds no {}; building our own",
                    folder.display(),
                    self.name()
                );
            }
            self.build_once(&recipe, &cached)
                .await
                .with_context(|| self.how_to_get(assets.as_deref(), &cached))?;
        }
        Ok(cached)
    }

    /// Builds under a lock, since several test runs may want the same program at once.
    async fn build_once(self, recipe: &Recipe, to: &Path) -> anyhow::Result<()> {
        let lock = File::create(to.with_added_extension("lock"))?;
        if lock.try_lock().is_err() {
            eprintln!("waiting for {}, which another process is building", self.name());
            let waiting = lock.try_clone()?;
            tokio::task::spawn_blocking(move || waiting.lock()).await??;
        }
        if to.is_file() {
            return Ok(());
        }
        go_build::build(self.name(), recipe, to).await
    }

    fn how_to_get(self, assets: Option<&Path>, cached: &Path) -> String {
        let name = self.name();
        let assets = match assets {
            Some(folder) => format!("{ASSETS} is {}, without {name}", folder.display()),
            None => format!("{ASSETS} is not set"),
        };
        format!(
            "{name} is missing. There are three ways to get it:\n\
             - install Go 1.26 or newer (https://go.dev/dl), and it is built and cached by itself;\n\
             - set {ASSETS} to a folder that holds it ({assets});\n\
             - put it at {}.\n\
             The build failed",
            cached.display()
        )
    }
}

/// Prints a line `name path` for each wanted program.
pub async fn print(wanted: &[Wanted]) -> anyhow::Result<ExitCode> {
    for tool in Tool::ALL {
        if wanted.iter().any(|wanted| wanted.includes(tool)) {
            println!("{} {}", tool.name(), tool.path().await?.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Wanted {
    fn includes(self, tool: Tool) -> bool {
        match self {
            Self::All => true,
            Self::Etcd => tool == Tool::Etcd,
            Self::KubeApiserver => tool == Tool::KubeApiserver,
            Self::KubeControllerManager => tool == Tool::KubeControllerManager,
            Self::Kubectl => tool == Tool::Kubectl,
            Self::Helm => tool == Tool::Helm,
        }
    }
}

/// The folder of built programs, shared by all checkouts of one user.
fn cache() -> anyhow::Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .context("no cache folder: set XDG_CACHE_HOME or HOME")?;
    let folder = base.join("agent-engine-operator/tools");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

//! `cluster up`: starts the parts in order, says when they are ready, and ends them all.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    future::Future,
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use futures::future::select_all;
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::UdpSocket;

use crate::{
    control_plane::{self, AUDIT_POLICY},
    credentials::{Credentials, USERS},
    end::{Caller, End, Word},
    node::{self, Node},
    part::Part,
    ports::HeldPort,
    ready::Ready,
    tools::Tools,
};

/// Generous: a busy machine is not a broken one.
const START_DEADLINE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);

const ETCD: &str = "etcd";
const KUBE_APISERVER: &str = "kube-apiserver";

#[derive(clap::Args)]
pub struct Options {
    /// Keep the cluster's files here: a new or empty folder, which stays when the cluster ends. Unset: a temporary one, removed at the end.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Apply the CRDs in this folder before the garbage collector learns what kinds there are.
    #[arg(long, value_name = "DIR")]
    crds: Option<PathBuf>,
    /// Turn on these admission plugins of the API server beside its own, such as OpenShift's.
    #[arg(long, value_name = "NAMES")]
    admission: Option<String>,
    /// Start a node too, on which Pods run. Needs root, and what `cluster machine` says is missing.
    #[arg(long, conflicts_with = "lean")]
    node: bool,
    /// Give the node this image, a file as `docker save` writes it. May be given again.
    #[arg(long = "image", value_name = "FILE", requires = "node")]
    images: Vec<PathBuf>,
    /// Do without Helm, and with a kubectl that is installed already if its version fits.
    #[arg(long)]
    lean: bool,
    /// Print one line of JSON instead of text for people.
    #[arg(long)]
    json: bool,
}

pub async fn up(options: Options) -> anyhow::Result<ExitCode> {
    let mut caller = Caller::listen()?;
    let folder = Folder::new(options.dir.as_deref())?;
    let mut cluster = Cluster::default();
    let started = tokio::select! {
        end = caller.end() => Ok(Some(end)),
        ready = cluster.start(folder.path(), &options) => {
            ready.and_then(|ready| announce(&ready, &options)).map(|()| None)
        }
    };
    let ended = match started {
        Ok(None) => cluster.run(folder.path(), &mut caller).await,
        Ok(Some(end)) => Ok(end),
        Err(error) => Err(error),
    };
    let outcome = ended.map(|end| {
        if end == End::InputClosed && !options.json {
            eprintln!(
                "standard input is closed: ending. The cluster runs as long as it is open, or until Ctrl-C"
            );
        }
        ExitCode::SUCCESS
    });
    for part in cluster.parts.drain(..) {
        part.kill().await;
    }
    if let Some(node) = cluster.node.take() {
        node.remove().await?;
    }
    folder.remove()?;
    outcome
}

impl Options {
    /// As `tools/build` calls them.
    fn programs(&self) -> &'static str {
        match (self.node, self.lean) {
            (true, _) => "node",
            (false, true) => "demo",
            (false, false) => "all",
        }
    }
}

enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn new(wanted: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = wanted else {
            return Ok(Self::Temporary(TempDir::with_prefix("cluster-")?));
        };
        fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        ensure!(
            fs::read_dir(path)?.next().is_none(),
            "{} is not empty; name a new folder",
            path.display()
        );
        Ok(Self::Kept(path.canonicalize()?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }

    fn remove(self) -> anyhow::Result<()> {
        match self {
            Self::Temporary(folder) => Ok(folder.close()?),
            Self::Kept(_) => Ok(()),
        }
    }
}

#[derive(Default)]
struct Cluster {
    parts: Vec<Part>,
    /// Held as long as the cluster runs.
    ports: Vec<HeldPort>,
    /// Program, arguments and folder for the log of the parts that may be started again.
    commands: HashMap<&'static str, (PathBuf, Vec<OsString>, PathBuf)>,
    node: Option<Node>,
}

impl Cluster {
    /// Runs until the end, or until something breaks. The lines `save`, `restore`, `freeze` and `thaw` are obeyed, and said
    /// again when done.
    async fn run(&mut self, dir: &Path, caller: &mut Caller) -> anyhow::Result<End> {
        loop {
            let word = tokio::select! {
                word = caller.next() => word,
                error = first_end(&mut self.parts) => return Err(error),
            };
            match word {
                Word::End(end) => return Ok(end),
                Word::Line(line) => {
                    match line.trim() {
                        "save" => self.save(dir).await?,
                        "restore" => self.restore(dir).await?,
                        "freeze" => self.signal(KUBE_APISERVER, Signal::STOP)?,
                        "thaw" => self.signal(KUBE_APISERVER, Signal::CONT)?,
                        _ => continue,
                    }
                    writeln!(std::io::stdout(), "{line}").context("nobody listens")?;
                }
            }
        }
    }

    /// Copies the storage, as a backup would.
    async fn save(&mut self, dir: &Path) -> anyhow::Result<()> {
        self.stop(&[ETCD]).await;
        copy_folder(&dir.join("etcd"), &dir.join("saved")).await?;
        self.begin(&[ETCD])
    }

    /// Puts the copy in the storage's place: its revision is an older one from now on.
    async fn restore(&mut self, dir: &Path) -> anyhow::Result<()> {
        self.stop(&[KUBE_APISERVER, ETCD]).await;
        fs::remove_dir_all(dir.join("etcd"))?;
        copy_folder(&dir.join("saved"), &dir.join("etcd")).await?;
        self.begin(&[ETCD, KUBE_APISERVER])
    }

    /// A stopped part closes no connection and answers none.
    fn signal(&self, name: &str, signal: Signal) -> anyhow::Result<()> {
        let part = self.parts.iter().find(|part| part.name() == name);
        part.context("a part that runs")?.signal(signal)
    }

    async fn stop(&mut self, names: &[&str]) {
        let (going, staying) = self
            .parts
            .drain(..)
            .partition(|part| names.contains(&part.name()));
        self.parts = staying;
        let going: Vec<Part> = going;
        for part in going {
            part.kill().await;
        }
    }

    fn begin(&mut self, names: &[&'static str]) -> anyhow::Result<()> {
        for name in names {
            let (program, arguments, logs) = self.commands.get(name).context("a part that was started")?;
            self.parts
                .push(Part::start(name, program, arguments.clone(), logs)?);
        }
        Ok(())
    }

    async fn start(&mut self, dir: &Path, options: &Options) -> anyhow::Result<Ready> {
        let tools = Tools::find(options.programs()).await?;
        let logs = dir.join("logs");
        fs::create_dir(&logs)?;
        let api = if options.node {
            let (node, part) = Node::begin(dir, &tools.get("kubelet")?, &logs).await?;
            self.parts.push(part);
            self.node = Some(node);
            HeldPort::at(node::host_address()?)?
        } else {
            HeldPort::any()?
        };
        self.ports = vec![HeldPort::any()?, HeldPort::any()?, api];
        let [etcd_clients, etcd_peers, api] = &self.ports[..] else {
            bail!("three ports are needed")
        };
        let api_url = api.url("https");
        let credentials = Credentials::write(dir, &api_url)?;
        let audit_policy = dir.join("audit-policy.yaml");
        fs::write(&audit_policy, AUDIT_POLICY)?;
        let audit_log = logs.join("audit.log");

        let arguments = control_plane::etcd(&dir.join("etcd"), etcd_clients, etcd_peers);
        self.commands
            .insert(ETCD, (tools.get(ETCD)?, arguments, logs.clone()));
        let mut arguments =
            control_plane::kube_apiserver(dir, etcd_clients, api, &credentials, (&audit_policy, &audit_log));
        let admission = options.admission.as_ref();
        arguments.extend(admission.map(|names| format!("--enable-admission-plugins={names}").into()));
        if options.node {
            arguments.extend(control_plane::kube_apiserver_with_node(&credentials));
        }
        self.commands.insert(
            KUBE_APISERVER,
            (tools.get(KUBE_APISERVER)?, arguments, logs.clone()),
        );
        self.begin(&[ETCD, KUBE_APISERVER])?;

        let client = client(&credentials.admin_kubeconfig).await?;
        self.wait_for("the API server to be ready", || async {
            let request = http::Request::get("/readyz").body(Vec::new())?;
            client.request_text(request).await?;
            Ok(())
        })
        .await?;

        let kubectl = tools.get("kubectl")?;
        if let Some(crds) = &options.crds {
            apply_crds(&kubectl, &credentials.admin_kubeconfig, crds).await?;
        }
        let mut arguments = control_plane::kube_controller_manager(&credentials);
        if options.node {
            arguments.extend(control_plane::kube_controller_manager_with_node());
        }
        let name = "kube-controller-manager";
        self.parts
            .push(Part::start(name, &tools.get(name)?, arguments, &logs)?);
        self.wait_for("the controllers to work", || async {
            Api::<ServiceAccount>::namespaced(client.clone(), "default")
                .get("default")
                .await?;
            Api::<ConfigMap>::namespaced(client.clone(), "default")
                .get("kube-root-ca.crt")
                .await?;
            Ok(())
        })
        .await?;

        if options.node {
            self.start_node(&tools, &credentials, options, &logs, &client)
                .await?;
        }

        let bin = dir.join("bin");
        fs::create_dir(&bin)?;
        symlink(kubectl, bin.join("kubectl"))?;
        if !options.lean {
            symlink(tools.get("helm")?, bin.join("helm"))?;
        }
        Ok(Ready {
            kubeconfig: credentials.admin_kubeconfig,
            api_url,
            ca_file: credentials.ca_file,
            audit_log,
            users_dir: credentials.users_dir,
            users: USERS,
            kubectl: bin.join("kubectl"),
            helm: bin.join("helm"),
            dir: dir.to_owned(),
        })
    }

    /// Lets the node run, with what it needs beside the control plane.
    async fn start_node(
        &mut self,
        tools: &Tools,
        credentials: &Credentials,
        options: &Options,
        logs: &Path,
        client: &Client,
    ) -> anyhow::Result<()> {
        let name = "kube-scheduler";
        let arguments = control_plane::kube_scheduler(credentials);
        self.parts
            .push(Part::start(name, &tools.get(name)?, arguments, logs)?);
        let names = UdpSocket::bind((node::host_address()?, 0)).await?;
        let ([_, _, api], Some(node)) = (&self.ports[..], &self.node) else {
            bail!("a node begins before the control plane")
        };
        let kubeconfig = &credentials.kubelet_kubeconfig;
        node.go(api, kubeconfig, &credentials.ca_file, &options.images, &names)
            .await?;
        tokio::spawn(node::serve_names(names, client.clone()));
        self.wait_for("the node to be ready", || async {
            let nodes = Api::<k8s_openapi::api::core::v1::Node>::all(client.clone());
            let node = nodes.get(node::NAME).await?;
            ensure!(is_ready(&node), "{:?}", node.status);
            Ok(())
        })
        .await
    }

    /// Until `look` succeeds, a part ends or the deadline passes.
    async fn wait_for<F, Fut>(&mut self, what: &str, look: F) -> anyhow::Result<()>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = anyhow::Result<()>>,
    {
        let mut last = None;
        let looking = async {
            while let Err(error) = look().await {
                last = Some(error);
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            () = looking => return Ok(()),
            error = first_end(&mut self.parts) => return Err(error),
            () = tokio::time::sleep(START_DEADLINE) => {}
        }
        let last = last.unwrap_or_else(|| anyhow::anyhow!("no answer"));
        Err(last).with_context(|| format!("waited {} s for {what}", START_DEADLINE.as_secs()))
    }
}

fn is_ready(node: &k8s_openapi::api::core::v1::Node) -> bool {
    let conditions = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions
        .into_iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

async fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied = tokio::process::Command::new("cp")
        .arg("-r")
        .arg(from)
        .arg(to)
        .status()
        .await?;
    ensure!(
        copied.success(),
        "cannot copy {} to {}",
        from.display(),
        to.display()
    );
    Ok(())
}

async fn first_end(parts: &mut [Part]) -> anyhow::Error {
    select_all(parts.iter_mut().map(|part| Box::pin(part.ended())))
        .await
        .0
}

async fn client(kubeconfig: &Path) -> anyhow::Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    // Loopback is reached without one.
    config.proxy_url = None;
    Ok(Client::try_from(config)?)
}

async fn apply_crds(kubectl: &Path, kubeconfig: &Path, crds: &Path) -> anyhow::Result<()> {
    let deadline = format!("--timeout={}s", START_DEADLINE.as_secs());
    let commands = [
        &["apply", "--server-side", "-f"][..],
        &["wait", "--for=condition=Established", &deadline, "-f"],
    ];
    for arguments in commands {
        let output = tokio::process::Command::new(kubectl)
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(arguments)
            .arg(crds)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "the CRDs in {} were refused:\n{said}",
            crds.display()
        );
    }
    Ok(())
}

fn announce(ready: &Ready, options: &Options) -> anyhow::Result<()> {
    let text = if options.json {
        serde_json::to_string(ready)?
    } else {
        format!(
            "A Kubernetes cluster runs at {}. In another terminal:\n\n  export KUBECONFIG={}\n  export PATH={}:$PATH\n\n\
             Logs: {}\nPress Ctrl-C here, or close standard input, to end it.",
            ready.api_url,
            ready.kubeconfig.display(),
            ready.dir.join("bin").display(),
            ready.dir.join("logs").display(),
        )
    };
    writeln!(std::io::stdout(), "{text}").context("nobody listens")
}

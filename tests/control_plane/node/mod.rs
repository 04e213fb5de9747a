//! A node of a cluster's own: containerd and a kubelet in namespaces of their own, which end with their first process and
//! take all that ran in them with them. The machine keeps nothing but empty control groups, which are removed.

mod cgroups;
pub mod image;
mod machine;
mod names;
mod settings;

use std::{
    ffi::OsString,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use tokio::{
    net::UdpSocket,
    process::Command,
    signal::unix::{SignalKind, signal},
    time::Instant,
};

use crate::{part::Part, ports::HeldPort};
use cgroups::Cgroups;
use image::Image;

pub use machine::lacking;
pub use names::serve as serve_names;

/// Its name, in the cluster and as a host.
pub const NAME: &str = "node";
/// The machine's end of the wire to the node: where Pods reach the API server.
pub const HOST_ADDRESS: &str = "10.200.0.1";
const NODE_ADDRESS: &str = "10.200.0.2";
const POD_ADDRESSES: &str = "10.244.0.0/24";
/// The first address of the control plane's range of Services.
pub const API_SERVICE: &str = "10.96.0.1";
const NAME_SERVICE: &str = "10.96.0.10";
/// The machine's end of the wire, so named that it is seen whose it is.
const WIRE: &str = "engine-node";
const PAUSE_IMAGE: &str = "localhost/pause:1";
const INIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/control_plane/node/init");

const DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

pub struct Node {
    dir: PathBuf,
    cgroups: Cgroups,
    /// The first process in the namespaces, which end with it.
    first: u32,
}

impl Node {
    /// Makes the namespaces and the wire to them. Nothing runs there yet.
    pub async fn begin(dir: &Path, kubelet: &Path, logs: &Path) -> anyhow::Result<(Self, Part)> {
        let lacking = lacking();
        ensure!(
            lacking.is_empty(),
            "no node can run on this machine:\n - {}",
            lacking.join("\n - ")
        );
        let dir = dir.join("node");
        for folder in ["lib", "log", "images", "sysctl"] {
            fs::create_dir_all(dir.join(folder))?;
        }
        let cgroups = Cgroups::create()?;
        let mut arguments: Vec<OsString> = ["--net", "--mount", "--pid", "--uts", "--fork", "--kill-child"]
            .map(OsString::from)
            .to_vec();
        arguments.extend([
            "--mount-proc".into(),
            INIT.into(),
            dir.clone().into(),
            kubelet.into(),
        ]);
        let part = Part::start("node", Path::new("unshare"), arguments, logs)?;
        let pid = part.pid().context("the node ended")?;
        wait_for("the node's namespaces", || {
            let of = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
            of(&pid.to_string()).is_some_and(|node| Some(node) != of("self"))
        })
        .await?;
        wait_for("the node's first process", || first_process(pid).is_some()).await?;
        let first = first_process(pid).context("the node ended")?;
        // The wire of an earlier node is gone a moment after that node.
        wait_for("an earlier node's wire to go", || {
            !Path::new("/sys/class/net").join(WIRE).exists()
        })
        .await
        .context("one node runs at a time on a machine")?;
        let of_node = pid.to_string();
        ip(&[
            "link", "add", WIRE, "type", "veth", "peer", "name", "eth0", "netns", &of_node,
        ])
        .await?;
        ip(&["address", "add", &format!("{HOST_ADDRESS}/30"), "dev", WIRE]).await?;
        ip(&["link", "set", WIRE, "up"]).await?;
        ip(&["route", "add", POD_ADDRESSES, "via", NODE_ADDRESS]).await?;
        let node = Self { dir, cgroups, first };
        Ok((node, part))
    }

    /// Writes what the node's programs read, and lets them start, with these images beside the one that each Pod needs.
    pub async fn go(
        &self,
        api: &HeldPort,
        kubeconfig: &Path,
        ca: &Path,
        images: &[PathBuf],
        names: &UdpSocket,
    ) -> anyhow::Result<()> {
        let pause = std::env::current_exe()?;
        Image {
            names: &[PAUSE_IMAGE],
            program: &pause,
            place: "/pause",
            user: "65535:65535",
            entrypoint: &["/pause", "pause"],
            command: &[],
        }
        .write(&self.dir.join("images/pause.tar"))?;
        for image in images {
            let name = image.file_name().context("an image's file")?;
            fs::copy(image, self.dir.join("images").join(name))
                .with_context(|| format!("no image at {}", image.display()))?;
        }
        let plugins = machine::network_plugins().context("the network's plugins")?;
        settings::write(&self.dir, plugins, &self.cgroups, kubeconfig, ca)?;
        let names = names.local_addr()?.port();
        let addresses = format!(
            "node_name={NAME}\nnode_address={NODE_ADDRESS}\nhost_address={HOST_ADDRESS}\n\
             api_service={API_SERVICE}\napi_port={}\nname_service={NAME_SERVICE}\nname_port={names}\n",
            api.number()
        );
        let aside = self.dir.join("go.part");
        fs::write(&aside, addresses)?;
        fs::rename(aside, self.dir.join("go"))?;
        Ok(())
    }

    /// Returns when no process and no control group of a node that was told to end is left.
    pub async fn remove(self) -> anyhow::Result<()> {
        wait_for("the node's processes to end", || {
            !Path::new("/proc").join(self.first.to_string()).exists()
        })
        .await?;
        wait_for("the node's control groups to be empty", || self.cgroups.remove()).await?;
        // What is kept is for people.
        fs::remove_dir_all(self.dir.join("lib"))?;
        Ok(())
    }
}

/// The child of `unshare`, which is process 1 in the node.
fn first_process(pid: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

pub fn host_address() -> anyhow::Result<Ipv4Addr> {
    Ok(HOST_ADDRESS.parse()?)
}

/// Returns at a signal, for otherwise the first process of a Pod obeys none.
pub async fn pause() -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
    Ok(ExitCode::SUCCESS)
}

/// `ip`, which must succeed.
async fn ip(arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("ip")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "ip {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

async fn wait_for(what: &str, holds: impl Fn() -> bool) -> anyhow::Result<()> {
    let until = Instant::now() + DEADLINE;
    while !holds() {
        ensure!(
            Instant::now() < until,
            "waited {} s for {what}",
            DEADLINE.as_secs()
        );
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

//! What the programs of a node read. Every line is there for a reason, told where it is no plain one.

use std::{fs, path::Path};

use serde_json::json;

use super::{NAME_SERVICE, NODE_ADDRESS, PAUSE_IMAGE, POD_ADDRESSES, cgroups::Cgroups};

/// Writes them into the node's folder.
pub fn write(
    dir: &Path,
    plugins: &Path,
    cgroups: &Cgroups,
    kubeconfig: &Path,
    ca: &Path,
) -> anyhow::Result<()> {
    let cni = dir.join("cni");
    fs::create_dir_all(&cni)?;
    fs::write(dir.join("containerd.toml"), containerd(plugins, &cni))?;
    fs::write(cni.join("10-pods.conflist"), network().to_string())?;
    fs::write(dir.join("kubelet.json"), kubelet(cgroups, ca).to_string())?;
    fs::copy(kubeconfig, dir.join("kubelet.kubeconfig"))?;
    Ok(())
}

fn containerd(plugins: &Path, cni: &Path) -> String {
    format!(
        "version = 2\n\
         [plugins.\"io.containerd.grpc.v1.cri\"]\n\
         sandbox_image = \"{PAUSE_IMAGE}\"\n\
         # A machine may refuse to lower it, even to root.\n\
         restrict_oom_score_adj = true\n\
         [plugins.\"io.containerd.grpc.v1.cri\".cni]\n\
         bin_dir = \"{}\"\n\
         conf_dir = \"{}\"\n",
        plugins.display(),
        cni.display()
    )
}

/// A wire of its own for each Pod: a bridge would need modules of the kernel.
fn network() -> serde_json::Value {
    json!({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [{
            "type": "ptp", "ipMasq": false, "mtu": 1400,
            "ipam": {
                "type": "host-local", "ranges": [[{"subnet": POD_ADDRESSES}]], "routes": [{"dst": "0.0.0.0/0"}],
            },
        }],
    })
}

fn kubelet(cgroups: &Cgroups, ca: &Path) -> serde_json::Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": false,
        "failSwapOn": false,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups.path(),
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "address": NODE_ADDRESS,
        "healthzPort": 0,
        "oomScoreAdj": 0,
        "clusterDNS": [NAME_SERVICE],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
        "volumePluginDir": "/var/lib/kubelet/volumeplugins",
        // Mounted Secrets follow theirs within so long, instead of a minute: tokens of tests are short-lived.
        "syncFrequency": "5s",
        // Images come from nowhere: one that is collected cannot be had again.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "0%", "nodefs.inodesFree": "0%",
            "imagefs.available": "0%", "imagefs.inodesFree": "0%",
        },
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": ca},
        },
        "authorization": {"mode": "Webhook"},
    })
}

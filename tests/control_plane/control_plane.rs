//! The command lines of a cluster's parts. Starts nothing.

use std::{ffi::OsString, path::Path};

use crate::{credentials::Credentials, ports::HeldPort};

/// Every request is counted; a request's arrival says nothing that its end does not.
pub const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
";

/// What tests and the chart need: owners, namespaces, service accounts and Deployments; no nodes.
const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
    serviceaccount-token-controller,clusterrole-aggregation-controller,deployment-controller,\
    replicaset-controller,root-ca-certificate-publisher-controller";

const ISSUER: &str = "https://kubernetes.default.svc";

/// What a node needs beside them.
const NODE_CONTROLLERS: &str = "node-lifecycle-controller,taint-eviction-controller,\
    pod-garbage-collector-controller,endpointslice-controller,disruption-controller";

/// Flags as `--name=value`.
#[derive(Default)]
struct Flags(Vec<OsString>);

impl Flags {
    fn set(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        let mut flag = OsString::from(format!("--{name}="));
        flag.push(value.as_ref());
        self.0.push(flag);
        self
    }
}

pub fn etcd(data: &Path, clients: &HeldPort, peers: &HeldPort) -> Vec<OsString> {
    let (clients, peers) = (clients.url("http"), peers.url("http"));
    Flags::default()
        .set("data-dir", data)
        .set("listen-client-urls", &clients)
        .set("advertise-client-urls", &clients)
        .set("listen-peer-urls", &peers)
        .set("initial-advertise-peer-urls", &peers)
        .set("initial-cluster", format!("default={peers}"))
        .set("socket-reuse-port", "true")
        // A cluster never outlives a crash of its machine.
        .set("unsafe-no-fsync", "true")
        .set("log-level", "error")
        .0
}

pub fn kube_apiserver(
    dir: &Path,
    etcd: &HeldPort,
    port: &HeldPort,
    credentials: &Credentials,
    (audit_policy, audit_log): (&Path, &Path),
) -> Vec<OsString> {
    Flags::default()
        .set("etcd-servers", etcd.url("http"))
        .set("bind-address", port.address().to_string())
        .set("secure-port", port.number().to_string())
        // Nobody comes from another machine; a machine without a network works too.
        .set("advertise-address", port.address().to_string())
        .set("endpoint-reconciler-type", "none")
        .set("permit-port-sharing", "true")
        .set("cert-dir", dir.join("pki"))
        .set("tls-cert-file", &credentials.server_certificate)
        .set("tls-private-key-file", &credentials.server_key)
        .set(
            "service-account-key-file",
            &credentials.service_account_public_key,
        )
        .set(
            "service-account-signing-key-file",
            &credentials.service_account_key,
        )
        .set("service-account-issuer", ISSUER)
        .set("api-audiences", ISSUER)
        .set("service-cluster-ip-range", "10.96.0.0/24")
        .set("authorization-mode", "RBAC")
        .set("token-auth-file", &credentials.token_file)
        .set("allow-privileged", "true")
        .set("audit-policy-file", audit_policy)
        .set("audit-log-path", audit_log)
        // In MB: never rotated, or counts would lack what was moved aside.
        .set("audit-log-maxsize", "100000")
        .0
}

pub fn kube_controller_manager(credentials: &Credentials) -> Vec<OsString> {
    Flags::default()
        .set("kubeconfig", &credentials.controller_manager_kubeconfig)
        .set(
            "service-account-private-key-file",
            &credentials.service_account_key,
        )
        .set("root-ca-file", &credentials.ca_file)
        .set("use-service-account-credentials", "true")
        .set("leader-elect", "false")
        .set("controllers", CONTROLLERS)
        // It serves nothing that anybody asks for.
        .set("secure-port", "0")
        .0
}

/// More flags of an API server with a node. A list grows by a second flag of its name.
pub fn kube_apiserver_with_node(credentials: &Credentials) -> Vec<OsString> {
    let (certificate, key) = &credentials.kubelet_client;
    Flags::default()
        .set("client-ca-file", &credentials.ca_file)
        .set("kubelet-client-certificate", certificate)
        .set("kubelet-client-key", key)
        .set("kubelet-preferred-address-types", "InternalIP")
        .set("authorization-mode", "Node")
        .set("enable-admission-plugins", "NodeRestriction")
        .0
}

pub fn kube_controller_manager_with_node() -> Vec<OsString> {
    Flags::default().set("controllers", NODE_CONTROLLERS).0
}

pub fn kube_scheduler(credentials: &Credentials) -> Vec<OsString> {
    Flags::default()
        .set("kubeconfig", &credentials.scheduler_kubeconfig)
        .set("leader-elect", "false")
        .set("secure-port", "0")
        .0
}

//! How the operator was told to run: one value, checked once. Reads neither environment nor files.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

/// All settings of a running operator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Where Organizations and their credentials live.
    pub operator_namespace: String,
    /// Where Workspaces are looked after.
    pub watch: Watch,
    /// Address of probes and metrics. Port 0: one that is free.
    pub listen: SocketAddr,
    /// Reconciles that may run at once.
    pub concurrency: NonZeroUsize,
    /// How long running reconciles may take to finish after a request to stop.
    pub drain_timeout: Duration,
    /// How long one reconcile may take before it is given up.
    pub reconcile_timeout: Duration,
}

/// The namespaces in which Workspaces are looked after.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Watch {
    All,
    /// At least one.
    Only(BTreeSet<String>),
}

impl Watch {
    /// Whether Workspaces of a namespace are looked after.
    pub fn includes(&self, namespace: &str) -> bool {
        match self {
            Watch::All => true,
            Watch::Only(names) => names.contains(namespace),
        }
    }
}

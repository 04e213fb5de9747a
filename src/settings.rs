//! All settings of a run: one value, checked once. Reads neither environment nor files.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::leadership::Terms;

/// All settings of a running operator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Namespace of Organizations and their credentials.
    pub operator_namespace: String,
    /// Where Workspaces are reconciled.
    pub watch: Watch,
    /// Address of probes and metrics. Port 0: any free port.
    pub listen: SocketAddr,
    /// Reconciles that may run at once.
    pub concurrency: NonZeroUsize,
    /// How long to wait for running reconciles after a signal to stop.
    pub drain_timeout: Duration,
    /// How long one reconcile may take before it is cancelled.
    pub reconcile_timeout: Duration,
    pub lease: LeaseSettings,
}

/// The Lease by which one of several processes leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeaseSettings {
    /// Of the Lease, in the operator's namespace.
    pub name: String,
    /// Of this process. A process of the same identity is taken for dead.
    pub identity: String,
    pub terms: Terms,
}

/// The namespaces in which Workspaces are reconciled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Watch {
    All,
    /// At least one.
    Only(BTreeSet<String>),
}

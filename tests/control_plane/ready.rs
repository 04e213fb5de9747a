//! What `cluster up --json` prints when the cluster is ready, in one line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// Of an administrator (group `system:masters`).
    pub kubeconfig: PathBuf,
    pub api_url: String,
    pub ca_file: PathBuf,
    /// One JSON object a line, `audit.k8s.io/v1`, level Metadata, for every request.
    pub audit_log: PathBuf,
    /// Holds `user-000.kubeconfig` and so on, one for each of `users`; they may do nothing until bound to a role.
    pub users_dir: PathBuf,
    pub users: usize,
    pub kubectl: PathBuf,
    /// Absent where it was started without.
    pub helm: PathBuf,
    /// Everything above, and `logs/`.
    pub dir: PathBuf,
}

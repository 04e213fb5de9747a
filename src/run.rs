//! A running operator: connects, serves probes, runs the controllers, and stops when told to.

use crate::settings::Settings;

/// Why the operator could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the kubeconfig or the Pod's service account cannot be used: {0}")]
    Config(#[from] kube::config::InferConfigError),
    #[error("no client for the Kubernetes API could be made: {0}")]
    Client(#[from] kube::Error),
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(_settings: Settings) -> Result<(), RunError> {
    Ok(())
}

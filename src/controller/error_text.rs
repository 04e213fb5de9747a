//! Errors of the Kubernetes API as text that may be shown.

use crate::engine::Redactor;

/// The same text for the same cause, so that a condition that repeats it does not change.
pub(super) fn error_text(error: &kube::Error) -> String {
    redacted(error, &Redactor::default())
}

/// The API server, or an admission webhook, writes the message of a refusal, and may quote the refused object in it.
pub(super) fn redacted(error: &kube::Error, redactor: &Redactor) -> String {
    match error {
        kube::Error::Api(status) => redactor.redact(&format!("{} {}", status.reason, status.message)),
        _ => "no answer from the Kubernetes API".to_owned(),
    }
}

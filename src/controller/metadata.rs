//! Deletion, finalizer and request, as the metadata of both kinds shows them.

use kube::ResourceExt;

use crate::crd::metadata_keys;
use crate::crd::schema::status::LONGEST_TEXT;
use crate::domain::object::{Deletion, Finalizer};

/// Whether the deletion of the object was requested.
pub(super) fn deletion(object: &impl ResourceExt) -> Deletion {
    match object.meta().deletion_timestamp {
        Some(_) => Deletion::Requested,
        None => Deletion::NotRequested,
    }
}

/// Whether our finalizer holds the object.
pub(super) fn finalizer(object: &impl ResourceExt) -> Finalizer {
    if object
        .finalizers()
        .iter()
        .any(|held| held == metadata_keys::FINALIZER)
    {
        Finalizer::Present
    } else {
        Finalizer::Absent
    }
}

/// The reconcile that a user requested. The status, which echoes it, has no room for more; a user may write a quarter of a MiB.
pub(super) fn reconcile_request(object: &impl ResourceExt) -> Option<String> {
    let request = object.annotations().get(metadata_keys::RECONCILE_AT)?;
    Some(request.chars().take(LONGEST_TEXT).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::reconcile_request;
    use crate::crd::schema::status::LONGEST_TEXT;
    use crate::crd::{Organization, Workspace, metadata_keys};

    #[test]
    fn of_a_request_no_more_counts_than_a_status_can_echo() {
        for character in ["x", "\u{1f600}"] {
            let annotations = json!({metadata_keys::RECONCILE_AT: character.repeat(60_000)});
            let metadata = json!({"name": "acme", "annotations": annotations});
            let workspace: Workspace =
                serde_json::from_value(json!({"metadata": metadata, "spec": {"name": "Acme"}})).unwrap();
            let organization: Organization = serde_json::from_value(
                json!({"metadata": metadata, "spec": {"credentialsSecretRef": {"name": "credential"}}}),
            )
            .unwrap();
            for request in [reconcile_request(&workspace), reconcile_request(&organization)] {
                assert_eq!(request, Some(character.repeat(LONGEST_TEXT)));
            }
        }
    }
}

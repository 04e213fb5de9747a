//! Deletion and finalizer, as the metadata of both kinds shows them.

use kube::ResourceExt;

use crate::crd::metadata_keys;
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

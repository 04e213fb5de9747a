//! Facts about any Kubernetes object of ours.

/// Whether the object's deletion was requested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deletion {
    NotRequested,
    Requested,
}

/// Whether our finalizer is on the object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finalizer {
    Absent,
    Present,
}

//! The object that a log line is about.

use std::fmt;

use kube::Resource;
use kube::runtime::reflector::ObjectRef;
use tracing::Span;

/// Shown as `workspace team-a/acme`: every log line about an object begins with this.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Subject {
    kind: String,
    namespace: String,
    name: String,
}

impl Subject {
    pub(super) fn of<K: Resource<DynamicType = ()>>(object: &K) -> Self {
        Self::referenced(&ObjectRef::from_obj(object))
    }

    pub(super) fn referenced<K: Resource>(object: &ObjectRef<K>) -> Self
    where
        K::DynamicType: Clone,
    {
        Self {
            kind: K::kind(&object.dyntype).to_lowercase(),
            namespace: object.namespace.clone().unwrap_or_default(),
            name: object.name.clone(),
        }
    }

    /// The fields of all log lines of a reconcile. A filter such as `[reconcile{name=acme}]=debug` selects one object. At the
    /// level `error`, because a filter that drops a span drops its fields from the warnings and errors within it.
    pub(super) fn span(&self) -> Span {
        tracing::error_span!(
            "reconcile",
            kind = self.kind,
            namespace = self.namespace,
            name = self.name
        )
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
        } = self;
        write!(f, "{kind} {namespace}/{name}")
    }
}

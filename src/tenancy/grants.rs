//! What a namespace may use of an organisation. Nothing listed: nothing granted.

use std::collections::BTreeMap;

use crate::api::ids::WorkspaceName;
use crate::api::organization::{AccessEntry, Ceiling};

/// What one namespace may use of one organisation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    entries: Vec<AccessEntry>,
}

/// What a granted name comes with. Effective: nothing is unset any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    pub adoption: Ceiling,
    pub deletion: Ceiling,
}

impl Access {
    /// Grants nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// The entries that speak of this namespace.
    pub fn resolve(entries: &[AccessEntry], namespace: &str, _labels: &BTreeMap<String, String>) -> Self {
        let of_namespace = |entry: &&AccessEntry| entry.namespaces.names.iter().any(|n| n == namespace);
        Self {
            entries: entries.iter().filter(of_namespace).cloned().collect(),
        }
    }

    /// None: not granted.
    pub fn grant(&self, name: &WorkspaceName) -> Option<Grant> {
        let entry = self
            .entries
            .iter()
            .find(|e| e.workspace_names.iter().any(|p| p == name.as_str()))?;
        Some(Grant {
            adoption: entry.adoption.unwrap_or(Ceiling::Forbidden),
            deletion: entry.deletion.unwrap_or(Ceiling::Allowed),
        })
    }
}

/// The entry to ask an administrator for, as YAML of `spec.access[]`, on one line.
pub fn entry_to_ask_for(namespace: &str, name: &WorkspaceName) -> String {
    format!(
        "{{namespaces: {{names: [{namespace:?}]}}, workspaceNames: [{:?}]}}",
        name.as_str()
    )
}

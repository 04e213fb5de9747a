//! The token Secrets of all watched namespaces, by name and by owner. Plain values; no token is in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::facts::KeptSecret;
use crate::api::ids::Uid;
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::view::{Ownership, SecretFacts, Secrets};

/// Namespace and name.
type Key = (String, String);

/// What the watch of our label has shown.
#[derive(Debug, Default)]
pub(super) struct SecretIndex {
    kept: HashMap<Key, KeptSecret>,
    of_owner: HashMap<Uid, BTreeSet<Key>>,
}

impl SecretIndex {
    /// Returns what was known of it before.
    pub(super) fn put(&mut self, secret: KeptSecret) -> Option<KeptSecret> {
        let key = (secret.namespace.clone(), secret.name.clone());
        let before = self.remove(&key);
        if let Some(owner) = &secret.controller {
            self.of_owner
                .entry(owner.clone())
                .or_default()
                .insert(key.clone());
        }
        self.kept.insert(key, secret);
        before
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<KeptSecret> {
        let secret = self.kept.remove(key)?;
        if let Some(owner) = &secret.controller
            && let Some(keys) = self.of_owner.get_mut(owner)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.of_owner.remove(owner);
            }
        }
        Some(secret)
    }

    /// The names in a namespace, or in all.
    pub(super) fn keys(&self, namespace: Option<&str>) -> BTreeSet<Key> {
        self.kept
            .keys()
            .filter(|key| namespace.is_none_or(|namespace| key.0 == namespace))
            .cloned()
            .collect()
    }

    /// Whether a Secret is controlled by that uid.
    pub(super) fn is_controlled_by(&self, namespace: &str, name: &str, uid: &Uid) -> bool {
        let key = (namespace.to_owned(), name.to_owned());
        self.kept
            .get(&key)
            .is_some_and(|secret| secret.controller.as_ref() == Some(uid))
    }

    /// The schedule of a Secret that is known.
    pub(super) fn times(&self, namespace: &str, name: &str) -> Option<TokenTimes> {
        self.kept.get(&(namespace.to_owned(), name.to_owned()))?.times
    }

    /// When the first of all tokens ends.
    pub(super) fn first_expiry(&self) -> Option<Timestamp> {
        self.kept
            .values()
            .filter_map(|secret| Some(secret.times?.expires_at))
            .min()
    }

    /// The Secrets around one Workspace.
    pub(super) fn around(&self, uid: &Uid, namespace: &str, workspace: &str, target: &str) -> Secrets {
        let key = (namespace.to_owned(), target.to_owned());
        let facts = |secret: &KeptSecret| facts(secret, uid, workspace);
        Secrets {
            target: self.kept.get(&key).map(facts),
            others: self
                .of_owner
                .get(uid)
                .into_iter()
                .flatten()
                .filter(|other| **other != key && other.0 == namespace)
                .filter_map(|other| self.kept.get(other))
                .map(facts)
                .collect(),
        }
    }
}

/// A Secret as one Workspace sees it. Ours: controlled by our uid, or controlled by nobody and labelled for us.
pub(super) fn facts(secret: &KeptSecret, uid: &Uid, workspace: &str) -> SecretFacts {
    let ownership = match (&secret.controller, &secret.labelled_for) {
        (Some(owner), _) if owner == uid => Ownership::Ours,
        (None, Some(name)) if name == workspace => Ownership::Orphaned,
        (Some(_) | None, _) => Ownership::Foreign,
    };
    SecretFacts {
        name: secret.name.clone(),
        resource_version: secret.resource_version.clone(),
        ownership,
        content: secret.content.clone(),
        times: secret.times,
        labels: secret.labels.clone(),
        annotations: BTreeMap::clone(&secret.annotations),
    }
}

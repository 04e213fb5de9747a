//! The token Secrets of all watched namespaces, by name and by owner. A plain value without tokens.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::reduced_secret::ReducedSecret;
use crate::domain::ids::Uid;
use crate::lifecycle::facts::{Ownership, SecretFacts, Secrets};
use crate::lifecycle::schedule::TokenTimes;

/// Namespace and name.
type Key = (String, String);

/// The Secrets that the watch of our label has shown.
#[derive(Debug, Default)]
pub(super) struct SecretIndex {
    kept: HashMap<Key, ReducedSecret>,
    of_owner: HashMap<Uid, BTreeSet<Key>>,
}

impl SecretIndex {
    /// Returns the version before.
    pub(super) fn put(&mut self, secret: ReducedSecret) -> Option<ReducedSecret> {
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

    /// Whether this version is older than what is known of the Secret. Resource versions of one kind are ordered (KEP-5504).
    pub(super) fn is_ahead_of(&self, secret: &ReducedSecret) -> bool {
        let key = (secret.namespace.clone(), secret.name.clone());
        let version = |secret: &ReducedSecret| secret.resource_version.parse::<u64>().ok();
        self.kept
            .get(&key)
            .and_then(version)
            .zip(version(secret))
            .is_some_and(|(known, this)| this < known)
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<ReducedSecret> {
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

    /// The keys in a namespace, or in all.
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

    /// When the token of a Secret was issued, and when it ends.
    pub(super) fn times(&self, namespace: &str, name: &str) -> Option<TokenTimes> {
        self.kept.get(&(namespace.to_owned(), name.to_owned()))?.times
    }

    /// When the first token of these Workspaces ends. A user may label and date any Secret, so others do not count.
    pub(super) fn first_expiry(&self, workspaces: &HashSet<Uid>) -> Option<Timestamp> {
        let is_theirs = |secret: &&ReducedSecret| {
            let controller = secret.controller.as_ref();
            controller.is_some_and(|uid| workspaces.contains(uid))
        };
        self.kept
            .values()
            .filter(is_theirs)
            .filter_map(|secret| Some(secret.times?.expires_at))
            .min()
    }

    /// The Secrets around one Workspace.
    pub(super) fn around(&self, uid: &Uid, namespace: &str, workspace: &str, target: &str) -> Secrets {
        let key = (namespace.to_owned(), target.to_owned());
        let facts = |secret: &ReducedSecret| facts(secret, uid, workspace);
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

/// A Secret as one Workspace sees it. It is ours if our uid controls it; orphaned if it has our label and no controller.
pub(super) fn facts(secret: &ReducedSecret, uid: &Uid, workspace: &str) -> SecretFacts {
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
        patchable: secret.patchable,
        labels: secret.labels.clone(),
        annotations: secret.annotations.clone(),
        kept: secret.kept,
        decoration_mark: secret.decoration_mark,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::api::core::v1::Secret;
    use serde_json::{Value, json};

    use super::*;
    use crate::crd::metadata_keys;

    fn kept(name: &str, controller: &str, expires_at: &str) -> ReducedSecret {
        let owner =
            json!({"apiVersion": "v1", "kind": "Any", "name": "any", "uid": controller, "controller": true});
        let annotations: BTreeMap<_, Value> = [
            (metadata_keys::TOKEN_ISSUED_AT, json!("2026-11-22T12:00:00Z")),
            (metadata_keys::TOKEN_EXPIRES_AT, json!(expires_at)),
            (
                metadata_keys::LAST_APPLIED,
                json!("{\"data\":{\"token\":\"canary\"}}"),
            ),
        ]
        .into();
        let metadata = json!({
            "name": name, "namespace": "tenant", "annotations": annotations, "ownerReferences": [owner],
        });
        let secret: Secret = serde_json::from_value(json!({"metadata": metadata})).unwrap();
        ReducedSecret::of(&secret)
    }

    #[test]
    fn only_tokens_of_workspaces_count_for_the_first_that_ends() {
        let mut index = SecretIndex::default();
        index.put(kept("ours", "w", "2026-11-22T12:20:00Z"));
        index.put(kept("anybodys", "somebody", "1970-01-01T00:00:00Z"));
        let first = index.first_expiry(&HashSet::from(["w".into()]));
        assert_eq!(first, Some("2026-11-22T12:20:00Z".parse().unwrap()));
    }

    /// A user may write any owner into a Secret.
    #[test]
    fn a_secret_of_another_namespace_is_none_of_its_own() {
        let mut index = SecretIndex::default();
        index.put(kept("acme-token", "w", "2026-11-22T12:20:00Z"));
        let uid = "w".into();
        let around = index.around(&uid, "elsewhere", "acme", "acme-token");
        assert_eq!((around.target, around.others), (None, Vec::new()));
        assert!(!index.is_controlled_by("elsewhere", "acme-token", &uid));
        assert!(
            index
                .around(&uid, "tenant", "acme", "acme-token")
                .target
                .is_some()
        );
    }

    /// Our label says what its author wants; the controller decides.
    #[test]
    fn a_labelled_secret_of_another_controller_is_foreign() {
        let labelled = |controller: Option<&str>| ReducedSecret {
            labelled_for: Some("acme".to_owned()),
            controller: controller.map(Into::into),
            ..kept("acme-token", "any", "2026-11-22T12:20:00Z")
        };
        for (controller, ownership) in [
            (Some("another"), Ownership::Foreign),
            (None, Ownership::Orphaned),
            (Some("w"), Ownership::Ours),
        ] {
            let mut index = SecretIndex::default();
            index.put(labelled(controller));
            let around = index.around(&"w".into(), "tenant", "acme", "acme-token");
            assert_eq!(around.target.unwrap().ownership, ownership, "{controller:?}");
            assert_eq!(around.others, Vec::new());
        }
        let mut index = SecretIndex::default();
        index.put(labelled(None));
        let around = index.around(&"w".into(), "tenant", "globex", "acme-token");
        assert_eq!(
            around.target.unwrap().ownership,
            Ownership::Foreign,
            "another object's label"
        );
    }

    /// A watch that lags shows them after our own write.
    #[test]
    fn an_event_older_than_what_is_known_is_told() {
        let version = |version: &str| ReducedSecret {
            resource_version: version.to_owned(),
            ..kept("ours", "w", "2026-11-22T12:20:00Z")
        };
        let mut index = SecretIndex::default();
        assert!(!index.is_ahead_of(&version("9")), "nothing is known");
        index.put(version("17"));
        for (shown, older) in [
            ("9", true),
            ("16", true),
            ("17", false),
            ("18", false),
            ("", false),
        ] {
            assert_eq!(index.is_ahead_of(&version(shown)), older, "{shown:?}");
        }
    }

    /// It may repeat the content.
    #[test]
    fn the_last_applied_manifest_is_dropped() {
        assert!(kept("ours", "w", "2026-11-22T12:20:00Z").annotations.is_empty());
    }
}

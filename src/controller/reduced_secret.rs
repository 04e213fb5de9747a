//! Token Secrets without their tokens: what the operator keeps of a Secret, and the fingerprint of its content.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use sha2::{Digest, Sha256};

use crate::crd::metadata_keys;
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::lifecycle::facts::{Content, Kept, Patchable, SecretContent, kept_value};
use crate::lifecycle::schedule::TokenTimes;

/// The keys of a token Secret.
pub(super) const KEYS: [&str; 6] = [
    "api_url",
    "expires_at",
    "organization_id",
    "token",
    "workspace_id",
    "workspace_name",
];

/// The type of a token Secret.
pub(super) const SECRET_TYPE: &str = "Opaque";

/// The most bytes of labels and annotations that are kept of one Secret.
const KEPT_BYTES: usize = 32 * 1024;

/// The longest key of the content that is kept. Longer ones are none of ours.
const LONGEST_CONTENT: usize = 2048;

/// Enough of a Secret to judge it, and no token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ReducedSecret {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) resource_version: String,
    pub(super) controller: Option<Uid>,
    /// The Workspace that our label names.
    pub(super) labelled_for: Option<String>,
    pub(super) content: Content,
    pub(super) times: Option<TokenTimes>,
    pub(super) patchable: Patchable,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) kept: Kept,
    pub(super) decoration_mark: Option<u64>,
}

impl ReducedSecret {
    /// Reduces a Secret; the caller drops it with its token.
    pub(super) fn of(secret: &Secret) -> Self {
        let annotations = secret.annotations();
        let controller = secret
            .owner_references()
            .iter()
            .find(|owner| owner.controller == Some(true));
        let mut room = Room::default();
        let labels = room.keep(secret.labels());
        let annotations_kept = room.keep(
            annotations
                .iter()
                .filter(|(key, _)| !is_ours(key) && *key != metadata_keys::LAST_APPLIED),
        );
        Self {
            namespace: secret.namespace().unwrap_or_default(),
            name: secret.name_any(),
            resource_version: secret.resource_version().unwrap_or_default(),
            controller: controller.map(|owner| Uid::new(&owner.uid)),
            labelled_for: secret.labels().get(metadata_keys::WORKSPACE_LABEL).cloned(),
            content: content(secret),
            times: times(annotations),
            patchable: patchable(secret),
            labels,
            annotations: annotations_kept,
            kept: room.kept,
            decoration_mark: annotations
                .get(metadata_keys::DECORATION_MARK)
                .and_then(|mark| u64::from_str_radix(mark, 16).ok()),
        }
    }
}

/// The room for labels and annotations. Users may put hundreds of KiB on any Secret that carries our label.
struct Room {
    left: usize,
    kept: Kept,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            left: KEPT_BYTES,
            kept: Kept::All,
        }
    }
}

impl Room {
    /// Our own keys first, then as many as there is room for.
    fn keep<'a>(
        &mut self,
        all: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> BTreeMap<String, String> {
        let (ours, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(key, _)| is_kept_first(key));
        let mut kept = BTreeMap::new();
        for (key, value) in ours.into_iter().chain(others) {
            let value = kept_value(value);
            match self.left.checked_sub(key.len() + value.len()) {
                Some(left) => {
                    self.left = left;
                    kept.insert(key.clone(), value.into_owned());
                }
                None => self.kept = Kept::Part,
            }
        }
        kept
    }
}

fn is_kept_first(key: &str) -> bool {
    is_ours(key) || key == metadata_keys::MANAGED_BY_LABEL || key == metadata_keys::NO_BACKUP_LABEL
}

/// The API server changes neither the content of an immutable Secret nor the type of any.
fn patchable(secret: &Secret) -> Patchable {
    let of_our_type = secret.type_.as_deref().is_none_or(|kind| kind == SECRET_TYPE);
    if of_our_type && secret.immutable != Some(true) {
        Patchable::Yes
    } else {
        Patchable::No
    }
}

fn is_ours(key: &str) -> bool {
    key.starts_with(metadata_keys::OURS)
}

fn times(annotations: &BTreeMap<String, String>) -> Option<TokenTimes> {
    let at = |key| annotations.get(key)?.parse::<Timestamp>().ok();
    Some(TokenTimes {
        issued_at: at(metadata_keys::TOKEN_ISSUED_AT)?,
        expires_at: at(metadata_keys::TOKEN_EXPIRES_AT)?,
        server_ahead: annotations
            .get(metadata_keys::TOKEN_SERVER_AHEAD)
            .and_then(|seconds| Some(SignedDuration::from_secs(seconds.parse::<i32>().ok()?.into()))),
    })
}

fn content(secret: &Secret) -> Content {
    let Some(data) = &secret.data else {
        return Content::Damaged;
    };
    let text = |key: &str| {
        let value = data.get(key).filter(|value| value.0.len() <= LONGEST_CONTENT)?;
        Some(String::from_utf8_lossy(&value.0).into_owned())
    };
    let marked = secret.annotations().get(metadata_keys::TOKEN_FINGERPRINT);
    let plain = || {
        Some(SecretContent {
            workspace_id: WorkspaceId::new(text("workspace_id")?),
            workspace_name: WorkspaceName::new(text("workspace_name")?),
            organization_id: OrganizationId::new(text("organization_id")?),
            api_url: text("api_url")?,
        })
    };
    match plain() {
        Some(content) if fingerprint(data).as_ref() == marked => Content::Whole(content),
        Some(_) | None => Content::Damaged,
    }
}

/// First 12 hex digits of the SHA-256 over our keys. None if a key is missing.
pub(super) fn fingerprint(data: &BTreeMap<String, ByteString>) -> Option<String> {
    let mut hash = Sha256::new();
    for key in KEYS {
        let value = &data.get(key)?.0;
        hash.update(key);
        hash.update(value.len().to_be_bytes());
        hash.update(value);
    }
    Some(
        hash.finalize()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(annotations: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> Secret {
        serde_json::from_value(json!({
            "metadata": {"name": "any", "namespace": "tenant", "labels": labels, "annotations": annotations},
        }))
        .unwrap()
    }

    /// Promise: rule.bounded-metadata: Of any object at most 32 KiB of labels and annotations are kept, whatever its user puts there
    #[test]
    fn of_any_secret_a_bounded_part_is_kept() {
        let many = |n: usize, size: usize| (0..n).map(|n| (format!("{n:0100}"), "x".repeat(size))).collect();
        for (count, size) in [(1, 250_000), (60, 4_000), (2_000, 20)] {
            let (annotations, mut labels): (BTreeMap<_, _>, BTreeMap<_, _>) =
                (many(count, size), many(count, 63));
            labels.insert(metadata_keys::WORKSPACE_LABEL.to_owned(), "acme".to_owned());
            let kept = ReducedSecret::of(&secret(&annotations, &labels));
            let all = kept.labels.iter().chain(&kept.annotations);
            let bytes: usize = all.map(|(key, value)| key.len() + value.len()).sum();
            assert!(bytes <= KEPT_BYTES, "{bytes} bytes");
            assert_eq!(kept.labels[metadata_keys::WORKSPACE_LABEL], "acme");
            assert_eq!(kept.kept == Kept::Part, count == 2_000, "{count} of {size}");
        }
    }

    /// A user may mark any Secret, and write anything into it.
    #[test]
    fn content_of_any_length_is_not_kept() {
        let long = ByteString(vec![b'x'; 500_000]);
        let data: BTreeMap<_, _> = KEYS.iter().map(|key| ((*key).to_owned(), long.clone())).collect();
        let marks = [(
            metadata_keys::TOKEN_FINGERPRINT.to_owned(),
            fingerprint(&data).unwrap(),
        )]
        .into();
        let mut secret = secret(&marks, &BTreeMap::new());
        secret.data = Some(data);
        assert_eq!(ReducedSecret::of(&secret).content, Content::Damaged);
    }
}

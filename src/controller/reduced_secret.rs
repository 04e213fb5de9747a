//! Token Secrets without their tokens: what the operator keeps of a Secret, and the fingerprint of its content.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use sha2::{Digest, Sha256};

use crate::crd::metadata_keys;
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::lifecycle::facts::{Content, SecretContent};
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
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

impl ReducedSecret {
    /// Reduces a Secret; the caller drops it with its token.
    pub(super) fn of(secret: &Secret) -> Self {
        let annotations = secret.annotations();
        let controller = secret
            .owner_references()
            .iter()
            .find(|owner| owner.controller == Some(true));
        Self {
            namespace: secret.namespace().unwrap_or_default(),
            name: secret.name_any(),
            resource_version: secret.resource_version().unwrap_or_default(),
            controller: controller.map(|owner| Uid::new(&owner.uid)),
            labelled_for: secret.labels().get(metadata_keys::WORKSPACE_LABEL).cloned(),
            content: content(secret),
            times: times(annotations),
            labels: secret.labels().clone(),
            annotations: annotations
                .iter()
                .filter(|(key, _)| !is_ours(key) && *key != metadata_keys::LAST_APPLIED)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
        }
    }
}

fn is_ours(key: &str) -> bool {
    key.starts_with("agentengine.airbyte.com/")
}

fn times(annotations: &BTreeMap<String, String>) -> Option<TokenTimes> {
    let at = |key| annotations.get(key)?.parse::<Timestamp>().ok();
    Some(TokenTimes {
        issued_at: at(metadata_keys::TOKEN_ISSUED_AT)?,
        expires_at: at(metadata_keys::TOKEN_EXPIRES_AT)?,
    })
}

fn content(secret: &Secret) -> Content {
    let Some(data) = &secret.data else {
        return Content::Damaged;
    };
    let text = |key: &str| Some(String::from_utf8_lossy(&data.get(key)?.0).into_owned());
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

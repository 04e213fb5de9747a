//! Effects on token Secrets: the one place where a token leaves the client for the cluster.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PostParams, Preconditions};
use kube::core::Status;
use kube::{Api, Resource, ResourceExt};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{NO_TOKEN, Performer};
use crate::controller::patch;
use crate::controller::reduced_secret::{ReducedSecret, SECRET_TYPE, fingerprint};
use crate::controller::secret_index::facts;
use crate::controller::watch::ears;
use crate::crd::{WithoutManagedFields, metadata_keys};
use crate::domain::time::elapsed;
use crate::engine::ScopedToken;
use crate::lifecycle::effect::{
    ClusterOutcome, Decorated, LiveSecret, Replace, SecretDecoration, SecretDraft,
};
use crate::lifecycle::facts::SecretFacts;

impl Performer {
    fn secrets(&self) -> Api<WithoutManagedFields<Secret>> {
        Api::namespaced(self.context.client.clone(), &self.namespace())
    }

    pub(super) async fn read_secret(&self, name: &str) -> ClusterOutcome {
        match self.secrets().get_opt(name).await {
            Ok(None) => ClusterOutcome::Secret(LiveSecret::Absent),
            Ok(Some(secret)) => ClusterOutcome::Secret(LiveSecret::Present(self.facts(&secret.0))),
            Err(error) => self.failed(&error),
        }
    }

    fn facts(&self, secret: &Secret) -> SecretFacts {
        facts(&ReducedSecret::of(secret), &self.uid(), &self.object.name_any())
    }

    pub(super) async fn write_secret(&mut self, draft: SecretDraft) -> ClusterOutcome {
        let Some(token) = self.tokens.get(&draft.slot) else {
            return ClusterOutcome::KubernetesFailed {
                detail: NO_TOKEN.to_owned(),
            };
        };
        let secret = self.secret(&draft, token);
        let written = match &draft.replace {
            Replace::Nothing => {
                let params = PostParams {
                    field_manager: patch::params().field_manager,
                    ..PostParams::default()
                };
                self.secrets()
                    .create(&params, &WithoutManagedFields(secret))
                    .await
            }
            Replace::Version(version) => self.replace_secret(&draft.name, version, secret).await,
        };
        match written {
            Ok(secret) => {
                let kept = ReducedSecret::of(&secret.0);
                let facts = facts(&kept, &self.uid(), &self.object.name_any());
                self.count_token(&kept);
                self.index(kept);
                self.tokens.remove(&draft.slot);
                ClusterOutcome::SecretWritten(facts)
            }
            Err(kube::Error::Api(status)) if status.is_already_exists() => ClusterOutcome::Conflict,
            Err(kube::Error::Api(status)) if status.is_not_found() && draft.replace != Replace::Nothing => {
                ClusterOutcome::Conflict
            }
            Err(kube::Error::Api(status))
                if draft.replace != Replace::Nothing && refuses_content(&status) =>
            {
                ClusterOutcome::SecretUnpatchable
            }
            Err(error) => self.failed(&error),
        }
    }

    /// A dry run: quotas and policies judge it as a write.
    pub(super) async fn try_secret(&self, name: String) -> ClusterOutcome {
        let mut secret = Secret {
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        };
        secret.metadata.name = Some(name);
        secret.metadata.namespace = Some(self.namespace());
        let label = (metadata_keys::WORKSPACE_LABEL.to_owned(), self.object.name_any());
        secret.metadata.labels = Some(BTreeMap::from([label]));
        secret.metadata.owner_references = self.object.controller_owner_ref(&()).map(|owner| vec![owner]);
        let params = PostParams {
            field_manager: patch::params().field_manager,
            dry_run: true,
        };
        match self
            .secrets()
            .create(&params, &WithoutManagedFields(secret))
            .await
        {
            Ok(_) => ClusterOutcome::SecretPossible,
            Err(kube::Error::Api(status)) if status.is_already_exists() => ClusterOutcome::Conflict,
            Err(error) => self.failed(&error),
        }
    }

    /// Leaves the content.
    pub(super) async fn decorate_secret(&self, decorated: Decorated) -> ClusterOutcome {
        let patch = json!({"metadata": {
            "resourceVersion": decorated.resource_version,
            "labels": decorated.decoration.labels,
            "annotations": annotations(&decorated.decoration),
        }});
        let patched = self
            .secrets()
            .patch(&decorated.name, &patch::params(), &Patch::Merge(patch))
            .await;
        match patched {
            Ok(secret) => {
                let kept = ReducedSecret::of(&secret.0);
                let facts = facts(&kept, &self.uid(), &self.object.name_any());
                self.index(kept);
                ClusterOutcome::SecretDecorated(facts)
            }
            Err(kube::Error::Api(status)) if status.is_not_found() => ClusterOutcome::Conflict,
            Err(error) => self.failed(&error),
        }
    }

    /// As the API server returned it. The watch of our label must show it, if it has that label.
    fn index(&self, kept: ReducedSecret) {
        let now = self.context.now();
        let mut shared = self.context.shared();
        if kept.labelled_for.is_some() {
            let version = Some(kept.resource_version.as_str());
            shared
                .ears
                .wrote(ears::Resource::TokenSecrets, &kept.namespace, version, now);
        }
        shared.secrets.put(kept);
    }

    fn count_token(&self, new: &ReducedSecret) {
        let metrics = &self.context.admin.metrics;
        let before = self.context.shared().secrets.times(&new.namespace, &new.name);
        match before.map(|times| times.renew_at(&self.uid())) {
            Some(due) => metrics.token_refreshed(elapsed(due, self.context.now())),
            None => metrics.token_issued(),
        }
    }

    /// Keeps the keys, labels, annotations and owners of others. If one of those owners is a controller, the API server refuses.
    async fn replace_secret(
        &self,
        name: &str,
        version: &str,
        secret: Secret,
    ) -> kube::Result<WithoutManagedFields<Secret>> {
        let mut metadata = json!({
            "resourceVersion": version,
            "labels": secret.metadata.labels,
            "annotations": secret.metadata.annotations,
        });
        let uid = self.uid();
        let ours = self
            .context
            .shared()
            .secrets
            .is_controlled_by(&self.namespace(), name, &uid);
        if !ours {
            let live = self.secrets().get(name).await?;
            let mut owners = live.owner_references().to_vec();
            owners.retain(|owner| owner.uid != uid.as_str());
            owners.extend(secret.metadata.owner_references.unwrap_or_default());
            metadata["ownerReferences"] = json!(owners);
        }
        let patch = json!({"metadata": metadata, "data": secret.data});
        self.secrets()
            .patch(name, &patch::params(), &Patch::Merge(patch))
            .await
    }

    fn secret(&self, draft: &SecretDraft, token: &ScopedToken) -> Secret {
        let content = &draft.content;
        let data: BTreeMap<String, ByteString> = [
            ("api_url", content.api_url.as_str()),
            ("expires_at", &draft.times.expires_at.to_string()),
            ("organization_id", content.organization_id.as_str()),
            ("token", token.secret.expose_secret()),
            ("workspace_id", content.workspace_id.as_str()),
            ("workspace_name", content.workspace_name.as_str()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())))
        .collect();
        let mut annotations = annotations(&draft.decoration);
        annotations.insert(
            metadata_keys::TOKEN_WORKSPACE_ID.to_owned(),
            content.workspace_id.to_string(),
        );
        annotations.insert(
            metadata_keys::TOKEN_ISSUED_AT.to_owned(),
            draft.times.issued_at.to_string(),
        );
        annotations.insert(
            metadata_keys::TOKEN_EXPIRES_AT.to_owned(),
            draft.times.expires_at.to_string(),
        );
        let ahead = draft.times.server_ahead.map(|ahead| ahead.as_secs().to_string());
        annotations.insert(
            metadata_keys::TOKEN_SERVER_AHEAD.to_owned(),
            ahead.unwrap_or_else(|| "unknown".to_owned()),
        );
        annotations
            .extend(fingerprint(&data).map(|mark| (metadata_keys::TOKEN_FINGERPRINT.to_owned(), mark)));
        let mut secret = Secret {
            data: Some(data),
            type_: Some(SECRET_TYPE.to_owned()),
            ..Secret::default()
        };
        secret.metadata.name = Some(draft.name.clone());
        secret.metadata.namespace = Some(self.namespace());
        secret.metadata.labels = Some(draft.decoration.labels.clone());
        secret.metadata.annotations = Some(annotations);
        secret.metadata.owner_references = self.object.controller_owner_ref(&()).map(|owner| vec![owner]);
        secret
    }

    pub(super) async fn delete_secret(&self, name: String, resource_version: String) -> ClusterOutcome {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                resource_version: Some(resource_version),
                uid: None,
            }),
            ..DeleteParams::default()
        };
        match self.secrets().delete(&name, &params).await {
            Ok(_) => self.forgotten(name),
            Err(kube::Error::Api(status)) if status.is_not_found() => self.forgotten(name),
            Err(error) => self.failed(&error),
        }
    }

    fn forgotten(&self, name: String) -> ClusterOutcome {
        self.context
            .shared()
            .secrets
            .remove(&(self.namespace(), name.clone()));
        ClusterOutcome::SecretDeleted { name }
    }
}

/// What users declared, and our mark of it and of the labels.
fn annotations(decoration: &SecretDecoration) -> BTreeMap<String, String> {
    let mut annotations = decoration.annotations.clone();
    annotations.insert(
        metadata_keys::DECORATION_MARK.to_owned(),
        format!("{:016x}", decoration.mark),
    );
    annotations
}

/// Whether the API server's own validation refuses a change of the Secret. An admission policy may answer "invalid" too, but
/// names no field; it would refuse the next Secret as well.
fn refuses_content(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 422 && causes.into_iter().any(|cause| !cause.field.is_empty())
}

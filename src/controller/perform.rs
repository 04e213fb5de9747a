//! Performs effects: one function each. Translates, and decides nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, Patch, PostParams, Preconditions};
use kube::core::CustomResourceExt;
use kube::{Api, Resource, ResourceExt};
use secrecy::ExposeSecret;
use serde_json::json;

use super::context::Context;
use super::facts::{KeptSecret, fingerprint};
use super::observe;
use super::secrets::facts;
use super::write::{self, Hold};
use crate::api::Workspace;
use crate::api::ids::Uid;
use crate::api::marks;
use crate::api::remote::{Answer, Failure, FailureClass};
use crate::api::time::elapsed;
use crate::api::workspace::WorkspaceStatus;
use crate::engine::{self, Engine, ScopedToken};
use crate::lifecycle::effect::{
    Change, Effect, IssuedToken, ObjectState, Outcome, Replace, SecretDraft, TokenSlot,
};
use crate::lifecycle::view::{CrdState, LiveSecret};

/// The hands of one pass. Holds its tokens, and drops them with the pass.
pub(super) struct Performer {
    context: Arc<Context>,
    /// As the last read or write of this pass returned it.
    object: Workspace,
    engine: Option<Engine>,
    tokens: HashMap<TokenSlot, ScopedToken>,
}

impl Performer {
    pub(super) fn new(context: Arc<Context>, object: Workspace) -> Self {
        let engine = context
            .shared()
            .organizations
            .get(object.spec.organization_name())
            .and_then(|state| state.engine.clone());
        Self {
            context,
            object,
            engine,
            tokens: HashMap::new(),
        }
    }

    /// Does it, and says what came of it.
    pub(super) async fn perform(&mut self, effect: Effect) -> Outcome {
        match effect {
            Effect::ReadObject => {
                let read = self.api().get(&self.object.name_any()).await;
                self.object_outcome(read)
            }
            Effect::AddFinalizer => {
                let written = write::finalizer(&self.api(), &self.object, Hold::Add).await;
                self.object_outcome(written)
            }
            Effect::RemoveFinalizer => {
                match write::finalizer(&self.api(), &self.object, Hold::Remove).await {
                    Ok(_) => Outcome::Vanished,
                    Err(error) => refused(&error),
                }
            }
            Effect::WriteStatus(status) => self.write_status(&status).await,
            Effect::ReadSecret { name } => self.read_secret(&name).await,
            Effect::WriteSecret(draft) => self.write_secret(*draft).await,
            Effect::DeleteSecret {
                name,
                resource_version,
            } => self.delete_secret(name, resource_version).await,
            Effect::ReadCrd => Outcome::Crd(self.read_crd().await),
            Effect::Look(name) => match &self.engine {
                Some(engine) => Outcome::Looked(engine.look(&name).await),
                None => Outcome::Looked(self.no_engine()),
            },
            Effect::Get(id) => match &self.engine {
                Some(engine) => Outcome::Got(engine.get(&id).await),
                None => Outcome::Got(self.no_engine()),
            },
            Effect::Issue { name, region } => match &self.engine {
                Some(engine) => {
                    let answer = engine.issue(&name, region.as_ref()).await;
                    Outcome::Issued(self.keep(answer))
                }
                None => Outcome::Issued(self.no_engine()),
            },
            Effect::Prove(slot) => match (&self.engine, self.tokens.get(&slot)) {
                (Some(engine), Some(token)) => Outcome::Proven(engine.prove(token).await),
                (None, _) | (_, None) => Outcome::Proven(self.no_engine()),
            },
            Effect::Update { id, change } => match &self.engine {
                Some(engine) => Outcome::Updated(engine.update(&id, &asked(change)).await),
                None => Outcome::Updated(self.no_engine()),
            },
            Effect::Delete(id) => match &self.engine {
                Some(engine) => Outcome::Deleted(engine.delete(&id).await),
                None => Outcome::Deleted(self.no_engine()),
            },
        }
    }

    fn api(&self) -> Api<Workspace> {
        Api::namespaced(self.context.client.clone(), &self.namespace())
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.context.client.clone(), &self.namespace())
    }

    fn namespace(&self) -> String {
        self.object.namespace().unwrap_or_default()
    }

    fn uid(&self) -> Uid {
        Uid::new(self.object.uid().unwrap_or_default())
    }

    /// The Organization went between the view and the call: nothing was sent.
    fn no_engine<T>(&self) -> Answer<T> {
        let now = self.context.now();
        let failure = Failure {
            class: FailureClass::Transient,
            status: None,
            detail: "the Organization has just changed".to_owned(),
        };
        Answer {
            started: now,
            finished: now,
            date: None,
            result: Err(failure),
        }
    }

    fn keep(&mut self, answer: Answer<ScopedToken>) -> Answer<IssuedToken> {
        let Answer {
            started,
            finished,
            date,
            result,
        } = answer;
        let result = result.map(|token| {
            let slot = TokenSlot(self.tokens.len() as u64);
            let lifetime = token.lifetime;
            self.tokens.insert(slot, token);
            IssuedToken { slot, lifetime }
        });
        Answer {
            started,
            finished,
            date,
            result,
        }
    }

    fn object_outcome(&mut self, result: kube::Result<Workspace>) -> Outcome {
        match result {
            Ok(object) => {
                self.context
                    .shared()
                    .wrote(&self.uid(), object.resource_version().as_deref());
                self.object = object;
                Outcome::Object(Box::new(ObjectState {
                    object: observe::object(&self.object),
                    declared: self.object.spec.clone(),
                    stored: self.object.status.clone().unwrap_or_default(),
                }))
            }
            Err(error) => refused(&error),
        }
    }

    async fn write_status(&mut self, status: &WorkspaceStatus) -> Outcome {
        let version = self.object.resource_version();
        let patch = match write::status_patch(version.as_deref(), self.object.status.as_ref(), status) {
            Ok(patch) => patch,
            Err(error) => {
                return Outcome::KubernetesFailed {
                    detail: error.to_string(),
                };
            }
        };
        let name = self.object.name_any();
        let written = self
            .api()
            .patch_status(&name, &write::params(), &Patch::Merge(patch))
            .await;
        self.object_outcome(written)
    }

    async fn read_secret(&self, name: &str) -> Outcome {
        match self.secrets().get_opt(name).await {
            Ok(None) => Outcome::Secret(LiveSecret::Absent),
            Ok(Some(secret)) => Outcome::Secret(LiveSecret::Present(self.facts(&secret))),
            Err(error) => refused(&error),
        }
    }

    fn facts(&self, secret: &Secret) -> crate::lifecycle::view::SecretFacts {
        facts(&KeptSecret::of(secret), &self.uid(), &self.object.name_any())
    }

    async fn write_secret(&mut self, draft: SecretDraft) -> Outcome {
        let Some(token) = self.tokens.get(&draft.slot) else {
            return Outcome::KubernetesFailed {
                detail: "the token is no longer at hand".to_owned(),
            };
        };
        let secret = self.secret(&draft, token);
        let written = match &draft.replace {
            Replace::Nothing => {
                let params = PostParams {
                    field_manager: write::params().field_manager,
                    ..PostParams::default()
                };
                self.secrets().create(&params, &secret).await
            }
            Replace::Version(version) => self.replace_secret(&draft.name, version, secret).await,
        };
        match written {
            Ok(secret) => {
                let kept = KeptSecret::of(&secret);
                let facts = facts(&kept, &self.uid(), &self.object.name_any());
                self.count_token(&kept);
                self.context.shared().secrets.put(kept);
                self.tokens.remove(&draft.slot);
                Outcome::SecretWritten(facts)
            }
            Err(kube::Error::Api(status)) if status.is_already_exists() => Outcome::Conflict,
            Err(kube::Error::Api(status)) if status.is_not_found() && draft.replace != Replace::Nothing => {
                Outcome::Conflict
            }
            Err(error) => refused(&error),
        }
    }

    fn count_token(&self, new: &KeptSecret) {
        let metrics = &self.context.served.metrics;
        let before = self.context.shared().secrets.times(&new.namespace, &new.name);
        match before.map(|times| times.renew_at(&self.uid())) {
            Some(due) => metrics.token_refreshed(elapsed(due, self.context.now())),
            None => metrics.token_issued(),
        }
    }

    /// Leaves foreign keys, labels and annotations; foreign owners stay, as long as none of them is the controller.
    async fn replace_secret(&self, name: &str, version: &str, secret: Secret) -> kube::Result<Secret> {
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
            .patch(name, &write::params(), &Patch::Merge(patch))
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
        let mut annotations = draft.annotations.clone();
        annotations.insert(
            marks::TOKEN_WORKSPACE_ID.to_owned(),
            content.workspace_id.to_string(),
        );
        annotations.insert(
            marks::TOKEN_ISSUED_AT.to_owned(),
            draft.times.issued_at.to_string(),
        );
        annotations.insert(
            marks::TOKEN_EXPIRES_AT.to_owned(),
            draft.times.expires_at.to_string(),
        );
        annotations.extend(fingerprint(&data).map(|mark| (marks::TOKEN_FINGERPRINT.to_owned(), mark)));
        let mut secret = Secret {
            data: Some(data),
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        };
        secret.metadata.name = Some(draft.name.clone());
        secret.metadata.namespace = Some(self.namespace());
        secret.metadata.labels = Some(draft.labels.clone());
        secret.metadata.annotations = Some(annotations);
        secret.metadata.owner_references = self.object.controller_owner_ref(&()).map(|owner| vec![owner]);
        secret
    }

    async fn delete_secret(&self, name: String, resource_version: String) -> Outcome {
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
            Err(error) => refused(&error),
        }
    }

    fn forgotten(&self, name: String) -> Outcome {
        self.context
            .shared()
            .secrets
            .remove(&(self.namespace(), name.clone()));
        Outcome::SecretDeleted { name }
    }

    async fn read_crd(&self) -> CrdState {
        let crds: Api<CustomResourceDefinition> = Api::all(self.context.client.clone());
        match crds.get_metadata_opt(Workspace::crd_name()).await {
            Ok(Some(crd)) if crd.metadata.deletion_timestamp.is_none() => CrdState::Serving,
            Ok(Some(_) | None) => CrdState::Going,
            Err(error) => CrdState::Unreadable { why: detail(&error) },
        }
    }
}

fn asked(change: Change) -> engine::Change {
    match change {
        Change::Rename(name) => engine::Change {
            name: Some(name),
            state: None,
        },
        Change::State(state) => engine::Change {
            name: None,
            state: Some(state),
        },
    }
}

fn refused(error: &kube::Error) -> Outcome {
    match error {
        kube::Error::Api(status) if status.is_conflict() => Outcome::Conflict,
        kube::Error::Api(status) if status.is_not_found() => Outcome::Vanished,
        other => Outcome::KubernetesFailed {
            detail: detail(other),
        },
    }
}

/// Fit to be shown, and the same for the same cause. A body of ours is never part of an error of kube's.
pub(super) fn detail(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} {}", status.reason, status.message),
        _ => "no answer from the Kubernetes API".to_owned(),
    }
}

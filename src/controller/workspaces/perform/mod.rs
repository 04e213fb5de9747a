//! Performs effects: one function each. Translates, and decides nothing.

mod secret;

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::Patch;
use kube::core::CustomResourceExt;
use kube::{Api, ResourceExt};

use super::observe;
use crate::controller::context::Context;
use crate::controller::error_text::{error_text, redacted};
use crate::controller::patch::{self, FinalizerChange};
use crate::crd::workspace::WorkspaceStatus;
use crate::crd::{AnyWorkspace, Workspace};
use crate::domain::ids::Uid;
use crate::domain::remote::Answer;
use crate::engine::{self, Redactor, ScopedToken};
use crate::lifecycle::effect::CrdState;
use crate::lifecycle::effect::{
    ClusterEffect, ClusterOutcome, Effect, EngineAnswer, EngineCall, IssuedToken, ObjectState, Outcome,
    TokenSlot, WorkspaceChange,
};
use crate::lifecycle::undecodable::Undecodable;

/// The hands of one reconcile. Holds its tokens, and drops them with the reconcile.
pub(in crate::controller) struct Performer {
    context: Arc<Context>,
    /// As the last read or write of this reconcile returned it.
    object: Workspace,
    engine: Option<engine::Client>,
    /// The incarnation of the Organization whose client it is.
    organization: Option<Uid>,
    tokens: HashMap<TokenSlot, ScopedToken>,
}

impl Performer {
    pub(in crate::controller) fn new(context: Arc<Context>, object: Workspace) -> Self {
        let (engine, organization) = context
            .shared()
            .organizations
            .get(object.spec.organization_name())
            .map_or((None, None), |state| {
                // A client of a credential that was not verified is nobody's, whatever is verified a moment later.
                let verified = state.published.verified().is_some();
                (state.engine.clone().filter(|_| verified), Some(state.uid.clone()))
            });
        Self {
            context,
            object,
            engine,
            organization,
            tokens: HashMap::new(),
        }
    }

    /// Does it, and says what came of it.
    pub(in crate::controller) async fn perform(&mut self, effect: Effect) -> Outcome {
        match effect {
            Effect::Cluster(ClusterEffect::ReadObject) => {
                let read = self.api().get(&self.object.name_any()).await;
                self.object_outcome(read)
            }
            Effect::Cluster(ClusterEffect::AddFinalizer) => {
                let written = patch::finalizer(&self.api(), &self.object, FinalizerChange::Add).await;
                self.object_outcome(written)
            }
            Effect::Cluster(ClusterEffect::RemoveFinalizer) => {
                match patch::finalizer(&self.api(), &self.object, FinalizerChange::Remove).await {
                    Ok(left) => {
                        self.let_go(&left);
                        Outcome::Cluster(ClusterOutcome::Gone)
                    }
                    Err(error) => self.refused(&error),
                }
            }
            Effect::Cluster(ClusterEffect::WriteStatus(status)) => self.write_status(&status).await,
            Effect::Cluster(ClusterEffect::ReadSecret { name }) => self.read_secret(&name).await,
            Effect::Cluster(ClusterEffect::WriteSecret(draft)) => self.write_secret(*draft).await,
            Effect::Cluster(ClusterEffect::DeleteSecret {
                name,
                resource_version,
            }) => self.delete_secret(name, resource_version).await,
            Effect::Cluster(ClusterEffect::ReadCrd) => {
                Outcome::Cluster(ClusterOutcome::Crd(self.read_crd().await))
            }
            Effect::Engine(EngineCall::Search(name)) => match self.engine() {
                Some(engine) => Outcome::Engine(EngineAnswer::Searched(engine.search(&name).await)),
                None => Outcome::Engine(EngineAnswer::Searched(self.no_engine())),
            },
            Effect::Engine(EngineCall::Get(id)) => match self.engine() {
                Some(engine) => Outcome::Engine(EngineAnswer::Got(engine.get(&id).await)),
                None => Outcome::Engine(EngineAnswer::Got(self.no_engine())),
            },
            Effect::Engine(EngineCall::Issue { name, region }) => match self.engine() {
                Some(engine) => {
                    let answer = engine.issue(&name, region.as_ref()).await;
                    Outcome::Engine(EngineAnswer::Issued(self.keep(answer)))
                }
                None => Outcome::Engine(EngineAnswer::Issued(self.no_engine())),
            },
            Effect::Engine(EngineCall::Verify(slot)) => match (self.engine(), self.tokens.get(&slot)) {
                (Some(engine), Some(token)) => {
                    Outcome::Engine(EngineAnswer::Verified(engine.verify(token).await))
                }
                (None, _) | (_, None) => Outcome::Engine(EngineAnswer::Verified(self.no_engine())),
            },
            Effect::Engine(EngineCall::Update { id, change }) => match self.engine() {
                Some(engine) => {
                    Outcome::Engine(EngineAnswer::Updated(engine.update(&id, &asked(change)).await))
                }
                None => Outcome::Engine(EngineAnswer::Updated(self.no_engine())),
            },
            Effect::Engine(EngineCall::Delete(id)) => match self.engine() {
                Some(engine) => Outcome::Engine(EngineAnswer::Deleted(engine.delete(&id).await)),
                None => Outcome::Engine(EngineAnswer::Deleted(self.no_engine())),
            },
        }
    }

    /// The client that the reconcile began with, until its Organization is replaced under its name.
    fn engine(&self) -> Option<&engine::Client> {
        let shared = self.context.shared();
        let state = shared.organizations.get(self.object.spec.organization_name());
        self.engine
            .as_ref()
            .filter(|_| state.map(|state| &state.uid) == self.organization.as_ref())
    }

    fn api(&self) -> Api<AnyWorkspace> {
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
        Answer::unsent(self.context.now(), "the Organization has just changed")
    }

    fn refused(&self, error: &kube::Error) -> Outcome {
        match error {
            kube::Error::Api(status) if status.is_conflict() => Outcome::Cluster(ClusterOutcome::Conflict),
            kube::Error::Api(status) if status.is_not_found() => Outcome::Cluster(ClusterOutcome::Gone),
            other => {
                let tokens = self.tokens.values();
                let redactor = tokens.fold(Redactor::default(), |scrub, token| {
                    scrub.with_stored(&token.secret)
                });
                let detail = redacted(other, &redactor);
                match other {
                    kube::Error::Api(status) if status.is_forbidden() => {
                        Outcome::Cluster(ClusterOutcome::Forbidden { detail })
                    }
                    _ => Outcome::Cluster(ClusterOutcome::KubernetesFailed { detail }),
                }
            }
        }
    }

    fn keep(&mut self, answer: Answer<ScopedToken>) -> Answer<IssuedToken> {
        answer.with_result(|result| {
            let token = result?;
            let slot = TokenSlot(self.tokens.len() as u64);
            let lifetime = token.lifetime;
            self.tokens.insert(slot, token);
            Ok(IssuedToken { slot, lifetime })
        })
    }

    fn object_outcome(&mut self, result: kube::Result<AnyWorkspace>) -> Outcome {
        let object = match result {
            Ok(AnyWorkspace::Whole(object)) => object,
            Ok(AnyWorkspace::Salvaged(salvage)) => match observe::undecodable(&salvage) {
                Undecodable::Release => salvage.left,
                // Of what is left of it nothing may follow.
                Undecodable::Report(_) => {
                    return Outcome::Cluster(ClusterOutcome::KubernetesFailed {
                        detail: "the object can no longer be decoded".to_owned(),
                    });
                }
            },
            Err(error) => return self.refused(&error),
        };
        self.context
            .shared()
            .written
            .wrote(&self.uid(), object.resource_version().as_deref());
        self.object = object;
        Outcome::Cluster(ClusterOutcome::Object(Box::new(ObjectState {
            object: observe::object(&self.object),
            declared: self.object.spec.clone(),
            stored: self.object.status.clone().unwrap_or_default(),
        })))
    }

    /// Without a finalizer the object is gone, and the version that the API server returns is not that of its end.
    fn let_go(&self, left: &AnyWorkspace) {
        let mut shared = self.context.shared();
        if left.finalizers().is_empty() {
            shared.written.ended(&self.uid());
        } else {
            shared
                .written
                .wrote(&self.uid(), left.resource_version().as_deref());
        }
    }

    async fn write_status(&mut self, status: &WorkspaceStatus) -> Outcome {
        let version = self.object.resource_version();
        let patch = match patch::status_patch(version.as_deref(), self.object.status.as_ref(), status) {
            Ok(patch) => patch,
            Err(error) => {
                return Outcome::Cluster(ClusterOutcome::KubernetesFailed {
                    detail: error.to_string(),
                });
            }
        };
        let name = self.object.name_any();
        let written = self
            .api()
            .patch_status(&name, &patch::params(), &Patch::Merge(patch))
            .await;
        self.object_outcome(written)
    }

    async fn read_crd(&self) -> CrdState {
        let crds: Api<CustomResourceDefinition> = Api::all(self.context.client.clone());
        match crds.get_metadata_opt(Workspace::crd_name()).await {
            Ok(Some(crd)) if crd.metadata.deletion_timestamp.is_none() => CrdState::Serving,
            Ok(Some(_) | None) => CrdState::Going,
            Err(error) => CrdState::Unreadable {
                why: error_text(&error),
            },
        }
    }
}

fn asked(change: WorkspaceChange) -> engine::UpdateFields {
    match change {
        WorkspaceChange::Rename(name) => engine::UpdateFields {
            name: Some(name),
            state: None,
        },
        WorkspaceChange::State(state) => engine::UpdateFields {
            name: None,
            state: Some(state),
        },
    }
}

#[cfg(test)]
mod tests;

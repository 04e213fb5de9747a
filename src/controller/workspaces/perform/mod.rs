//! Performs the effects of a Workspace's reconcile: one function each. Translates, and decides nothing.

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
use crate::controller::watch::ears::Resource;
use crate::crd::workspace::WorkspaceStatus;
use crate::crd::{AnyOrganization, AnyWorkspace, Workspace};
use crate::domain::ids::Uid;
use crate::domain::remote::Answer;
use crate::engine::{self, Redactor, ScopedToken};
use crate::lifecycle::effect::{
    ClusterEffect, ClusterOutcome, CrdState, Effect, EngineAnswer, EngineCall, IssuedToken, ObjectState,
    Outcome, TokenSlot, WorkspaceChange,
};
use crate::lifecycle::undecodable::Undecodable;

/// A token that this reconcile did not issue.
const NO_TOKEN: &str = "the token is no longer at hand";

/// Performs the effects of one reconcile. Holds its tokens, and drops them with the reconcile.
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
                // A client whose credential was not verified is not used, even if one is verified a moment later.
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

    /// Performs the effect, and returns what came of it.
    pub(in crate::controller) async fn perform(&mut self, effect: Effect) -> Outcome {
        match effect {
            Effect::Cluster(effect) => Outcome::Cluster(self.in_cluster(effect).await),
            Effect::Engine(call) => Outcome::Engine(match self.engine() {
                Some(engine) => self.call(engine, call).await,
                None => self.unsent(&call),
            }),
        }
    }

    async fn in_cluster(&mut self, effect: ClusterEffect) -> ClusterOutcome {
        match effect {
            ClusterEffect::ReadObject => {
                match tokio::try_join!(self.read_object(), self.read_organization()) {
                    Ok((object, organization)) => self.object_read(object, organization.as_ref()),
                    Err(error) => self.failed(&error),
                }
            }
            ClusterEffect::AddFinalizer => {
                let written = patch::finalizer(&self.api(), &self.object, FinalizerChange::Add).await;
                self.object_outcome(written)
            }
            ClusterEffect::RemoveFinalizer => {
                match patch::finalizer(&self.api(), &self.object, FinalizerChange::Remove).await {
                    Ok(left) => self.released(left),
                    Err(error) => self.failed(&error),
                }
            }
            ClusterEffect::WriteStatus(status) => self.write_status(&status).await,
            ClusterEffect::ReadSecret { name } => self.read_secret(&name).await,
            ClusterEffect::WriteSecret(draft) => self.write_secret(*draft).await,
            ClusterEffect::TrySecret { name } => self.try_secret(name).await,
            ClusterEffect::DecorateSecret(decorated) => self.decorate_secret(*decorated).await,
            ClusterEffect::DeleteSecret {
                name,
                resource_version,
            } => self.delete_secret(name, resource_version).await,
            ClusterEffect::ReadCrd => ClusterOutcome::Crd(self.read_crd().await),
        }
    }

    async fn call(&mut self, engine: engine::Client, call: EngineCall) -> EngineAnswer {
        match call {
            EngineCall::Search(name) => EngineAnswer::Searched(engine.search(&name).await),
            EngineCall::Get(id) => EngineAnswer::Got(engine.get(&id).await),
            EngineCall::Issue { name, region } => {
                let answer = engine.issue(&name, region.as_ref()).await;
                EngineAnswer::Issued(self.keep(answer))
            }
            EngineCall::Verify(slot) => EngineAnswer::Verified(match self.tokens.get(&slot) {
                Some(token) => engine.verify(token).await,
                None => Answer::unsent(self.context.now(), NO_TOKEN),
            }),
            EngineCall::Update { id, change } => {
                EngineAnswer::Updated(engine.update(&id, &update_fields(change)).await)
            }
            EngineCall::Delete(id) => EngineAnswer::Deleted(engine.delete(&id).await),
        }
    }

    /// The answer to a call that was not sent: the Organization was replaced between the view and the call.
    fn unsent(&self, call: &EngineCall) -> EngineAnswer {
        let (now, why) = (self.context.now(), "the Organization has just changed");
        match call {
            EngineCall::Search(_) => EngineAnswer::Searched(Answer::unsent(now, why)),
            EngineCall::Get(_) => EngineAnswer::Got(Answer::unsent(now, why)),
            EngineCall::Issue { .. } => EngineAnswer::Issued(Answer::unsent(now, why)),
            EngineCall::Verify(_) => EngineAnswer::Verified(Answer::unsent(now, why)),
            EngineCall::Update { .. } => EngineAnswer::Updated(Answer::unsent(now, why)),
            EngineCall::Delete(_) => EngineAnswer::Deleted(Answer::unsent(now, why)),
        }
    }

    /// The client that the reconcile began with, until its Organization is replaced under its name.
    fn engine(&self) -> Option<engine::Client> {
        let shared = self.context.shared();
        let state = shared.organizations.get(self.object.spec.organization_name());
        self.engine
            .clone()
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

    /// What a failed request came to. A token that the API server, or an admission webhook, quotes does not show.
    fn failed(&self, error: &kube::Error) -> ClusterOutcome {
        let status = match error {
            kube::Error::Api(status) => Some(status),
            _ => None,
        };
        if status.is_some_and(|status| status.is_conflict()) {
            return ClusterOutcome::Conflict;
        }
        if status.is_some_and(|status| status.is_not_found()) {
            return ClusterOutcome::Gone;
        }
        let tokens = self.tokens.values();
        let redactor = tokens.fold(Redactor::default(), |redactor, token| {
            redactor.with_stored(&token.secret)
        });
        let detail = redacted(error, &redactor);
        if status.is_some_and(|status| status.is_forbidden()) {
            return ClusterOutcome::Forbidden { detail };
        }
        ClusterOutcome::KubernetesFailed { detail }
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

    async fn read_object(&self) -> kube::Result<AnyWorkspace> {
        self.api().get(&self.object.name_any()).await
    }

    async fn read_organization(&self) -> kube::Result<Option<AnyOrganization>> {
        let namespace = &self.context.settings.operator_namespace;
        let organizations = Api::<AnyOrganization>::namespaced(self.context.client.clone(), namespace);
        organizations.get_opt(self.object.spec.organization_name()).await
    }

    fn object_read(
        &mut self,
        object: AnyWorkspace,
        organization: Option<&AnyOrganization>,
    ) -> ClusterOutcome {
        let outcome = self.object_outcome(Ok(object));
        if let ClusterOutcome::Object(mut state) = outcome {
            state.organization = Some(observe::organization(&self.context, &self.object, organization));
            return ClusterOutcome::Object(state);
        }
        outcome
    }

    fn object_outcome(&mut self, result: kube::Result<AnyWorkspace>) -> ClusterOutcome {
        let object = match result {
            Ok(AnyWorkspace::Whole(object)) => object,
            Ok(AnyWorkspace::Salvaged(salvage)) => match observe::undecodable(&salvage) {
                Undecodable::Release => salvage.left,
                // The fields that could be read are not enough to decide on.
                Undecodable::Report(_) => {
                    return ClusterOutcome::KubernetesFailed {
                        detail: "the object can no longer be decoded".to_owned(),
                    };
                }
            },
            Err(error) => return self.failed(&error),
        };
        self.wrote(object.resource_version().as_deref());
        self.object = object;
        ClusterOutcome::Object(Box::new(ObjectState {
            object: observe::object(&self.object),
            declared: self.object.spec.clone(),
            stored: self.object.status.clone().unwrap_or_default(),
            organization: None,
        }))
    }

    /// Without a finalizer the object is gone, and the version that the API server returns is not that of its end. One that
    /// finalizers of others hold has still to say that it is released.
    fn released(&mut self, left: AnyWorkspace) -> ClusterOutcome {
        match left {
            left if left.finalizers().is_empty() => {
                self.context.shared().written.ended(&self.uid());
                ClusterOutcome::Gone
            }
            AnyWorkspace::Whole(_) => self.object_outcome(Ok(left)),
            AnyWorkspace::Salvaged(_) => {
                self.wrote(left.resource_version().as_deref());
                ClusterOutcome::Gone
            }
        }
    }

    /// The API server has at least this version of the object, so the watch must show it.
    fn wrote(&self, version: Option<&str>) {
        let (namespace, now) = (self.namespace(), self.context.now());
        let mut shared = self.context.shared();
        shared.written.wrote(&self.uid(), version);
        shared.ears.wrote(Resource::Workspaces, &namespace, version, now);
    }

    async fn write_status(&mut self, status: &WorkspaceStatus) -> ClusterOutcome {
        let version = self.object.resource_version();
        let patch = match patch::status_patch(version.as_deref(), self.object.status.as_ref(), status) {
            Ok(patch) => patch,
            Err(error) => {
                return ClusterOutcome::KubernetesFailed {
                    detail: error.to_string(),
                };
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

fn update_fields(change: WorkspaceChange) -> engine::UpdateFields {
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

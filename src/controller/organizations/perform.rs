//! Performs the effects of an Organization's reconcile: one function each. Translates, and decides nothing.

use std::collections::HashMap;
use std::sync::Arc;

use kube::api::Patch;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};

use super::{client, observe};
use crate::controller::context::Context;
use crate::controller::patch::{self, FinalizerChange};
use crate::controller::subject::Subject;
use crate::controller::watch::ears::Resource;
use crate::controller::workspaces::claims;
use crate::crd::organization::OrganizationStatus;
use crate::crd::{AnyWorkspace, Organization, WithoutManagedFields};
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::remote::Answer;
use crate::engine::{self, ListFilter, Pages};
use crate::organization::effect::{
    ClusterEffect, ClusterOutcome, Connected, EngineAnswer, EngineCall, Part, Publication, Wake,
};
use crate::organization::{Effect, Outcome};

/// Performs the effects of one reconcile.
pub(super) struct Performer {
    context: Arc<Context>,
    /// As the last write of this reconcile returned it.
    object: Organization,
    /// The client that reconciles of Workspaces get with the next publication.
    engine: Option<engine::Client>,
    pages: Option<Pages>,
    /// The objects whose records were gathered last.
    recorded: HashMap<Uid, ObjectRef<AnyWorkspace>>,
}

impl Performer {
    pub(super) fn new(context: Arc<Context>, object: Organization) -> Self {
        let engine = context
            .state_of(&mut context.shared(), &object)
            .and_then(|state| state.engine.clone());
        Self {
            context,
            object,
            engine,
            pages: None,
            recorded: HashMap::new(),
        }
    }

    /// Performs the effect, and returns what came of it.
    pub(super) async fn perform(&mut self, effect: Effect) -> Outcome {
        match effect {
            Effect::Cluster(effect) => Outcome::Cluster(self.in_cluster(effect).await),
            Effect::Engine(call) => Outcome::Engine(self.call(call).await),
        }
    }

    async fn in_cluster(&mut self, effect: ClusterEffect) -> ClusterOutcome {
        match effect {
            ClusterEffect::AddFinalizer => self.change_finalizer(FinalizerChange::Add).await,
            ClusterEffect::RemoveFinalizer => self.change_finalizer(FinalizerChange::Remove).await,
            ClusterEffect::Connect { naming, keys } => {
                ClusterOutcome::Client(match client::connect(&self.object, &self.context, naming).await {
                    Ok((_, read)) if keys.as_ref() == Some(&read) && self.engine.is_some() => {
                        Ok(Connected::Same)
                    }
                    Ok((engine, read)) => {
                        self.engine = Some(engine);
                        Ok(Connected::New(read))
                    }
                    Err(none) => {
                        self.engine = None;
                        Err(none)
                    }
                })
            }
            ClusterEffect::NameOrganization(id) => self.name(&id),
            ClusterEffect::ReadRecords => {
                let (records, references) = observe::records(&self.context, &self.object);
                self.recorded = references;
                ClusterOutcome::Records(records)
            }
            ClusterEffect::Publish(publication) => self.publish(*publication),
            ClusterEffect::WriteStatus(status) => self.write_status(&status).await,
        }
    }

    async fn call(&mut self, call: EngineCall) -> EngineAnswer {
        match call {
            EngineCall::Exchange => EngineAnswer::Exchanged(self.exchange(self.engine.as_ref()).await),
            EngineCall::ExchangeUnnamed => {
                let unnamed = client::connect(&self.object, &self.context, None).await;
                let (engine, keys) = unnamed.ok().unzip();
                let answer = self.exchange(engine.as_ref()).await;
                EngineAnswer::ExchangedUnnamed { keys, answer }
            }
            EngineCall::List(part) => {
                if part == Part::First {
                    let engine = self.engine.as_ref();
                    self.pages = engine.map(|engine| engine.pages(ListFilter::default()));
                }
                EngineAnswer::Listed(match &mut self.pages {
                    Some(pages) => pages.next().await,
                    None => self.no_client(),
                })
            }
        }
    }

    async fn change_finalizer(&mut self, change: FinalizerChange) -> ClusterOutcome {
        let written = patch::finalizer(&self.api(), &self.object, change).await;
        self.written(written)
    }

    async fn write_status(&mut self, status: &OrganizationStatus) -> ClusterOutcome {
        let version = self.object.resource_version();
        let patch = match patch::status_patch(version.as_deref(), self.object.status.as_ref(), status) {
            Ok(patch) => patch,
            Err(error) => {
                tracing::error!(%error, "{}: the status cannot be serialized", Subject::of(&self.object));
                return ClusterOutcome::NotDone;
            }
        };
        let name = self.object.name_any();
        let written = self
            .api()
            .patch_status(&name, &patch::params(), &Patch::Merge(patch))
            .await;
        self.written(written)
    }

    fn written(&mut self, result: kube::Result<WithoutManagedFields<Organization>>) -> ClusterOutcome {
        match result {
            Ok(WithoutManagedFields(object)) => {
                self.remember(&object);
                self.object = object;
                ClusterOutcome::Done
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
                ClusterOutcome::NotDone
            }
            Err(error) => {
                let subject = Subject::of(&self.object);
                tracing::warn!(%error, "{subject}: the object could not be written");
                ClusterOutcome::NotDone
            }
        }
    }

    /// Remembers nothing of an object that has gone meanwhile: its handler has run, and nothing would forget it.
    fn remember(&self, object: &Organization) {
        let mut shared = self.context.shared();
        if self.context.state_of(&mut shared, &self.object).is_some() {
            let uid = Uid::new(self.object.uid().unwrap_or_default());
            let version = object.resource_version();
            let namespace = &self.context.settings.operator_namespace;
            shared.written.wrote(&uid, version.as_deref());
            shared.ears.wrote(
                Resource::Organizations,
                namespace,
                version.as_deref(),
                self.context.now(),
            );
        }
    }

    async fn exchange(&self, engine: Option<&engine::Client>) -> Answer<Option<OrganizationId>> {
        match engine {
            Some(engine) => engine
                .authenticate()
                .await
                .with_result(|result| Ok(result?.organization_id)),
            None => self.no_client(),
        }
    }

    fn name(&mut self, id: &OrganizationId) -> ClusterOutcome {
        match self.engine.as_ref().map(|engine| engine.within(id)) {
            Some(Ok(engine)) => {
                self.engine = Some(engine);
                ClusterOutcome::Done
            }
            Some(Err(error)) => {
                let subject = Subject::of(&self.object);
                tracing::warn!(%error, "{subject}: the organization id cannot be sent as a header");
                ClusterOutcome::NotDone
            }
            None => ClusterOutcome::NotDone,
        }
    }

    /// Client and judgement change together: a reconcile of a Workspace sees both or neither.
    fn publish(&self, publication: Publication) -> ClusterOutcome {
        {
            let mut shared = self.context.shared();
            let Some(state) = self.context.state_of(&mut shared, &self.object) else {
                return ClusterOutcome::NotDone;
            };
            state.engine = self.engine.clone();
            state.published = publication.published;
            if let Some(snapshot) = publication.snapshot {
                state.snapshot = snapshot;
            }
        }
        match publication.wake {
            Wake::Nobody => {}
            Wake::These(uids) => {
                for reference in uids.iter().filter_map(|uid| self.recorded.get(uid)) {
                    self.context.wake(reference.clone());
                }
            }
            Wake::Everybody => claims::wake_users(&self.context, &self.object.name_any()),
        }
        ClusterOutcome::Done
    }

    /// The answer to a call that was not sent, for want of a client.
    fn no_client<T>(&self) -> Answer<T> {
        Answer::unsent(self.context.now(), "the credential has just changed")
    }

    fn api(&self) -> Api<WithoutManagedFields<Organization>> {
        let namespace = &self.context.settings.operator_namespace;
        Api::namespaced(self.context.client.clone(), namespace)
    }
}

//! Performs the effects of a reconcile over an Organization: one function each. Translates, and decides nothing.

use std::collections::HashMap;
use std::sync::Arc;

use kube::api::Patch;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};

use super::{client, observe};
use crate::controller::context::Context;
use crate::controller::write::{self, Hold};
use crate::crd::organization::OrganizationStatus;
use crate::crd::{AnyWorkspace, Organization, WithoutManagedFields};
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::remote::Answer;
use crate::engine::{self, ListFilter, Pages};
use crate::organization::effect::{Part, Publication, Wake};
use crate::organization::{Effect, Outcome};

/// The hands of one reconcile.
pub(super) struct Performer {
    context: Arc<Context>,
    /// As the last write of this reconcile returned it.
    object: Organization,
    /// What reconciles over Workspaces will use from the next publication on.
    engine: Option<engine::Client>,
    pages: Option<Pages>,
    /// Whose records were gathered last.
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

    /// Does it, and says what came of it.
    pub(super) async fn perform(&mut self, effect: Effect) -> Outcome {
        match effect {
            Effect::AddFinalizer => self.hold(Hold::Add).await,
            Effect::RemoveFinalizer => self.hold(Hold::Remove).await,
            Effect::Connect { naming } => {
                let (engine, came) = match client::connect(&self.object, &self.context, naming).await {
                    Ok(engine) => (Some(engine), Ok(())),
                    Err(none) => (None, Err(none)),
                };
                self.engine = engine;
                Outcome::Client(came)
            }
            Effect::Exchange => Outcome::Exchanged(self.exchange(self.engine.as_ref()).await),
            Effect::ExchangeUnnamed => {
                let unnamed = client::connect(&self.object, &self.context, None).await;
                Outcome::Exchanged(self.exchange(unnamed.ok().as_ref()).await)
            }
            Effect::NameOrganization(id) => self.name(&id),
            Effect::List(part) => {
                if part == Part::First {
                    let engine = self.engine.as_ref();
                    self.pages = engine.map(|engine| engine.pages(ListFilter::default()));
                }
                match &mut self.pages {
                    Some(pages) => Outcome::Listed(pages.next().await),
                    None => Outcome::Listed(self.no_client()),
                }
            }
            Effect::ReadRecords => {
                let (records, references) = observe::records(&self.context, &self.object);
                self.recorded = references;
                Outcome::Records(records)
            }
            Effect::Publish(publication) => self.publish(*publication),
            Effect::WriteStatus(status) => self.write_status(&status).await,
        }
    }

    async fn hold(&mut self, hold: Hold) -> Outcome {
        let written = write::finalizer(&self.api(), &self.object, hold).await;
        self.written(written)
    }

    async fn write_status(&mut self, status: &OrganizationStatus) -> Outcome {
        let version = self.object.resource_version();
        let patch = match write::status_patch(version.as_deref(), self.object.status.as_ref(), status) {
            Ok(patch) => patch,
            Err(error) => {
                tracing::error!(%error, "a status cannot be written");
                return Outcome::NotDone;
            }
        };
        let name = self.object.name_any();
        let written = self
            .api()
            .patch_status(&name, &write::params(), &Patch::Merge(patch))
            .await;
        self.written(written)
    }

    fn written(&mut self, result: kube::Result<WithoutManagedFields<Organization>>) -> Outcome {
        match result {
            Ok(WithoutManagedFields(object)) => {
                self.remember(&object);
                self.object = object;
                Outcome::Done
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
                Outcome::NotDone
            }
            Err(error) => {
                tracing::warn!(organization = self.object.name_any(), %error, "the Organization could not be written");
                Outcome::NotDone
            }
        }
    }

    /// Nothing of one that has gone meanwhile: nobody would forget it again.
    fn remember(&self, object: &Organization) {
        let mut shared = self.context.shared();
        if self.context.state_of(&mut shared, &self.object).is_some() {
            let uid = Uid::new(self.object.uid().unwrap_or_default());
            shared.written.wrote(&uid, object.resource_version().as_deref());
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

    fn name(&mut self, id: &OrganizationId) -> Outcome {
        match self.engine.as_ref().map(|engine| engine.within(id)) {
            Some(Ok(engine)) => {
                self.engine = Some(engine);
                Outcome::Done
            }
            Some(Err(error)) => {
                tracing::warn!(organization = self.object.name_any(), %error, "the organization's id cannot be sent along");
                Outcome::NotDone
            }
            None => Outcome::NotDone,
        }
    }

    /// Client and judgement change together: a reconcile over a Workspace sees both or neither.
    fn publish(&self, publication: Publication) -> Outcome {
        {
            let mut shared = self.context.shared();
            let Some(state) = self.context.state_of(&mut shared, &self.object) else {
                return Outcome::NotDone;
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
            Wake::Everybody => super::wake_users(&self.context, &self.object.name_any()),
        }
        Outcome::Done
    }

    /// Nothing was sent: what there was to send it with could not be made again.
    fn no_client<T>(&self) -> Answer<T> {
        Answer::unsent(self.context.now(), "the credential has just changed")
    }

    fn api(&self) -> Api<WithoutManagedFields<Organization>> {
        let namespace = &self.context.settings.operator_namespace;
        Api::namespaced(self.context.client.clone(), namespace)
    }
}

//! The watches: each a task that hands its events to the handler of its kind. The first that ends stops all reconciles: on a
//! store that is no longer fed they would be wrong without a sign.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use futures::stream::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::{Api, ResourceExt};
use tokio::task::{Id, JoinSet};

use super::ears::{Resource, Watched};
use super::handlers::{Credentials, EventHandler, Namespaces, Organizations, Secrets, Workspaces};
use super::listening::Ear;
use super::merge::Events;
use super::sources::{events, metadata, namespaces, scoped, trimmed};
use crate::admin::{Metrics, ReadinessGate};
use crate::controller::context::{Context, Writers};
use crate::controller::reduced_secret::ReducedSecret;
use crate::crd::{AnyOrganization, AnyWorkspace, WithoutManagedFields, metadata_keys};

/// Running watches. They end when this is dropped.
pub(in crate::controller) struct Watches {
    tasks: JoinSet<()>,
    /// What each task watches.
    resources: HashMap<Id, &'static str>,
    synced: Vec<tokio::sync::watch::Receiver<Synced>>,
    metrics: Arc<Metrics>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Synced {
    NotYet,
    Whole,
}

/// A watch ended while the operator ran.
#[derive(Debug, thiserror::Error)]
#[error(
    "the watch of {resource} ended ({how}); nothing is done on stores that are no longer fed: start the operator again"
)]
pub struct WatchEnded {
    resource: &'static str,
    how: How,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
enum How {
    #[error("it crashed; report it with the log")]
    Crashed,
    #[error("its stream of events is over")]
    Over,
}

impl Watches {
    fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            tasks: JoinSet::new(),
            resources: HashMap::new(),
            synced: Vec::new(),
            metrics,
        }
    }

    /// Waits until every store was read whole: in one that was not, objects would seem to be absent.
    pub(in crate::controller) async fn ready(&mut self) -> Result<(), WatchEnded> {
        for synced in &mut self.synced {
            if synced.wait_for(|synced| *synced == Synced::Whole).await.is_err() {
                return Err(self.ended().await);
            }
        }
        Ok(())
    }

    /// Does `work` until it ends, or drops it when a watch ends.
    pub(in crate::controller) async fn during(
        &mut self,
        work: impl Future<Output = ()>,
    ) -> Result<(), WatchEnded> {
        tokio::select! {
            () = work => Ok(()),
            ended = self.ended() => Err(ended),
        }
    }

    async fn ended(&mut self) -> WatchEnded {
        let Some(ended) = self.tasks.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let (task, how) = match ended {
            Ok((task, ())) => (task, How::Over),
            Err(error) => (error.id(), How::Crashed),
        };
        WatchEnded {
            resource: self.resources.get(&task).copied().unwrap_or_default(),
            how,
        }
    }
}

/// Starts all watches.
pub(in crate::controller) fn start(
    context: &Arc<Context>,
    writers: Writers,
    gate: &ReadinessGate,
) -> Watches {
    let mut watches = Watches::new(context.admin.metrics.clone());
    let (client, own) = (&context.client, context.settings.operator_namespace.as_str());
    let ear = Ear {
        context: context.clone(),
        gate: context.admin.readiness.gate("watches"),
    };
    let in_own = |resource| Watched {
        resource,
        namespace: None,
    };
    watches.add(
        Resource::Workspaces.as_str(),
        scoped(
            &ear,
            gate,
            (Resource::Workspaces, watcher::Config::default()),
            trimmed,
            AnyWorkspace::name_any,
        ),
        handled_by(context, Workspaces(writers.workspaces)),
    );
    let labelled = watcher::Config::default().labels(metadata_keys::WORKSPACE_LABEL);
    watches.add(
        Resource::TokenSecrets.as_str(),
        scoped(
            &ear,
            gate,
            (Resource::TokenSecrets, labelled),
            |secret: WithoutManagedFields<Secret>| ReducedSecret::of(&secret.0),
            |kept| kept.name.clone(),
        ),
        handled_by(context, Secrets::default()),
    );
    watches.add(
        Resource::Organizations.as_str(),
        events(
            &ear,
            in_own(Resource::Organizations),
            Api::<AnyOrganization>::namespaced(client.clone(), own),
            watcher::Config::default(),
        ),
        handled_by(context, Organizations(writers.organizations)),
    );
    watches.add(
        Resource::Credentials.as_str(),
        metadata(
            &ear,
            in_own(Resource::Credentials),
            Api::<WithoutManagedFields<PartialObjectMeta<Secret>>>::namespaced(client.clone(), own),
            watcher::Config::default(),
        ),
        handled_by(context, Credentials(writers.credentials)),
    );
    watches.add(
        Resource::Namespaces.as_str(),
        namespaces(&ear),
        handled_by(context, Namespaces(writers.namespaces)),
    );
    let asking = watches.tasks.spawn(ear.ask_for_revisions());
    watches.resources.insert(asking.id(), "revisions");
    watches
}

/// Hands events to a handler.
fn handled_by<K: 'static>(
    context: &Arc<Context>,
    mut handler: impl EventHandler<K>,
) -> impl FnMut(Event<K>) + Send + 'static {
    let context = context.clone();
    move |event| handler.handle(&context, event)
}

impl Watches {
    fn add<K: Send + 'static>(
        &mut self,
        resource: &'static str,
        mut events: Events<K>,
        mut handle: impl FnMut(Event<K>) + Send + 'static,
    ) {
        let (tell, synced) = tokio::sync::watch::channel(Synced::NotYet);
        let metrics = self.metrics.clone();
        let task = self.tasks.spawn(async move {
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => {
                        let done = matches!(event, Event::InitDone);
                        handle(event);
                        if done {
                            tell.send_replace(Synced::Whole);
                        }
                    }
                    Err(error) => {
                        metrics.watch_failed(resource);
                        tracing::warn!(resource, %error, "the watch of {resource} failed; it begins again");
                    }
                }
            }
        });
        self.resources.insert(task.id(), resource);
        self.synced.push(synced);
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    /// A watch that goes on without end after these events.
    fn endless(events: Vec<Event<u8>>) -> Events<u8> {
        stream::iter(events.into_iter().map(Ok))
            .chain(stream::pending())
            .boxed()
    }

    /// With one watch that works, as the others do when one breaks.
    fn beside_a_sound_one() -> Watches {
        let mut watches = Watches::new(Arc::default());
        watches.add("sound", endless(vec![Event::Init, Event::InitDone]), drop);
        watches
    }

    fn crash_at_an_object(event: Event<u8>) {
        assert!(
            !matches!(event, Event::Apply(_) | Event::InitApply(_)),
            "a handler that crashes"
        );
    }

    /// Work that never ends by itself, beside the watches.
    async fn why_work_ends(watches: &mut Watches) -> String {
        let ended = watches.during(std::future::pending::<()>()).await;
        ended.unwrap_err().to_string()
    }

    /// Promise: rule.fed-stores: No reconcile acts on a store that is no longer fed: a watch that ends ends the process
    #[tokio::test]
    async fn a_handler_that_crashes_ends_all_work_on_its_store() {
        let mut watches = beside_a_sound_one();
        let events = vec![Event::Init, Event::InitDone, Event::Apply(1)];
        watches.add("broken", endless(events), crash_at_an_object);
        watches.ready().await.unwrap();
        let error = why_work_ends(&mut watches).await;
        assert!(error.contains("the watch of broken ended (it crashed"), "{error}");
    }

    #[tokio::test]
    async fn a_watch_that_is_over_ends_all_work_on_its_store() {
        let mut watches = beside_a_sound_one();
        let events = [Event::<u8>::Init, Event::InitDone];
        watches.add("short", stream::iter(events.map(Ok)).boxed(), drop);
        watches.ready().await.unwrap();
        let error = why_work_ends(&mut watches).await;
        assert!(error.contains("the watch of short ended (its stream"), "{error}");
    }

    /// Promise: rule.fed-stores
    #[tokio::test]
    async fn a_handler_that_crashes_at_the_first_list_ends_the_wait() {
        let mut watches = beside_a_sound_one();
        watches.add(
            "broken",
            endless(vec![Event::Init, Event::InitApply(1)]),
            crash_at_an_object,
        );
        let error = watches.ready().await.unwrap_err().to_string();
        assert!(error.contains("the watch of broken ended (it crashed"), "{error}");
    }

    #[tokio::test]
    async fn while_all_watches_go_on_work_is_done_to_its_end() {
        let mut watches = beside_a_sound_one();
        watches.ready().await.unwrap();
        watches.during(std::future::ready(())).await.unwrap();
    }
}

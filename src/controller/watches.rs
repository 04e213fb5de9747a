//! The watches: each a task that hands its events to the feed of its kind.

use std::fmt::Debug;
use std::sync::Arc;

use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::task::AbortHandle;

use super::context::{AnyOrganization, AnyWorkspace, Context, Writers};
use super::facts::KeptSecret;
use super::feeds::{Credentials, Feed, Namespaces, Organizations, Secrets, Workspaces, trimmed};
use super::merge::{merge, reduced};
use crate::api::marks;
use crate::settings::Watch;

/// Below the idle limits of common load balancers (240 s): a watch that died silently is noticed by its own end.
const WATCH_FOR_SECONDS: u32 = 200;

/// Running watches. They end when this is dropped.
pub(super) struct Watches {
    tasks: Vec<AbortHandle>,
    listed: Vec<tokio::sync::watch::Receiver<Listed>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Listed {
    NotYet,
    Whole,
}

impl Watches {
    /// Waits until every store was read whole: one that lags would read as mass absence.
    pub(super) async fn ready(&self) {
        for listed in &self.listed {
            // A task that is gone leaves its store unread: nothing may run then, so the error is waited out.
            if listed
                .clone()
                .wait_for(|listed| *listed == Listed::Whole)
                .await
                .is_err()
            {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Starts all watches.
pub(super) fn start(context: &Arc<Context>, writers: Writers) -> Watches {
    let mut watches = Watches {
        tasks: Vec::new(),
        listed: Vec::new(),
    };
    let client = &context.client;
    let own = context.settings.operator_namespace.as_str();
    watches.add(
        context,
        "workspaces",
        scoped(
            context,
            watcher::Config::default(),
            trimmed,
            AnyWorkspace::name_any,
        ),
        Workspaces(writers.workspaces),
    );
    watches.add(
        context,
        "secrets",
        scoped(
            context,
            watcher::Config::default().labels(marks::WORKSPACE_LABEL),
            |secret: Secret| KeptSecret::of(&secret),
            |kept| kept.name.clone(),
        ),
        Secrets::default(),
    );
    watches.add(
        context,
        "organizations",
        events(
            Api::<AnyOrganization>::namespaced(client.clone(), own),
            watcher::Config::default(),
        ),
        Organizations(writers.organizations),
    );
    watches.add(
        context,
        "credentials",
        events(
            Api::<PartialObjectMeta<Secret>>::namespaced(client.clone(), own),
            watcher::Config::default(),
        ),
        Credentials(writers.credentials),
    );
    watches.add(
        context,
        "namespaces",
        events(
            Api::<PartialObjectMeta<Namespace>>::all(client.clone()),
            watcher::Config::default(),
        ),
        Namespaces(writers.namespaces),
    );
    watches
}

type Events<K> = BoxStream<'static, watcher::Result<Event<K>>>;

fn events<K>(api: Api<K>, config: watcher::Config) -> Events<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    watcher(api, config.timeout(WATCH_FOR_SECONDS))
        .default_backoff()
        .boxed()
}

/// The events of the watched namespaces, or of all. Objects are reduced before anything keeps them.
fn scoped<K, R>(
    context: &Context,
    config: watcher::Config,
    reduce: fn(K) -> R,
    name: fn(&R) -> String,
) -> Events<R>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + Send + 'static,
    K::DynamicType: Default,
    R: Clone + Send + 'static,
{
    let part = |api: Api<K>| {
        events(api, config.clone())
            .map(move |event| event.map(|event| reduced(event, reduce)))
            .boxed()
    };
    match &context.settings.watch {
        Watch::All => part(Api::all(context.client.clone())),
        Watch::Only(names) => merge(
            names
                .iter()
                .map(|namespace| part(Api::namespaced(context.client.clone(), namespace)))
                .collect(),
            name,
        ),
    }
}

impl Watches {
    fn add<K: Send + 'static>(
        &mut self,
        context: &Arc<Context>,
        resource: &'static str,
        mut events: Events<K>,
        mut feed: impl Feed<K>,
    ) {
        let (tell, listed) = tokio::sync::watch::channel(Listed::NotYet);
        let context = context.clone();
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => {
                        let done = matches!(event, Event::InitDone);
                        feed.feed(&context, event);
                        if done {
                            tell.send_replace(Listed::Whole);
                        }
                    }
                    Err(error) => {
                        context.served.metrics.watch_failed(resource);
                        tracing::warn!(resource, %error, "a watch failed; it is begun anew");
                    }
                }
            }
        });
        self.tasks.push(task.abort_handle());
        self.listed.push(listed);
    }
}

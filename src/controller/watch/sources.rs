//! The streams of events of each kind: one watch for all namespaces, or one for each in `--watch-namespaces`. Objects are
//! reduced before anything keeps them.

use std::fmt::Debug;

use futures::FutureExt;
use futures::stream::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::ears::{self, Watched};
use super::listening::Ear;
use super::merge::{Events, merge, reduced};
use super::rests::Rests;
use crate::admin::ReadinessGate;
use crate::crd::{WithoutManagedFields, metadata_keys};
use crate::settings::Watch;

/// Below the idle limits of common load balancers (240 s), so that a watch which died silently ends by itself.
const WATCH_FOR_SECONDS: u32 = 200;

/// Objects of a page of a list. A page is read whole before anything of it is dropped, and users may make each object of it a MiB
/// or more: a namespace full of such Secrets must not end the operator.
const PAGE_SIZE: u32 = 50;

/// The events of one watch, begun again with a list whenever it is found to be deaf.
pub(super) fn events<K>(ear: &Ear, watched: Watched, api: Api<K>, config: watcher::Config) -> Events<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let config = config.timeout(WATCH_FOR_SECONDS).page_size(PAGE_SIZE);
    ear.clone().listen(watched, move || {
        watcher(api.clone(), config.clone())
            .backoff(Rests::default())
            .boxed()
    })
}

pub(super) fn metadata<K>(
    ear: &Ear,
    watched: Watched,
    api: Api<WithoutManagedFields<PartialObjectMeta<K>>>,
    config: watcher::Config,
) -> Events<PartialObjectMeta<K>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + 'static,
{
    events(ear, watched, api, config)
        .map(|event| event.map(|event| reduced(event, |object| without_annotations(object.0))))
        .boxed()
}

/// The events of the watched namespaces, or of all, each object reduced.
pub(super) fn scoped<K, R>(
    ear: &Ear,
    gate: &ReadinessGate,
    (resource, config): (ears::Resource, watcher::Config),
    reduce: fn(K) -> R,
    name: fn(&R) -> String,
) -> Events<R>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + Send + 'static,
    K::DynamicType: Default,
    R: Clone + Send + 'static,
{
    let context = &ear.context;
    let part = |namespace: Option<String>, api: Api<K>| {
        events(ear, Watched { resource, namespace }, api, config.clone())
            .map(move |event| event.map(|event| reduced(event, reduce)))
            .boxed()
    };
    match &context.settings.watch {
        Watch::All => part(None, Api::all(context.client.clone())),
        Watch::Only(names) => {
            let parts = names.iter().map(|namespace| {
                let api = Api::namespaced(context.client.clone(), namespace);
                part(Some(namespace.clone()), api)
            });
            let (namespaces, gate, names) = (
                context.namespaces.clone(),
                gate.clone(),
                Vec::from_iter(names.clone()),
            );
            let is_empty = move |n: usize, error: &watcher::Error| {
                let Some(namespace) = names.get(n).filter(|_| is_refused(error)) else {
                    return false;
                };
                let is_missing = is_missing(&namespaces, namespace);
                if !is_missing {
                    let remedy = unreadable::<K>(namespace);
                    tracing::warn!(namespace, "{remedy}");
                    gate.waits_for(&remedy);
                }
                is_missing
            };
            merge(parts.collect(), name, is_empty)
        }
    }
}

/// Without labels, and without annotations but ours: nothing else of them is read, and users may put hundreds of KiB there.
pub(super) fn trimmed<K: Resource>(mut object: K) -> K {
    object.labels_mut().clear();
    without_annotations(object)
}

/// The same with its labels, by which namespaces are selected.
fn without_annotations<K: Resource>(mut object: K) -> K {
    object
        .annotations_mut()
        .retain(|key, _| key.starts_with(metadata_keys::OURS));
    object
}

fn unreadable<K: Resource>(namespace: &str) -> String
where
    K::DynamicType: Default,
{
    let plural = K::plural(&K::DynamicType::default()).into_owned();
    format!(
        "the operator may not read the {plural} of namespace {namespace:?}, and does nothing until it may: give it its role \
         there again, as an upgrade of the chart does, or take the namespace off watchNamespaces"
    )
}

/// Whether the API server answered a list with "forbidden" or "not found".
fn is_refused(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status)) => {
            status.is_forbidden() || status.is_not_found()
        }
        _ => false,
    }
}

/// Whether the namespaces were read, and this one is not among them.
fn is_missing(namespaces: &Store<PartialObjectMeta<Namespace>>, name: &str) -> bool {
    let read = matches!(namespaces.wait_until_ready().now_or_never(), Some(Ok(())));
    read && namespaces.get(&ObjectRef::new(name)).is_none()
}

/// The watched namespaces themselves, for their labels. A list or watch that selects one by name needs rights on that
/// namespace alone.
pub(super) fn namespaces(ear: &Ear) -> Events<PartialObjectMeta<Namespace>> {
    let context = &ear.context;
    let part = |namespace: Option<String>, config| {
        let resource = ears::Resource::Namespaces;
        metadata(
            ear,
            Watched { resource, namespace },
            Api::all(context.client.clone()),
            config,
        )
    };
    let only = |name| watcher::Config::default().fields(&format!("metadata.name={name}"));
    match &context.settings.watch {
        Watch::All => part(None, watcher::Config::default()),
        Watch::Only(names) => merge(
            names
                .iter()
                .map(|name| part(Some(name.clone()), only(name)))
                .collect(),
            ResourceExt::name_any,
            |_, _| false,
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::crd::Workspace;

    /// Promise: rule.bounded-metadata
    #[test]
    fn of_a_workspace_no_label_and_no_annotation_of_others_is_kept() {
        let annotations: Value = json!({metadata_keys::RECONCILE_AT: "1", "theirs": "x".repeat(200_000)});
        let workspace: Workspace = serde_json::from_value(json!({
            "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
            "metadata": {"name": "acme", "labels": {"theirs": "x"}, "annotations": annotations},
            "spec": {"name": "Acme"},
        }))
        .unwrap();
        let kept = trimmed(workspace);
        assert!(kept.labels().is_empty());
        assert_eq!(
            kept.annotations().keys().collect::<Vec<_>>(),
            [metadata_keys::RECONCILE_AT]
        );
    }
}

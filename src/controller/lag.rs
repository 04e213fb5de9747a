//! Asks whether a store lags behind our own last write to an object: a reconcile does not act on such a store. A watch catches
//! up by itself, except after a restore of the cluster's storage from a backup, which has lost the write.

use std::time::Duration;

use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Resource, ResourceExt};
use tokio::time::timeout;

use super::context::Context;
use super::own_writes::Lag;
use super::patch::WRITE_TIMEOUT;
use super::subject::Subject;
use crate::crd::WithoutManagedFields;
use crate::domain::ids::Uid;

/// A store that lags is asked again after this, should no event come first.
pub(super) const LAG_RETRY: Duration = Duration::from_secs(5);

/// Whether a stored object is older than our own last write to it.
pub(super) async fn is_behind<K: Resource<DynamicType = ()>>(context: &Context, object: &K) -> bool {
    let uid = Uid::new(object.uid().unwrap_or_default());
    let version = object.resource_version();
    let lag = context
        .shared()
        .written
        .lag(&uid, version.as_deref(), context.now());
    match lag {
        Lag::None => false,
        Lag::Short => true,
        Lag::TooLong => {
            forget_a_lost_write(context, object, &uid).await;
            true
        }
    }
}

/// Forgets the write if the API server itself does not have it any more.
async fn forget_a_lost_write<K: Resource<DynamicType = ()>>(context: &Context, object: &K, uid: &Uid) {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let resource = ApiResource::erase::<K>(&());
    let api: Api<WithoutManagedFields<DynamicObject>> =
        Api::namespaced_with(context.client.clone(), &namespace, &resource);
    let live = timeout(WRITE_TIMEOUT, api.get_opt(&name)).await;
    let live = live.ok().and_then(Result::ok).flatten();
    let mut shared = context.shared();
    let lost = live.is_some_and(|live| {
        live.uid() == object.uid()
            && shared
                .written
                .is_newer_than(uid, live.resource_version().as_deref())
    });
    let subject = Subject::of(object);
    if lost {
        shared.written.forget(uid);
        tracing::warn!(
            "{subject}: the API server has lost our last write, as after a restore; going on with the stored object"
        );
    } else {
        tracing::warn!("{subject}: the watch has not shown our last write; no reconcile until it does");
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;
    use crate::admin::AdminState;
    use crate::clock::Clock;
    use crate::controller::own_writes::LIVE_READ_AFTER;
    use crate::controller::tests::{HOME, settings};
    use crate::crd::Workspace;

    fn object(version: &str) -> Value {
        json!({
            "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
            "metadata": {"name": "acme", "namespace": "tenant", "uid": "w", "resourceVersion": version},
            "spec": {"name": "Acme"},
        })
    }

    /// Whether an object of version 7 is behind our write of version 100: at first, after a minute, and then. The API server
    /// has this version all the time.
    async fn behind(live: &'static str) -> [bool; 3] {
        let answers = tower::service_fn(move |_: http::Request<Body>| {
            let body = Body::from(object(live).to_string().into_bytes());
            async move { Ok::<_, std::io::Error>(http::Response::new(body)) }
        });
        let (mut context, _queues, _writers) = Context::new(
            kube::Client::new(answers, HOME),
            settings(),
            AdminState::default(),
        );
        context.clock = Clock::virtual_from(Timestamp::UNIX_EPOCH);
        context.shared().written.wrote(&"w".into(), Some("100"));
        let stored: Workspace = serde_json::from_value(object("7")).unwrap();
        let first = is_behind(&context, &stored).await;
        tokio::time::advance(LIVE_READ_AFTER).await;
        let after_a_minute = is_behind(&context, &stored).await;
        [first, after_a_minute, is_behind(&context, &stored).await]
    }

    /// Promise: rule.lagging-store
    #[tokio::test(start_paused = true)]
    async fn a_write_that_was_undone_is_waited_for_a_minute() {
        assert_eq!(behind("7").await, [true, true, false]);
    }

    /// Promise: rule.lagging-store: A store that is behind our own write is not acted on, unless the write itself was undone
    #[tokio::test(start_paused = true)]
    async fn a_slow_store_is_not_acted_on_however_long_it_takes() {
        assert_eq!(behind("100").await, [true, true, true]);
    }
}

//! The one door to the Kubernetes API: a process that leads no longer asks nothing there, whoever in it asks.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use http::Request;
use kube::Client;
use kube::client::Body;
use tower::service_fn;

use crate::leadership::Fence;

/// Why a request did not leave.
#[derive(Debug, thiserror::Error)]
#[error("this process leads no longer")]
struct Closed;

fn closed() -> kube::Error {
    kube::Error::Service(Box::new(Closed))
}

/// The same client, which asks the fence before each request leaves, and while it is under way.
pub(super) fn fenced(client: Client, fence: Fence) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = service_fn(move |request: Request<Body>| {
        let (client, fence) = (client.clone(), fence.clone());
        async move {
            if !fence.is_open() {
                return Err(closed());
            }
            // A process that was frozen while it connected sends nothing when it wakes.
            let mut answer = pin!(client.send(request));
            poll_fn(|context| match fence.goes_on() {
                true => answer.as_mut().poll(context),
                false => Poll::Ready(Err(closed())),
            })
            .await
        }
    });
    Client::new(service, namespace)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use k8s_openapi::api::core::v1::Namespace;
    use kube::Api;
    use tokio::time::{advance, sleep};

    use super::*;
    use crate::leadership::Right;

    /// An API that takes a moment to be reached, and counts what reaches it.
    fn api() -> (Client, Arc<AtomicUsize>) {
        let reached = Arc::new(AtomicUsize::new(0));
        let count = reached.clone();
        let service = service_fn(move |_: Request<Body>| {
            let count = count.clone();
            async move {
                sleep(Duration::from_secs(1)).await;
                count.fetch_add(1, Ordering::Relaxed);
                let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team"}}"#;
                Ok::<_, std::io::Error>(http::Response::new(Body::from(namespace.as_bytes().to_vec())))
            }
        });
        (Client::new(service, "operator"), reached)
    }

    /// Promise: rule.one-leader
    #[tokio::test(start_paused = true)]
    async fn a_request_to_kubernetes_leaves_only_a_process_that_leads() {
        let (client, reached) = api();
        let fence = Fence::closed();
        let namespaces: Api<Namespace> = Api::all(fenced(client, fence.clone()));
        assert!(namespaces.get("team").await.is_err());
        assert_eq!(reached.load(Ordering::Relaxed), 0, "it stands by");
        fence.set(Right::Leads {
            begins_until: Duration::from_secs(20),
            ends: Duration::from_secs(30),
        });
        assert!(namespaces.get("team").await.is_ok());
        let frozen = async {
            tokio::task::yield_now().await;
            advance(Duration::from_secs(60)).await;
        };
        let (asked, ()) = tokio::join!(namespaces.get("team"), frozen);
        assert!(asked.is_err(), "it was frozen while it connected");
        assert_eq!(reached.load(Ordering::Relaxed), 1);
    }
}

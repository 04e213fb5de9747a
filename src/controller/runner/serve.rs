//! The loop around the queue: wakes objects by events and at their instants, and reconciles those that the queue names. Which
//! one goes next is decided by [`crate::limits::queue`].

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use futures::stream::FuturesUnordered;
use kube::Resource;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio_util::sync::CancellationToken;
use tokio_util::time::{DelayQueue, delay_queue};
use tracing::Instrument;

use crate::controller::context::Context;
use crate::controller::subject::Subject;
use crate::limits::{Priority, Queue};

/// A timer is never set for longer: a missed event heals long before.
const LONGEST_TIMER: Duration = Duration::from_secs(24 * 3600);

/// When an object is reconciled again, should no event come first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::controller) enum Requeue {
    After(Duration),
    OnEvent,
}

/// Where an object waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::controller) struct Place {
    pub(in crate::controller) organization: String,
    pub(in crate::controller) priority: Priority,
}

/// Reconciles what is woken until cancelled; then no new reconcile begins and the running ones finish.
pub(in crate::controller) async fn serve<K, F>(
    context: Arc<Context>,
    store: Store<K>,
    mut woken: mpsc::UnboundedReceiver<ObjectRef<K>>,
    cancel: CancellationToken,
    slots: NonZeroUsize,
    place: impl Fn(&Context, &K) -> Place,
    reconcile: impl Fn(Arc<K>, Arc<Context>) -> F,
) where
    K: Resource<DynamicType = ()> + Clone + 'static,
    F: Future<Output = Requeue>,
{
    let mut queue = Queue::new(slots);
    let mut timers = Timers::default();
    let mut running = FuturesUnordered::new();
    loop {
        while let Some(object) = queue.take() {
            timers.clear(&object);
            let Some(stored) = store.get(&object) else {
                queue.done(&object);
                skip(&object);
                continue;
            };
            let span = Subject::referenced(&object).span();
            let reconciled = reconcile(stored, context.clone());
            running.push(async move { (object, reconciled.await) }.instrument(span));
        }
        let due = tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            Some((object, requeue)) = running.next() => {
                queue.done(&object);
                timers.set(object, requeue);
                continue;
            }
            Some(object) = timers.next() => object,
            Some(object) = woken.next() => object,
        };
        match store.get(&due) {
            Some(stored) => {
                let Place {
                    organization,
                    priority,
                } = place(&context, &stored);
                queue.wake(due, &organization, priority);
            }
            None => skip(&due),
        }
    }
    while running.next().await.is_some() {}
}

fn skip<K: Resource<DynamicType = ()>>(object: &ObjectRef<K>) {
    let subject = Subject::referenced(object);
    let _span = subject.span().entered();
    tracing::debug!("{subject}: skipped: the object is no longer in the cache");
}

/// One timer for each object at most.
struct Timers<K: Resource> {
    set: HashMap<ObjectRef<K>, delay_queue::Key>,
    delays: DelayQueue<ObjectRef<K>>,
}

impl<K: Resource> Default for Timers<K> {
    fn default() -> Self {
        Self {
            set: HashMap::new(),
            delays: DelayQueue::new(),
        }
    }
}

impl<K: Resource<DynamicType = ()> + 'static> Timers<K> {
    fn set(&mut self, object: ObjectRef<K>, requeue: Requeue) {
        self.clear(&object);
        if let Requeue::After(after) = requeue {
            let key = self.delays.insert(object.clone(), after.min(LONGEST_TIMER));
            self.set.insert(object, key);
        }
    }

    fn clear(&mut self, object: &ObjectRef<K>) {
        if let Some(key) = self.set.remove(object) {
            self.delays.remove(&key);
        }
    }

    /// The next object whose time has come; None while no timer is set.
    async fn next(&mut self) -> Option<ObjectRef<K>> {
        let object = self.delays.next().await?.into_inner();
        self.set.remove(&object);
        Some(object)
    }
}

#[cfg(test)]
mod tests;

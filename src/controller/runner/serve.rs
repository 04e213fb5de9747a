//! The loop around the queue: wakes objects by events and at their instants, and reconciles those that the queue names. Which
//! one goes next, and which one has waited for too long, is decided by [`crate::limits::queue`].

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kube::Resource;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::time::{DelayQueue, delay_queue};
use tracing::Instrument;

use crate::controller::context::Context;
use crate::controller::subject::Subject;
use crate::limits::queue::WORDS_APART;
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

/// What is told of an object that has waited for a slot for too long.
pub(in crate::controller) enum Told {
    /// What is stored holds, for so long if the object stays as it is.
    Nothing(Option<Duration>),
    Word(BoxFuture<'static, ()>),
}

/// What a kind of object does with its place in the queue.
pub(in crate::controller) struct Handlers<P, R, T> {
    pub(in crate::controller) place: P,
    pub(in crate::controller) reconcile: R,
    pub(in crate::controller) tell: T,
}

/// Words of waiting objects that are written at once, and the least time between two of them: they take no slot, and leave
/// the API server to those that have one.
const WORDS_AT_ONCE: usize = 8;
const BETWEEN_WORDS: Duration = Duration::from_millis(20);

/// Reconciles what is woken until cancelled; then no new reconcile begins and the running ones finish.
pub(in crate::controller) async fn serve<K, F, P, R, T>(
    context: Arc<Context>,
    store: Store<K>,
    mut woken: mpsc::UnboundedReceiver<ObjectRef<K>>,
    cancel: CancellationToken,
    slots: NonZeroUsize,
    handlers: Handlers<P, R, T>,
) where
    K: Resource<DynamicType = ()> + Clone + 'static,
    F: Future<Output = Requeue>,
    P: Fn(&Context, &K) -> Place,
    R: Fn(Arc<K>, Arc<Context>) -> F,
    T: Fn(&Arc<Context>, &K, Duration) -> Told,
{
    let Handlers {
        place,
        reconcile,
        tell,
    } = handlers;
    let began = Instant::now();
    let mut queue = Queue::new(slots);
    let mut timers = Timers::default();
    let mut running = FuturesUnordered::new();
    let (mut words, mut next_word) = (FuturesUnordered::new(), began);
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
        let told_at = queue.next_impatient().map(|at| next_word.max(began + at));
        let told_at = told_at.filter(|_| words.len() < WORDS_AT_ONCE);
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
            Some(object) = words.next() => {
                queue.name_again(&object, began.elapsed() + WORDS_APART);
                continue;
            }
            () = sleep_until(told_at.unwrap_or(began)), if told_at.is_some() => {
                let Some((object, since)) = queue.impatient(began.elapsed()) else {
                    continue;
                };
                let waited = began.elapsed().saturating_sub(since);
                match store.get(&object).map(|stored| tell(&context, &stored, waited)) {
                    Some(Told::Word(word)) => {
                        let span = Subject::referenced(&object).span();
                        words.push(async move { word.await; object }.instrument(span));
                        next_word = Instant::now() + BETWEEN_WORDS;
                    }
                    Some(Told::Nothing(Some(after))) => queue.name_again(&object, began.elapsed() + after),
                    Some(Told::Nothing(None)) | None => {}
                }
                continue;
            }
        };
        match store.get(&due) {
            Some(stored) => {
                let Place {
                    organization,
                    priority,
                } = place(&context, &stored);
                queue.wake(due, &organization, priority, began.elapsed());
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

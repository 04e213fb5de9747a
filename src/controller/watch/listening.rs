//! Listens to one watch, and begins it again with a list when [`super::hearing`] says that it is deaf. Decides nothing.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use kube::core::{PartialObjectMeta, Status};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource, ResourceExt};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::ears::{Resource as Kind, Watched};
use super::hearing::{Failure, Heard};
use super::merge::Events;
use crate::admin::ReadinessGate;
use crate::controller::context::Context;
use crate::crd::{AnyOrganization, WithoutManagedFields};

/// How often a silent watch is judged.
const JUDGED_EVERY: Duration = Duration::from_secs(5);

/// How often the API server is asked for its revision.
const ASKED_EVERY: Duration = Duration::from_secs(20);

/// The longest wait for its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What a watch is judged with.
#[derive(Clone)]
pub(super) struct Ear {
    pub(super) context: Arc<Context>,
    /// Open while all watches hear.
    pub(super) gate: ReadinessGate,
}

impl Ear {
    /// The events of the watch that `begin` begins, as often as it must be begun again.
    pub(super) fn listen<K>(
        self,
        watched: Watched,
        begin: impl Fn() -> Events<K> + Send + 'static,
    ) -> Events<K>
    where
        K: Resource + Send + 'static,
    {
        let mut judged = interval(JUDGED_EVERY);
        judged.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let listening = Listening {
            events: begin(),
            begin,
            judged,
            ear: self,
            watched,
        };
        stream::unfold(listening, |mut listening| async {
            let event = listening.next().await?;
            Some((event, listening))
        })
        .boxed()
    }

    fn now(&self) -> Timestamp {
        self.context.now()
    }

    fn hear<K: Resource>(&self, watched: &Watched, event: &watcher::Result<Event<K>>) {
        {
            let mut shared = self.context.shared();
            match event {
                Ok(event) => shared.ears.heard(watched, heard(event), self.now()),
                Err(error) => shared.ears.failed(watched, failure(watched, error)),
            }
        }
        if matches!(event, Ok(Event::InitDone)) {
            self.say();
        }
    }

    /// Whether the watch is to be begun again.
    fn must_begin_again(&self, watched: &Watched) -> bool {
        let deaf = self.context.shared().ears.of(watched).list_again(self.now());
        self.say();
        let Some(deaf) = deaf else {
            return false;
        };
        let resource = watched.resource.as_str();
        tracing::warn!(resource, %deaf, "the watch of {resource} hears nothing: {deaf}; its objects are listed again");
        true
    }

    /// Readiness follows what is heard.
    fn say(&self) {
        let trouble = self.context.shared().ears.trouble(self.now());
        match trouble {
            Some(why) => {
                if self.gate.close(&why) {
                    tracing::warn!("not ready: {why}");
                }
            }
            None => self.gate.open(),
        }
    }

    /// Asks the API server for its revision again and again: after a restore of its storage it is an older one.
    pub(super) async fn ask_for_revisions(self) {
        let own = self.context.settings.operator_namespace.clone();
        let client = self.context.client.clone();
        let organizations =
            Api::<WithoutManagedFields<PartialObjectMeta<AnyOrganization>>>::namespaced(client.clone(), &own);
        let secrets =
            Api::<WithoutManagedFields<PartialObjectMeta<k8s_openapi::api::core::v1::Secret>>>::namespaced(
                client, &own,
            );
        let mut asked = interval(ASKED_EVERY);
        asked.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            asked.tick().await;
            self.ask(&[Kind::Workspaces, Kind::Organizations], &organizations)
                .await;
            self.ask(
                &[Kind::TokenSecrets, Kind::Credentials, Kind::Namespaces],
                &secrets,
            )
            .await;
        }
    }

    /// One request for one object. Kinds of one group are kept in one storage.
    async fn ask<K>(&self, resources: &[Kind], api: &Api<K>)
    where
        K: Resource + Clone + Debug + serde::de::DeserializeOwned,
    {
        let floors = self.context.shared().ears.floors(resources);
        let one = kube::api::ListParams::default().limit(1);
        self.context.shared().ears.silence.asked(self.now());
        let answer = timeout(ANSWER_WITHIN, api.list_metadata(&one)).await;
        if matches!(answer, Ok(Ok(_) | Err(kube::Error::Api(_)))) {
            self.context.shared().ears.silence.answered();
        }
        let Ok(Ok(list)) = answer else {
            return;
        };
        let Some(revision) = list.metadata.resource_version.and_then(|text| text.parse().ok()) else {
            return;
        };
        let mut shared = self.context.shared();
        shared.ears.told(&floors, revision);
        if floors.iter().any(|(_, floor)| revision < *floor) {
            // The API server has lost our younger writes; no store will show them.
            shared.written.lost_after(revision);
        }
    }
}

/// A watch that is listened to.
struct Listening<K, B> {
    events: Events<K>,
    begin: B,
    judged: Interval,
    ear: Ear,
    watched: Watched,
}

impl<K: Resource, B: Fn() -> Events<K>> Listening<K, B> {
    async fn next(&mut self) -> Option<watcher::Result<Event<K>>> {
        loop {
            let event = tokio::select! {
                event = self.events.next() => Some(event?),
                _ = self.judged.tick() => None,
            };
            if let Some(event) = &event {
                self.ear.hear(&self.watched, event);
            }
            if !matches!(event, Some(Ok(_))) && self.ear.must_begin_again(&self.watched) {
                self.events = (self.begin)();
            }
            if event.is_some() {
                return event;
            }
        }
    }
}

fn heard<K: Resource>(event: &Event<K>) -> Heard {
    let version = |object: &K| object.resource_version().and_then(|text| text.parse().ok());
    match event {
        Event::Init => Heard::ListBegins,
        Event::InitApply(object) => Heard::Listed(version(object)),
        Event::InitDone => Heard::ListEnds,
        Event::Apply(object) | Event::Delete(object) => Heard::Changed(version(object)),
    }
}

fn failure(watched: &Watched, error: &watcher::Error) -> Failure {
    let of_ours = matches!(watched.resource, Kind::Workspaces | Kind::Organizations);
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            if of_ours && status.code == 404 =>
        {
            Failure::NotServed
        }
        watcher::Error::WatchStartFailed(kube::Error::Api(status)) => refused(status),
        // A watch that is too old is listed again by its own stream.
        watcher::Error::WatchError(status) if status.code != 410 => refused(status),
        _ => Failure::Other,
    }
}

fn refused(status: &Status) -> Failure {
    Failure::Refused(format!("{} ({})", status.message, status.code))
}

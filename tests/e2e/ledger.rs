//! What is written down while the story runs: each version of a token Secret, each renewal of the Lease.

use std::{
    collections::HashMap,
    future::pending,
    io,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use agent_engine_operator::{clock::Clock, leadership::NOBODY};
use futures::StreamExt;
use http::{Request, Response};
use jiff::Timestamp;
use k8s_openapi::api::{coordination::v1::Lease, core::v1::Secret};
use kube::{
    Api, Client, ResourceExt,
    client::Body,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tower::service_fn;

use crate::support::text;

/// A version of a token Secret. Holds no token.
#[derive(Clone)]
pub struct Version {
    pub at: Timestamp,
    pub secret: String,
    /// Differs from that of another token.
    token: u64,
}

/// A version of the Lease.
#[derive(Clone, PartialEq)]
struct Held {
    at: Timestamp,
    /// None: released.
    by: Option<(String, Option<Timestamp>)>,
}

/// Times in seconds between two signs of a leader, a release of the Lease being the last of its holder.
#[derive(Default)]
pub struct Leaders {
    /// The longest.
    pub silence_s: f64,
    /// Those after which another led.
    pub hand_overs_s: Vec<f64>,
}

#[derive(Default)]
struct Pages {
    secrets: Vec<Version>,
    lease: Vec<Held>,
}

pub struct Ledger {
    pages: Arc<Mutex<Pages>>,
    _writers: JoinSet<()>,
}

impl Ledger {
    pub fn begin(client: &Client, home: &str, lease: &'static str, tenant: &str) -> Self {
        let pages = Arc::<Mutex<Pages>>::default();
        let mut writers = JoinSet::new();
        let clock = Clock::system();
        let (of_secrets, now) = (Arc::clone(&pages), clock.clone());
        let secrets = Api::<Secret>::namespaced(client.clone(), tenant);
        writers.spawn(each(secrets, move |secret: Secret| {
            if secret
                .data
                .as_ref()
                .is_some_and(|data| data.contains_key("token"))
            {
                let version = Version {
                    at: now.now(),
                    secret: secret.name_any(),
                    token: fingerprint(&text(&secret, "token")),
                };
                of_secrets.lock().expect("pages").secrets.push(version);
            }
        }));
        let of_lease = Arc::clone(&pages);
        let leases = Api::<Lease>::namespaced(client.clone(), home);
        writers.spawn(each(leases, move |stored: Lease| {
            if stored.name_any() == lease {
                let spec = stored.spec.unwrap_or_default();
                let held = |holder: &String| !holder.is_empty() && holder != NOBODY;
                let holder = spec.holder_identity.filter(held);
                let by = holder.map(|holder| (holder, spec.acquire_time.map(|time| time.0)));
                let held = Held { at: clock.now(), by };
                of_lease.lock().expect("pages").lease.push(held);
            }
        }));
        Self {
            pages,
            _writers: writers,
        }
    }

    /// What is known of leaders between these times.
    pub fn leaders(&self, from: Timestamp, to: Timestamp) -> Leaders {
        let lease = self.pages.lock().expect("pages").lease.clone();
        let mut leaders = Leaders::default();
        let mut last: Option<Held> = None;
        let mut released = None;
        for held in lease {
            if held.by.is_none() {
                released = released.or(Some(held.at));
                continue;
            }
            if let Some(last) = last.filter(|_| (from..to).contains(&held.at)) {
                let silence = seconds(released.unwrap_or(last.at), held.at);
                leaders.silence_s = leaders.silence_s.max(silence);
                if last.by != held.by {
                    leaders.hand_overs_s.push(silence);
                }
            }
            released = None;
            last = Some(held);
        }
        leaders
    }

    /// When a Secret was written without a new token, or with one sooner than `due` seconds after the one before.
    pub fn secrets_out_of_turn(&self, due: f64) -> Vec<(Timestamp, String)> {
        let versions = self.pages.lock().expect("pages").secrets.clone();
        let mut before = HashMap::<String, Version>::new();
        let mut found = Vec::new();
        for version in versions {
            let last = before.insert(version.secret.clone(), version.clone());
            if let Some(last) = last
                && (last.token == version.token || seconds(last.at, version.at) < due)
            {
                found.push((version.at, version.secret));
            }
        }
        found
    }

    pub fn secret_writes(&self) -> usize {
        self.pages.lock().expect("pages").secrets.len()
    }
}

pub fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

fn fingerprint(token: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish()
}

/// Hands on each version of each object once, as long as it is polled. It rests between failures: one that did not would keep its
/// thread, and so the end of the test, for good once the client is closed.
async fn each<K>(api: Api<K>, mut take: impl FnMut(K))
where
    K: kube::Resource + Clone + serde::de::DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let mut events = pin!(watcher(api, watcher::Config::default()).default_backoff());
    let mut known = HashMap::<String, String>::new();
    while let Some(event) = events.next().await {
        if let Ok(Event::Apply(object) | Event::InitApply(object)) = event {
            let (uid, version) = (
                object.uid().unwrap_or_default(),
                object.resource_version().unwrap_or_default(),
            );
            if known.insert(uid, version.clone()) != Some(version) {
                take(object);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_followed_by_a_rest() {
    const TOO_MANY: usize = 100;
    let (failed, failures) = mpsc::channel(TOO_MANY);
    let service = service_fn(move |_: Request<Body>| {
        // Without a rest there is no end, so the last one is not answered.
        let hangs = failed.try_send(()).is_err();
        async move {
            if hangs {
                pending::<()>().await;
            }
            Err::<Response<Body>, _>(io::Error::other("nobody answers"))
        }
    });
    let secrets = Api::<Secret>::namespaced(Client::new(service, "tenant"), "tenant");
    let minute = Duration::from_secs(60);
    assert!(timeout(minute, each(secrets, drop)).await.is_err());
    let all = failures.len();
    assert!((2..TOO_MANY).contains(&all), "{all} failures in a minute");
}

//! The Lease on the Kubernetes API: asks what the election wants asked, and moves the fence. Decides nothing about who leads;
//! [`crate::leadership`] does.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease as StoredLease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, ResourceExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::error_text::error_text;
use crate::admin::{AdminState, ReadinessGate};
use crate::clock::Clock;
use crate::leadership::{Act, Elector, Fence, Heard, Lease, NOBODY, Right, Standing, Terms};
use crate::settings::Settings;

/// The lease of a process that stated no duration of its own.
const UNSTATED: Duration = Duration::from_secs(30);

/// The longest lease that the flags take: what is written by hand holds up nobody for longer.
const LONGEST: Duration = Duration::from_secs(600);

/// This process's part in the election, on the Kubernetes API.
pub struct Election {
    leases: Api<StoredLease>,
    name: String,
    identity: String,
    terms: Terms,
    clock: Clock,
    /// The instants of the elector count from here.
    base: Instant,
    elector: Elector,
    /// As it was last read or written: its labels are kept.
    stored: Option<StoredLease>,
    fence: Fence,
    admin: AdminState,
    gate: ReadinessGate,
    standing: watch::Sender<Standing>,
}

impl Election {
    /// An election that has not begun. The receiver tells of each change of standing.
    pub fn new(
        client: kube::Client,
        settings: &Settings,
        admin: AdminState,
        fence: Fence,
    ) -> (Self, watch::Receiver<Standing>) {
        let (standing, told) = watch::channel(Standing::StandsBy { holder: None });
        let gate = admin.readiness.gate("lease");
        let lease = &settings.lease;
        let election = Self {
            leases: Api::namespaced(client, &settings.operator_namespace),
            name: lease.name.clone(),
            identity: lease.identity.clone(),
            terms: lease.terms,
            clock: Clock::system(),
            base: fence.base(),
            elector: Elector::new(lease.identity.clone(), lease.terms),
            stored: None,
            fence,
            admin,
            gate,
            standing,
        };
        (election, told)
    }

    /// Takes part until told to end; then the lease is released, so that the next process leads at once.
    pub async fn run(mut self, end: CancellationToken) {
        while !end.is_cancelled() {
            let act = self.elector.next(self.base.elapsed());
            let until = match act {
                Act::WaitUntil(at) => at,
                Act::Read | Act::Create | Act::Replace { .. } => {
                    self.perform(&act).await;
                    continue;
                }
            };
            tokio::select! {
                () = end.cancelled() => break,
                () = sleep_until(self.base + until) => self.tell(),
            }
        }
        self.release().await;
    }

    async fn perform(&mut self, act: &Act) {
        let asked = self.base.elapsed();
        let answer = timeout(self.elector.patience(asked), self.ask(act)).await;
        let heard = match answer {
            Ok(Ok(stored)) => self.keep(stored),
            Ok(Err(error)) => self.failed(act, &error),
            Err(_) => {
                self.trouble("the Kubernetes API did not answer in time");
                Heard::Failed
            }
        };
        self.elector.heard(act, asked, self.base.elapsed(), heard);
        self.tell();
    }

    async fn ask(&self, act: &Act) -> kube::Result<Option<StoredLease>> {
        let params = PostParams::default();
        match act {
            Act::Read | Act::WaitUntil(_) => self.leases.get_opt(&self.name).await,
            Act::Create => {
                let lease = self.written(None, Some(NOBODY));
                self.leases.create(&params, &lease).await.map(Some)
            }
            Act::Replace { version } => {
                let lease = self.written(Some(version), Some(&self.identity));
                self.leases.replace(&self.name, &params, &lease).await.map(Some)
            }
        }
    }

    /// The Lease with this holder, in place of that version of this very Lease: its uid is kept, without which a write would create one
    /// that was deleted. Its times are for people: nobody decides by them.
    fn written(&self, version: Option<&str>, holder: Option<&str>) -> StoredLease {
        let before = self.stored.as_ref().filter(|_| version.is_some());
        let mut lease = before.cloned().unwrap_or_else(|| StoredLease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            },
            spec: None,
        });
        lease.metadata.resource_version = version.map(str::to_owned);
        lease.metadata.managed_fields = None;
        let spec = lease.spec.get_or_insert_default();
        let now = Some(MicroTime(self.clock.now()));
        if spec.holder_identity.as_deref() != holder {
            spec.acquire_time = now.clone();
            let before = spec.lease_transitions.unwrap_or_default();
            spec.lease_transitions = Some(before.saturating_add(i32::from(holder.is_some())));
        }
        spec.holder_identity = holder.map(str::to_owned);
        spec.renew_time = now;
        // Whole seconds, and never fewer than this process counts on.
        let seconds = self.terms.duration().as_millis().div_ceil(1000);
        spec.lease_duration_seconds = Some(i32::try_from(seconds).unwrap_or(i32::MAX));
        lease
    }

    fn keep(&mut self, stored: Option<StoredLease>) -> Heard {
        self.gate.open();
        let heard = stored
            .as_ref()
            .map_or(Heard::Absent, |stored| Heard::Lease(read(stored)));
        self.stored = stored;
        heard
    }

    fn failed(&self, act: &Act, error: &kube::Error) -> Heard {
        match (act, error) {
            (Act::Create | Act::Replace { .. }, kube::Error::Api(status)) if status.code == 409 => {
                Heard::Conflict
            }
            (Act::Replace { .. }, kube::Error::Api(status)) if status.code == 404 => Heard::Conflict,
            (_, error) => {
                self.trouble(&error_text(error));
                Heard::Failed
            }
        }
    }

    fn trouble(&self, why: &str) {
        if self.gate.close(&format!("the Lease {:?}: {why}", self.name)) {
            tracing::warn!(
                lease = self.name,
                "the Lease {:?} could not be kept: {why}",
                self.name
            );
        }
    }

    /// Moves the fence, and tells whether this process leads.
    fn tell(&self) {
        let standing = self.elector.standing(self.base.elapsed());
        self.fence.set(Right::of(&standing));
        self.admin
            .metrics
            .leads(matches!(standing, Standing::Leads { .. }));
        self.standing.send_if_modified(|told| {
            let is_new = std::mem::discriminant(told) != std::mem::discriminant(&standing)
                || matches!(&standing, Standing::StandsBy { .. }) && *told != standing;
            *told = standing;
            is_new
        });
    }

    /// Best effort: without an answer, the next process waits until the lease ends.
    async fn release(self) {
        self.fence.set(Right::Closed);
        let Some(version) = self.elector.releases() else {
            return;
        };
        let lease = self.written(Some(version), None);
        let params = PostParams::default();
        let released = self.leases.replace(&self.name, &params, &lease);
        match timeout(self.terms.answered_within(), released).await {
            Ok(Ok(_)) => tracing::info!(lease = self.name, "the Lease {:?} is released", self.name),
            Ok(Err(error)) => tracing::warn!(lease = self.name, %error, "the Lease could not be released"),
            Err(_) => tracing::warn!(lease = self.name, "the release of the Lease was not answered"),
        }
    }
}

/// The Lease as the election takes it.
pub(super) fn read(stored: &StoredLease) -> Lease {
    let spec = stored.spec.as_ref();
    let holder = spec.and_then(|spec| spec.holder_identity.clone());
    let holder = holder.filter(|holder| !holder.is_empty());
    let seconds = spec.and_then(|spec| u64::try_from(spec.lease_duration_seconds?).ok());
    // Another client may have made it in place of one that was deleted.
    let was_released = spec.is_some_and(|spec| spec.renew_time.is_some());
    Lease {
        version: stored.resource_version().unwrap_or_default(),
        holder: holder.or_else(|| (!was_released).then(|| NOBODY.to_owned())),
        duration: seconds.map_or(UNSTATED, Duration::from_secs).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// One that a person or a tool made tells nothing of who may still count on the one before.
    #[test]
    fn a_lease_that_was_never_released_is_not_free() {
        let holder = |spec: Value| {
            let lease = json!({"metadata": {"name": "lease"}, "spec": spec});
            read(&serde_json::from_value(lease).unwrap()).holder
        };
        let at = "2027-01-15T08:00:00.000000Z";
        assert_eq!(holder(json!({"renewTime": at})), None);
        assert_eq!(
            holder(json!({"renewTime": at, "holderIdentity": "a"})),
            Some("a".to_owned())
        );
        for empty in [json!({}), json!({"holderIdentity": ""}), Value::Null] {
            assert_eq!(holder(empty), Some(NOBODY.to_owned()));
        }
    }
}

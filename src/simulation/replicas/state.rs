//! All processes and the Lease, as plain values: what is parked of each, and what is on its way.

use std::collections::BTreeMap;
use std::time::Duration;

use super::blow::{CrashAt, FreezeAt};
use crate::leadership::{Act, Elector, Heard, Lease, NOBODY, Right, Terms};
use crate::lifecycle;
use crate::organization;
use crate::simulation::Millis;
use crate::simulation::history::Setup;
use crate::simulation::process::{Process, Subject};

/// Which process.
pub(in crate::simulation) type Which = usize;

/// What the world holds of a process while its event happens.
#[derive(Default)]
pub(in crate::simulation) struct Parked {
    pub(in crate::simulation) process: Option<Process>,
    pub(in crate::simulation) run: u32,
    pub(in crate::simulation) jumped: Millis,
    pub(in crate::simulation) paused_until: Millis,
    pub(in crate::simulation) crash_at: Option<CrashAt>,
    pub(in crate::simulation) scheduled: BTreeMap<Subject, Millis>,
    pub(in crate::simulation) began: Millis,
}

/// One process, from start to start.
pub(in crate::simulation) struct Replica {
    pub(in crate::simulation) parked: Parked,
    /// The name of its Pod.
    pub(in crate::simulation) identity: String,
    /// Its monotonic clock began so long before the history.
    pub(in crate::simulation) monotonic: Millis,
    /// None while it is down.
    pub(in crate::simulation) elector: Option<Elector>,
    pub(in crate::simulation) right: Right,
    /// It was told to stop, and starts again after so long.
    pub(in crate::simulation) stops: Option<Millis>,
    /// Its stores are not filled yet.
    pub(in crate::simulation) lists: bool,
    /// Until when the Kubernetes API does not answer it.
    pub(in crate::simulation) cut_off_until: Millis,
    pub(in crate::simulation) freeze_at: Option<FreezeAt>,
}

/// All of them, and the Lease.
pub(in crate::simulation) struct Replicas {
    pub(in crate::simulation) all: Vec<Replica>,
    pub(in crate::simulation) current: Which,
    pub(in crate::simulation) terms: Terms,
    /// As Kubernetes stores it.
    pub(in crate::simulation) lease: Option<Lease>,
    pub(in crate::simulation) lease_calls: BTreeMap<u64, LeaseCall>,
    /// By the number of the process's run.
    pub(in crate::simulation) tenures: BTreeMap<u32, Tenure>,
    /// Whose write made the Lease what it is.
    pub(in crate::simulation) last: Option<u32>,
    pub(in crate::simulation) in_flight: Vec<InFlight>,
    pub(in crate::simulation) passage: Passage,
}

impl Replicas {
    pub(in crate::simulation) fn of(setup: &Setup) -> Option<Self> {
        let replica = |(n, ahead): (usize, &Millis)| Replica {
            parked: Parked {
                run: 1_000_000 * u32::try_from(n).unwrap_or_default(),
                jumped: *ahead,
                ..Parked::default()
            },
            identity: format!("pod-{n}"),
            monotonic: 1_000_000 * i64::try_from(n).unwrap_or_default(),
            elector: None,
            right: Right::Closed,
            stops: None,
            lists: false,
            cut_off_until: 0,
            freeze_at: None,
        };
        (setup.clocks.len() > 1).then(|| Self {
            all: setup.clocks.iter().enumerate().map(replica).collect(),
            current: 0,
            terms: Terms::default(),
            // Released by whoever led before the history.
            lease: Some(Lease {
                version: "0".to_owned(),
                holder: None,
                duration: Terms::default().duration(),
            }),
            lease_calls: BTreeMap::new(),
            tenures: BTreeMap::new(),
            last: None,
            in_flight: Vec::new(),
            passage: Passage::default(),
        })
    }

    pub(in crate::simulation) fn here(&mut self) -> &mut Replica {
        &mut self.all[self.current]
    }

    /// What the current process's own clock shows, which nobody sets.
    pub(in crate::simulation) fn local(&self, now: Millis) -> Duration {
        Duration::from_millis((now + self.all[self.current].monotonic).unsigned_abs())
    }

    /// The true time at which the current process's own clock shows this.
    pub(in crate::simulation) fn true_time(&self, local: Duration) -> Millis {
        Millis::try_from(local.as_millis()).unwrap_or(Millis::MAX / 4) - self.all[self.current].monotonic
    }
}

/// For how long a process led, as Kubernetes knows.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulation) struct Tenure {
    pub(in crate::simulation) ends: Millis,
}

/// A request about the Lease on its way.
#[derive(Debug)]
pub(in crate::simulation) struct LeaseCall {
    pub(in crate::simulation) run: u32,
    pub(in crate::simulation) identity: String,
    pub(in crate::simulation) act: LeaseAct,
    pub(in crate::simulation) asked: Duration,
    /// By the true time.
    pub(in crate::simulation) asked_at: Millis,
    pub(in crate::simulation) arrives_after: Millis,
    pub(in crate::simulation) answers_after: Millis,
    /// It never arrives.
    pub(in crate::simulation) is_lost: bool,
    pub(in crate::simulation) answer_is_lost: bool,
    pub(in crate::simulation) heard: Option<Heard>,
    pub(in crate::simulation) given_up: bool,
}

#[derive(Clone, Debug)]
pub(in crate::simulation) enum LeaseAct {
    Elects(Act),
    /// In place of this version.
    Releases(String),
}

/// An effect of either kind.
#[derive(Debug)]
pub(in crate::simulation) enum Effect {
    Workspace(lifecycle::Effect),
    Organization(organization::effect::Effect),
}

impl Effect {
    pub(in crate::simulation) fn is_of_agent_engine(&self) -> bool {
        use organization::effect::Effect as OfOrganization;
        matches!(
            self,
            Self::Workspace(lifecycle::Effect::Engine(_)) | Self::Organization(OfOrganization::Engine(_))
        )
    }
}

/// An effect that a process was frozen before.
#[derive(Debug)]
pub(in crate::simulation) struct Held {
    pub(in crate::simulation) subject: Subject,
    pub(in crate::simulation) number: u64,
    pub(in crate::simulation) effect: Effect,
    /// Whether the transport had let it through.
    pub(in crate::simulation) passage: Passage,
}

/// Whether a request leaves.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::simulation) enum Passage {
    /// The fence is asked.
    #[default]
    Asks,
    /// It was asked, and the request leaves until then.
    Until(Millis),
}

/// An effect that has left a process.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulation) struct InFlight {
    pub(in crate::simulation) run: u32,
    /// Nothing of it happens after.
    pub(in crate::simulation) over: Millis,
    /// The process waits for its answer no longer.
    pub(in crate::simulation) deadline: Millis,
}

impl Replicas {
    /// Kubernetes does what a process asks.
    pub(in crate::simulation) fn carry_out(&mut self, call: &LeaseCall, now: Millis, version: u64) -> Heard {
        let ours = || Some(call.identity.clone());
        let (expected, holder) = match &call.act {
            LeaseAct::Elects(Act::Read | Act::WaitUntil(_)) => {
                return self.lease.clone().map_or(Heard::Absent, Heard::Lease);
            }
            LeaseAct::Elects(Act::Create) => (None, Some(NOBODY.to_owned())),
            LeaseAct::Elects(Act::Replace { version }) => (Some(version), ours()),
            LeaseAct::Releases(version) => (Some(version), None),
        };
        if self.lease.as_ref().map(|lease| &lease.version) != expected {
            return Heard::Conflict;
        }
        let duration = self.terms.duration();
        let until = Millis::try_from(duration.as_millis()).unwrap_or_default();
        // Who led before does so until its lease ends, though somebody deleted it.
        if expected.is_some() {
            let ends = if holder.is_some() {
                call.asked_at + until
            } else {
                now
            };
            self.tenures.insert(call.run, Tenure { ends });
            self.last = Some(call.run);
        }
        let lease = Lease {
            version: version.to_string(),
            holder,
            duration,
        };
        self.lease = Some(lease.clone());
        Heard::Lease(lease)
    }
}

//! Several processes, of which one leads. The world holds one of them at a time, the one whose event happens; the others are
//! parked here with all that is theirs: stores, queue, clock, watches. A history with one process never comes here.
//!
//! | file | what it is |
//! |---|---|
//! | `election` | each process's part in the election, as `controller/lease.rs` and `run.rs` have it, and the Lease |
//! | `leaving` | how the effects of a process that may lose its right leave it, as the runner and the transport have it |
//! | `blows` | what befalls one process and not the other |

pub(super) mod blows;
pub(super) mod election;
pub(super) mod leaving;

use std::collections::BTreeMap;
use std::mem::swap;
use std::time::Duration;

use self::blows::FreezeAt;
use self::election::{LeaseCall, Tenure};
use self::leaving::{InFlight, Passage};
use super::Millis;
use super::cluster::Feeds;
use super::history::Setup;
use super::process::{Process, Subject};
use super::world::{CrashAt, Event, World};
use crate::leadership::{Elector, Lease, Right, Terms};

/// Which process.
pub(super) type Which = usize;

/// What the world holds of a process while its event happens.
#[derive(Default)]
struct Parked {
    process: Option<Process>,
    run: u32,
    jumped: Millis,
    paused_until: Millis,
    crash_at: Option<CrashAt>,
    scheduled: BTreeMap<Subject, Millis>,
    began: Millis,
}

/// One process, from start to start.
pub(super) struct Replica {
    parked: Parked,
    /// The name of its Pod.
    pub(super) identity: String,
    /// Its monotonic clock began so long before the history.
    monotonic: Millis,
    /// None while it is down.
    pub(super) elector: Option<Elector>,
    pub(super) right: Right,
    /// It was told to stop, and starts again after so long.
    pub(super) stops: Option<Millis>,
    /// Its stores are not filled yet.
    pub(super) lists: bool,
    /// Until when the Kubernetes API does not answer it.
    pub(super) cut_off_until: Millis,
    pub(super) freeze_at: Option<FreezeAt>,
}

/// All of them, and the Lease.
pub(super) struct Replicas {
    pub(super) all: Vec<Replica>,
    pub(super) current: Which,
    pub(super) terms: Terms,
    /// As Kubernetes stores it.
    pub(super) lease: Option<Lease>,
    pub(super) lease_calls: BTreeMap<u64, LeaseCall>,
    /// By the number of the process's run.
    pub(super) tenures: BTreeMap<u32, Tenure>,
    /// Whose write made the Lease what it is.
    pub(super) last: Option<u32>,
    pub(super) in_flight: Vec<InFlight>,
    pub(super) passage: Passage,
}

impl Replicas {
    pub(super) fn of(setup: &Setup) -> Option<Self> {
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
            lease: None,
            lease_calls: BTreeMap::new(),
            tenures: BTreeMap::new(),
            last: None,
            in_flight: Vec::new(),
            passage: Passage::default(),
        })
    }

    pub(super) fn here(&mut self) -> &mut Replica {
        &mut self.all[self.current]
    }

    /// What the current process's own clock shows, which nobody sets.
    pub(super) fn local(&self, now: Millis) -> Duration {
        Duration::from_millis((now + self.all[self.current].monotonic).unsigned_abs())
    }

    /// The true time at which the current process's own clock shows this.
    pub(super) fn true_time(&self, local: Duration) -> Millis {
        Millis::try_from(local.as_millis()).unwrap_or(Millis::MAX / 4) - self.all[self.current].monotonic
    }
}

impl World {
    /// Every process is to start at its time.
    pub(super) fn start_replicas(&mut self) {
        let Some(mut replicas) = Replicas::of(&self.setup) else {
            return self.at(0, Event::Start);
        };
        let first = &mut replicas.all[0].parked;
        (self.jumped, self.run) = (first.jumped, first.run);
        self.laws.clocks_differ |=
            !self.engine.knobs.tells_date && self.setup.clocks.iter().any(|at| *at != 0);
        let many = replicas.all.len();
        self.cluster
            .elsewhere
            .resize_with(many, || Feeds::new(self.setup.store_lag));
        self.replicas = Some(replicas);
        for n in 0..many {
            let at = self.dice.i64(0..2_000);
            self.at_of(n, at, Event::Start);
        }
    }

    pub(super) fn current(&self) -> Which {
        self.replicas.as_ref().map_or(0, |replicas| replicas.current)
    }

    /// From here on the world holds this process.
    pub(super) fn switch_to(&mut self, which: Which) {
        let Some(mut replicas) = self.replicas.take() else {
            return;
        };
        if which != replicas.current {
            let listens = self.process.is_some();
            let left = replicas.current;
            self.exchange(&mut replicas.all[left].parked, left);
            self.cluster.elsewhere[left].listens = listens;
            self.exchange(&mut replicas.all[which].parked, which);
            self.cluster.elsewhere[which].listens = false;
            replicas.current = which;
        }
        self.replicas = Some(replicas);
    }

    fn exchange(&mut self, parked: &mut Parked, which: Which) {
        swap(&mut self.process, &mut parked.process);
        swap(&mut self.run, &mut parked.run);
        swap(&mut self.jumped, &mut parked.jumped);
        swap(&mut self.paused_until, &mut parked.paused_until);
        swap(&mut self.crash_at, &mut parked.crash_at);
        swap(&mut self.scheduled, &mut parked.scheduled);
        swap(&mut self.began, &mut parked.began);
        self.cluster.exchange_feeds(which);
    }

    /// The process whose write made the Lease what it is, if it acts by it.
    pub(super) fn leader(&self) -> Option<Which> {
        let replicas = self.replicas.as_ref()?;
        let last = replicas.last?;
        (0..replicas.all.len()).find(|n| {
            let parked = &replicas.all[*n].parked;
            let (run, process) = if *n == replicas.current {
                (self.run, &self.process)
            } else {
                (parked.run, &parked.process)
            };
            run == last && process.is_some()
        })
    }

    /// What befalls everybody is seen from the process that leads.
    pub(super) fn switch_to_leader(&mut self) {
        if let Some(leader) = self.leader() {
            self.switch_to(leader);
        }
    }

    /// Nobody may act now: no process leads, or the one that does is not able to.
    pub(super) fn is_led(&self) -> bool {
        let Some(replicas) = &self.replicas else {
            return true;
        };
        let replica = &replicas.all[replicas.current];
        self.leader() == Some(replicas.current)
            && self.is_within_its_tenure()
            && !replica.lists
            && replica.stops.is_none()
            && self.now >= replica.cut_off_until
    }

    /// The same for each process in turn; then the world holds the one that leads.
    pub(super) fn each_replica(&mut self, mut how: impl FnMut(&mut Self)) {
        let Some(many) = self.replicas.as_ref().map(|replicas| replicas.all.len()) else {
            return how(self);
        };
        for n in 0..many {
            self.switch_to(n);
            how(self);
        }
        self.switch_to_leader();
    }
}

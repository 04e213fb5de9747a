//! What a history happens in: the models, the process, and what is to happen, in true time.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::Timestamp;

use super::agent_engine::AgentEngine;
use super::cluster::Cluster;
use super::cluster::Key;
use super::history::{History, Setup};
use super::laws::{Law, Laws, Violation};
use super::process::{Process, Subject};
use super::replicas::blow::CrashAt;
use super::replicas::state::{Held, Replicas, Which};
use super::requests::{Call, Outcome, Sent, Told};
use super::{Millis, wall};
use crate::crd::workspace::WorkspaceSpec;

/// How often the laws look at what is stored.
const LOOK_EVERY: Millis = 10_000;

/// Acts begin so late where objects are there from the beginning.
pub(super) const SETTLED: Millis = 60_000;

/// Something that is to happen.
#[derive(Debug)]
pub(super) enum Event {
    Act(usize),
    /// A watch may bring something.
    Watch,
    Due(Subject),
    Continue {
        subject: Subject,
        number: u64,
    },
    Sent(Box<Sent>),
    CarryOut(u64),
    Answer(u64),
    TimeOut {
        subject: Subject,
        number: u64,
    },
    Start,
    /// What is next in the election.
    Elect(u32),
    LeaseLeaves(u64),
    LeaseArrives(u64),
    LeaseAnswered(u64),
    LeaseGivenUp(u64),
    /// What runs is waited for no longer.
    DrainEnds(u32),
    /// An effect leaves a process that was frozen before it.
    Leaves(Box<Held>),
    /// The answer of Kubernetes is taken by a process that was frozen.
    Landed(Box<(Subject, u64, Outcome)>),
    /// The process looks whom rate limiters call, and who waits for a slot for too long.
    Permits(u32),
    /// A status of an object without a slot arrives at Kubernetes.
    Told(Box<Told>),
    Siege,
    /// The operator of another release may be gone.
    AnotherGoes,
    Laws,
    Calm,
}

pub(super) struct World {
    pub(super) now: Millis,
    pub(super) setup: Setup,
    pub(super) cluster: Cluster,
    pub(super) engine: AgentEngine,
    /// With several processes: the one whose event happens.
    pub(super) process: Option<Process>,
    /// Which process it is.
    pub(super) run: u32,
    /// None: there is one process alone.
    pub(super) replicas: Option<Replicas>,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) numbers: u64,
    pub(super) jumped: Millis,
    /// The most that the clock was ever ahead.
    pub(super) furthest_ahead: Millis,
    pub(super) paused_until: Millis,
    pub(super) writes_refused_until: Millis,
    /// Until when the operator of another release lives.
    pub(super) another_until: Millis,
    pub(super) crash_at: Option<CrashAt>,
    pub(super) backup: BTreeMap<super::cluster::Key, (WorkspaceSpec, crate::crd::workspace::WorkspaceStatus)>,
    pub(super) dice: Rng,
    pub(super) laws: Laws,
    pub(super) is_calm: bool,
    pub(super) scheduled: BTreeMap<Subject, Millis>,
    /// When the process began.
    pub(super) began: Millis,
    /// Each with the process that it is of.
    pub(super) events: BTreeMap<(Millis, u64), (Which, Event)>,
    pub(super) sequence: u64,
    pub(super) story: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(history: &History, telling: bool) -> Self {
        let setup = history.setup.clone();
        let mut dice = Rng::with_seed(setup.seed ^ 0x5eed);
        let engine = AgentEngine::new(setup.knobs, setup.organizations, dice.fork());
        let mut world = Self {
            now: 0,
            cluster: Cluster::new(setup.store_lag),
            engine,
            process: None,
            run: 0,
            replicas: None,
            calls: BTreeMap::new(),
            numbers: 0,
            jumped: 0,
            furthest_ahead: 0,
            paused_until: 0,
            writes_refused_until: 0,
            another_until: 0,
            crash_at: None,
            backup: BTreeMap::new(),
            dice,
            laws: Laws::default(),
            is_calm: false,
            scheduled: BTreeMap::new(),
            began: 0,
            events: BTreeMap::new(),
            sequence: 0,
            story: telling.then(Vec::new),
            setup,
        };
        world.furnish();
        world.start_replicas();
        world.at(LOOK_EVERY, Event::Laws);
        world.at(30_000, Event::Siege);
        let mut at = if world.setup.objects > 0 { SETTLED } else { 2_000 };
        for (n, timed) in history.acts.iter().enumerate() {
            at += timed.after;
            world.at(at, Event::Act(n));
        }
        world.at(at + 1_000, Event::Calm);
        world
    }

    /// A line of the story.
    pub(super) fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.story.is_some() {
            let told = line(self);
            let seconds = self.now as f64 / 1000.0;
            if let Some(story) = &mut self.story {
                story.push(format!("{seconds:>10.3}  {told}"));
            }
        }
    }

    pub(super) fn at(&mut self, at: Millis, event: Event) {
        self.at_of(self.current(), at, event);
    }

    pub(super) fn at_of(&mut self, which: Which, at: Millis, event: Event) {
        self.sequence += 1;
        self.events
            .insert((at.max(self.now), self.sequence), (which, event));
    }

    /// What the process's clock shows.
    /// How far the clock was set back since it was furthest ahead: what was stamped then ends so much later by it.
    pub(super) fn set_back_by(&self) -> Millis {
        self.furthest_ahead - self.jumped
    }

    pub(super) fn clock(&self) -> Timestamp {
        wall(self.now + self.jumped)
    }

    pub(super) fn send_told(&mut self, at: Millis, told: Told) {
        self.at(at, Event::Told(Box::new(told)));
    }

    pub(super) fn send(&mut self, at: Millis, sent: Sent) {
        self.at(at, Event::Sent(Box::new(sent)));
    }

    pub(super) fn expect_answer(&mut self, call: u64, carried_out: Option<Millis>, answered: Millis) {
        if let Some(at) = carried_out {
            self.at(at, Event::CarryOut(call));
        }
        self.at(answered, Event::Answer(call));
    }

    pub(super) fn break_law(&mut self, law: Law, what: impl FnOnce(&Self) -> String) {
        if self.laws.violation.is_none() {
            let text = what(self);
            self.tell(|_| format!("!! {}: {text}", law.name));
            self.laws.violation = Some(Violation {
                law,
                at: self.now,
                what: text,
            });
        }
    }

    /// Someone changes an object or its Secret.
    pub(super) fn touch(&mut self, key: &Key) {
        self.laws.touched.insert(key.clone(), self.now);
    }

    /// Whether the server tells when it made a workspace, and what its clock shows: nothing else tells whose one is.
    pub(super) fn windows_mean_something(&self) -> bool {
        self.engine.knobs.tells_created_at && self.engine.knobs.tells_date
    }

    pub(super) fn touch_all(&mut self) {
        for key in self.cluster.workspaces.keys() {
            self.laws.touched.insert(key.clone(), self.now);
        }
    }
}

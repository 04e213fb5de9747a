//! Time: one queue of events, one clock that is true and the process's clock, which jumps.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::Timestamp;

use super::agent_engine::AgentEngine;
use super::cluster::Cluster;
use super::effects::{Call, Sent};
use super::feed::Brought;
use super::history::{History, Setup};
use super::laws::{Laws, Violation};
use super::process::{Process, Reconciling, Running, Subject};
use super::without_slot::Written;
use super::{Millis, millis_until, wall};

use crate::controller::own_writes::Lag;
use crate::crd::workspace::WorkspaceSpec;
use crate::domain::ids::Uid;
use crate::lifecycle::judge::token_secret;
use crate::lifecycle::wakeups::Why;
use crate::lifecycle::{self, SharedList};
use crate::limits::RateLimiter;
use crate::organization;

/// Timers of the process end a little late.
const TIMER_SLACK: Millis = 20;

/// A store that lags is asked again after this.
pub(super) const LAG_RETRY: Millis = 5_000;

/// How often rate limiters are asked whom they call.
const CALL_INTERVAL: Millis = 100;

/// A reconcile may take so long.
const RECONCILE_TIMEOUT: Millis = 120_000;

/// How often the laws look at what is stored.
const LOOK_EVERY: Millis = 10_000;

/// After the last act, all is calm for so long.
pub(super) const CALM: Millis = 90 * 60_000;

/// Something that is to happen.
#[derive(Debug)]
enum Event {
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
    /// The process looks whom rate limiters call, and who waits for a slot for too long.
    Permits(u32),
    Word(Box<Written>),
    Siege,
    Laws,
    Calm,
}

/// What comes back to a reconcile.
pub(super) enum Outcome {
    Workspace(lifecycle::Outcome),
    Organization(organization::Outcome),
}

/// The next crash, at an effect.
#[derive(Clone, Copy, Debug)]
pub(super) struct CrashAt {
    pub(super) after: usize,
    pub(super) carried_out: bool,
    pub(super) down: Millis,
}

pub struct World {
    pub(super) now: Millis,
    pub(super) setup: Setup,
    pub(super) cluster: Cluster,
    pub(super) engine: AgentEngine,
    pub(super) process: Option<Process>,
    /// Which process it is.
    pub(super) run: u32,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) numbers: u64,
    pub(super) jumped: Millis,
    pub(super) paused_until: Millis,
    pub(super) writes_refused_until: Millis,
    pub(super) crash_at: Option<CrashAt>,
    pub(super) backup: BTreeMap<super::cluster::Key, (WorkspaceSpec, crate::crd::workspace::WorkspaceStatus)>,
    pub(super) dice: Rng,
    pub(super) laws: Laws,
    pub(super) is_calm: bool,
    scheduled: BTreeMap<Subject, Millis>,
    /// When the process began.
    began: Millis,
    events: BTreeMap<(Millis, u64), Event>,
    sequence: u64,
    story: Option<Vec<String>>,
}

/// How a history ended.
#[derive(Debug)]
pub struct Told {
    pub violation: Option<Violation>,
    pub story: Vec<String>,
    /// Rules that named an effect or an end.
    pub steps: u64,
}

/// Runs a history until a law is broken, or to its end.
pub fn run(history: &History, telling: bool) -> Told {
    let mut world = World::new(history, telling);
    while world.laws.violation.is_none()
        && let Some(((at, _), event)) = world.events.pop_first()
    {
        if matches!(event, Event::Laws) && world.events.is_empty() {
            break;
        }
        world.now = world.now.max(at);
        world.happen(history, event);
    }
    if world.laws.violation.is_none() {
        world.look_at_the_end();
    }
    Told {
        violation: world.laws.violation,
        story: world.story.unwrap_or_default(),
        steps: world.numbers,
    }
}

impl World {
    fn new(history: &History, telling: bool) -> Self {
        let setup = history.setup.clone();
        let mut dice = Rng::with_seed(setup.seed ^ 0x5eed);
        let engine = AgentEngine::new(setup.knobs, setup.organizations, dice.fork());
        let mut world = Self {
            now: 0,
            cluster: Cluster::new(setup.store_lag),
            engine,
            process: None,
            run: 0,
            calls: BTreeMap::new(),
            numbers: 0,
            jumped: 0,
            paused_until: 0,
            writes_refused_until: 0,
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
        world.at(0, Event::Start);
        world.at(LOOK_EVERY, Event::Laws);
        world.at(30_000, Event::Siege);
        let mut at = if world.setup.objects > 0 { 60_000 } else { 2_000 };
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

    fn at(&mut self, at: Millis, event: Event) {
        self.sequence += 1;
        self.events.insert((at.max(self.now), self.sequence), event);
    }

    /// What the process's clock shows.
    pub(super) fn clock(&self) -> Timestamp {
        wall(self.now + self.jumped)
    }

    fn happen(&mut self, history: &History, event: Event) {
        if let Some(process) = &mut self.process {
            process.age = self.now - self.began;
        }
        let of_the_process = matches!(
            event,
            Event::Watch
                | Event::Permits(_)
                | Event::Due(_)
                | Event::Continue { .. }
                | Event::Answer(_)
                | Event::TimeOut { .. }
        );
        if of_the_process && self.now < self.paused_until {
            let until = self.paused_until;
            return self.at(until, event);
        }
        match event {
            Event::Act(n) => {
                let act = history.acts[n].act.clone();
                self.tell(|_| format!("** {act:?}"));
                self.act(act);
            }
            Event::Watch => self.watch(),
            Event::Due(subject) => {
                if self.scheduled.get(&subject).is_some_and(|at| *at <= self.now) {
                    self.scheduled.remove(&subject);
                    self.due(subject);
                }
            }
            Event::Continue { subject, number } => self.go_on(&subject, number, None),
            Event::Sent(sent) => {
                if let Some((subject, number, outcome)) = self.land(*sent) {
                    self.go_on(&subject, number, Some(outcome));
                }
            }
            Event::CarryOut(call) => self.carry_out(call),
            Event::Answer(call) => {
                if let Some((subject, number, outcome)) = self.answer(call) {
                    self.go_on(&subject, number, Some(outcome));
                }
            }
            Event::TimeOut { subject, number } => self.time_out(&subject, number),
            Event::Start => self.start(),
            Event::Permits(run) => self.permits(run),
            Event::Word(written) => self.written_without_slot(*written),
            Event::Siege if self.is_calm => {}
            Event::Siege => {
                if let Some(again) = self.besiege() {
                    self.at(again, Event::Siege);
                }
            }
            Event::Laws => {
                self.look();
                self.at(self.now + LOOK_EVERY, Event::Laws);
            }
            Event::Calm => {
                self.tell(|_| "** all is calm from here on".to_owned());
                self.calm();
                let end = self.now + CALM;
                // Nothing is looked at after the end.
                self.events.split_off(&(end, 0));
                self.laws.ends_at = Some(end);
            }
        }
        self.watches_look();
        if self.laws.ends_at.is_some_and(|end| self.now >= end) {
            self.events.clear();
        }
    }

    /// The feeds say when to look at them.
    fn watches_look(&mut self) {
        for at in std::mem::take(&mut self.cluster.look_at) {
            self.at(at, Event::Watch);
        }
        self.wake();
    }

    // The process.

    pub(super) fn crash(&mut self, down: Millis) {
        self.tell(|_| format!("   the process dies, for {down} ms"));
        self.process = None;
        self.run += 1;
        self.scheduled.clear();
        self.crash_at = None;
        // What it saw and did not store is lost with it.
        self.laws.seen.clear();
        self.at(self.now + down, Event::Start);
    }

    fn start(&mut self) {
        if self.process.is_some() {
            return;
        }
        self.process = Some(Process::new(self.setup.concurrency));
        self.began = self.now;
        self.at(self.now, Event::Permits(self.run));
        for feed in [
            &mut self.cluster.workspace_feed.dead_until,
            &mut self.cluster.secret_feed.dead_until,
            &mut self.cluster.organization_feed.dead_until,
            &mut self.cluster.credential_feed.dead_until,
        ] {
            *feed = Some(self.now);
        }
        self.tell(|world| format!("   process {} starts", world.run));
        self.watch();
        self.wake();
    }

    fn watch(&mut self) {
        let now = self.clock();
        let (cluster, Some(process)) = (&mut self.cluster, &mut self.process) else {
            return;
        };
        match cluster.credential_feed.bring(self.now) {
            Some(Brought::Changes(changes)) => {
                changes
                    .into_iter()
                    .for_each(|change| process.credential_event(change));
            }
            Some(Brought::List) => process.credential_list(&cluster.credentials),
            None => {}
        }
        match cluster.organization_feed.bring(self.now) {
            Some(Brought::Changes(changes)) => {
                changes
                    .into_iter()
                    .for_each(|change| process.organization_event(change));
            }
            Some(Brought::List) => process.organization_list(&cluster.organizations),
            None => {}
        }
        match cluster.secret_feed.bring(self.now) {
            Some(Brought::Changes(changes)) => changes
                .into_iter()
                .for_each(|change| process.secret_event(change)),
            Some(Brought::List) => process.secret_list(&cluster.secrets),
            None => {}
        }
        match cluster.workspace_feed.bring(self.now) {
            Some(Brought::Changes(changes)) => {
                changes
                    .into_iter()
                    .for_each(|change| process.workspace_event(now, change));
            }
            Some(Brought::List) => process.workspace_list(now, &cluster.workspaces),
            None => {}
        }
    }

    /// Who was woken is due now.
    fn wake(&mut self) {
        let woken = self
            .process
            .as_mut()
            .map(|process| std::mem::take(&mut process.woken));
        for subject in woken.unwrap_or_default() {
            self.due(subject);
        }
    }

    /// The one timer of an object.
    fn schedule(&mut self, subject: Subject, at: Millis) {
        self.scheduled.insert(subject.clone(), at);
        self.at(at, Event::Due(subject));
    }

    /// The object is due: it waits in the queue until a slot is free for it.
    fn due(&mut self, subject: Subject) {
        let now = self.clock();
        if let Some(process) = &mut self.process {
            process.enqueue(now, subject);
            self.pump();
        }
    }

    fn pump(&mut self) {
        while let Some(subject) = self.process.as_mut().and_then(Process::take) {
            self.scheduled.remove(&subject);
            if let Err(again) = self.begin(&subject) {
                self.ended(subject, Some(self.now + again));
            }
        }
    }

    /// The reconcile of an object is over, however it went.
    fn ended(&mut self, subject: Subject, again_at: Option<Millis>) {
        if let Some(process) = &mut self.process {
            process.done(&subject);
        }
        if let Some(at) = again_at {
            self.schedule(subject, at);
        }
    }

    /// Rate limiters call those whose permit is near.
    fn permits(&mut self, run: u32) {
        let now = self.clock();
        let Some(process) = self.process.as_mut().filter(|_| run == self.run) else {
            return;
        };
        process.call(now);
        self.wake();
        self.tell_waiting();
        let Some(process) = &self.process else { return };
        // Seldom while no one waits, for a history has many hours.
        let again = if process.is_anyone_waiting() {
            CALL_INTERVAL
        } else {
            10 * CALL_INTERVAL
        };
        self.at(self.now + again, Event::Permits(run));
    }

    /// Begins a reconcile, or says after how long to ask again.
    fn begin(&mut self, subject: &Subject) -> Result<(), Millis> {
        let now = self.clock();
        self.numbers += 1;
        let number = self.numbers;
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        let (uid, version, live) = match subject {
            Subject::Workspace(key) => {
                let Some(object) = process.workspaces.get(key) else {
                    process.done(subject);
                    return Ok(());
                };
                let live = self
                    .cluster
                    .workspaces
                    .get(key)
                    .map(|live| (live.metadata.uid.clone(), live.metadata.version));
                (object.metadata.uid.clone(), object.metadata.version, live)
            }
            Subject::Organization(name) => {
                let Some(object) = process.organizations.get(name) else {
                    process.done(subject);
                    return Ok(());
                };
                let live = self
                    .cluster
                    .organizations
                    .get(name)
                    .map(|live| (live.metadata.uid.clone(), live.metadata.version));
                (object.metadata.uid.clone(), object.metadata.version, live)
            }
        };
        match process.written.lag(&uid, Some(&version.to_string()), now) {
            Lag::None => {}
            Lag::Short => return Err(LAG_RETRY),
            Lag::TooLong => {
                let lost = live.is_some_and(|(of, version)| {
                    of == uid && process.written.is_newer_than(&uid, Some(&version.to_string()))
                });
                if lost {
                    process.written.forget(&uid);
                }
                return Err(LAG_RETRY);
            }
        }
        let what = match subject {
            Subject::Workspace(key) => {
                let object = process.workspaces[key].clone();
                let organization = object.spec.organization_name();
                let state = process.states.get(organization);
                let verified = state.is_some_and(|state| state.published.verified().is_some());
                Reconciling::Workspace {
                    client: state.and_then(|state| state.client.clone()).filter(|_| verified),
                    organization_uid: state.map(|state| state.uid.clone()),
                    reconcile: lifecycle::Reconcile::new(process.view(now, &object)),
                    object,
                    tokens: Vec::new(),
                }
            }
            Subject::Organization(name) => {
                let object = process.organizations[name].clone();
                let Some(view) = process.organization_view(now, &object) else {
                    process.done(subject);
                    return Ok(());
                };
                Reconciling::Organization {
                    client: process.states.get(name).and_then(|state| state.client.clone()),
                    reconcile: organization::Reconcile::new(view),
                    object,
                    cursor: 0,
                    recorded: BTreeMap::new(),
                }
            }
        };
        let running = Running {
            number,
            began: self.now,
            status_writes: 0,
            what,
        };
        if matches!(running.what, Reconciling::Workspace { .. }) {
            self.at(
                self.now + RECONCILE_TIMEOUT,
                Event::TimeOut {
                    subject: subject.clone(),
                    number,
                },
            );
        }
        if let Some(process) = &mut self.process {
            process.running.insert(subject.clone(), running);
        }
        self.tell(|_| format!("   {subject:?} begins reconcile {number}"));
        self.go_on(subject, number, None);
        Ok(())
    }

    /// Hands an outcome to a reconcile, and has its next effect performed.
    fn go_on(&mut self, subject: &Subject, number: u64, outcome: Option<Outcome>) {
        let now = self.clock();
        let Some(process) = &mut self.process else { return };
        let Some(mut running) = process.running.remove(subject) else {
            return;
        };
        if running.number != number {
            process.running.insert(subject.clone(), running);
            return;
        }
        match (&mut running.what, outcome) {
            (
                Reconciling::Workspace {
                    reconcile, object, ..
                },
                outcome,
            ) => {
                let outcome = outcome.and_then(|outcome| match outcome {
                    Outcome::Workspace(outcome) => Some(outcome),
                    Outcome::Organization(_) => None,
                });
                let mut idle = RateLimiter::default();
                let limiter = process
                    .states
                    .get_mut(object.spec.organization_name())
                    .map_or(&mut idle, |state| &mut state.limiter);
                match reconcile.next(now, &mut process.claims, limiter, outcome) {
                    lifecycle::Next::Wait(until) => {
                        let at = self.now + millis_until(now, until) + 1;
                        process.running.insert(subject.clone(), running);
                        self.tell(|world| format!("      {number} waits for {} ms", at - world.now));
                        self.at(
                            at,
                            Event::Continue {
                                subject: subject.clone(),
                                number,
                            },
                        );
                    }
                    lifecycle::Next::Perform { rule, effect } => {
                        if let lifecycle::Effect::Engine(lifecycle::effect::EngineCall::Issue { .. }) =
                            &effect
                        {
                            let view = reconcile.view();
                            process
                                .memories
                                .insert(view.object.uid.clone(), view.memory.clone());
                        }
                        process.running.insert(subject.clone(), running);
                        self.tell(|_| format!("      {number} {rule} → {effect:?}"));
                        self.perform_workspace(subject, number, effect);
                    }
                    lifecycle::Next::Settled(settled) => self.settle_workspace(subject, running, *settled),
                }
            }
            (
                Reconciling::Organization {
                    reconcile, object, ..
                },
                outcome,
            ) => {
                let outcome = outcome.and_then(|outcome| match outcome {
                    Outcome::Organization(outcome) => Some(outcome),
                    Outcome::Workspace(_) => None,
                });
                let mut idle = RateLimiter::default();
                let limiter = process
                    .states
                    .get_mut(&object.name)
                    .filter(|state| state.uid == object.metadata.uid)
                    .map_or(&mut idle, |state| &mut state.limiter);
                match reconcile.next(now, &process.claims, limiter, outcome) {
                    organization::Next::Wait(until) => {
                        let at = self.now + millis_until(now, until) + 1;
                        process.running.insert(subject.clone(), running);
                        self.at(
                            at,
                            Event::Continue {
                                subject: subject.clone(),
                                number,
                            },
                        );
                    }
                    organization::Next::Perform { rule, effect } => {
                        process.running.insert(subject.clone(), running);
                        self.tell(|_| format!("      {number} {rule} → {}", effect.kind()));
                        self.perform_organization(subject, number, effect);
                    }
                    organization::Next::Settled(settled) => {
                        let (name, uid) = (object.name.clone(), object.metadata.uid.clone());
                        if let Some(state) = process.state_of(&name, &uid) {
                            state.memory = settled.memory;
                        }
                        let at = self.now + millis_until(now, settled.requeue.at) + TIMER_SLACK;
                        self.tell(|_| {
                            format!("      {number} settled by {}: {:?}", settled.rule, settled.reason)
                        });
                        self.ended(subject.clone(), Some(at));
                        self.pump();
                    }
                }
            }
        }
    }

    fn settle_workspace(&mut self, subject: &Subject, running: Running, settled: lifecycle::Settled) {
        let now = self.clock();
        let Reconciling::Workspace {
            reconcile, object, ..
        } = running.what
        else {
            return;
        };
        let Some(process) = &mut self.process else { return };
        let winners = process
            .claims
            .release(&reconcile.claimant(), reconcile.view().claims());
        process.wake_all(&winners);
        let uid: Uid = object.metadata.uid.clone();
        if process.is_stored(&object) {
            if settled.requeue.why == Why::PermitGranted {
                process.waits_for_permit.insert(uid.clone(), object.key.clone());
            } else {
                process.waits_for_permit.remove(&uid);
            }
            process.memories.insert(uid, settled.memory);
        } else {
            let winners = process.forget(&uid);
            process.wake_all(&winners);
        }
        let organization = object.spec.organization_name();
        if settled.list == SharedList::Wanted {
            process.want_list(now, organization);
        }
        let at = self.now + millis_until(now, settled.requeue.at) + TIMER_SLACK;
        self.tell(|world| {
            let again = (at - world.now) / 1000;
            let why = settled.requeue.why.as_str();
            format!(
                "      {} settled by {}: {:?}; again in {again}s: {why}",
                running.number, settled.rule, settled.reason
            )
        });
        self.ended(subject.clone(), Some(at));
        self.pump();
    }

    /// As the controller gives up a reconcile.
    fn time_out(&mut self, subject: &Subject, number: u64) {
        let now = self.clock();
        let Some(process) = &mut self.process else { return };
        let is_it = process
            .running
            .get(subject)
            .is_some_and(|running| running.number == number);
        if !is_it {
            return;
        }
        let Some(running) = process.running.remove(subject) else {
            return;
        };
        let Reconciling::Workspace { object, .. } = running.what else {
            return;
        };
        let view = process.view(now, &object);
        let uid = &view.object.uid;
        let again = if process.is_stored(&object) {
            let urgency = token_secret::urgency(&view);
            let memory = process.memories.entry(uid.clone()).or_default();
            memory.lost_track(now);
            let at = memory.rest_after_loss(now, |aspect| view.cause(aspect), urgency, uid);
            millis_until(now, at) + TIMER_SLACK
        } else {
            let winners = process.forget(uid);
            process.wake_all(&winners);
            0
        };
        self.tell(|_| format!("      {number} times out"));
        self.ended(subject.clone(), Some(self.now + again));
        self.pump();
    }

    // For effects.

    pub(super) fn write_without_slot(&mut self, at: Millis, written: Written) {
        self.at(at, Event::Word(Box::new(written)));
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
}

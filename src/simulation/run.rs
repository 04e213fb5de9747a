//! Runs a history: one event after the other, and the life of the process.

use super::Millis;
use super::feed::Brought;
use super::history::History;
use super::laws::Violation;
use super::process::{Another, Process, SELDOM, Subject};
use super::replicas::election::Answered;
use super::world::{Event, World};

/// How often the laws look at what is stored.
const LOOK_EVERY: Millis = 10_000;

/// After the last act, all is calm for so long.
pub(super) const CALM: Millis = 90 * 60_000;

/// How a history ended.
#[derive(Debug)]
pub struct HistoryEnd {
    pub violation: Option<Violation>,
    pub story: Vec<String>,
    /// Rules that named an effect or an end.
    pub steps: u64,
}

/// Runs a history until a law is broken, or to its end.
pub fn run(history: &History, telling: bool) -> HistoryEnd {
    let mut world = World::new(history, telling);
    while world.laws.violation.is_none()
        && let Some(((at, _), (which, event))) = world.events.pop_first()
    {
        if matches!(event, Event::Laws) && world.events.is_empty() {
            break;
        }
        world.now = world.now.max(at);
        world.switch_to(which);
        world.happen(history, event);
    }
    if world.laws.violation.is_none() {
        world.look_at_the_end();
    }
    HistoryEnd {
        violation: world.laws.violation,
        story: world.story.unwrap_or_default(),
        steps: world.numbers,
    }
}

impl World {
    pub(super) fn happen(&mut self, history: &History, event: Event) {
        if let Some(process) = &mut self.process {
            process.age = self.now - self.began;
            process.another = Another::until(self.another_until, self.now);
        }
        let of_the_process = matches!(
            event,
            Event::Watch
                | Event::Permits(_)
                | Event::Due(_)
                | Event::Continue { .. }
                | Event::Answer(_)
                | Event::TimeOut { .. }
                | Event::Elect(_)
                | Event::LeaseLeaves(_)
                | Event::LeaseAnswered(_)
                | Event::LeaseGivenUp(_)
                | Event::DrainEnds(_)
                | Event::Leaves(_)
                | Event::Landed(_)
        );
        if of_the_process && self.now < self.paused_until {
            let until = self.paused_until;
            return self.at(until, event);
        }
        if matches!(
            event,
            Event::Act(_) | Event::Siege | Event::AnotherGoes | Event::Laws | Event::Calm
        ) {
            self.switch_to_leader();
        }
        let mut changes = !matches!(event, Event::Laws);
        match event {
            Event::Act(n) => {
                let act = history.acts[n].act.clone();
                self.tell(|_| format!("** {act:?}"));
                self.act(act);
                self.note_retentions();
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
                if let Some((subject, number, outcome)) = self.arrive(*sent) {
                    self.go_on(&subject, number, Some(outcome));
                }
            }
            Event::CarryOut(call) => self.carry_out(call),
            Event::Answer(call) => {
                if let Some((subject, number, outcome)) = self.answer(call) {
                    self.go_on(&subject, number, Some(outcome));
                }
            }
            Event::TimeOut { subject, number } => self.cut_off(&subject, number),
            Event::Start if self.replicas.is_some() => self.boot(),
            Event::Start => self.start(),
            Event::Elect(run) => self.elect(run),
            Event::LeaseLeaves(call) => self.lease_leaves(call),
            Event::LeaseArrives(call) => self.lease_arrives(call),
            Event::LeaseAnswered(call) => self.lease_answered(call, Answered::Yes),
            Event::LeaseGivenUp(call) => self.lease_answered(call, Answered::No),
            Event::DrainEnds(run) => self.drain_ends(run),
            Event::Leaves(held) => self.leave(*held),
            Event::Landed(landed) => {
                let (subject, number, outcome) = *landed;
                self.go_on(&subject, number, Some(outcome));
            }
            Event::Permits(run) => changes = self.permits(run),
            Event::Told(told) => self.told(*told),
            Event::AnotherGoes => {
                let another = Another::until(self.another_until, self.now);
                if let Some(process) = self.process.as_mut().filter(|_| another == Another::IsGone) {
                    process.another = another;
                    process.another_goes();
                }
                self.wake();
            }
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
        if changes {
            self.watches_look();
            while self.pump() {
                self.watches_look();
            }
            self.permits_sooner();
            self.release_once_drained();
        }
        if self.laws.ends_at.is_some_and(|end| self.now >= end) {
            self.events.clear();
        }
    }

    /// The feeds say when to look at them.
    pub(super) fn watches_look(&mut self) {
        for at in std::mem::take(&mut self.cluster.look_at) {
            self.at(at, Event::Watch);
        }
        for (which, at) in self.cluster.look_elsewhere() {
            self.at_of(which, at, Event::Watch);
        }
        self.wake();
    }

    pub(super) fn crash(&mut self, down: Millis) {
        self.tell(|_| format!("   the process dies, for {down} ms"));
        self.note_issues_that_die();
        self.process = None;
        self.run += 1;
        self.scheduled.clear();
        self.crash_at = None;
        // What it saw and did not store is lost with it.
        self.laws.seen.clear();
        self.leave_election();
        self.at(self.now + down, Event::Start);
    }

    pub(super) fn start(&mut self) {
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

    pub(super) fn watch(&mut self) {
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
    pub(super) fn wake(&mut self) {
        let woken = self
            .process
            .as_mut()
            .map(|process| std::mem::take(&mut process.woken));
        for subject in woken.unwrap_or_default() {
            self.due(subject);
        }
    }

    /// The one timer of an object.
    pub(super) fn schedule(&mut self, subject: Subject, at: Millis) {
        self.scheduled.insert(subject.clone(), at);
        self.at(at, Event::Due(subject));
    }

    /// The object is due: it waits in the queue until a slot is free for it.
    pub(super) fn due(&mut self, subject: Subject) {
        let now = self.clock();
        if let Some(process) = &mut self.process {
            process.enqueue(now, subject);
        }
    }

    /// Begins what may run. Returns whether anything did.
    fn pump(&mut self) -> bool {
        let mut began = false;
        if !self.serves() {
            return false;
        }
        while let Some(subject) = self.process.as_mut().and_then(Process::take) {
            began = true;
            self.scheduled.remove(&subject);
            if let Err(again) = self.begin(&subject) {
                self.ended(subject, Some(self.now + again));
            }
        }
        began
    }

    /// The reconcile of an object is over, however it went.
    pub(super) fn ended(&mut self, subject: Subject, again_at: Option<Millis>) {
        if let Some(process) = &mut self.process {
            process.done(&subject);
        }
        if let Some(at) = again_at {
            self.schedule(subject, at);
        }
    }

    /// Rate limiters call those whose permit is near. Returns whether anyone was woken.
    pub(super) fn permits(&mut self, run: u32) -> bool {
        let clock = self.clock();
        let of_this = |process: &&mut Process| run == self.run && self.now >= process.permits_at;
        let Some(process) = self.process.as_mut().filter(of_this) else {
            return false;
        };
        process.call(clock);
        let wakes = !process.woken.is_empty();
        self.wake();
        self.tell_waiting();
        let Some(process) = &mut self.process else {
            return wakes;
        };
        let again = match process.permits_within() {
            Some(again) => again,
            // A history has many hours: where nothing happens before, the last time alone.
            None => {
                let mut others = self
                    .events
                    .iter()
                    .filter(|(_, (_, event))| !matches!(event, Event::Elect(_) | Event::Laws));
                let next = others.next().map_or(self.now, |((at, _), _)| *at);
                SELDOM * ((next - self.now) / SELDOM).max(1)
            }
        };
        self.permits_at(self.now + again);
        wakes
    }

    fn permits_at(&mut self, at: Millis) {
        if let Some(process) = &mut self.process {
            process.permits_at = at;
            self.at(at, Event::Permits(self.run));
        }
    }

    /// Whoever waits from now on is not to wait for the next event.
    fn permits_sooner(&mut self) {
        let Some(process) = &mut self.process else { return };
        if let Some(again) = process.permits_within()
            && self.now + again < process.permits_at
        {
            self.permits_at(self.now + again);
        }
    }
}

//! How the effects of a process that may lose its right leave it: the runner asks the fence before it performs one, the
//! transport asks again before a request leaves, and sends nothing after its deadline.

use std::time::Duration;

use super::blow::Frozen;
use super::state::{Effect, Held, InFlight, Passage};
use crate::leadership::Right;
use crate::lifecycle::effect::ClusterEffect;
use crate::simulation::Millis;
use crate::simulation::process::Subject;
use crate::simulation::requests::{ClusterRequest, Outcome, Sent};
use crate::simulation::weather::{ATTEMPT_TIMEOUT, Fate, Request, lost};
use crate::simulation::world::{Event, World};

/// A request that the lease does not cover waits for the next renewal, of which the transport is told at once.
const ASKS_AGAIN: Millis = 200;

impl World {
    /// A reconcile names an effect.
    pub(in crate::simulation) fn begin_effect(&mut self, subject: &Subject, number: u64, effect: Effect) {
        if self.replicas.is_none() {
            return self.perform(|world| world.perform_effect(subject, number, effect));
        }
        if !self.right().0.is_open(self.right().1) {
            if let Some(process) = &mut self.process {
                process.running.remove(subject);
            }
            self.tell(|_| format!("      {number} is stopped by the fence"));
            return self.ended(subject.clone(), None);
        }
        match self.freezes_here() {
            None if effect.is_of_agent_engine() && !self.covers_attempt() => {
                let held = Held {
                    subject: subject.clone(),
                    number,
                    effect,
                    passage: Passage::Asks,
                };
                self.at(self.now + ASKS_AGAIN, Event::Leaves(Box::new(held)));
            }
            None => self.perform(|world| world.perform_effect(subject, number, effect)),
            Some((Frozen::AfterIt, during)) => {
                self.perform(|world| world.perform_effect(subject, number, effect));
                self.freeze(during);
            }
            Some((frozen, during)) => {
                let passage = match frozen {
                    Frozen::WhileItConnects if self.covers_attempt() => {
                        Passage::Until(self.now + ATTEMPT_TIMEOUT)
                    }
                    _ => Passage::Asks,
                };
                self.freeze(during);
                let held = Held {
                    subject: subject.clone(),
                    number,
                    effect,
                    passage,
                };
                self.at(self.now, Event::Leaves(Box::new(held)));
            }
        }
    }

    fn perform_effect(&mut self, subject: &Subject, number: u64, effect: Effect) {
        match effect {
            Effect::Workspace(effect) => self.perform_workspace(subject, number, effect),
            Effect::Organization(effect) => self.perform_organization(subject, number, effect),
        }
    }

    /// The process is awake again.
    pub(in crate::simulation) fn leave(&mut self, held: Held) {
        let running = self
            .process
            .as_ref()
            .and_then(|process| process.running.get(&held.subject));
        if running.is_none_or(|running| running.number != held.number) {
            return;
        }
        let waits =
            held.effect.is_of_agent_engine() && held.passage == Passage::Asks && !self.covers_attempt();
        let (right, now) = self.right();
        if waits && right.is_open(now) {
            return self.at(self.now + ASKS_AGAIN, Event::Leaves(Box::new(held)));
        }
        if let Some(replicas) = &mut self.replicas {
            replicas.passage = held.passage;
        }
        self.perform(|world| world.perform_effect(&held.subject, held.number, held.effect));
        if let Some(replicas) = &mut self.replicas {
            replicas.passage = Passage::Asks;
        }
    }

    fn right(&self) -> (Right, Duration) {
        let open = (Right::Unfenced, Duration::ZERO);
        self.replicas.as_ref().map_or(open, |replicas| {
            (replicas.all[replicas.current].right, replicas.local(self.now))
        })
    }

    fn covers_attempt(&self) -> bool {
        let (right, now) = self.right();
        right.covers(now, Duration::from_millis(ATTEMPT_TIMEOUT.unsigned_abs()))
    }

    /// Whether the transport lets a request to Agent Engine leave now.
    pub(in crate::simulation) fn lets_through(&self) -> bool {
        match self.replicas.as_ref().map(|replicas| replicas.passage) {
            None => true,
            Some(Passage::Asks) => self.covers_attempt(),
            Some(Passage::Until(by)) => self.now < by,
        }
    }

    /// A request to Agent Engine leaves: nobody waits for its answer beyond its deadline.
    pub(in crate::simulation) fn call_leaves(&mut self, mut fate: Fate, request: Request) -> Fate {
        let Some(replicas) = &self.replicas else {
            return fate;
        };
        let by = match replicas.passage {
            Passage::Asks => self.now + ATTEMPT_TIMEOUT,
            Passage::Until(by) => by,
        };
        if self.now + fate.answered > by {
            fate = lost(request, by - self.now, fate.carried_out);
        }
        let deadline = self.now + fate.answered;
        self.leaves(self.now + fate.carried_out.unwrap_or_default(), deadline);
        fate
    }

    /// An effect leaves the process.
    pub(in crate::simulation) fn leaves(&mut self, over: Millis, deadline: Millis) {
        let (now, run) = (self.now, self.run);
        self.begins_under_leadership();
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        replicas.in_flight.retain(|one| one.over > now);
        replicas.in_flight.push(InFlight {
            run,
            over: over.max(deadline),
            deadline,
        });
    }

    /// Whether the current process leads, as Kubernetes knows.
    pub(in crate::simulation) fn is_within_its_tenure(&self) -> bool {
        self.replicas.as_ref().is_none_or(|replicas| {
            let tenure = replicas.tenures.get(&self.run);
            replicas.last == Some(self.run) && tenure.is_some_and(|tenure| self.now < tenure.ends)
        })
    }

    /// What other processes have in flight, and is not over though their lease is.
    pub(in crate::simulation) fn in_flight_beside(&self) -> Option<(u32, Millis)> {
        let replicas = self.replicas.as_ref()?;
        let mut others = replicas
            .in_flight
            .iter()
            .filter(|one| one.run != self.run && one.over > self.now);
        let outlasts = |one: &&InFlight| {
            let tenure = replicas.tenures.get(&one.run);
            tenure.is_none_or(|tenure| one.deadline > tenure.ends)
        };
        others.find(outlasts).map(|one| (one.run, one.deadline))
    }
}

// Requests to Kubernetes.

/// Nobody waits for its answer any more.
const NOBODY_WAITS: u32 = u32::MAX;

/// A write is waited for at most so long.
const HANGS_FOR: Millis = 120_000;

impl World {
    /// Whether the door lets a request to Kubernetes leave now.
    pub(in crate::simulation) fn door_is_open(&self) -> bool {
        let (right, now) = self.right();
        match self.replicas.as_ref().map(|replicas| replicas.passage) {
            None => true,
            Some(Passage::Asks) => right.is_open(now),
            Some(Passage::Until(_)) => right.goes_on(now),
        }
    }

    /// A request to Kubernetes leaves the process.
    pub(in crate::simulation) fn send_request(&mut self, sent: Sent, took: Millis) {
        let over = self.now + took;
        if self.is_cut_off() {
            return self.send_cut_off(sent);
        }
        self.leaves(over, over);
        self.send(over, sent);
    }

    /// Kubernetes does not answer: refused at once, or silent; and what was sent may still arrive when it is back.
    fn send_cut_off(&mut self, sent: Sent) {
        let (now, refused) = (self.now, self.dice.bool());
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        let back = replicas.here().cut_off_until;
        // What goes on at the end of the lease is dropped by the door, or with its process.
        let ends = match replicas.here().right {
            Right::Leads { ends, .. } => replicas.true_time(ends),
            Right::Unfenced | Right::Closed => Millis::MAX,
        };
        let failed = Sent {
            is_cut_off: true,
            ..sent.clone()
        };
        if refused {
            self.leaves(now + 30, now + 30);
            return self.send(now + 30, failed);
        }
        let fails = back.min(now + HANGS_FOR);
        self.leaves(back, ends.min(fails));
        if self.dice.u8(0..2) == 0 {
            let late = Sent {
                run: NOBODY_WAITS,
                ..sent
            };
            self.send(back, late);
        }
        // The connection is reset when Kubernetes is back.
        self.send(fails, failed);
    }

    /// A request arrives at Kubernetes, unless its process was frozen before it was sent.
    pub(in crate::simulation) fn arrive(&mut self, sent: Sent) -> Option<(Subject, u64, Outcome)> {
        // Of a process that was cut off: who leads now may issue a token before its watch shows the one that lands here.
        if sent.run == NOBODY_WAITS
            && let ClusterRequest::Workspace { object, effect, .. } = &sent.request
            && matches!(effect, ClusterEffect::WriteSecret(_))
        {
            self.touch(&object.key);
        }
        let is_frozen = self.replicas.is_some() && self.now < self.paused_until && sent.run == self.run;
        if !is_frozen {
            return self.land(sent);
        }
        let awake = self.paused_until;
        if let Some(landed) = self.land(sent) {
            self.at(awake, Event::Landed(Box::new(landed)));
        }
        None
    }
}

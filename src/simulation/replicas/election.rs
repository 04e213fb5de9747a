//! One process's part in the election: asks what its elector wants asked, begins and ends as its right does. The Lease as
//! Kubernetes stores it.

use super::state::{LeaseAct, LeaseCall};
use crate::leadership::{Act, Elector, Heard, Right, Standing};
use crate::simulation::Millis;
use crate::simulation::process::Process;
use crate::simulation::world::{Event, World};

/// `--drain-timeout`.
const DRAIN_TIMEOUT: Millis = 25_000;

/// While all is calm, who stands by reads the Lease so seldom: it tells nothing new.
const SELDOM: Millis = 9_000;

/// Whether an answer has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::simulation) enum Answered {
    Yes,
    No,
}

impl World {
    /// A process starts, and stands by.
    pub(in crate::simulation) fn boot(&mut self) {
        let run = self.run;
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        let terms = replicas.terms;
        let replica = replicas.here();
        // One that releases the Lease has not ended yet.
        if replica.elector.is_some() || replica.stops.is_some() {
            return;
        }
        self.paused_until = 0;
        replica.elector = Some(Elector::new(replica.identity.clone(), terms));
        (replica.right, replica.stops, replica.freeze_at) = (Right::Closed, None, None);
        self.tell(|world| format!("   process {} starts, and stands by", world.run));
        self.elect(run);
    }

    /// What is next in the election.
    pub(in crate::simulation) fn elect(&mut self, run: u32) {
        // A request that is answered at once is followed by the next act.
        for _ in 0..8 {
            if self.run != run {
                return;
            }
            self.tell_standing();
            let now = self.now;
            let Some(replicas) = &mut self.replicas else {
                return;
            };
            let at = replicas.local(now);
            let Some(elector) = replicas.here().elector.as_ref().filter(|_| self.run == run) else {
                return;
            };
            match elector.next(at) {
                Act::WaitUntil(until) => {
                    let stands_by = matches!(elector.standing(at), Standing::StandsBy { .. });
                    let until = replicas.true_time(until).max(now + 1);
                    let seldom = if self.is_calm && stands_by { SELDOM } else { 0 };
                    return self.at(until + seldom, Event::Elect(run));
                }
                act => {
                    if !self.ask(run, LeaseAct::Elects(act)) {
                        return;
                    }
                }
            }
        }
        self.at(self.now + 1, Event::Elect(run));
    }

    /// Asks Kubernetes. Returns whether it was answered at once.
    fn ask(&mut self, run: u32, act: LeaseAct) -> bool {
        self.numbers += 1;
        let id = self.numbers;
        let (now, is_calm, dice) = (self.now, self.is_calm, &mut self.dice);
        let Some(replicas) = &mut self.replicas else {
            return false;
        };
        let asked = replicas.local(now);
        let is_cut_off = now < replicas.here().cut_off_until;
        let patience = match (&act, &replicas.here().elector) {
            (LeaseAct::Elects(_), Some(elector)) => elector.patience(asked),
            _ => replicas.terms.answered_within(),
        };
        let fate = match is_cut_off {
            true => 0,
            false if is_calm => u8::MAX,
            false => dice.u8(0..48),
        };
        let (is_lost, answer_is_lost) = match fate {
            0 if is_cut_off => (dice.u8(0..3) > 0, true),
            0 => (dice.bool(), true),
            _ => (false, false),
        };
        let is_prompt = fate > 2;
        let is_read = matches!(act, LeaseAct::Elects(Act::Read));
        let mut call = LeaseCall {
            run,
            identity: replicas.here().identity.clone(),
            act,
            asked,
            asked_at: now,
            arrives_after: dice.i64(1..20),
            answers_after: dice.i64(1..20),
            is_lost,
            answer_is_lost,
            heard: None,
            given_up: false,
        };
        if is_prompt && (is_read || is_calm) {
            self.carry_out_lease_call(&mut call);
            if let LeaseAct::Elects(_) = &call.act {
                self.hear(call);
                return true;
            }
            return false;
        }
        if !is_prompt {
            let dice = &mut self.dice;
            (call.arrives_after, call.answers_after) = (dice.i64(1..9_000), dice.i64(1..9_000));
        }
        if let Some(replicas) = &mut self.replicas {
            replicas.lease_calls.insert(id, call);
        }
        let patience = Millis::try_from(patience.as_millis()).unwrap_or(Millis::MAX / 4);
        let leaves = self.now + self.dice.i64(0..3);
        self.at(leaves, Event::LeaseLeaves(id));
        self.at(now + patience, Event::LeaseGivenUp(id));
        false
    }

    /// A request about the Lease leaves its process.
    pub(in crate::simulation) fn lease_leaves(&mut self, id: u64) {
        let (now, run) = (self.now, self.run);
        let Some(replicas) = &self.replicas else { return };
        let Some(call) = replicas.lease_calls.get(&id) else {
            return;
        };
        if call.run == run && !call.is_lost {
            self.at(now + call.arrives_after, Event::LeaseArrives(id));
        }
    }

    pub(in crate::simulation) fn lease_arrives(&mut self, id: u64) {
        let Some(mut call) = self
            .replicas
            .as_mut()
            .and_then(|replicas| replicas.lease_calls.remove(&id))
        else {
            return;
        };
        self.carry_out_lease_call(&mut call);
        if call.given_up || call.answer_is_lost {
            // Its giving up comes by itself.
            call.heard = None;
        } else {
            self.at(self.now + call.answers_after, Event::LeaseAnswered(id));
        }
        if let Some(replicas) = self.replicas.as_mut().filter(|_| !call.given_up) {
            replicas.lease_calls.insert(id, call);
        }
    }

    fn carry_out_lease_call(&mut self, call: &mut LeaseCall) {
        let (now, version) = (self.now, self.cluster.version());
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        let before = replicas.lease.clone();
        let heard = replicas.carry_out(call, now, version);
        let after = replicas.lease.clone();
        if before.as_ref().and_then(|lease| lease.holder.as_ref())
            != after.as_ref().and_then(|lease| lease.holder.as_ref())
        {
            self.tell(|_| {
                format!(
                    "   the Lease is held by {:?} from here on",
                    after.and_then(|lease| lease.holder)
                )
            });
        }
        call.heard = Some(heard);
    }

    /// The answer has come, or is waited for no longer.
    pub(in crate::simulation) fn lease_answered(&mut self, id: u64, answered: Answered) {
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        let Some(mut call) = replicas.lease_calls.remove(&id) else {
            return;
        };
        let run = call.run;
        if answered == Answered::No {
            let late = LeaseCall {
                given_up: true,
                act: call.act.clone(),
                identity: call.identity.clone(),
                heard: None,
                ..call
            };
            // What has not arrived yet may still do so.
            if call.heard.is_none() && !call.is_lost {
                replicas.lease_calls.insert(id, late);
            }
            call.heard = Some(Heard::Failed);
        }
        match call.act {
            LeaseAct::Elects(_) => {
                self.hear(call);
                self.elect(run);
            }
            LeaseAct::Releases(_) if run == self.run => self.end_after_release(),
            LeaseAct::Releases(_) => {}
        }
    }

    fn hear(&mut self, call: LeaseCall) {
        let (now, run) = (self.now, self.run);
        let Some(replicas) = self.replicas.as_mut().filter(|_| call.run == run) else {
            return;
        };
        let answered = replicas.local(now);
        let (LeaseAct::Elects(act), Some(heard)) = (call.act, call.heard) else {
            return;
        };
        let replica = replicas.here();
        // One that is being released hears no more.
        if let Some(elector) = replica.elector.as_mut() {
            elector.heard(&act, call.asked, answered, heard);
        }
        self.tell_standing();
    }

    /// Moves the fence; begins and ends the controllers with the leadership.
    fn tell_standing(&mut self) {
        let now = self.now;
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        let at = replicas.local(now);
        let replica = replicas.here();
        let Some(elector) = &replica.elector else { return };
        let standing = elector.standing(at);
        replica.right = Right::of(&standing);
        match standing {
            Standing::Leads { .. } if self.process.is_none() && replica.stops.is_none() => self.take_over(),
            Standing::Leads { .. } | Standing::StandsBy { .. } => {}
            Standing::Lost => {
                let down = [500, 5_000, 40_000][self.dice.usize(0..3)];
                self.tell(|world| format!("   process {} leads no longer", world.run));
                self.crash(down);
            }
        }
    }

    /// The process leads: stores are listed, and reconciles begin.
    fn take_over(&mut self) {
        self.tell(|world| format!("   process {} leads", world.run));
        let (now, dice) = (self.now, &mut self.dice);
        let took = dice.i64(5..1_500);
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        let replica = replicas.here();
        replica.lists = true;
        let listed = (now + took).max(replica.cut_off_until);
        self.process = Some(Process::new(self.setup.concurrency));
        (self.began, self.laws.able_since) = (now, now);
        self.furthest_ahead = self.furthest_ahead.max(self.jumped);
        // What the former leader saw and did not store is lost with it.
        self.laws.seen.clear();
        self.cluster.list_at(listed);
        self.at(listed, Event::Watch);
        self.at(now, Event::Permits(self.run));
    }

    /// Whether reconciles may begin: all stores were listed, and nobody told the process to stop.
    pub(in crate::simulation) fn serves(&mut self) -> bool {
        let is_listed = self.cluster.is_listed();
        let Some(replicas) = &mut self.replicas else {
            return true;
        };
        let replica = replicas.here();
        replica.lists &= !is_listed;
        !replica.lists && replica.stops.is_none()
    }

    /// The process is told to stop: what runs ends, then the Lease is released.
    pub(in crate::simulation) fn stop(&mut self, down: Millis) {
        let run = self.run;
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        let replica = replicas.here();
        if replica.elector.is_none() || replica.stops.is_some() {
            return;
        }
        replica.stops = Some(down);
        self.tell(|world| {
            format!(
                "   process {run} is told to stop, for {down} ms; it leads: {}",
                world.process.is_some()
            )
        });
        self.at(self.now + DRAIN_TIMEOUT, Event::DrainEnds(run));
        self.release_once_drained();
    }

    /// Reconciles that did not end in time are left, and the Lease with them.
    pub(in crate::simulation) fn drain_ends(&mut self, run: u32) {
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        let replica = replicas.here();
        if run == self.run
            && replica.elector.is_some()
            && let Some(down) = replica.stops
        {
            self.crash(down);
        }
    }

    pub(in crate::simulation) fn release_once_drained(&mut self) {
        let run = self.run;
        let drained = self
            .process
            .as_ref()
            .is_none_or(|process| process.running.is_empty());
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        let replica = replicas.here();
        if replica.stops.is_none() || !drained {
            return;
        }
        let Some(elector) = replica.elector.take() else {
            return;
        };
        replica.right = Right::Closed;
        match elector.releases().map(str::to_owned) {
            Some(version) => {
                if !self.ask(run, LeaseAct::Releases(version)) && self.is_calm {
                    self.end_after_release();
                }
            }
            None => self.end_after_release(),
        }
    }

    fn end_after_release(&mut self) {
        let Some(replicas) = &mut self.replicas else {
            return;
        };
        if let Some(down) = replicas.here().stops {
            self.crash(down);
        }
    }

    /// A process ended: it takes no part in the election until it starts again.
    pub(in crate::simulation) fn leave_election(&mut self) {
        if let Some(replicas) = &mut self.replicas {
            let replica = replicas.here();
            (replica.elector, replica.right, replica.stops) = (None, Right::Closed, None);
            (replica.lists, replica.freeze_at) = (false, None);
            if self.dice.bool() {
                // Its Pod was replaced; otherwise its container was.
                replica.identity = format!("pod-of-run-{}", self.run);
            }
        }
    }
}

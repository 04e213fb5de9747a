//! Which process the world holds.

use std::mem::swap;

use super::state::{Parked, Replicas, Which};
use crate::simulation::cluster::Feeds;
use crate::simulation::world::{Event, World};

impl World {
    /// Every process is to start at its time.
    pub(in crate::simulation) fn start_replicas(&mut self) {
        let Some(mut replicas) = Replicas::of(&self.setup) else {
            return self.at(0, Event::Start);
        };
        let first = &mut replicas.all[0].parked;
        (self.jumped, self.run) = (first.jumped, first.run);
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

    pub(in crate::simulation) fn current(&self) -> Which {
        self.replicas.as_ref().map_or(0, |replicas| replicas.current)
    }

    /// From here on the world holds this process.
    pub(in crate::simulation) fn switch_to(&mut self, which: Which) {
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
    pub(in crate::simulation) fn leader(&self) -> Option<Which> {
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
    pub(in crate::simulation) fn switch_to_leader(&mut self) {
        if let Some(leader) = self.leader() {
            self.switch_to(leader);
        }
    }

    /// Nobody may act now: no process leads, or the one that does is not able to.
    pub(in crate::simulation) fn is_led(&self) -> bool {
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
    pub(in crate::simulation) fn each_replica(&mut self, mut how: impl FnMut(&mut Self)) {
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

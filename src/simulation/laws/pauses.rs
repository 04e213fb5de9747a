//! Laws of a pause that Agent Engine asked for: it outlives the process that was told.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{HEEDS_A_PAUSE, STORES_A_PAUSE};
use crate::crd::organization::PauseStatus;
use crate::domain::time::shifted;
use crate::limits::LONG_PAUSE;
use crate::simulation::cluster::{Key, OrganizationObject};
use crate::simulation::history::organization;
use crate::simulation::process::{HOME, Subject};
use crate::simulation::world::World;
use crate::simulation::{Millis, millis_until, wall};

/// Timers end within this.
const MOMENT: Millis = 50;

/// A status that could not be written is written again within half a minute, or when its store shows the newer object.
const STORED_WITHIN: Millis = 90_000;

/// The longest pause.
const AN_HOUR: Millis = 3_600_000;

impl World {
    /// What is left of a stored pause, by the clock of the process. It knows nothing of the clock that wrote it.
    fn left_of(&self, pause: Option<&PauseStatus>) -> Millis {
        pause.map_or(0, |pause| {
            let length = pause.seconds.clamp(0, AN_HOUR / 1000) * 1000;
            millis_until(self.clock(), pause.until.0).min(length)
        })
    }

    /// The process begins with an Organization, and reads until when it is to leave it alone.
    pub(in crate::simulation) fn begins_with(&mut self, object: &Arc<OrganizationObject>) {
        let rate = object.status.request_rate.as_ref();
        let ends = self.now + self.left_of(rate.and_then(|rate| rate.pause.as_ref()));
        let uid = object.metadata.uid.clone();
        self.laws.pauses.insert((self.run, uid), ends);
        if let Some(n) = (0..self.setup.organizations).find(|n| organization(*n) == object.name) {
            self.asked_to_wait_until(n, ends);
        }
    }

    /// What was stored before a clock was set ahead tells of a shorter pause since, and nothing tells the process.
    pub(in crate::simulation) fn clock_was_set(&mut self, by: Millis) {
        if by > 0 {
            self.laws.set_ahead_at.insert(self.run, self.now);
        }
    }

    fn was_stored_before_the_clock_was_set(&self, pause: &PauseStatus) -> bool {
        let Some(set_at) = self.laws.set_ahead_at.get(&self.run) else {
            return false;
        };
        let length = SignedDuration::from_secs(pause.seconds.clamp(0, AN_HOUR / 1000));
        shifted(pause.until.0, -length) < wall(*set_at + self.jumped)
    }

    /// A call for an object of an Organization leaves the process.
    pub(in crate::simulation) fn heeds_a_pause(&mut self, subject: &Subject) {
        let Some(process) = &self.process else { return };
        let name = match subject {
            Subject::Organization(name) => Some(name.as_str()),
            Subject::Workspace(key) => process
                .workspaces
                .get(key)
                .map(|object| object.spec.organization_name()),
        };
        let state = name.and_then(|name| process.states.get(name));
        let Some(uid) = state.map(|state| state.uid.clone()) else {
            return;
        };
        let ends = self.laws.pauses.get(&(self.run, uid)).copied();
        if let Some(ends) = ends
            && self.now + MOMENT < ends
        {
            self.break_law(HEEDS_A_PAUSE, |world| {
                let left = (ends - world.now) / 1000;
                format!("{subject:?} is asked for {left} s before the end of a pause that was stored")
            });
        }
    }

    /// What the process is told is stored for the next one.
    pub(super) fn stores_pauses(&mut self) {
        let Some(process) = &mut self.process else { return };
        let now = process.uptime();
        let paused: Vec<(String, Millis)> = process
            .states
            .iter_mut()
            .filter_map(|(name, state)| {
                let until = state.limiter.paused_until(now)?;
                let left = Millis::try_from(until.since(now).as_millis()).unwrap_or(Millis::MAX);
                Some((name.clone(), left))
            })
            .collect();
        for (name, left) in paused {
            let Some(object) = self.cluster.organizations.get(&name) else {
                continue;
            };
            let rate = object.status.request_rate.as_ref();
            let pause = rate.and_then(|rate| rate.pause.as_ref());
            let stored = self.left_of(pause);
            let of_before = pause.is_some_and(|pause| self.was_stored_before_the_clock_was_set(pause));
            let long = Millis::try_from(LONG_PAUSE.as_millis()).unwrap_or(Millis::MAX);
            let key: Key = (HOME.into(), name.as_str().into());
            let goes = object.metadata.deletion.is_some();
            let untold = (left - stored >= long && !goes && !of_before).then(|| {
                format!(
                    "paused for {} s more, and its status tells {} s",
                    left / 1000,
                    stored / 1000
                )
            });
            self.unless(STORES_A_PAUSE, &key, untold, STORED_WITHIN);
        }
    }
}

//! Laws of a pause that Agent Engine asked for: it outlives the process that was told.

use std::sync::Arc;

use super::{HEEDS_A_PAUSE, STORES_A_PAUSE};
use crate::crd::organization::PauseStatus;
use crate::domain::time::Uptime;
use crate::limits::LONG_PAUSE;
use crate::organization::wakeups::POLL;
use crate::simulation::cluster::{Key, OrganizationObject};
use crate::simulation::history::organization;
use crate::simulation::process::{HOME, Subject};
use crate::simulation::world::World;
use crate::simulation::{Millis, millis_until};

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

    /// What is stored of a pause tells of a shorter one since a clock was set ahead. Nothing tells the process, until it next
    /// reconciles the Organization.
    pub(in crate::simulation) fn clock_was_set(&mut self, by: Millis) {
        let Some(process) = self.process.as_mut().filter(|_| by > 0) else {
            return;
        };
        let now = process.uptime();
        for (name, state) in &mut process.states {
            if let Some(until) = state.limiter.paused_until(now) {
                self.laws
                    .told_shorter
                    .insert((self.run, name.clone()), (until, self.now));
            }
        }
    }

    fn is_told_shorter(&self, name: &str, until: Uptime) -> bool {
        let told = self.laws.told_shorter.get(&(self.run, name.to_owned()));
        let polled = Millis::try_from(POLL.as_millis()).unwrap_or(Millis::MAX) + STORED_WITHIN;
        told.is_some_and(|(of, set_at)| *of == until && self.now - set_at < polled)
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
        let paused: Vec<(String, Uptime, Millis)> = process
            .states
            .iter_mut()
            .filter_map(|(name, state)| {
                let until = state.limiter.paused_until(now)?;
                let left = Millis::try_from(until.since(now).as_millis()).unwrap_or(Millis::MAX);
                Some((name.clone(), until, left))
            })
            .collect();
        for (name, until, left) in paused {
            let Some(object) = self.cluster.organizations.get(&name) else {
                continue;
            };
            let rate = object.status.request_rate.as_ref();
            let stored = self.left_of(rate.and_then(|rate| rate.pause.as_ref()));
            let excused = object.metadata.deletion.is_some() || self.is_told_shorter(&name, until);
            let long = Millis::try_from(LONG_PAUSE.as_millis()).unwrap_or(Millis::MAX);
            let key: Key = (HOME.into(), name.as_str().into());
            let untold = (left - stored >= long && !excused).then(|| {
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

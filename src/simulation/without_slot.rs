//! Tells of objects that wait for a slot, as the controller does.

use std::time::Duration;

use super::cluster::Write;
use super::process::Subject;
use super::requests::Told;
use super::world::World;
use crate::domain::time::elapsed;
use crate::lifecycle::without_slot::{Stored, stored};
use crate::limits::queue::WORDS_APART;

/// A store that lags is asked again after this.
const LAG_RETRY: Duration = Duration::from_secs(5);

impl World {
    pub(super) fn tell_waiting(&mut self) {
        let now = self.clock();
        let mut words = Vec::new();
        let Some(process) = &mut self.process else { return };
        let time = process.time();
        while let Some((subject, since)) = process.workspace_queue.impatient(time) {
            let Subject::Workspace(key) = &subject else {
                continue;
            };
            let Some(object) = process.workspaces.get(key).cloned() else {
                continue;
            };
            let version = object.metadata.version.to_string();
            if process
                .written
                .is_newer_than(&object.metadata.uid, Some(&version))
            {
                process.workspace_queue.name_again(&subject, time + LAG_RETRY);
                continue;
            }
            match stored(&process.view(now, &object), time.saturating_sub(since)) {
                Stored::Holds(Some(until)) => {
                    process
                        .workspace_queue
                        .name_again(&subject, time + elapsed(now, until));
                }
                Stored::Holds(None) => {}
                Stored::Fails(word) => {
                    process.workspace_queue.name_again(&subject, time + WORDS_APART);
                    words.push((object, word.status));
                }
            }
        }
        for (object, status) in words {
            if !self.door_is_open() {
                continue;
            }
            self.leaves(self.now, self.now);
            self.tell(|_| format!("   {:?} is told to wait for a slot", object.key));
            let (run, took) = (self.run, self.dice.i64(1..30));
            self.send_told(self.now + took, Told { run, object, status });
        }
    }

    pub(super) fn told(&mut self, told: Told) {
        let Told { run, object, status } = told;
        if self.now < self.writes_refused_until {
            return;
        }
        let version = object.metadata.version;
        let stored = self
            .cluster
            .patch_workspace(self.now, &object.key, version, |o| o.status = status);
        if let Write::Stored(stored) = stored {
            self.status_written(&stored);
            let here = run == self.run;
            self.remember(here, &stored.metadata.uid, Some(stored.metadata.version));
        }
    }
}

//! Strikes one process and not the other.

use super::blow::{Blow, FreezeAt, Frozen};
use super::state::Which;
use crate::simulation::Millis;
use crate::simulation::history::{Act, Kind};
use crate::simulation::world::World;

impl World {
    /// Of the process with this number, or of the one that leads.
    pub(in crate::simulation) fn strike(&mut self, process: Option<Which>, blow: Blow) {
        if let Some(which) = process {
            self.switch_to(which);
        }
        let now = self.now;
        match blow {
            Blow::Crash { down } => self.act(Act::Crash { down }),
            Blow::CrashAtEffect {
                after,
                carried_out,
                down,
            } => self.act(Act::CrashAtEffect {
                after,
                carried_out,
                down,
            }),
            Blow::Pause { during } => self.freeze(during),
            Blow::FreezeAtEffect {
                after,
                frozen,
                during,
            } => {
                if let Some(replicas) = &mut self.replicas {
                    replicas.here().freeze_at = Some(FreezeAt {
                        after,
                        frozen,
                        during,
                    });
                }
            }
            Blow::CutOff { during } => {
                if let Some(replicas) = &mut self.replicas {
                    replicas.here().cut_off_until = now + during;
                }
                for kind in [
                    Kind::Workspaces,
                    Kind::Secrets,
                    Kind::Organizations,
                    Kind::Credentials,
                ] {
                    self.act(Act::WatchDies { kind, during });
                }
            }
            Blow::Stop { down } => self.stop(down),
            Blow::ClockJumps { by } => self.act(Act::ClockJumps { by }),
        }
    }

    pub(in crate::simulation) fn freeze(&mut self, during: Millis) {
        self.tell(|world| format!("   process {} is frozen for {during} ms", world.run));
        self.paused_until = self.paused_until.max(self.now + during);
    }

    /// Whether the process is frozen at this effect.
    pub(in crate::simulation) fn freezes_here(&mut self) -> Option<(Frozen, Millis)> {
        let at = &mut self.replicas.as_mut()?.here().freeze_at;
        let next = at.as_mut()?;
        if next.after > 0 {
            next.after -= 1;
            return None;
        }
        at.take().map(|at| (at.frozen, at.during))
    }

    pub(in crate::simulation) fn freezes_no_more(&mut self) {
        if let Some(replicas) = &mut self.replicas {
            replicas.here().freeze_at = None;
        }
    }

    pub(in crate::simulation) fn is_cut_off(&self) -> bool {
        let replicas = self.replicas.as_ref();
        replicas.is_some_and(|replicas| self.now < replicas.all[replicas.current].cut_off_until)
    }
}

//! What befalls one process and not the other.

use fastrand::Rng;

use super::Which;
use crate::simulation::Millis;
use crate::simulation::history::{Act, Kind, Setup};
use crate::simulation::world::World;

/// Something that befalls one process.
#[derive(Clone, Debug, PartialEq)]
pub enum Blow {
    Crash {
        down: Millis,
    },
    /// At the effect after so many from now, before or after it is carried out.
    CrashAtEffect {
        after: usize,
        carried_out: bool,
        down: Millis,
    },
    Pause {
        during: Millis,
    },
    /// At the effect after so many from now.
    FreezeAtEffect {
        after: usize,
        frozen: Frozen,
        during: Millis,
    },
    /// The Kubernetes API does not answer it.
    CutOff {
        during: Millis,
    },
    /// It is told to stop.
    Stop {
        down: Millis,
    },
    ClockJumps {
        by: Millis,
    },
}

/// Where in an effect a process is frozen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Frozen {
    /// After the fence was asked for it.
    BeforeIt,
    /// After the transport asked, before it is sent.
    WhileItConnects,
    AfterIt,
}

/// The next freeze.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulation) struct FreezeAt {
    after: usize,
    frozen: Frozen,
    during: Millis,
}

/// A blow, most often to the process that leads.
pub(in crate::simulation) fn blow(setup: &Setup, dice: &mut Rng) -> Act {
    if dice.u8(0..64) == 0 {
        return Act::LeaseGoes;
    }
    let process = (dice.u8(0..4) == 0).then(|| dice.usize(0..setup.clocks.len()));
    let down = [500, 5_000, 40_000, 300_000][dice.usize(0..4)];
    let during = [1_000, 10_000, 25_000, 31_000, 45_000, 120_000, 600_000][dice.usize(0..7)];
    let blow = match dice.u8(0..16) {
        0 => Blow::Crash { down },
        1..=3 => Blow::CrashAtEffect {
            after: dice.usize(0..8),
            carried_out: dice.bool(),
            down,
        },
        4 => Blow::Pause { during },
        5..=9 => Blow::FreezeAtEffect {
            after: dice.usize(0..8),
            frozen: [Frozen::BeforeIt, Frozen::WhileItConnects, Frozen::AfterIt][dice.usize(0..3)],
            during,
        },
        10..=12 => Blow::CutOff {
            during: [2_000, 15_000, 35_000, 90_000, 300_000][dice.usize(0..5)],
        },
        13..=14 => Blow::Stop { down },
        _ => Blow::ClockJumps {
            by: [-3_600_000, -60_000, 60_000, 3_600_000][dice.usize(0..4)],
        },
    };
    Act::Strike { process, blow }
}

/// By how much the wall clock of each process is ahead.
pub(in crate::simulation) fn clocks(dice: &mut Rng) -> Vec<Millis> {
    let many = dice.usize(2..4);
    let agree = dice.bool();
    let clock = |dice: &mut Rng| match agree {
        true => 0,
        false => [0, 0, 60_000, -60_000, 420_000, 3_600_000, 10_800_000, -10_800_000][dice.usize(0..8)],
    };
    (0..many).map(|_| clock(dice)).collect()
}

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

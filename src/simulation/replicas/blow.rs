//! What may befall one process and not the other.

use crate::simulation::Millis;

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
    pub(in crate::simulation) after: usize,
    pub(in crate::simulation) frozen: Frozen,
    pub(in crate::simulation) during: Millis,
}

/// The next crash, at an effect.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulation) struct CrashAt {
    pub(in crate::simulation) after: usize,
    pub(in crate::simulation) carried_out: bool,
    pub(in crate::simulation) down: Millis,
}

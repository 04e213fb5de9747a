//! Several processes, of which one leads. The world holds one of them at a time, the one whose event happens; the others are
//! parked here with all that is theirs: stores, queue, clock, watches. A history with one process never comes here.
//!
//! | file | what it is |
//! |---|---|
//! | `state` | all processes and the Lease, as plain values |
//! | `switch` | which process the world holds |
//! | `election` | each process's part in the election, as `controller/lease.rs` and `run.rs` have it |
//! | `leaving` | how the effects of a process that may lose its right leave it, as the runner, the transport and the door have it |
//! | `blow`, `strike` | what befalls one process and not the other |

pub(super) mod blow;
pub(super) mod election;
pub(super) mod leaving;
pub(super) mod state;
mod strike;
mod switch;

//! Laws of several processes, asked when an effect leaves one of them.

use super::{NOTHING_OUTSIDE_A_LEADERSHIP, ONE_PROCESS_IN_FLIGHT};
use crate::simulation::world::World;

impl World {
    /// An effect leaves the process.
    pub(in crate::simulation) fn begins_under_leadership(&mut self) {
        if !self.is_within_its_tenure() {
            self.break_law(NOTHING_OUTSIDE_A_LEADERSHIP, |world| {
                let replicas = world.replicas.as_ref();
                let lease = replicas.and_then(|replicas| replicas.lease.clone());
                let own = replicas.and_then(|replicas| replicas.tenures.get(&world.run));
                format!(
                    "process {} ({own:?}) begins an effect, and the Lease is {lease:?}",
                    world.run
                )
            });
        }
        if let Some((other, deadline)) = self.in_flight_beside() {
            self.break_law(ONE_PROCESS_IN_FLIGHT, |world| {
                format!(
                    "process {} begins an effect beside one of process {other}, whose deadline at {deadline} ms its lease did not cover",
                    world.run
                )
            });
        }
    }
}

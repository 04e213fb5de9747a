//! The wall clock of the process is set while a reconcile runs.

use jiff::SignedDuration;

use crate::organization::tests::harness::given::INTERVAL;
use crate::organization::tests::harness::world::World;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A list of many pages takes minutes: what its later answers tell is told by the clock of then.
#[test]
fn the_server_s_time_is_told_by_the_clock_as_it_is_set() {
    for by in [HOUR, -HOUR] {
        let mut world = World::with_workspaces(20);
        world.page_size = 5;
        world.advance(INTERVAL);
        world.clock_set_after = Some((2, by));
        world.reconcile();
        let told = world.told_ahead().unwrap();
        assert!((told + by).abs() <= SignedDuration::from_secs(1), "{told:?}");
    }
}

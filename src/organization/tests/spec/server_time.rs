//! The server's clock beside ours, as the Organization's answers tell it.

use jiff::SignedDuration;

use crate::organization::tests::harness::world::World;

/// The credential was exchanged before, the list is asked for since: by a clock that is an hour off from the one that the
/// reconcile began with.
/// Promise: rule.clocks-differ
#[test]
fn a_clock_set_within_a_reconcile_moves_no_servers_time() {
    for hours in [1, -1] {
        let by = SignedDuration::from_hours(hours);
        for after in ["Connect", "Exchange", "Publish"] {
            let mut world = World::new();
            world.clock_is_set = Some((after, by));
            world.reconcile();
            world.reconcile();
            let known = world.published.server_time.unwrap();
            let ahead = known.ahead(world.process_began);
            let off = (ahead + by).abs();
            assert!(off < SignedDuration::from_secs(2), "set after {after}: {ahead}");
        }
    }
}

//! Every knob at every value: what a client sees. A knob or a value without a line here fails the test.

mod lists;
mod names;
mod tokens;
mod workspaces;

use agent_engine_operator::emulator::knobs::TABLE;

use crate::rig::rig;

/// Promise: unknown.effects: each knob has an observable effect
#[tokio::test]
async fn every_value_of_every_knob_can_be_seen_by_a_client() {
    for knob in TABLE {
        for value in (knob.samples)() {
            let rig = rig().await;
            rig.knob(knob.name, &value);
            println!("knob {}={value}", knob.name);
            let known = tokens::observe(knob.name, &value, &rig).await
                || workspaces::observe(knob.name, &value, &rig).await
                || names::observe(knob.name, &value, &rig).await
                || lists::observe(knob.name, &value, &rig).await;
            assert!(known, "no test looks at knob {}", knob.name);
        }
    }
}

/// A value without a line.
pub fn untested(knob: &str, value: &str) -> ! {
    panic!("no test looks at knob {knob} with value {value}")
}

/// A value that is a status.
pub fn code(value: &str) -> u16 {
    value.parse().unwrap_or_else(|_| panic!("{value} is no status"))
}

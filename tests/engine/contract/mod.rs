//! The client against the emulator in process, on virtual time: one story of a workspace's life, told under every value
//! of every knob, in both families of paths and every shape of error. What the client makes of it must be as written in
//! [`deviations`]; where nothing is written there, nothing may change.

mod circumstances;
mod credentials;
mod deviations;
mod faults;
mod paging;
mod story;

use agent_engine_operator::domain::remote::TokenPath;
use agent_engine_operator::emulator::knobs::TABLE;

use story::{Setting, deviation, tell};

const ROUTES: [TokenPath; 2] = [TokenPath::Applications, TokenPath::Embedded];
const SHAPES: [&str; 3] = ["envelope", "detail", "error"];

/// Promise: I10
#[tokio::test(start_paused = true)]
async fn the_story_ends_well_by_each_route_and_shape_of_error() {
    for route in ROUTES {
        for shape in SHAPES {
            let told = tell(&Setting::new(route, shape)).await;
            assert_eq!(deviation(&told), [], "{route:?}, {shape}");
        }
    }
}

/// Promise: I10
/// Promise: unknown.client: each knob at each of its values changes what an API client sees, and nothing else
#[tokio::test(start_paused = true)]
async fn the_story_changes_with_each_knob_exactly_as_written() {
    let mut surprises = Vec::new();
    for route in ROUTES {
        for shape in SHAPES {
            for knob in TABLE {
                // The shape sets it.
                if knob.name == "error_shape" {
                    continue;
                }
                for value in (knob.samples)() {
                    let told = tell(&Setting::new(route, shape).with(knob.name, &value)).await;
                    let found = deviation(&told);
                    let written = deviations::of(knob.name, &value, route, shape);
                    if found != written {
                        surprises.push(format!(
                            "{route:?} {shape} {}={value}: {found:?}, not {written:?}",
                            knob.name
                        ));
                    }
                }
            }
        }
    }
    assert!(
        surprises.is_empty(),
        "{} surprises:\n{}",
        surprises.len(),
        surprises.join("\n")
    );
}

#[test]
fn every_written_deviation_is_of_a_knob_and_value_that_exist() {
    for (knob, value) in deviations::all() {
        let row = TABLE
            .iter()
            .find(|row| row.name == knob)
            .unwrap_or_else(|| panic!("no knob {knob}"));
        assert!(
            (row.samples)().iter().any(|sample| sample == value),
            "{knob} is never {value}"
        );
    }
}

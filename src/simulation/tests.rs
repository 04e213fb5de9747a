//! Fixed seeds: the same histories on every machine. `make soak` runs others.

use super::found::FOUND;
use super::history::{ALL_FROM, History, RARE_FROM, REPLICAS_FROM};
use super::run::run;
use super::shrink::shrink;

/// Acts of one history.
const ACTS: usize = 50;

/// Runs one history, and tells the shortest story that breaks the same law.
fn keeps_all_laws(seed: u64) {
    let history = History::of(seed, ACTS);
    if let Some(violation) = run(&history, false).violation {
        let least = shrink(&history, violation.law);
        let story = run(&least, true).story.join("\n");
        panic!(
            "seed {seed} breaks {}: {}\n{}\n{story}",
            violation.law.name, violation.law.says, violation.what
        );
    }
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let history = History::of(7, ACTS);
    assert_eq!(run(&history, true).story, run(&history, true).story);
}

#[test]
fn seeds_that_found_a_fault_stay_clean() {
    for (seed, _) in FOUND {
        keeps_all_laws(*seed);
    }
}

/// Several tests, so that they run side by side.
macro_rules! fixed_seeds {
    ($($name:ident: $seeds:expr;)+) => {
        $(#[test]
        fn $name() {
            $seeds.filter(|seed| !OPEN.iter().any(|(open, _)| open == seed)).for_each(keeps_all_laws);
        })+
    };
}

fixed_seeds! {
    fixed_seeds_keep_all_laws: 0..50;
    more_fixed_seeds_keep_all_laws: 50..100;
    fixed_seeds_with_rare_acts_keep_all_laws: RARE_FROM..RARE_FROM + 50;
    fixed_seeds_with_several_processes_keep_all_laws: REPLICAS_FROM..REPLICAS_FROM + 50;
    more_seeds_with_several_processes_keep_all_laws: REPLICAS_FROM + 50..REPLICAS_FROM + 100;
    fixed_seeds_with_the_rarest_acts_keep_all_laws: ALL_FROM..ALL_FROM + 50;
}

/// Seeds that still break a law, with what is wrong. One that is mended leaves this list.
const OPEN: &[(u64, &str)] = &[];

#[test]
fn open_faults_are_still_open() {
    for (seed, what) in OPEN {
        let broken = run(&History::of(*seed, ACTS), false).violation;
        assert!(
            broken.is_some(),
            "seed {seed} is clean now; take it off the list: {what}"
        );
    }
}

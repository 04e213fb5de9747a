//! Fixed seeds.

use super::history::History;
use super::run::run;

/// Acts of one history.
const ACTS: usize = 50;

#[test]
fn a_seed_tells_the_same_story_twice() {
    let history = History::of(7, ACTS);
    assert_eq!(run(&history, true).story, run(&history, true).story);
}

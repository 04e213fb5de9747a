//! `docs/hostile-answers.md`: how a life ends under each value of each knob, from the table that a test walks; and the profiles
//! of those who mean ill, from the promises at the tests.

#[path = "../cluster/knobs/ends.rs"]
mod ends;

use std::fmt::Write;

use agent_engine_operator::emulator::knobs::{Knob, TABLE};

use crate::promises::{Chapter, write_chapter, written};

/// The page before its tables.
const HEAD: &str = include_str!("hostile_answers_head.md");

/// The test that walks the matrix.
const WALKED_BY: &str = "a_life_under_each_value_of_each_knob_ends_as_written";

pub const PROFILES: Chapter = Chapter {
    title: "Profiles",
    about: "Each is told with the real operator, a real API server and something between it and the emulator, or to the client of the API \
            over real connections, or both. While it lasts, the reason is shown and the calls are counted; when it ends, the object is Ready \
            again with the one workspace that it records.",
    columns: &[
        "who could send it",
        "what comes",
        "what stops it",
        "what the user sees",
    ],
    ids: &[
        "hostile.ids",
        "hostile.foreign-token",
        "hostile.deletion",
        "hostile.html",
        "hostile.login",
        "hostile.redirect",
        "hostile.proxy",
        "hostile.paging",
        "hostile.megabytes",
        "hostile.trickle",
        "hostile.tls",
        "hostile.http2",
        "hostile.retry-after",
        "hostile.expires-in",
        "hostile.date",
        "hostile.clock",
    ],
};

#[test]
fn hostile_answers_are_documented() {
    let mut page = HEAD.to_owned();
    write_chapter(&mut page, &PROFILES, &written());
    let walked_by = &written()["unknown.lives"].tests;
    assert!(
        walked_by.iter().any(|test| test.ends_with(WALKED_BY)),
        "{walked_by:?}"
    );
    write!(
        page,
        "\n## The matrix\n\nA workspace's life (created, deactivated, activated, renamed, deleted) under each value of each [knob](emulator.md#knobs) of the \
         emulator: led as declared, or ended by the reason that is shown instead of Ready. Calls are all requests of the life, exchanges \
         and lists included. A knob is set alone: one that acts only beside another (`plan_refusal`, `retry_after`, `date_skew`, \
         `slow_delete_ms`), or on what such a life does not meet (conflicts, several pages, other organizations), changes nothing here; \
         `tests/engine/contract/` puts each into its own circumstances. Held by `{}`, which walks this very table.\n\n| unknown | knob | value | the life | calls, at most |\n\
         |---|---|---|---|---|\n",
        walked_by.join("`, `")
    )
    .unwrap();
    let mut knobs: Vec<&Knob> = TABLE.iter().collect();
    knobs.sort_by_key(|knob| first_unknown(knob));
    for knob in knobs {
        for (values, end, most) in ends_of(knob) {
            let end = if end == ends::LED {
                end.to_owned()
            } else {
                format!("`{end}`")
            };
            writeln!(
                page,
                "| {} | `{}` | `{}` | {end} | {most} |",
                knob.unknowns,
                knob.name,
                values.join("`, `")
            )
            .unwrap();
        }
    }
    crate::committed("hostile-answers.md", &page);
}

/// Those that stand for no unknown come last.
fn first_unknown(knob: &Knob) -> u32 {
    let first = knob
        .unknowns
        .split(' ')
        .next()
        .and_then(|word| word.strip_prefix('U'));
    first.map_or(u32::MAX, |number| number.parse().unwrap())
}

/// Values that end alike, together.
fn ends_of(knob: &Knob) -> Vec<(Vec<String>, &'static str, u64)> {
    let mut all: Vec<(Vec<String>, &'static str, u64)> = Vec::new();
    for value in (knob.samples)() {
        let (end, most) = (ends::end(knob.name, &value), ends::most_calls(knob.name, &value));
        match all.iter_mut().find(|known| (known.1, known.2) == (end, most)) {
            Some(known) => known.0.push(value),
            None => all.push((vec![value], end, most)),
        }
    }
    all
}

#[test]
fn each_row_of_the_matrix_is_of_a_value_of_a_knob() {
    let values: Vec<(&str, String)> = TABLE
        .iter()
        .flat_map(|knob| (knob.samples)().into_iter().map(|value| (knob.name, value)))
        .collect();
    assert_eq!(ends::unused(&values), Vec::<String>::new());
}

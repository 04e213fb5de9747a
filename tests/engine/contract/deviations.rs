//! What each value of a knob changes in the story. A value that is not here changes nothing.

use agent_engine_operator::domain::remote::TokenPath;

use super::story::GOOD;
use End::{GoesOn, Stops};

/// Whether there is a story left to tell.
#[derive(Clone, Copy, Eq, PartialEq)]
enum End {
    GoesOn,
    /// No workspace was come by: nothing is told after the changes.
    Stops,
}

type Change = (&'static str, &'static str);

#[rustfmt::skip]
const TABLE: &[(&str, &str, End, &[Change])] = &[
    ("t1_organization", "null", GoesOn, &[("authenticate", "of whom it does not say")]),
    ("t1_organization", "absent", GoesOn, &[("authenticate", "of whom it does not say")]),
    ("expires_in", "0", Stops, &[("look", "Denied 401"), ("issue", "Denied 401")]),
    ("subscription", "401", Stops, &[("look", "Denied 401"), ("issue", "Denied 401")]),
    ("subscription", "403", Stops, &[("look", "Denied 403"), ("issue", "Denied 403")]),
    ("role", "member", Stops, &[("issue", "Denied 403")]),
    ("scoped_ttl", "0", Stops, &[("issue", "for 0 s"), ("verify", "Denied 401")]),
    ("scoped_ttl", "1", GoesOn, &[("issue", "for 1 s"), ("issue again", "for 1 s"), ("issue while inactive", "for 1 s"), ("issue under the old name", "for 1 s")]),
    ("scoped_after_rename", "401", GoesOn, &[("verify the older token", "Denied 401"), ("verify while inactive", "Denied 401")]),
    ("scoped_after_inactive", "403", GoesOn, &[("verify while inactive", "Denied 403")]),
    ("scoped_after_delete", "valid", GoesOn, &[("verify the deleted", "the same workspace")]),
    ("scoped_after_delete", "403", GoesOn, &[("verify the deleted", "Denied 403")]),
    ("scoped_after_delete", "404", GoesOn, &[("verify the deleted", "Missing 404")]),
    ("current_paths", "off", Stops, &[("issue", "Malformed 404")]),
    ("legacy_paths", "off", Stops, &[("issue", "Malformed 404")]),
    ("name_max", "0", Stops, &[("issue", "Rejected 422")]),
    ("name_max", "3", Stops, &[("issue", "Rejected 422")]),
    ("mint_inactive", "403", GoesOn, &[("issue while inactive", "Denied 403")]),
    ("mint_inactive", "reactivate", GoesOn, &[("get while inactive", "active")]),
    ("remint_deleted", "revive", GoesOn, &[("verify the newcomer", "the same workspace")]),
    ("remint_deleted", "error", GoesOn, &[("issue under the old name", "Conflict 409"), ("verify the newcomer", "-")]),
    ("name_release_ms", "1", GoesOn, &[("issue under the old name", "Conflict 409"), ("verify the newcomer", "-")]),
    ("name_release_ms", "1500", GoesOn, &[("issue under the old name", "Conflict 409"), ("verify the newcomer", "-")]),
    ("plan_limit", "0", Stops, &[("issue", "Denied 403")]),
    ("workspace_members", "minimal", GoesOn, &[("get", "tenant, of unknown state, undated"), ("deactivate", "of unknown state"), ("get while inactive", "of unknown state"), ("activate", "of unknown state")]),
    ("created_at", "absent", GoesOn, &[("get", "tenant, active, undated")]),
    ("list_lag_ms", "1", GoesOn, &[("look again", "0 found"), ("list", "2 found")]),
    ("list_lag_ms", "1500", GoesOn, &[("look again", "0 found"), ("list", "2 found")]),
    ("get_lag_ms", "1", GoesOn, &[("get", "gone"), ("get while inactive", "gone")]),
    ("get_lag_ms", "1500", GoesOn, &[("get", "gone"), ("get while inactive", "gone")]),
    ("rename_conflict", "400", GoesOn, &[("rename to a taken name", "Rejected 400")]),
    ("rename_conflict", "422", GoesOn, &[("rename to a taken name", "Rejected 422")]),
    ("rename_conflict", "500", GoesOn, &[("rename to a taken name", "Unknown 500")]),
    ("rename_conflict", "allow-duplicate", GoesOn, &[("rename to a taken name", "taken")]),
    ("deleted_delete", "200", GoesOn, &[("delete the deleted", "Removed")]),
    ("slow_delete", "504-then-done", GoesOn, &[("delete", "Unknown 504"), ("get the deleted", "still there"), ("list after deletion", "3 found"), ("delete the deleted", "Unknown 504"), ("verify the deleted", "the same workspace"), ("verify the newcomer", "the same workspace")]),
    ("rate_limit", "0", Stops, &[("look", "Throttled for 61 s 429"), ("issue", "Throttled for 61 s 429")]),
    ("rate_limit", "3", GoesOn, &[("get", "Throttled for 61 s 429"), ("look again", "Throttled for 61 s 429"), ("list", "Throttled for 61 s 429"), ("issue again", "Throttled for 61 s 429"), ("verify again", "-"), ("rename", "Throttled for 61 s 429"), ("verify the older token", "Throttled for 61 s 429"), ("rename to a taken name", "Throttled for 61 s 429"), ("deactivate", "Throttled for 61 s 429"), ("issue while inactive", "Throttled for 61 s 429"), ("get while inactive", "Throttled for 61 s 429"), ("verify while inactive", "Throttled for 61 s 429"), ("activate", "Throttled for 61 s 429"), ("delete", "Throttled for 61 s 429"), ("get the deleted", "Throttled for 61 s 429"), ("list after deletion", "Throttled for 61 s 429"), ("delete the deleted", "Throttled for 61 s 429"), ("verify the deleted", "Throttled for 61 s 429"), ("issue under the old name", "Throttled for 61 s 429"), ("verify the newcomer", "-")]),
    ("after_commit", "500", Stops, &[("issue", "Unknown 500")]),
    ("after_commit", "502", Stops, &[("issue", "Unknown 502")]),
    ("after_commit", "lost", Stops, &[("issue", "Unknown")]),
];

/// What they change instead where errors have another shape than the envelope: a 404 needs more to be trusted.
#[rustfmt::skip]
const WITHOUT_ENVELOPE: &[(&str, &str, Change)] = &[
    ("scoped_after_delete", "404", ("verify the deleted", "Malformed 404")),
    // No other workspace is known yet; later a list has shown one.
    ("get_lag_ms", "1", ("get", "Malformed 404")),
    ("get_lag_ms", "1500", ("get", "Malformed 404")),
];

pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let everywhere = TABLE.iter().map(|(knob, value, ..)| (*knob, *value));
    everywhere.chain(WITHOUT_ENVELOPE.iter().map(|(knob, value, _)| (*knob, *value)))
}

pub fn of(knob: &str, value: &str, route: TokenPath, shape: &str) -> Vec<(&'static str, String)> {
    // Neither family misses the other one.
    if matches!(
        (knob, route),
        ("current_paths", TokenPath::Embedded) | ("legacy_paths", TokenPath::Applications)
    ) {
        return Vec::new();
    }
    let Some((_, _, end, changes)) = TABLE.iter().find(|row| (row.0, row.1) == (knob, value)) else {
        return Vec::new();
    };
    let mut changed: Vec<_> = changes
        .iter()
        .map(|(step, told)| (*step, (*told).to_owned()))
        .collect();
    if *end == Stops {
        let last = changes
            .last()
            .and_then(|(last, _)| GOOD.iter().position(|(step, _)| step == last));
        let untold = GOOD.iter().skip(last.map_or(0, |last| last + 1));
        changed.extend(untold.map(|(step, _)| (*step, "-".to_owned())));
    }
    let instead = WITHOUT_ENVELOPE
        .iter()
        .find(|row| (row.0, row.1) == (knob, value));
    if let Some((_, _, (step, told))) = instead
        && shape != "envelope"
    {
        let place = changed.iter_mut().find(|(changed, _)| changed == step);
        place.expect("a step that changes").1 = (*told).to_owned();
    }
    changed
}

//! How a workspace's life ends under each value of each knob, and with how many calls at most. The test walks this table, and
//! `docs/hostile-answers.md` shows it.

/// Led as declared: created, deactivated, activated, renamed, deleted.
pub const LED: &str = "as declared";

/// Where the answers allow no workspace, or not what is declared of it: the reason that is shown instead of Ready.
#[rustfmt::skip]
const STOPS: &[(&str, &str, &str)] = &[
    ("expires_in", "0", "AccessDenied"),
    ("subscription", "401", "AccessDenied"),
    ("subscription", "403", "AccessDenied"),
    ("role", "member", "PlanLimit"),
    ("plan_limit", "0", "PlanLimit"),
    ("name_max", "0", "Rejected"),
    ("name_max", "3", "Rejected"),
    ("scoped_ttl", "0", "AccessDenied"),
    // The path of the issue is not there: what is not the API's own answer decides nothing.
    ("current_paths", "off", "CreationInFlight"),
    ("rate_limit", "0", "Throttled"),
    ("rate_limit", "3", "Throttled"),
    // The workspace is found and recorded; only the token can never be heard.
    ("after_commit", "500", "ApiUnavailable"),
    ("after_commit", "502", "ApiUnavailable"),
    ("after_commit", "lost", "ApiUnavailable"),
    // By its own clock the API made the workspace at another time than ours: nothing tells that it is ours.
    ("date", "skewed", "AlreadyExists"),
    // No answer tells a status: that a change of it was made cannot be seen.
    ("workspace_members", "minimal", "Rejected"),
];

/// A life takes 20, exchange and first list included; the rest is for lists that fall into it on a slow machine.
const CALLS_OF_A_LIFE: u64 = 25;

/// Until the reason of one that is not led is shown: they are 2 to 12, and lists.
const CALLS_UNTIL_A_STOP: u64 = 16;

/// Where it takes more.
#[rustfmt::skip]
const MORE_CALLS: &[(&str, &str, u64)] = &[
    // Each call has an exchange of its own.
    ("expires_in", "1", 32),
    // The token has ended before it is needed again.
    ("scoped_ttl", "1", 32),
    // What answers 404 or 504 is asked again.
    ("get_lag_ms", "1500", 32),
    ("slow_delete", "504-then-done", 32),
];

/// [`LED`], or the reason that is shown instead of Ready.
pub fn end(knob: &str, value: &str) -> &'static str {
    let stop = STOPS.iter().find(|stop| (stop.0, stop.1) == (knob, value));
    stop.map_or(LED, |stop| stop.2)
}

/// All requests to the API, exchanges and lists included.
pub fn most_calls(knob: &str, value: &str) -> u64 {
    let more = MORE_CALLS.iter().find(|more| (more.0, more.1) == (knob, value));
    let usual = if end(knob, value) == LED {
        CALLS_OF_A_LIFE
    } else {
        CALLS_UNTIL_A_STOP
    };
    more.map_or(usual, |more| more.2)
}

/// The rows that are not of `values`: they say nothing.
pub fn unused(values: &[(&str, String)]) -> Vec<String> {
    let stops = STOPS.iter().map(|stop| (stop.0, stop.1));
    let rows = stops.chain(MORE_CALLS.iter().map(|more| (more.0, more.1)));
    rows.filter(|row| !values.iter().any(|value| (value.0, value.1.as_str()) == *row))
        .map(|(knob, value)| format!("{knob}={value}"))
        .collect()
}

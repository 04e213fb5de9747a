//! The rules, in order; the first with an opinion wins. Pure and total: same view, same step.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::reason::Reason;
use crate::organization::effect::Effect;
use crate::organization::rules::{credential, hold, list, report};
use crate::organization::view::View;

/// The one next thing to do, or the end.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Act(Effect),
    /// Until this instant, a moment away.
    Wait(Timestamp),
    /// The reconcile ends here: something else begins the next one, at the latest after this time.
    Leave(Reason, Duration),
    /// All is done and said.
    Settle,
}

/// A rule has an opinion or none.
pub type Rule = fn(&View) -> Option<Step>;

/// Order is meaning: what may go goes, what is used is held; then a client, then whether its credential works; what was
/// begun of the list is finished before anything is said of it; what is known is seen by all before a new list begins.
pub const RULES: &[(&str, Rule)] = &[
    ("let_it_go", hold::let_it_go),
    ("hold_by_finalizer", hold::hold_by_finalizer),
    ("connect", credential::connect),
    ("exchange", credential::exchange),
    ("ask_whose_it_is", credential::ask_whose_it_is),
    ("read_the_next_page", list::read_the_next_page),
    (
        "compare_with_what_is_recorded",
        list::compare_with_what_is_recorded,
    ),
    ("doubt_what_may_not_list", credential::doubt_what_may_not_list),
    ("name_the_organization", credential::name_the_organization),
    ("publish", report::publish),
    ("take_the_list", list::take_the_list),
    ("write_status", report::write_status),
];

/// The next step, and the rule that named it.
pub fn plan(view: &View) -> (&'static str, Step) {
    RULES
        .iter()
        .find_map(|(name, rule)| rule(view).map(|step| (*name, step)))
        .unwrap_or(("settle", Step::Settle))
}

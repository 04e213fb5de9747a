//! The rules, in order; the first with an opinion wins. Pure and total: same view, same step.

use crate::organization::rules::{credential, hold, list, publication};
use crate::organization::step::Step;
use crate::organization::view::View;

/// A rule has an opinion or none.
pub type Rule = fn(&View) -> Option<Step>;

/// The next step, and the rule that named it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub rule: &'static str,
    pub step: Step,
}

/// A table of rules under their own names.
macro_rules! rules {
    ($($chapter:ident::$rule:ident,)+) => { &[$((stringify!($rule), $chapter::$rule),)+] };
}

/// Order is meaning: what may go goes, what is used is held; then a client, then whether its credential works; a list that
/// was begun is finished before anything is said of it; Workspaces see what is known before a new list begins.
pub const RULES: &[(&str, Rule)] = rules![
    hold::leave_what_was_replaced,
    hold::let_it_go,
    hold::hold_by_finalizer,
    credential::connect,
    credential::exchange,
    credential::ask_whose_it_is,
    list::read_the_next_page,
    list::compare_with_what_is_recorded,
    credential::doubt_what_may_not_list,
    credential::name_the_organization,
    publication::publish,
    list::take_the_list,
];

/// The next step.
pub fn plan(view: &View) -> Planned {
    let opinion = |(rule, judge): &(&'static str, Rule)| {
        let step = judge(view)?;
        Some(Planned { rule, step })
    };
    RULES.iter().find_map(opinion).unwrap_or(Planned {
        rule: "settle",
        step: Step::Settle,
    })
}

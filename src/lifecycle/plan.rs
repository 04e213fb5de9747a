//! The rules, in order; the first with an opinion wins. Pure and total: same view, same step.

use crate::lifecycle::effect::Effect;
use crate::lifecycle::report;
use crate::lifecycle::rules::{
    creation, deletion, identity, orphan, preconditions, state, token, token_secret,
};
use crate::lifecycle::verdict::{Aspect, Verdict};
use crate::lifecycle::view::View;

/// The one next thing to do, or the end.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Act(Aspect, Effect),
    Settle(Verdict),
    /// Nothing is to be done or said.
    Leave,
}

/// A rule has an opinion or none.
pub type Rule = fn(&View) -> Option<Step>;

/// Order is meaning: what is stale is read anew, what is asked to go goes, what was refused or failed ends the reconcile;
/// then who may, then whether it exists, then whether it is the recorded one, then what it is called, then its token.
pub const RULES: &[(&str, Rule)] = &[
    ("only_the_leader_acts", preconditions::only_the_leader_acts),
    ("read_what_changed", preconditions::read_what_changed),
    ("let_it_go", deletion::let_it_go),
    ("end_with_the_problem", preconditions::end_with_the_problem),
    (
        "withdraw_what_is_not_granted",
        preconditions::withdraw_what_is_not_granted,
    ),
    (
        "withdraw_what_is_declared_away",
        preconditions::withdraw_what_is_declared_away,
    ),
    ("know_the_organization", preconditions::know_the_organization),
    (
        "keep_to_the_recorded_organization",
        preconditions::keep_to_the_recorded_organization,
    ),
    (
        "keep_off_what_others_hold",
        preconditions::keep_off_what_others_hold,
    ),
    (
        "believe_no_mass_vanishing",
        preconditions::believe_no_mass_vanishing,
    ),
    ("finish_what_was_begun", creation::finish_what_was_begun),
    ("rest_while_suspended", creation::rest_while_suspended),
    ("adopt_by_id", creation::adopt_by_id),
    ("create_or_adopt_by_name", creation::create_or_adopt_by_name),
    ("hold_by_finalizer", identity::hold_by_finalizer),
    ("read_what_differs", identity::read_what_differs),
    ("look_for_an_orphan", orphan::look_for_an_orphan),
    ("report_what_is_gone", identity::report_what_is_gone),
    ("refuse_another_identity", identity::refuse_another_identity),
    ("drop_a_token_of_another", orphan::drop_a_token_of_another),
    ("bring_to_what_is_declared", state::bring_to_what_is_declared),
    ("withhold_token", token::withhold_token),
    ("refuse_another_organization", token::refuse_another_organization),
    ("publish_proven_token", token::publish_proven_token),
    ("prove_what_was_issued", token::prove_what_was_issued),
    ("renew_token", token::renew_token),
    ("remove_other_secrets", token_secret::remove_other_secrets),
];

/// The next step, and the rule that named it.
pub fn plan(view: &View) -> (&'static str, Step) {
    RULES
        .iter()
        .find_map(|(name, rule)| rule(view).map(|step| (*name, step)))
        .unwrap_or_else(|| ("settle", Step::Settle(report::settled(view))))
}

/// Shorthand for the rules.
pub(super) fn sync(effect: Effect) -> Option<Step> {
    Some(Step::Act(Aspect::Sync, effect))
}

/// Shorthand for the rules.
pub(super) fn token(effect: Effect) -> Option<Step> {
    Some(Step::Act(Aspect::Token, effect))
}

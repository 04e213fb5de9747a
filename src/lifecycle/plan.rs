//! The rules, in order; the first with an opinion wins. Pure and total: same view, same step.

use crate::lifecycle::effect::{ClusterEffect, Effect};
use crate::lifecycle::judge::holding;
use crate::lifecycle::progress::ObjectProgress;
use crate::lifecycle::rules::{
    creation, deletion, drift, identity, orphan, preconditions, token, token_secret,
};
use crate::lifecycle::step::{Change, Ending, Step};
use crate::lifecycle::view::{Record, View};

/// A step, and the rule that named it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub rule: &'static str,
    pub step: Step,
}

type Rule = fn(&View) -> Option<Step>;
type RuleOfRecord = fn(&View, &Record) -> Option<Step>;

/// Pairs each rule with its name.
macro_rules! rules {
    ($($chapter:ident::$rule:ident $(=> $call:expr)?,)+) => {
        &[$((stringify!($rule), rules!(@call $chapter::$rule $(=> $call)?)),)+]
    };
    (@call $chapter:ident::$rule:ident) => { $chapter::$rule };
    (@call $chapter:ident::$rule:ident => $call:expr) => { $call };
}

/// Rules for every object: leave it to another operator that holds it, read it again if it changed, give way without a permit, delete on request, end with a failure.
pub const ALWAYS: &[(&str, Rule)] = rules![
    preconditions::leave_to_its_holder,
    preconditions::read_what_changed,
    preconditions::give_way,
    deletion::let_it_go,
    preconditions::end_with_the_problem,
];

/// Permission; then the creation in flight; then whether anything is to be created or adopted.
pub const UNRECORDED: &[(&str, Rule)] = rules![
    preconditions::withdraw_what_an_ungranted_creation_wrote,
    preconditions::withdraw_what_a_creation_declared_away,
    preconditions::know_the_organization,
    preconditions::keep_to_the_intended_organization,
    creation::finish_what_was_begun,
    creation::rest_while_suspended,
    creation::adopt_by_id,
    creation::create_or_adopt_by_name,
];

/// Permission; then whether the workspace is there, and still the recorded one; then its name and state; then its token.
pub const RECORDED: &[(&str, RuleOfRecord)] = rules![
    preconditions::withdraw_what_is_not_granted,
    preconditions::withdraw_what_is_declared_away,
    preconditions::know_the_organization => |view, _| preconditions::know_the_organization(view),
    preconditions::keep_to_the_recorded_organization,
    preconditions::keep_off_what_others_hold,
    preconditions::doubt_many_missing,
    identity::hold_by_finalizer,
    identity::read_what_differs,
    orphan::look_for_an_orphan,
    identity::report_what_is_missing,
    identity::refuse_another_identity,
    orphan::drop_a_token_of_another,
    drift::bring_to_what_is_declared,
    token::withhold_token,
    token::refuse_another_organization,
    token::publish_verified_token,
    token::verify_what_was_issued,
    token::renew_token,
    token_secret::decorate,
    token_secret::remove_other_secrets,
];

/// The next step, and the rule that named it. Before anything is done for what may be another operator's, the status names us;
/// before a call that cannot be undone the object and its Organization are read live. Then the rules decide again.
pub fn plan(view: &View) -> Planned {
    let planned = by_the_rules(view);
    match &planned.step {
        Step::Act(_, effect) if !effect.is_read() && is_to_be_held(view) => Planned {
            rule: "hold_what_is_recorded",
            step: Step::Store(Change::Held),
        },
        Step::Act(aspect, Effect::Engine(call)) if call.is_final() && !is_live(view) => Planned {
            rule: "read_the_object_live",
            step: Step::Act(*aspect, ClusterEffect::ReadObject.into()),
        },
        _ => planned,
    }
}

fn is_live(view: &View) -> bool {
    view.progress.live_at.is_some() && view.progress.organization_live_at.is_some()
}

/// An intent names us as it is stored. Before that, nothing is done that another operator's work could meet.
fn is_to_be_held(view: &View) -> bool {
    let begun = view.recorded_id().is_some() || view.intent().is_some() || holding::is_of_another(view);
    begun && !holding::is_told(view) && view.progress.object == ObjectProgress::Current
}

fn by_the_rules(view: &View) -> Planned {
    first(ALWAYS.iter().map(|(name, rule)| (*name, rule(view))))
        .or_else(|| match view.record() {
            None => first(UNRECORDED.iter().map(|(name, rule)| (*name, rule(view)))),
            Some(record) => first(RECORDED.iter().map(|(name, rule)| (*name, rule(view, &record)))),
        })
        .unwrap_or(Planned {
            rule: "settle",
            step: Step::Settle(Ending::Done),
        })
}

fn first(opinions: impl Iterator<Item = (&'static str, Option<Step>)>) -> Option<Planned> {
    let mut opinions = opinions;
    opinions.find_map(|(rule, step)| step.map(|step| Planned { rule, step }))
}

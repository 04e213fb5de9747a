//! Every sentence for people about a Workspace, apart from the logic that picks it. A message says what is wrong, what the
//! operator did not do, and what to do about it.

mod calls;
mod creation;
mod deletion;
mod identity;
mod names;
mod organization;
mod sync;
mod token;

pub(in crate::lifecycle) use calls::{
    call_failed, call_rejected, change_ignored, change_refused, creation_refused, credential_may_not,
    kubernetes_failed, name_kept_otherwise, no_permit, no_slot, permit_too_late, plan_limit, stamp_too_late,
    throttled, token_refused_at_once, too_many_steps,
};
pub(in crate::lifecycle) use creation::{
    answer_lost, being_created, belongs_elsewhere, creation_in_flight, declared_id_not_found, foreign_status,
    just_gone, name_held_for_a_moment, never_create_default, nothing_tells_whose, replacing, several,
    suspended_creation, token_of_another_organization, uncertain, uncertain_among_others,
    uncertain_in_another_form, waits_for_the_next_attempt,
};
pub(in crate::lifecycle) use deletion::{
    blocked as deletion_blocked, crd_unreadable, deleting_after_creation, deleting_after_issue,
    left_after_creation, left_at_agent_engine, may_be_of_an_issue, no_organization, nothing_listed, released,
    still_listed, unanswered as deletion_unanswered, undecodable_organization, unready_organization,
    waits as deletion_waits, waits_for as deletion_waits_for,
};
pub(in crate::lifecycle) use identity::{
    another_organization, many_missing, many_missing_while_deleting, not_found, not_replaced, orphan_removed,
    token_opens_another, unconfirmed, wish_among_many, wish_hidden, wish_unconfirmed,
};
pub(in crate::lifecycle) use names::{
    already_exists, bears_what_is_not_granted, id_claimed, id_not_granted, name_claimed, name_exchanged,
    not_granted, rename_lifts_the_ceiling, similar,
};
pub(in crate::lifecycle) use organization::{
    changed, mismatch, not_decodable, not_found as organization_not_found, not_ready,
};
pub(in crate::lifecycle) use sync::{
    as_declared, default_not_deactivated, default_not_renamed, name_taken, rename_waits,
    rename_waits_for_tokens, suspended, switch_waits, unread, updating,
};
pub(in crate::lifecycle) use token::{
    being_issued, declared_inactive, disabled, inactive, name_too_long, rename_unclear, secret_altered,
    secret_fight, secret_not_owned, secret_of_another, unknown_state, verified, verified_and_contested,
    verified_of_another_organization, waits as token_waits,
};

//! The client and its credential: when it is made anew, when the credential is exchanged, when it is doubted.

use std::time::Duration;

use super::super::effect::Effect;
use super::super::judge::{Credential, NoClient};
use super::super::plan::Step;
use super::super::view::{Attempt, Exchange, List, View};
use crate::api::remote::FailureClass;
use crate::api::time::later;
use crate::lifecycle::view::Verification;

/// Two calls at most, twice an hour.
const ASKS_AGAIN: Duration = Duration::from_secs(29 * 60);

/// A client is made anew when spec or Secret changed: a rotation takes effect without a restart. A Secret that could not
/// be read is read again.
pub fn connect(view: &View) -> Option<Step> {
    let changed = view.memory.made_of.as_ref() != Some(&view.ingredients());
    let unread = matches!(
        view.memory.credential,
        Credential::NoClient(NoClient::Unread { .. })
    );
    (view.found.client == Attempt::NotMade && (changed || unread)).then(|| {
        Step::Act(Effect::Connect {
            // The pinned organisation is not named yet: whose the credential is shall be said, not refused.
            naming: view.declared.organization_id.clone(),
        })
    })
}

/// A credential is exchanged until it is accepted, once a pass and not while it rests.
pub fn exchange(view: &View) -> Option<Step> {
    let open = match view.memory.credential {
        Credential::Unasked | Credential::Refused(_) => true,
        Credential::Accepted { .. } => is_elsewhere_still_to_be_seen(view),
        Credential::NoClient(_) => false,
    };
    (open && may_exchange(view)).then_some(Step::Act(Effect::Exchange))
}

/// A credential that was refused its organisation may have been let in again: whose it is is asked anew, now and then.
fn is_elsewhere_still_to_be_seen(view: &View) -> bool {
    let due = view
        .memory
        .exchanged_at
        .is_none_or(|at| later(at, ASKS_AGAIN) <= view.now);
    (due || view.is_asked()) && matches!(view.judgement().verification, Verification::Changed { .. })
}

/// Where the declared organisation is refused to the credential, whose it is is asked without naming one.
pub fn ask_whose_it_is(view: &View) -> Option<Step> {
    (view.found.exchange == Exchange::Refused && view.rests_until().is_none())
        .then_some(Step::Act(Effect::ExchangeUnnamed))
}

/// A list that is denied may mean that the credential was taken back: then that is what is wrong. One that was exchanged
/// in this very pass is not doubted.
pub fn doubt_what_may_not_list(view: &View) -> Option<Step> {
    let failure = view.memory.listing.failure.as_ref();
    let denied = failure.map(|failure| failure.class) == Some(FailureClass::Denied);
    let just_now = view.found.list == List::Over;
    (denied && just_now && view.is_accepted() && may_exchange(view)).then_some(Step::Act(Effect::Exchange))
}

/// Once the organisation is known, every call names it.
pub fn name_the_organization(view: &View) -> Option<Step> {
    if view.found.naming != Attempt::NotMade || view.memory.names.is_some() || !view.is_accepted() {
        return None;
    }
    let id = view.judgement().verified()?.clone();
    Some(Step::Act(Effect::NameOrganization(id)))
}

fn may_exchange(view: &View) -> bool {
    view.found.exchange == Exchange::NotMade && view.rests_until().is_none()
}

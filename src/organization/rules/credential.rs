//! The client and its credential: when it is made anew, when the credential is exchanged, when it is doubted.

use std::time::Duration;

use crate::domain::remote::FailureClass;
use crate::domain::time::later;
use crate::domain::verification::Verification;
use crate::organization::effect::Effect;
use crate::organization::judge::{Credential, NoClient};
use crate::organization::plan::Step;
use crate::organization::view::{Attempt, Exchange, List, View};

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
    (view.progress.client == Attempt::NotMade && (changed || unread)).then(|| {
        Step::Act(Effect::Connect {
            // The pinned organization is not named yet: whose the credential is shall be said, not refused.
            naming: view.declared.organization_id.clone(),
        })
    })
}

/// A credential is exchanged until it is accepted, once a reconcile and not while it rests.
pub fn exchange(view: &View) -> Option<Step> {
    let open = match view.memory.credential {
        Credential::Unasked | Credential::Refused(_) => true,
        Credential::Accepted { .. } => is_elsewhere_still_to_be_seen(view),
        Credential::NoClient(_) => false,
    };
    (open && may_exchange(view)).then_some(Step::Act(Effect::Exchange))
}

/// A credential that was refused its organization may have been let in again: whose it is is asked anew, now and then.
fn is_elsewhere_still_to_be_seen(view: &View) -> bool {
    let due = view
        .memory
        .exchanged_at
        .is_none_or(|at| later(at, ASKS_AGAIN) <= view.now);
    (due || view.is_asked()) && matches!(view.judgement().verification, Verification::Changed { .. })
}

/// Where the declared organization is refused to the credential, whose it is is asked without naming one.
pub fn ask_whose_it_is(view: &View) -> Option<Step> {
    (view.progress.exchange == Exchange::Refused && view.rests_until().is_none())
        .then_some(Step::Act(Effect::ExchangeUnnamed))
}

/// A list that is denied may mean that the credential was taken back: then that is what is wrong. One that was exchanged
/// in this very reconcile is not doubted.
pub fn doubt_what_may_not_list(view: &View) -> Option<Step> {
    let failure = view.memory.listing.failure.as_ref();
    let denied = failure.map(|failure| failure.class) == Some(FailureClass::Denied);
    let just_now = view.progress.list == List::Over;
    (denied && just_now && view.is_accepted() && may_exchange(view)).then_some(Step::Act(Effect::Exchange))
}

/// Once the organization is known, every call names it.
pub fn name_the_organization(view: &View) -> Option<Step> {
    if view.progress.naming != Attempt::NotMade || view.memory.names.is_some() || !view.is_accepted() {
        return None;
    }
    let id = view.judgement().verified()?.clone();
    Some(Step::Act(Effect::NameOrganization(id)))
}

fn may_exchange(view: &View) -> bool {
    view.progress.exchange == Exchange::NotMade && view.rests_until().is_none()
}

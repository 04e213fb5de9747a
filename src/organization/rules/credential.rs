//! The client and its credential: when another client is made, when the credential is exchanged, when it is doubted.

use crate::organization::effect::{ClusterEffect, EngineCall};
use crate::organization::judge::credential::{is_accepted, is_in_doubt, may_belong_again};
use crate::organization::judge::rest::rest;
use crate::organization::judge::verification::{Owner, owner};
use crate::organization::memory::{Credential, NoClient};
use crate::organization::progress::{Attempt, Exchange};
use crate::organization::step::Step;
use crate::organization::view::View;

/// A changed spec or Secret makes another client: a rotation takes effect without a restart. A Secret that could not be
/// read is read again.
pub fn connect(view: &View) -> Option<Step> {
    let changed = view.memory.made_of.as_ref() != Some(&view.ingredients());
    let unread = matches!(
        view.memory.credential,
        Credential::NoClient(NoClient::Unread { .. })
    );
    // The verified organization is not named yet: a credential of another one shall be told apart, not refused.
    let naming = || view.declared.organization_id.clone();
    // A tool that touches labels of the Secret changes its version, but not its keys. Without a client there is none to keep.
    let made_of = view.memory.made_of.as_ref();
    let kept = made_of.is_some_and(|made_of| made_of.is_same_but_for_the_secret(&view.ingredients()));
    let keys = || view.memory.keys.clone().filter(|_| kept && !unread);
    (view.progress.client == Attempt::NotMade && (changed || unread)).then(|| {
        Step::act(ClusterEffect::Connect {
            naming: naming(),
            keys: keys(),
        })
    })
}

/// A credential is exchanged until it is accepted, once a reconcile and not during a rest. One that was refused its
/// organization may have been let in again.
pub fn exchange(view: &View) -> Option<Step> {
    let open = match view.memory.credential {
        Credential::NotExchanged | Credential::Refused(_) => true,
        Credential::Accepted { .. } => may_belong_again(view),
        Credential::NoClient(_) => false,
    };
    (open && may_exchange(view)).then_some(Step::act(EngineCall::Exchange))
}

/// The named organization refuses the credential: ask to which organization it belongs, without naming one.
pub fn ask_whose_it_is(view: &View) -> Option<Step> {
    (view.progress.exchange == Exchange::Refused && rest(view).is_none())
        .then_some(Step::act(EngineCall::ExchangeUnnamed))
}

/// A list that is denied may mean that the credential was taken back: then the credential is the trouble. One that was
/// exchanged in this very reconcile is not doubted.
pub fn doubt_what_may_not_list(view: &View) -> Option<Step> {
    (is_in_doubt(view) && may_exchange(view)).then_some(Step::act(EngineCall::Exchange))
}

/// Once the organization is verified, every call names it.
pub fn name_the_organization(view: &View) -> Option<Step> {
    if view.progress.naming != Attempt::NotMade || view.memory.names.is_some() || !is_accepted(view) {
        return None;
    }
    match owner(view) {
        Owner::Verified(id) => Some(Step::act(ClusterEffect::NameOrganization(id.clone()))),
        Owner::Unknown(_) | Owner::Changed { .. } => None,
    }
}

fn may_exchange(view: &View) -> bool {
    view.progress.exchange == Exchange::NotMade && rest(view).is_none()
}

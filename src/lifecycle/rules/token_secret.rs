//! Secrets of ours beside the one that the token goes to.

use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::effect::{ClusterEffect, Decorated};
use crate::lifecycle::judge::decoration;
use crate::lifecycle::judge::token;
use crate::lifecycle::judge::token_secret::{self, Target};
use crate::lifecycle::step::{Change, Step};
use crate::lifecycle::view::{Record, View};

/// Corrects labels and annotations by a patch of the metadata alone.
pub fn decorate(view: &View, record: &Record) -> Option<Step> {
    token::wanted(view, record).ok()?;
    match token_secret::target(view) {
        Target::Ours(facts)
            if decoration::state(view, facts) == decoration::State::Due && !view.rests(Aspect::Token) =>
        {
            Some(Step::token(ClusterEffect::DecorateSecret(Box::new(Decorated {
                name: facts.name.clone(),
                resource_version: facts.resource_version.clone(),
                decoration: decoration::asked(view),
            }))))
        }
        Target::Ours(_) | Target::Free | Target::Unread | Target::Foreign => None,
    }
}

/// Deletes the other Secrets that our uid controls, once status names the new one.
pub fn remove_other_secrets(view: &View, record: &Record) -> Option<Step> {
    match token_secret::target(view) {
        Target::Ours(_) => {}
        Target::Free | Target::Unread | Target::Foreign => return None,
    }
    if let Some(read) = token_secret::unwatched_recorded_secret(view) {
        return Some(Step::token(read));
    }
    let name = token_secret::secret_name(view);
    let others = view.secrets.others.iter().filter(|facts| facts.name != name);
    // A Secret that only status names is deleted before status names another.
    let other = others.min_by_key(|facts| token_secret::is_watched(facts))?;
    if view.stored.token_secret_name.as_ref() != Some(&name) {
        // The others stay until the new Secret holds a good token.
        token::in_use(view, record).filter(|in_use| *in_use == name)?;
        if token_secret::is_watched(other) {
            return Some(Step::Store(Change::TokenSecret));
        }
    }
    Some(Step::token(token_secret::deletion(other)))
}

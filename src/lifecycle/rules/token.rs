//! I1: a token enters the Secret only after it was verified to open the recorded workspace.

use crate::domain::ids::WorkspaceName;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::effect::{ClusterEffect, EngineCall, Replace};
use crate::lifecycle::facts::Patchable;
use crate::lifecycle::findings;
use crate::lifecycle::judge::drift;
use crate::lifecycle::judge::token::{self, Need};
use crate::lifecycle::judge::token_secret::{self, Target};
use crate::lifecycle::step::{Ending, Step};
use crate::lifecycle::view::{Record, View};

/// Deletes the Secret while no token is wanted.
pub fn withhold_token(view: &View, record: &Record) -> Option<Step> {
    token::wanted(view, record).err()?;
    token_secret::next_to_delete(view).map(Step::token)
}

/// Drops a token that names another organization.
pub fn refuse_another_organization(view: &View, record: &Record) -> Option<Step> {
    let (_, scope) = view.progress.token.verified()?;
    let other = scope.organization_id.as_ref()?;
    if scope.workspace_id != record.id || *other == record.organization_id {
        return None;
    }
    let finding = findings::verified_of_another_organization(record, other);
    Some(Step::Settle(Ending::TokenBlocked(finding)))
}

/// Writes a verified token into the Secret before any other step.
pub fn publish_verified_token(view: &View, record: &Record) -> Option<Step> {
    token::wanted(view, record).ok()?;
    publish(view, record, &drift::current(view, record).name)
}

/// Writes the token at hand, if it is verified to be of `record`.
pub(super) fn publish(view: &View, record: &Record, name: &WorkspaceName) -> Option<Step> {
    let (issued, scope) = view.progress.token.verified()?;
    let elsewhere = scope.organization_id.as_ref();
    if scope.workspace_id != record.id || elsewhere.is_some_and(|id| *id != record.organization_id) {
        return None;
    }
    let replace = match token_secret::target(view) {
        Target::Free => Replace::Nothing,
        // What no patch can change is made again.
        Target::Ours(facts) if facts.patchable == Patchable::No => {
            return Some(Step::token(token_secret::deletion(facts)));
        }
        Target::Ours(facts) => Replace::Version(facts.resource_version.clone()),
        Target::Unread => {
            let name = token_secret::secret_name(view);
            return Some(Step::token(ClusterEffect::ReadSecret { name }));
        }
        Target::Foreign => return None,
    };
    let draft = token_secret::draft(view, record, name, issued, replace)?;
    Some(Step::token(ClusterEffect::WriteSecret(Box::new(draft))))
}

/// Verifies an issued token at once. Without a verification it is dropped at the end of the reconcile.
pub fn verify_what_was_issued(view: &View, _: &Record) -> Option<Step> {
    let issued = view.progress.token.unverified()?;
    Some(Step::token_call(EngineCall::Verify(issued.slot)))
}

/// Issues under the name that was last read for this id, never under the declared one.
pub fn renew_token(view: &View, record: &Record) -> Option<Step> {
    match token::need(view, record) {
        Need::None(_) | Need::Blocked(_) | Need::Later(_) => None,
        Need::Next(effect) => Some(Step::Act(Aspect::Token, effect)),
    }
}

//! I1: whether a token is wanted, and what it needs next.

use jiff::Timestamp;

use crate::crd::conditions::TOKEN_READY;
use crate::domain::finding::Finding;
use crate::domain::remote::WorkspaceState;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall};
use crate::lifecycle::findings;
use crate::lifecycle::judge::decoration::{self, State};
use crate::lifecycle::judge::token_secret::{self, Target};
use crate::lifecycle::judge::{doubt, drift, identity, names};
use crate::lifecycle::memory::LastToken;
use crate::lifecycle::schedule::Freshness;
use crate::lifecycle::view::{Record, View};

/// What the token Secret needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    None(Finding),
    Next(Effect),
    /// Due, but not yet possible.
    Later(Finding),
    Blocked(Finding),
}

/// Whether a token is to be handed out at all, or why not.
pub fn wanted(view: &View, record: &Record) -> Result<(), Finding> {
    if !view.declared.token_enabled() {
        return Err(findings::disabled());
    }
    if view.declared.status == Some(WorkspaceState::Inactive) {
        return Err(findings::declared_inactive());
    }
    match drift::current(view, record).state {
        Some(WorkspaceState::Active) => Ok(()),
        Some(WorkspaceState::Inactive) => Err(findings::inactive()),
        None => Err(findings::unknown_state()),
    }
}

/// The one judgement on the token; rules and status both ask it.
pub fn need(view: &View, record: &Record) -> Need {
    if let Err(finding) = wanted(view, record) {
        return Need::None(finding);
    }
    let target = token_secret::target(view);
    match &target {
        // The Secret that was in use stays in use, if it can be found.
        Target::Foreign => {
            return token_secret::unwatched_recorded_secret(view).map_or_else(
                || Need::Blocked(token_secret::not_owned(view)),
                |read| Need::Next(read.into()),
            );
        }
        Target::Ours(facts) if token_secret::is_current(view, record, facts) => {
            return match facts.times {
                // It lived shorter than the least time between two issues.
                Some(times) if times.has_ended(view.now) => Need::Later(findings::token_waits()),
                // Its labels or annotations were declared and could not be written.
                _ if decoration::state(view, facts) == State::Due && view.rests(Aspect::Token) => {
                    Need::Later(view.last_word(TOKEN_READY, findings::token_waits))
                }
                _ => Need::None(token_secret::verified(view)),
            };
        }
        // Another token would be changed in the same way: it is not issued before it is due.
        Target::Ours(facts)
            if token_secret::is_altered(view, record, facts)
                && token_secret::freshness(view) == Some(Freshness::Fresh) =>
        {
            return Need::Blocked(findings::secret_altered(&facts.name));
        }
        Target::Ours(_) | Target::Free | Target::Unread => {}
    }
    if drift::current(view, record).name.is_cut() {
        return Need::Blocked(findings::name_too_long());
    }
    if let Some(obstacle) = may_not_issue(view, record) {
        return obstacle;
    }
    // I9: a store that lags reads as mass absence; only a live 404 is an absence.
    if let Target::Unread = target {
        let name = token_secret::secret_name(view);
        return Need::Next(ClusterEffect::ReadSecret { name }.into());
    }
    // A token that no Secret can take is not issued: a quota is full, a policy refuses it, its namespace is being deleted.
    if let Target::Free = target
        && !token_secret::is_possible(view)
    {
        let name = view.target_name();
        return Need::Next(ClusterEffect::TrySecret { name }.into());
    }
    // A name that others hold needs no read.
    if let Err(finding) = names::may_use(view, &record.organization_id, &drift::current(view, record).name) {
        return Need::Blocked(finding);
    }
    let Some(row) = identity::confirmed(view, record) else {
        return Need::Next(EngineCall::Get(record.id.clone()).into());
    };
    if let Err(finding) = names::may_use(view, &record.organization_id, &row.name) {
        return Need::Blocked(finding);
    }
    let name = row.name.clone();
    Need::Next(EngineCall::Issue { name, region: None }.into())
}

fn may_not_issue(view: &View, record: &Record) -> Option<Need> {
    // One token a reconcile, and one more after an orphan or a rename: a token due again at once
    // waits for the next reconcile.
    if view.progress.token.published().is_some() || view.progress.issues > 1 {
        return Some(Need::Later(view.last_word(TOKEN_READY, findings::token_waits)));
    }
    if doubt::rename_settles_at(view).is_some() {
        return Some(Need::Later(view.last_word(TOKEN_READY, findings::rename_unclear)));
    }
    if restored_at(view).is_some() {
        return Some(Need::Later(findings::secret_fight(&token_secret::secret_name(
            view,
        ))));
    }
    if view.rests(Aspect::Token) || has_just_ended(view) {
        return Some(Need::Later(view.last_word(TOKEN_READY, findings::token_waits)));
    }
    names::id_claimed_by_other(view, &record.organization_id, &record.id).map(Need::Blocked)
}

/// Whether the token in the Secret lived so short that its next one is not due yet.
fn has_just_ended(view: &View) -> bool {
    let uid = &view.object.uid;
    token_secret::times(view).is_some_and(|times| {
        times.freshness(uid, view.now) == Freshness::Expired && view.now < times.renew_at(uid)
    })
}

/// The Secret that holds a token that is wanted and not about to end: the one that the token goes to, or else another one.
pub fn in_use(view: &View, record: &Record) -> Option<String> {
    wanted(view, record).ok()?;
    let name = token_secret::secret_name(view);
    let target = token_secret::secret_named(view, &name);
    let mut known = target.into_iter().chain(&view.secrets.others);
    let good = known.find(|facts| token_secret::is_good(view, record, facts));
    good.map(|facts| facts.name.clone())
}

/// When a Secret that another client keeps changing is restored, if that is still to come.
pub fn restored_at(view: &View) -> Option<Timestamp> {
    let next_at = view.memory.last_token.as_ref().map(LastToken::next_at);
    next_at.filter(|at| *at > view.now)
}

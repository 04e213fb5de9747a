//! I1: a token enters the Secret only after it was proven to open the recorded workspace.

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::conditions::TOKEN_READY;
use crate::domain::finding::Finding;
use crate::domain::ids::WorkspaceName;
use crate::domain::reason::Reason;
use crate::domain::remote::WorkspaceState;
use crate::domain::time::{elapsed, later};
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall, Replace, SecretDraft};
use crate::lifecycle::memory::LastToken;
use crate::lifecycle::plan::{Step, token};
use crate::lifecycle::report;
use crate::lifecycle::rules::token_secret::{self, Target};
use crate::lifecycle::rules::{identity, naming, preconditions, state};
use crate::lifecycle::verdict::Aspect;
use crate::lifecycle::view::{Record, View};

/// A rename whose answer was lost may still take effect for this long: a token issued meanwhile could make a twin.
const RENAME_SETTLES: Duration = Duration::from_secs(45);

/// Whether a token is to be handed out at all, or why not.
pub fn wanted(view: &View, record: &Record) -> Result<(), Finding> {
    if !view.declared.token_enabled() {
        return Err(Finding::new(
            Reason::TokenDisabled,
            "spec.tokenSecret.enabled is false",
        ));
    }
    if view.declared.status == Some(WorkspaceState::Inactive) {
        return Err(Finding::new(
            Reason::WorkspaceInactive,
            "the workspace is declared inactive: nobody is handed access",
        ));
    }
    match state::current(view, record).state {
        Some(WorkspaceState::Active) => Ok(()),
        Some(WorkspaceState::Inactive) => Err(Finding::new(
            Reason::WorkspaceInactive,
            "the workspace is inactive: nobody is handed access",
        )),
        None => Err(Finding::new(
            Reason::WorkspaceInactive,
            "the workspace is in a state that this version does not know: nobody is handed access",
        )),
    }
}

/// The Secret exists only while a token is wanted.
pub fn withhold_token(view: &View) -> Option<Step> {
    let record = view.record()?;
    wanted(view, &record).err()?;
    preconditions::remove_secrets(view)
}

/// A token that says to be of another organization is dropped.
pub fn refuse_another_organization(view: &View) -> Option<Step> {
    let record = view.record()?;
    let proof = view
        .progress
        .proof
        .as_ref()
        .filter(|proof| proof.workspace_id == record.id)?;
    let other = proof
        .organization_id
        .as_ref()
        .filter(|id| **id != record.organization_id)?;
    let finding = Finding::new(
        Reason::IdentityMismatch,
        format!(
            "a token for the workspace {} says that it belongs to organization {other}, recorded is {}; the token was dropped \
             and nothing handed out",
            record.id, record.organization_id
        ),
    );
    Some(Step::Settle(report::token_failed(view, finding)))
}

/// A proven token goes into the Secret before anything else happens.
pub fn publish_proven_token(view: &View) -> Option<Step> {
    let record = view.record()?;
    wanted(view, &record).ok()?;
    let name = state::current(view, &record).name;
    publish(view, &record, &name)
}

/// Writes the token at hand, if it is proven to be of `record`.
pub fn publish(view: &View, record: &Record, name: &WorkspaceName) -> Option<Step> {
    let (issued, proof) = (view.progress.issued.as_ref()?, view.progress.proof.as_ref()?);
    if proof.workspace_id != record.id
        || proof
            .organization_id
            .as_ref()
            .is_some_and(|id| *id != record.organization_id)
    {
        return None;
    }
    let replace = match token_secret::target(view) {
        Target::Free => Replace::Nothing,
        Target::Ours(facts) => Replace::Version(facts.resource_version.clone()),
        Target::Unread => {
            return token(Effect::Cluster(ClusterEffect::ReadSecret {
                name: token_secret::secret_name(view),
            }));
        }
        Target::Foreign => return None,
    };
    token(Effect::Cluster(ClusterEffect::WriteSecret(Box::new(
        SecretDraft {
            name: token_secret::secret_name(view),
            slot: issued.slot,
            replace,
            content: token_secret::content(view, record, name)?,
            times: issued.times,
            labels: token_secret::labels(view),
            annotations: token_secret::extra_annotations(view),
        },
    ))))
}

/// An issued token is proven at once, or dropped with the reconcile.
pub fn prove_what_was_issued(view: &View) -> Option<Step> {
    view.record()?;
    let issued = view.progress.issued.as_ref()?;
    view.progress
        .proof
        .is_none()
        .then(|| token(Effect::Engine(EngineCall::Verify(issued.slot))))
        .flatten()
}

/// Issues under the name last read for this id, never the declared one.
pub fn renew_token(view: &View) -> Option<Step> {
    let record = view.record()?;
    match need(view, &record) {
        Need::None(_) | Need::Blocked(_) | Need::Later(_) => None,
        Need::Next(effect) => token(effect),
    }
}

/// What the token Secret needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    None(Finding),
    Next(Effect),
    /// Due, but not before its turn.
    Later(Finding),
    Blocked(Finding),
}

/// The one judgement on the token; rules and report both ask it.
pub fn need(view: &View, record: &Record) -> Need {
    if let Err(finding) = wanted(view, record) {
        return Need::None(finding);
    }
    let target = token_secret::target(view);
    if let Target::Foreign = target {
        // The Secret that was in use goes on, if it can be progress.
        return token_secret::unwatched_recorded_secret(view)
            .map_or_else(|| Need::Blocked(token_secret::foreign(view)), Need::Next);
    }
    if let Target::Ours(facts) = &target
        && token_secret::is_current(view, record, facts)
    {
        return Need::None(Finding::new(
            Reason::TokenVerified,
            "a token proven to open this workspace is in the Secret",
        ));
    }
    if let Some(finding) = may_not_issue(view, record) {
        return finding;
    }
    // I9: a store that lags reads as mass absence; only a live 404 is an absence.
    if let Target::Unread = target {
        return Need::Next(Effect::Cluster(ClusterEffect::ReadSecret {
            name: token_secret::secret_name(view),
        }));
    }
    let Some(row) = identity::confirmed(view, record) else {
        return Need::Next(Effect::Engine(EngineCall::Get(record.id.clone())));
    };
    if let Err(finding) = naming::may_use(view, &record.organization_id, &row.name) {
        return Need::Blocked(finding);
    }
    Need::Next(Effect::Engine(EngineCall::Issue {
        name: row.name.clone(),
        region: None,
    }))
}

fn may_not_issue(view: &View, record: &Record) -> Option<Need> {
    // One token a reconcile, and one more after a stray or a rename: what is due again at once waits for the next.
    if view.progress.published.is_some() || view.progress.issues > 1 {
        return Some(Need::Later(pending(
            view,
            "the token is waiting for its next attempt",
        )));
    }
    if let Some(at) = view.memory.rename_unclear_at
        && elapsed(at, view.now) < RENAME_SETTLES
    {
        return Some(Need::Later(pending(
            view,
            "a rename is unclear; the token is renewed when it has settled",
        )));
    }
    if restores_at(view).is_some() {
        return Some(Need::Later(Finding::new(
            Reason::TokenPending,
            "the token Secret was taken away or changed many times in a row, and now gets a new token once a minute only. Find \
             out who does that",
        )));
    }
    if view.rests(Aspect::Token) {
        return Some(Need::Later(pending(
            view,
            "the token is waiting for its next attempt",
        )));
    }
    naming::id_claimed_by_other(view, &record.organization_id, &record.id).map(Need::Blocked)
}

fn pending(view: &View, otherwise: &str) -> Finding {
    view.stored_finding(TOKEN_READY)
        .filter(|finding| !finding.is_ready())
        .unwrap_or_else(|| Finding::new(Reason::TokenPending, otherwise))
}

/// When a token may be issued that now has to wait for something else than its back-off.
pub fn waits_until(view: &View) -> Option<Timestamp> {
    let settles_at = view.memory.rename_unclear_at.map(|at| later(at, RENAME_SETTLES));
    let settles_at = settles_at.filter(|at| *at > view.now);
    settles_at.into_iter().chain(restores_at(view)).min()
}

fn restores_at(view: &View) -> Option<Timestamp> {
    let next_at = view.memory.last_token.as_ref().map(LastToken::next_at);
    next_at.filter(|at| *at > view.now)
}
